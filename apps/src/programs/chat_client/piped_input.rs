//! Standard input that is no person's.

use core::task::Poll;
use std::io;

use barewire_core::text::MAX_TEXT;
use barewire_linux::executor::{Context, Task};
use barewire_linux::input::{Chunk, Input};

use super::state::ChatClientState;
use crate::output::system_error::describe;

/// With so many lines waiting, no more are read.
const WAITING: usize = 64;

/// The task: from bytes to lines that wait to be said.
#[derive(Debug)]
pub(super) struct PipedInput {
    input: Input<io::Stdin>,
    lines: Lines,
}

/// Cuts bytes into lines, and holds the unfinished one.
#[derive(Debug, Default)]
struct Lines {
    part: Vec<u8>,
    /// The rest of a line that is too long is to be left out.
    skipping: bool,
}

impl PipedInput {
    pub(super) fn new() -> Self {
        Self { input: Input::stdin(), lines: Lines::default() }
    }
}

impl Lines {
    fn take(&mut self, bytes: &[u8], chat: &mut ChatClientState<'_>) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (piece, ends) =
                piece.strip_suffix(b"\n").map_or((piece, false), |line| (line, true));
            if !self.skipping {
                self.part.extend_from_slice(piece);
            }
            if ends {
                self.end(chat);
            } else if self.part.len() > MAX_TEXT + 1 {
                // One more than the longest, since a carriage return does not count.
                chat.report_too_long();
                self.part.clear();
                self.skipping = true;
            }
        }
    }

    /// The line ends.
    fn end(&mut self, chat: &mut ChatClientState<'_>) {
        if !std::mem::take(&mut self.skipping) && !chat.closing {
            chat.say_piped(&self.part);
        }
        self.part.clear();
    }

    fn finish(&mut self, chat: &mut ChatClientState<'_>) {
        if !self.part.is_empty() || self.skipping {
            self.end(chat);
        }
        chat.closing = true;
    }
}

impl Task<ChatClientState<'_>> for PipedInput {
    fn turn(
        &mut self,
        chat: &mut ChatClientState<'_>,
        cx: &mut Context<'_, ChatClientState<'_>>,
    ) -> Poll<()> {
        if cx.stopping() {
            self.input.close(cx);
            return Poll::Ready(());
        }
        // A short buffer, so that few lines more are read than may wait.
        let mut buffer = [0; 4096];
        if chat.outbox.len() < WAITING && !chat.closing {
            match self.input.read(cx, &mut buffer) {
                Ok(Chunk::Bytes(bytes)) => self.lines.take(bytes, chat),
                Ok(Chunk::End) => self.lines.finish(chat),
                Err(nb::Error::WouldBlock) => {}
                Err(nb::Error::Other(error)) => {
                    chat.fail(&format!("cannot read standard input: {}", describe(&error)));
                    chat.closing = true;
                }
            }
            cx.set_deadline(self.input.poll_deadline(cx.now()));
            if !chat.outbox.is_empty() || chat.closing {
                cx.wake(chat.tasks.reconnector);
            }
        }
        if chat.closing {
            self.input.close(cx);
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::tests::test;
    use super::*;

    #[test]
    fn lines_are_cut_wherever_the_reads_are_and_the_last_needs_no_end() {
        for size in 1..12 {
            test(|chat| {
                let mut lines = Lines::default();
                for bytes in b"one\r\n\ntwo\nthree".chunks(size) {
                    lines.take(bytes, chat);
                }
                assert_eq!(chat.outbox, ["one", "", "two"]);
                lines.finish(chat);
                assert_eq!(chat.outbox, ["one", "", "two", "three"]);
                assert!(chat.closing && chat.end_of_test().is_ok());
            });
        }
    }

    #[test]
    fn an_endless_line_takes_no_memory_and_the_next_is_said() {
        test(|chat| {
            let mut lines = Lines::default();
            for _ in 0..100 {
                lines.take(&[b'x'; 1000], chat);
                assert!(lines.part.len() < 2 * MAX_TEXT);
            }
            lines.take(b"x\nnext\n", chat);
            assert_eq!(chat.outbox, ["next"]);
            lines.finish(chat);
            assert_eq!(chat.outbox, ["next"]);
            assert!(chat.end_of_test().is_err());
        });
    }

    #[test]
    fn nothing_is_said_after_quit() {
        test(|chat| {
            Lines::default().take(b"one\n/quit\ntwo\n", chat);
            assert_eq!(chat.outbox, ["one"]);
        });
    }
}

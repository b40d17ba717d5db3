//! The user at the keyboard.

use core::task::Poll;
use std::io;

use barewire_core::time::Instant;
use barewire_linux::executor::{Context, Task};
use barewire_linux::input::{Chunk, Input};

use super::state::ChatClientState;

/// The task: from keys to lines that wait to be said.
#[derive(Debug)]
pub(super) struct Keyboard {
    input: Input<io::Stdin>,
    /// When nothing has followed what was read last.
    silence_deadline: Option<Instant>,
}

impl Keyboard {
    pub(super) fn new() -> Self {
        Self { input: Input::stdin(), silence_deadline: None }
    }

    /// Takes what was typed.
    fn read(
        &mut self,
        chat: &mut ChatClientState<'_>,
        cx: &mut Context<'_, ChatClientState<'_>>,
    ) -> io::Result<()> {
        let Some((screen, output)) = chat.reporter.screen() else { return Ok(()) };
        screen.check_events(cx, output)?;
        let mut buffer = [0; 4096];
        let bytes = match self.input.read(cx, &mut buffer) {
            Ok(Chunk::Bytes(bytes)) => bytes,
            // The terminal is gone.
            Ok(Chunk::End) => {
                chat.closing = true;
                return Ok(());
            }
            Err(nb::Error::WouldBlock) => &[],
            Err(nb::Error::Other(error)) => return Err(error),
        };
        if bytes.is_empty() && self.silence_deadline.is_some_and(|at| at <= cx.now()) {
            let outcome = screen.handle_silence(output)?;
            chat.act_on(outcome);
        }
        for &byte in bytes {
            let Some((screen, output)) = chat.reporter.screen() else { break };
            let outcome = screen.handle_byte(byte, output)?;
            chat.act_on(outcome);
            if chat.closing {
                break;
            }
        }
        let patience = chat.reporter.screen().and_then(|(screen, _)| screen.poll_silence());
        self.silence_deadline = match self.silence_deadline {
            Some(at) if bytes.is_empty() && patience.is_some() && at > cx.now() => Some(at),
            _ => patience.map(|patience| cx.now() + patience),
        };
        cx.set_deadline(self.silence_deadline);
        Ok(())
    }
}

impl Task<ChatClientState<'_>> for Keyboard {
    fn turn(
        &mut self,
        chat: &mut ChatClientState<'_>,
        cx: &mut Context<'_, ChatClientState<'_>>,
    ) -> Poll<()> {
        if cx.stopping() {
            self.input.close(cx);
            return Poll::Ready(());
        }
        // A terminal that cannot be read any more has nobody before it.
        chat.closing |= self.read(chat, cx).is_err();
        if !chat.outbox.is_empty() || chat.closing {
            cx.wake(chat.tasks.reconnector);
        }
        if chat.closing {
            self.input.close(cx);
            return Poll::Ready(());
        }
        chat.reporter.flush();
        Poll::Pending
    }
}

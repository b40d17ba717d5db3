//! The user at the keyboard.

use core::task::Poll;
use std::io;

use barewire_linux::executor::{Context, Task};
use barewire_linux::input::{Chunk, Input};

use crate::terminal::line::EditOutcome;

use super::state::ChatClientState;

/// The task: from keys to lines that wait to be said.
#[derive(Debug)]
pub(super) struct Keyboard {
    input: Input<io::Stdin>,
}

impl Keyboard {
    pub(super) fn new() -> Self {
        Self { input: Input::stdin() }
    }

    /// Takes what was typed.
    fn read(
        &mut self,
        chat: &mut ChatClientState<'_>,
        cx: &mut Context<'_, ChatClientState<'_>>,
    ) -> io::Result<()> {
        if let Some(screen) = chat.reporter.screen() {
            screen.check_size(cx)?;
        }
        let mut buffer = [0; 4096];
        let bytes = match self.input.read(cx, &mut buffer) {
            Ok(Chunk::Bytes(bytes)) => bytes,
            // The terminal is gone.
            Ok(Chunk::End) => {
                chat.closing = true;
                return Ok(());
            }
            Err(nb::Error::WouldBlock) => return Ok(()),
            Err(nb::Error::Other(error)) => return Err(error),
        };
        for &byte in bytes {
            match chat.reporter.handle_byte(byte)? {
                EditOutcome::Entered(line) => chat.say_typed(line),
                EditOutcome::EndOfInput => chat.closing = true,
                _ => {}
            }
            if chat.closing {
                break;
            }
        }
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

//! The terminal: what was said, and below it the line that the user types.

use std::io;
use std::mem;

use barewire_linux::executor::Context;

use crate::output::Output;
use crate::terminal::keys::Keys;
use crate::terminal::line::{Line, Outcome};
use crate::terminal::mode::{Keyed, columns};
use crate::terminal::row::Row;

/// Asks the terminal to mark what is pasted, and no longer to.
const PASTE_ON: &str = "\x1b[?2004h";
const PASTE_OFF: &str = "\x1b[?2004l";

#[derive(Debug)]
pub(super) struct Screen {
    mode: Keyed,
    keys: Keys,
    line: Line,
    row: Row,
    pub(super) prompt: String,
    /// What is to be shown above the line.
    pub(super) pending: String,
    /// The line is to be drawn.
    stale: bool,
}

impl Screen {
    pub(super) fn begin() -> io::Result<Self> {
        Ok(Self {
            mode: Keyed::begin()?,
            keys: Keys::default(),
            line: Line::default(),
            row: Row::default(),
            prompt: "> ".to_owned(),
            pending: PASTE_ON.to_owned(),
            stale: true,
        })
    }

    /// The line is drawn anew with the next [`draw`](Self::draw), even if nothing is to be shown.
    pub(super) fn touch(&mut self) {
        self.stale = true;
    }

    /// Takes a byte from the keyboard. What it means is `Said` or `Over`, if the caller has to know.
    pub(super) fn take(&mut self, byte: u8, output: &Output) -> io::Result<Outcome> {
        let Some(key) = self.keys.take(byte) else { return Ok(Outcome::Nothing) };
        let outcome = self.line.press(key);
        self.stale |= outcome != Outcome::Nothing;
        match outcome {
            Outcome::Suspend => {
                self.leave(output)?;
                self.mode.suspend()?;
                self.pending.push_str(PASTE_ON);
                Ok(Outcome::Changed)
            }
            Outcome::Clear => {
                self.row = Row::default();
                self.pending.insert_str(0, "\x1b[H\x1b[2J");
                Ok(Outcome::Changed)
            }
            outcome => Ok(outcome),
        }
    }

    /// To be called in every turn of the keyboard's task: the window may have changed.
    pub(super) fn watch<W>(&mut self, cx: &mut Context<'_, W>) -> io::Result<()> {
        self.stale |= self.mode.has_changed(cx)?;
        Ok(())
    }

    /// Brings the terminal up to date, in one piece: the line goes, the text comes, the line comes
    /// back.
    pub(super) fn draw(&mut self, output: &Output) -> io::Result<()> {
        if !self.stale && self.pending.is_empty() {
            return Ok(());
        }
        self.stale = false;
        let columns = columns();
        let mut out = String::new();
        self.row.erase(columns, &mut out);
        out.push_str(&mem::take(&mut self.pending));
        self.row.draw(&self.prompt, self.line.parts(), columns, &mut out);
        output.pass_on(out.as_bytes())
    }

    /// Leaves the terminal as it was, with all that was to be shown.
    pub(super) fn leave(&mut self, output: &Output) -> io::Result<()> {
        let mut out = String::new();
        self.row.erase(columns(), &mut out);
        out.push_str(&mem::take(&mut self.pending));
        out.push_str(PASTE_OFF);
        output.pass_on(out.as_bytes())
    }
}

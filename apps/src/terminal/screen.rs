//! The terminal: what was said, and below it the line that the user types.

use std::io;
use std::mem;

use barewire_linux::executor::Context;
use barewire_linux::terminal::{self, RawMode};

use super::keys::KeyReader;
use super::line::{EditOutcome, LineEditor};
use super::row::Row;
use crate::output::printer::Printer;

/// Asks the terminal to mark what is pasted, and no longer to.
const PASTE_ON: &str = "\x1b[?2004h";
const PASTE_OFF: &str = "\x1b[?2004l";

/// The width that is taken where a terminal reports none: that of most.
const COLUMNS: u16 = 80;

#[derive(Debug)]
pub(crate) struct Screen {
    mode: RawMode,
    keys: KeyReader,
    line: LineEditor,
    row: Row,
    pub(crate) prompt: String,
    /// What is to be shown above the line.
    pub(crate) pending: String,
    /// The line is to be drawn.
    stale: bool,
}

impl Screen {
    pub(crate) fn enter() -> io::Result<Self> {
        Ok(Self {
            mode: RawMode::enter()?,
            keys: KeyReader::default(),
            line: LineEditor::default(),
            row: Row::default(),
            prompt: "> ".to_owned(),
            pending: PASTE_ON.to_owned(),
            stale: true,
        })
    }

    /// The line is drawn anew with the next [`draw`](Self::draw), even if nothing is to be shown.
    pub(crate) fn invalidate(&mut self) {
        self.stale = true;
    }

    /// Takes a byte from the keyboard. What it means is `Entered` or `EndOfInput`, if the caller has to know.
    pub(crate) fn handle_byte(&mut self, byte: u8, output: &Printer) -> io::Result<EditOutcome> {
        let Some(key) = self.keys.take(byte) else { return Ok(EditOutcome::Nothing) };
        let outcome = self.line.press(key);
        self.stale |= outcome != EditOutcome::Nothing;
        match outcome {
            EditOutcome::Suspend => {
                self.leave(output)?;
                self.mode.suspend()?;
                self.pending.push_str(PASTE_ON);
                Ok(EditOutcome::Changed)
            }
            EditOutcome::Clear => {
                self.row = Row::default();
                self.pending.insert_str(0, "\x1b[H\x1b[2J");
                Ok(EditOutcome::Changed)
            }
            outcome => Ok(outcome),
        }
    }

    /// To be called in every turn of the keyboard's task: the window may have changed.
    pub(crate) fn check_size<W>(&mut self, cx: &mut Context<'_, W>) -> io::Result<()> {
        self.stale |= self.mode.has_changed(cx)?;
        Ok(())
    }

    /// Brings the terminal up to date, in one piece: the line goes, the text comes, the line comes
    /// back.
    pub(crate) fn draw(&mut self, output: &Printer) -> io::Result<()> {
        if !self.stale && self.pending.is_empty() {
            return Ok(());
        }
        self.stale = false;
        let columns = columns();
        let mut out = String::new();
        self.row.erase(columns, &mut out);
        out.push_str(&mem::take(&mut self.pending));
        self.row.draw(&self.prompt, self.line.parts(), columns, &mut out);
        output.write_raw(out.as_bytes())
    }

    /// Leaves the terminal as it was, with all that was to be shown.
    pub(crate) fn leave(&mut self, output: &Printer) -> io::Result<()> {
        let mut out = String::new();
        self.row.erase(columns(), &mut out);
        out.push_str(&mem::take(&mut self.pending));
        out.push_str(PASTE_OFF);
        output.write_raw(out.as_bytes())
    }
}

/// How many columns the terminal has that standard output is.
fn columns() -> usize {
    let reported = terminal::columns(io::stdout()).unwrap_or(0);
    usize::from(if reported == 0 { COLUMNS } else { reported })
}

//! The terminal: what was said, and below it the line that the user types.

use std::io::{self, Write as _};
use std::mem;

use barewire_core::time::Duration;
use barewire_linux::executor::Context;
use barewire_linux::terminal::{self, RawMode, TerminalEvent};

use super::columns::{NO_WRAP, WRAP};
use super::completion::Candidates;
use super::keys::{Key, KeyReader};
use super::line::{EditOutcome, LineEditor};
use super::row::Row;
use super::shown_lines::{LookBack, OTHER_SCREEN, ShownLines, USUAL_SCREEN};
use super::styled_line::StyledLine;
use crate::output::printer::Printer;

/// Asks the terminal to mark what is pasted, and no longer to.
const PASTE_ON: &str = "\x1b[?2004h";
const PASTE_OFF: &str = "\x1b[?2004l";

/// The size that is taken where a terminal reports none: that of most.
const COLUMNS: u16 = 80;
const ROWS: u16 = 24;

/// When so many lines have come, a look at those before them ends.
const MOST_UNSHOWN: usize = 1000;

/// Asks the terminal where its cursor is (`DSR`), which it answers as if by a key.
const WHERE_IS_CURSOR: &str = "\x1b[6n";

/// So long the answer may take.
const ANSWER_TIME: Duration = Duration::from_millis(500);

/// What follows the first byte of a key's sequence follows within this time, or it was Esc.
const KEY_TIME: Duration = Duration::from_millis(100);

const BELL: char = '\x07';

#[derive(Debug)]
pub(crate) struct Screen {
    mode: RawMode<io::Stdin>,
    keys: KeyReader,
    line: LineEditor,
    row: Row,
    lines: ShownLines,
    /// What has scrolled away is looked at.
    look_back: Option<LookBack>,
    prompt: String,
    /// What the terminal is to be asked for, before all else.
    request: String,
    rings: bool,
    /// The line is to be drawn.
    stale: bool,
    /// How often the terminal was asked where its cursor is, and has not answered.
    unanswered: u32,
    /// What it has answered.
    cursor_column: Option<usize>,
    /// The terminal is as it was.
    left: bool,
}

impl Screen {
    pub(crate) fn enter() -> io::Result<Self> {
        Ok(Self {
            mode: RawMode::enter(io::stdin())?,
            keys: KeyReader::default(),
            line: LineEditor::default(),
            row: Row::default(),
            lines: ShownLines::default(),
            look_back: None,
            prompt: "> ".to_owned(),
            request: PASTE_ON.to_owned(),
            rings: false,
            stale: true,
            unanswered: 0,
            cursor_column: None,
            left: false,
        })
    }

    /// Shows a line above the one that is typed, with the next [`draw`](Self::draw).
    pub(crate) fn show(&mut self, line: StyledLine) {
        self.lines.push(line);
    }

    /// Rings the terminal's bell, with the next [`draw`](Self::draw).
    pub(crate) fn ring(&mut self) {
        self.rings = true;
    }

    pub(crate) fn set_prompt(&mut self, prompt: String) {
        self.prompt = prompt;
        self.stale = true;
    }

    /// Takes a byte from the keyboard. What it means is for the caller, if that has to know.
    pub(crate) fn handle_byte(&mut self, byte: u8, output: &Printer) -> io::Result<EditOutcome> {
        match self.keys.take(byte) {
            Some(key) => self.press(key, output),
            None => Ok(EditOutcome::Nothing),
        }
    }

    /// How long to wait until it is to be told that [nothing follows](Self::handle_silence) the last
    /// byte, if that would mean something.
    pub(crate) fn poll_silence(&self) -> Option<Duration> {
        let can_cancel = self.look_back.is_some() || self.line.can_cancel();
        if self.unanswered > 0 {
            Some(ANSWER_TIME)
        } else {
            (self.keys.is_ambiguous() && can_cancel).then_some(KEY_TIME)
        }
    }

    /// Nothing has followed the last byte for that time: it was Esc, and the terminal does not answer.
    pub(crate) fn handle_silence(&mut self, output: &Printer) -> io::Result<EditOutcome> {
        self.stale |= self.unanswered > 0;
        self.unanswered = 0;
        match self.keys.resolve() {
            Some(key) => self.press(key, output),
            None => Ok(EditOutcome::Nothing),
        }
    }

    fn press(&mut self, key: Key, output: &Printer) -> io::Result<EditOutcome> {
        if let Key::CursorAt(column) = key {
            // Only the answer to the last question is about the window as it is.
            if self.unanswered == 1 {
                (self.cursor_column, self.stale) = (Some(column), true);
            }
            self.unanswered = self.unanswered.saturating_sub(1);
            return Ok(EditOutcome::Nothing);
        }
        if self.press_in_look_back(key) {
            return Ok(EditOutcome::Changed);
        }
        let outcome = self.line.press(key);
        self.stale |= outcome != EditOutcome::Nothing;
        match outcome {
            EditOutcome::Suspend => {
                self.leave(output)?;
                self.mode.suspend_job()?;
                self.request.push_str(PASTE_ON);
                Ok(EditOutcome::Changed)
            }
            EditOutcome::Clear => {
                self.row = Row::default();
                self.request.push_str("\x1b[H\x1b[2J");
                Ok(EditOutcome::Changed)
            }
            EditOutcome::PageUp => {
                // What is not on the screen yet is shown before, and the line is not left there.
                self.draw(output)?;
                self.row.erase(size().0, None, &mut self.request);
                let size = size();
                let mut look_back = LookBack::default();
                look_back.up(page(size), &self.lines, size);
                self.look_back = Some(look_back);
                self.request.push_str(OTHER_SCREEN);
                self.stale = true;
                Ok(EditOutcome::Changed)
            }
            outcome => Ok(outcome),
        }
    }

    /// Whether a key moves or ends a look at what has scrolled away, and does nothing else. Any other ends
    /// it as well.
    fn press_in_look_back(&mut self, key: Key) -> bool {
        let Some(look_back) = &mut self.look_back else { return false };
        self.stale = true;
        let size = size();
        let up = match key {
            Key::PageUp => page(size),
            Key::Up => 1,
            Key::Home => usize::MAX / 2,
            _ => 0,
        };
        if up > 0 {
            look_back.up(up, &self.lines, size);
            return true;
        }
        let stays = match key {
            Key::PageDown => look_back.down(page(size)),
            Key::Down => look_back.down(1),
            Key::Clear => true,
            _ => false,
        };
        if !stays {
            self.end_look_back();
        }
        stays || matches!(key, Key::PageDown | Key::Down | Key::End | Key::Cancel | Key::Enter)
    }

    fn end_look_back(&mut self) {
        if self.look_back.take().is_some() {
            self.request.push_str(USUAL_SCREEN);
            self.stale = true;
        }
    }

    /// What is left of the cursor, in which a word is to be [completed](Self::complete).
    pub(crate) fn left(&self) -> &str {
        self.line.parts().0
    }

    pub(crate) fn complete(&mut self, candidates: Candidates) {
        self.line.complete(candidates);
        self.stale = true;
    }

    /// Takes note of what has happened to the window and the program. To be called in every turn of
    /// the keyboard's task.
    pub(crate) fn check_events<W>(
        &mut self,
        cx: &mut Context<'_, W>,
        output: &Printer,
    ) -> io::Result<()> {
        while let Some(event) = self.mode.next_event(cx)? {
            self.stale = true;
            match event {
                TerminalEvent::Resumed => {
                    // Who had the terminal meanwhile may have left it in any state.
                    self.request.push_str(PASTE_ON);
                    if self.look_back.is_some() {
                        self.request.push_str(OTHER_SCREEN);
                    }
                }
                TerminalEvent::Stop => {
                    self.leave(output)?;
                    self.mode.suspend()?;
                    self.request.push_str(PASTE_ON);
                }
                _ if self.look_back.is_none() && self.row.may_be_broken(size().0) => {
                    self.unanswered += 1;
                    output.write_raw(WHERE_IS_CURSOR.as_bytes())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Brings the terminal up to date, in one piece: the line goes, the text comes, the line comes
    /// back.
    pub(crate) fn draw(&mut self, output: &Printer) -> io::Result<()> {
        if self.lines.unshown() >= MOST_UNSHOWN {
            self.end_look_back();
        }
        let rings = mem::take(&mut self.rings);
        // Until it is known where the line is, nothing can be drawn.
        if !(self.stale || rings || self.lines.unshown() > 0) || self.unanswered > 0 {
            self.rings = rings;
            return Ok(());
        }
        (self.stale, self.left) = (false, false);
        let (columns, height) = size();
        let mut out = mem::take(&mut self.request);
        out.push_str(NO_WRAP);
        if let Some(look_back) = &self.look_back {
            look_back.draw(&self.lines, (columns, height), &mut out);
        } else {
            self.row.erase(columns, self.cursor_column.take(), &mut out);
            self.lines.show(columns, &mut out);
            if let Some(question) = self.line.question() {
                self.row.draw_question(&question, columns, &mut out);
            } else {
                let prompt = self.line.prompt();
                let prompt = prompt.as_ref().unwrap_or(&self.prompt);
                self.row.draw(prompt, self.line.parts(), columns, &mut out);
            }
        }
        out.push_str(WRAP);
        if rings {
            out.push(BELL);
        }
        output.write_raw(out.as_bytes())
    }

    /// Leaves the terminal as it was, with all that was to be shown.
    pub(crate) fn leave(&mut self, output: &Printer) -> io::Result<()> {
        self.left = true;
        self.end_look_back();
        let columns = size().0;
        let mut out = mem::take(&mut self.request);
        out.push_str(NO_WRAP);
        self.row.erase(columns, self.cursor_column.take(), &mut out);
        self.lines.show(columns, &mut out);
        out.push_str(WRAP);
        out.push_str(PASTE_OFF);
        output.write_raw(out.as_bytes())
    }
}

impl Drop for Screen {
    /// Only after a panic or a failure is there something to do.
    fn drop(&mut self) {
        if !self.left {
            self.end_look_back();
            self.row.erase(size().0, None, &mut self.request);
            // If it fails the terminal is gone.
            let _ = write!(io::stdout(), "{}{WRAP}{PASTE_OFF}", self.request);
            let _ = io::stdout().flush();
        }
    }
}

/// By how many rows a page is moved: one of the last is seen again.
fn page((_, height): (usize, usize)) -> usize {
    height.saturating_sub(2).max(1)
}

/// How many columns and rows the terminal has that standard output is.
fn size() -> (usize, usize) {
    let (columns, rows) = terminal::size(io::stdout()).unwrap_or((0, 0));
    let or = |reported, usual| usize::from(if reported == 0 { usual } else { reported });
    (or(columns, COLUMNS), or(rows, ROWS))
}

//! What the program shows.

use std::io;

use barewire_core::chat::Line;

use crate::output::events::chat::ChatEvent;
use crate::output::printer::Printer;
use crate::terminal::line::EditOutcome;

use super::style::{LineStyle, Stamp};
use crate::terminal::screen::Screen;

const BELL: char = '\x07';

/// Where lines go: to a screen on which the user types, or to standard output.
#[derive(Debug)]
pub(super) struct Reporter<'o> {
    printer: &'o mut Printer,
    screen: Option<(Screen, LineStyle)>,
}

impl<'o> Reporter<'o> {
    pub(super) fn on_terminal(printer: &'o mut Printer, screen: Screen) -> Self {
        let choice = anstream::AutoStream::choice(&io::stdout());
        let style = LineStyle { colors: choice != anstream::ColorChoice::Never };
        Self { printer, screen: Some((screen, style)) }
    }

    pub(super) fn to_stdout(printer: &'o mut Printer) -> Self {
        Self { printer, screen: None }
    }

    pub(super) fn is_on_terminal(&self) -> bool {
        self.screen.is_some()
    }

    /// Shows a line of the server's; one said `earlier` has no time of its own, and calls nobody.
    pub(super) fn line(&mut self, line: Line<'_>, own: Option<&str>, earlier: bool) {
        let Some((screen, style)) = &mut self.screen else {
            self.printer.show(&ChatEvent::from(line));
            return;
        };
        let stamp = if earlier { Stamp::EARLIER } else { Stamp::now() };
        let is_mention = style.line(&mut screen.pending, stamp, line, own);
        if is_mention && !earlier {
            screen.pending.push(BELL);
        }
    }

    pub(super) fn own(&mut self, nick: Option<&str>, line: &str, waits: bool) {
        if let Some((screen, style)) = &mut self.screen {
            style.own(&mut screen.pending, Stamp::now(), nick, line, waits);
        }
    }

    /// Says something that is no failure.
    pub(super) fn note(&mut self, note: &str) {
        match &mut self.screen {
            Some(_) if self.printer.is_quiet() => {}
            Some((screen, style)) => style.note(&mut screen.pending, Stamp::now(), note),
            None => log::info!("{note}"),
        }
    }

    /// Says a detail, for `-v`.
    pub(super) fn explain(&mut self, detail: &str) {
        match &mut self.screen {
            Some((screen, style)) if log::log_enabled!(log::Level::Debug) => {
                style.note(&mut screen.pending, Stamp::now(), detail);
            }
            Some(_) => {}
            None => log::debug!("{detail}"),
        }
    }

    /// Says that something failed, which is not the end.
    pub(super) fn fail(&mut self, message: &str) {
        match &mut self.screen {
            Some((screen, style)) => style.note(&mut screen.pending, Stamp::now(), message),
            None => self.printer.error(message),
        }
    }

    pub(super) fn rename(&mut self, nick: &str) {
        if let Some((screen, _)) = &mut self.screen {
            screen.prompt = format!("{nick}> ");
            screen.invalidate();
        }
    }

    pub(super) fn handle_byte(&mut self, byte: u8) -> io::Result<EditOutcome> {
        match &mut self.screen {
            Some((screen, _)) => screen.handle_byte(byte, self.printer),
            None => Ok(EditOutcome::Nothing),
        }
    }

    pub(super) fn screen(&mut self) -> Option<&mut Screen> {
        self.screen.as_mut().map(|(screen, _)| screen)
    }

    /// Writes what was collected, at the end of a turn.
    pub(super) fn flush(&mut self) {
        match &mut self.screen {
            // A terminal that takes no more is gone; then the keyboard's end follows.
            Some((screen, _)) => drop(screen.draw(self.printer)),
            None => self.printer.flush(),
        }
    }

    /// Leaves the terminal as it was.
    pub(super) fn end(mut self) {
        match &mut self.screen {
            Some((screen, _)) => drop(screen.leave(self.printer)),
            None => self.printer.flush(),
        }
    }
}

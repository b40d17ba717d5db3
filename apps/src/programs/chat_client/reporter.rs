//! What the program shows.

use std::io;

use barewire_core::chat::Line;

use crate::output::events::chat::ChatEvent;
use crate::output::printer::Printer;

use super::replay_filter::Undelivered;
use super::style::{LineStyle, Stamp};
use crate::terminal::screen::Screen;

/// So many lines that did not arrive are told one by one.
const TOLD: usize = 10;

/// Where lines go: to a screen on which the user types, or to standard output.
#[derive(Debug)]
pub(super) struct Reporter<'o> {
    printer: &'o mut Printer,
    screen: Option<(Screen, LineStyle)>,
    /// The terminal's bell calls the user.
    rings: bool,
}

impl<'o> Reporter<'o> {
    pub(super) fn on_terminal(printer: &'o mut Printer, screen: Screen, rings: bool) -> Self {
        let choice = anstream::AutoStream::choice(&io::stdout());
        let style = LineStyle { colors: choice != anstream::ColorChoice::Never };
        Self { printer, screen: Some((screen, style)), rings }
    }

    pub(super) fn to_stdout(printer: &'o mut Printer) -> Self {
        Self { printer, screen: None, rings: false }
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
        let (shown, calls) = style.line(stamp, line, own);
        screen.show(shown);
        if calls && self.rings && !earlier {
            screen.ring();
        }
    }

    pub(super) fn own(&mut self, nick: Option<&str>, line: &str, waits: bool) {
        if let Some((screen, style)) = &mut self.screen {
            screen.show(style.own(Stamp::now(), nick, line, waits));
        }
    }

    /// Answers what a person at the terminal has asked.
    pub(super) fn answer(&mut self, answer: &str) {
        if let Some((screen, style)) = &mut self.screen {
            screen.show(style.note(Stamp::now(), answer));
        }
    }

    /// Tells a person what of their lines did not arrive.
    pub(super) fn undelivered(&mut self, Undelivered { lost, doubtful }: &Undelivered) {
        if !lost.is_empty() {
            let (count, s) = counted(lost);
            self.answer(&format!(
                "did not arrive: your last {count} line{s} (Up brings them back)"
            ));
            for line in lost.iter().take(TOLD) {
                self.answer(&format!("  {line}"));
            }
            if count > TOLD {
                self.answer(&format!("  and {} more", count - TOLD));
            }
        }
        if let Some(first) = doubtful.first() {
            let (count, s) = counted(doubtful);
            self.answer(&format!(
                "not known whether your last {count} line{s} arrived, from '{first}' on"
            ));
        }
    }

    /// Says something that is no failure.
    pub(super) fn note(&mut self, note: &str) {
        match &mut self.screen {
            Some(_) if self.printer.is_quiet() => {}
            Some((screen, style)) => screen.show(style.note(Stamp::now(), note)),
            None => log::info!("{note}"),
        }
    }

    /// Says a detail, for `-v`.
    pub(super) fn explain(&mut self, detail: &str) {
        match &mut self.screen {
            Some((screen, style)) if log::log_enabled!(log::Level::Debug) => {
                screen.show(style.note(Stamp::now(), detail));
            }
            Some(_) => {}
            None => log::debug!("{detail}"),
        }
    }

    /// Says that something failed, which is not the end.
    pub(super) fn fail(&mut self, message: &str) {
        match &mut self.screen {
            Some((screen, style)) => screen.show(style.note(Stamp::now(), message)),
            None => self.printer.error(message),
        }
    }

    pub(super) fn rename(&mut self, nick: &str) {
        if let Some((screen, _)) = &mut self.screen {
            screen.set_prompt(format!("{nick}> "));
        }
    }

    /// The screen, and what it writes to.
    pub(super) fn screen(&mut self) -> Option<(&mut Screen, &Printer)> {
        self.screen.as_mut().map(|(screen, _)| (screen, &*self.printer))
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

/// How many lines there are, and the ending of the word.
fn counted(lines: &[String]) -> (usize, &'static str) {
    (lines.len(), if lines.len() == 1 { "" } else { "s" })
}

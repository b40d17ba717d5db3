//! What a member's line brings about.

use core::fmt;

use super::backlog::{NOBODY, Route};
use super::command::Command;
use super::flood::Verdict;
use super::hall::{Hall, OPERATOR};
use super::line::REFUSAL;
use super::slot::{Place, State};
use super::{BURST, MAX_NICK};
use crate::printable::printable;
use crate::text::MAX_TEXT;
use crate::time::Instant;

/// What came of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Said,
    Acted,
    Renamed,
    Quits,
    Nothing,
}

const HELP: &str = "/nick NAME, /who, /msg NICK TEXT, /me TEXT, /help, /quit; //TEXT says a line that starts with /";

impl Hall<'_> {
    /// Does what a line asks for. There must be room for a line; it takes no more than one.
    pub(super) fn obey(&mut self, index: u32, now: Instant, line: &[u8]) -> Done {
        let command = Command::read(line);
        if command == Command::Nothing || !self.passes(index, now) {
            return Done::Nothing;
        }
        let nick = |members: &[Place], out: &mut dyn fmt::Write| {
            out.write_str(members.get(index as usize).map_or("", |place| place.nick.as_str()))
        };
        match command {
            Command::Say(text) => {
                self.write(Route::said(index), |members, out| {
                    nick(members, out)?;
                    write!(out, ": {}", printable(text))
                });
                return Done::Said;
            }
            Command::Act(text) => {
                self.write(Route::said(index), |members, out| {
                    out.write_str("* ")?;
                    nick(members, out)?;
                    write!(out, " {}", printable(text))
                });
                return Done::Acted;
            }
            Command::Whisper { to, text } => self.whisper(index, to, text),
            Command::Nick(name) => return self.obey_nick(index, name),
            Command::Who => self.tell_who(index),
            Command::Quit if index == OPERATOR => {
                self.note(index, format_args!("the operator stays: end the server instead"));
            }
            Command::Quit => return Done::Quits,
            Command::Help => self.note(index, format_args!("{HELP}")),
            Command::Lacks(usage) => self.note(index, format_args!("write it as: {usage}")),
            Command::Unknown => self.note(
                index,
                format_args!("no such command; /help tells which there are, //x says /x"),
            ),
            Command::Nothing => {}
        }
        Done::Nothing
    }

    /// Refuses a line, for a reason that is told as often as flood control lets it be.
    pub(super) fn refuse(&mut self, index: u32, now: Instant, why: fmt::Arguments<'_>) {
        if self.passes(index, now) {
            self.note(index, why);
        }
    }

    /// Whether a line gets past flood control. If not, the member is told now and then.
    fn passes(&mut self, index: u32, now: Instant) -> bool {
        let rate = if index == OPERATOR { 0 } else { self.config.rate };
        match self.place_mut(index).map(|place| place.account.judge(now, rate)) {
            Some(Verdict::Passes) => return true,
            Some(Verdict::Noted) => self.note(
                index,
                format_args!(
                    "{REFUSAL}your lines are refused ({rate} a second pass, {BURST} at once)"
                ),
            ),
            Some(Verdict::Refused) | None => {}
        }
        false
    }

    fn whisper(&mut self, index: u32, to: &[u8], text: &[u8]) {
        let name = core::str::from_utf8(to).ok().filter(|name| name.chars().count() <= MAX_NICK);
        let Some(found) = name.and_then(|name| self.who(name)) else {
            // No nick is as long as what is not repeated here.
            let name = name.unwrap_or("that");
            let name = printable(name.as_bytes());
            self.note(index, format_args!("nobody here is called {name}; /who tells who is here"));
            return;
        };
        self.write(Route::private(found), |members, out| {
            let nick = members.get(index as usize).map_or("", |place| place.nick.as_str());
            write!(out, "(private) {nick}: {}", printable(text))
        });
    }

    fn obey_nick(&mut self, index: u32, name: &[u8]) -> Done {
        // What is not UTF-8 is shown with a character that no nick has.
        let name = core::str::from_utf8(name).unwrap_or("\u{fffd}");
        if self.place(index).is_some_and(|place| place.nick.as_str() == name) {
            self.note(index, format_args!("that is your nick already"));
            return Done::Nothing;
        }
        if let Err(why) = self.rename(index, name) {
            self.note(index, format_args!("{why}"));
            return Done::Nothing;
        }
        let old = self.old.clone();
        self.notice(NOBODY, |_, out| write!(out, "* {} is now {name}", old.as_str()));
        Done::Renamed
    }

    /// Who is here, as far as it fits in a line.
    fn tell_who(&mut self, index: u32) {
        // What is left for nicks, beside a count of those that do not fit.
        let room = self.longest.saturating_sub(32).min(MAX_TEXT);
        self.write(Route::private(index), |members, out| {
            let (mut left, mut rest) = (room, 0_usize);
            let here = members.iter().filter(|place| place.state == State::Here);
            for (number, place) in here.enumerate() {
                let nick = place.nick.as_str();
                let before = if number == 0 { "* here: " } else { ", " };
                match left.checked_sub(nick.len() + before.len()) {
                    Some(less) if rest == 0 => {
                        left = less;
                        write!(out, "{before}{nick}")?;
                    }
                    _ => rest += 1,
                }
            }
            if rest > 0 { write!(out, " and {rest} more") } else { Ok(()) }
        });
    }
}

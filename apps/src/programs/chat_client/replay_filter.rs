//! What has been shown already, so that after a reconnection only what was missed is.
//!
//! A server sends its last lines to everybody who comes. Those of the user are among them, which the
//! screen shows since they were typed; in which order the server heard them and the others' cannot be
//! known here. So they are left aside, and what others said is compared: the beginning of what the
//! server sends now with the end of what it had sent before.

use std::collections::VecDeque;

use barewire_core::chat::{Kind, Line};

/// So many lines of each kind are remembered: more than servers send again.
const REMEMBERED: usize = 200;

/// So many of the user's nicks are.
const NICKS: usize = 8;

/// The last lines, as they are shown.
#[derive(Debug, Default)]
pub(super) struct ReplayFilter {
    /// What others said, and when, counted in lines of all kinds.
    said: VecDeque<(u64, String)>,
    /// Notices. Some servers send some of them again and others not, which does not show on them.
    notices: VecDeque<String>,
    /// What the user said.
    own: VecDeque<OwnLine>,
    /// The nicks under which others may have seen that.
    nicks: VecDeque<String>,
    /// How many lines there were.
    count: u64,
    /// Which of them the server sent last.
    last_received: u64,
    /// How many there were when the present connection was made.
    before: u64,
}

/// A line that the user has sent.
#[derive(Debug)]
struct OwnLine {
    number: u64,
    typed: String,
    /// What others see after the nick; nothing of a private line.
    seen: Option<String>,
    /// It was told whether it has arrived, or needs not be.
    settled: bool,
}

/// What has become of the user's last lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Undelivered {
    /// These would be in what the server sent again if they had arrived.
    pub(super) lost: Vec<String>,
    /// Of these it cannot be known: what was sent again does not go so far back, or never has such.
    /// Since they were sent, nothing has come.
    pub(super) doubtful: Vec<String>,
}

impl ReplayFilter {
    /// A connection has been made: what was sent until now was sent over others.
    pub(super) fn begin_connection(&mut self) {
        self.before = self.count;
    }

    pub(super) fn record_received(&mut self, line: Line<'_>) {
        let shown = line.printable().to_string();
        self.count += 1;
        self.last_received = self.count;
        match line.kind {
            Kind::Private { .. } => {}
            Kind::Notice(_) => remember(&mut self.notices, shown),
            _ => remember(&mut self.said, (self.count, shown)),
        }
    }

    /// The user has a nick, from now on and for what was said just before.
    pub(super) fn record_nick(&mut self, nick: &str) {
        if !self.nicks.iter().any(|known| known == nick) {
            self.nicks.push_back(nick.to_owned());
            if self.nicks.len() > NICKS {
                self.nicks.pop_front();
            }
        }
    }

    pub(super) fn record_sent(&mut self, typed: &str) {
        let seen = match typed.strip_prefix('/') {
            None => Some(typed.to_owned()),
            Some(text) if text.starts_with('/') => Some(text.to_owned()),
            Some(command) => match command.split_once(' ') {
                Some(("me", action)) => Some(format!("/me {}", action.trim())),
                Some(("msg", _)) => None,
                _ => return,
            },
        };
        self.count += 1;
        let seen = seen.map(|seen| Line::read(seen.as_bytes()).printable().to_string());
        let typed = typed.to_owned();
        remember(&mut self.own, OwnLine { number: self.count, typed, seen, settled: false });
    }

    /// The last of the lines that were recorded as sent has not gone out after all.
    pub(super) fn forget_sent(&mut self, typed: &str) {
        self.own.pop_back_if(|last| last.typed == typed);
    }

    /// What of `line` others see after the nick, if it is the user's own.
    fn own_text<'l>(&self, line: &'l str) -> Option<&'l str> {
        let (nick, text) = line.split_once(": ")?;
        self.nicks.iter().any(|known| known == nick).then_some(text)
    }

    fn is_known_own(&self, line: &str) -> bool {
        let text = self.own_text(line);
        text.is_some() && self.own.iter().any(|own| own.seen.as_deref() == text)
    }

    /// Takes out of `lines`, the first that come from a server again, those that are known.
    pub(super) fn remove_known(&self, lines: &mut Vec<String>) {
        lines.retain(|line| !self.is_known_own(line));
        let is_notice = |line: &String| line.starts_with("* ");
        let mut left = self.overlap(lines.iter().filter(|line| !is_notice(line)));
        lines.retain(|line| {
            if is_notice(line) {
                return !self.notices.contains(line);
            }
            let is_new = left == 0;
            left = left.saturating_sub(1);
            is_new
        });
    }

    /// How many of the first of `new` are the last that others said, at most.
    fn overlap<'l>(&self, new: impl Iterator<Item = &'l String>) -> usize {
        let new: Vec<&String> = new.collect();
        let old = &self.said;
        let fits = |&count: &usize| {
            let last = old.iter().skip(old.len() - count).map(|(_, line)| line);
            last.eq(new[..count].iter().copied())
        };
        (0..=old.len().min(new.len())).rev().find(fits).unwrap_or(0)
    }

    /// Which of the lines that the user sent over the connections before are not among `lines`, those
    /// that come from a server again. It is told once.
    ///
    /// Lines of one connection arrive in order, and up to some one of them. What came from somebody else
    /// before the user sent a line stands before it in the room: so if the server sends that again, it
    /// would send the line as well.
    pub(super) fn take_undelivered(&mut self, lines: &[String]) -> Undelivered {
        let is_other = |line: &&String| !line.starts_with("* ") && !self.is_known_own(line);
        let overlap = self.overlap(lines.iter().filter(is_other));
        // From where on there is something to compare: in what was sent again, and in what is known.
        let (from, after) = match self.said.len().checked_sub(overlap.max(1)) {
            Some(first) if overlap > 0 => {
                (lines.iter().position(|line| is_other(&line)).unwrap_or(0), self.said[first].0)
            }
            _ => (0, 0),
        };
        let mut arrived = lines[from..].iter().filter_map(|line| self.own_text(line));
        let mut last_arrived = None;
        for own in self.own.iter().filter(|own| own.number > after) {
            let mut rest = arrived.clone();
            if own.seen.is_some() && rest.any(|text| own.seen.as_deref() == Some(text)) {
                (arrived, last_arrived) = (rest, Some(own.number));
            }
        }
        let begins = last_arrived.unwrap_or(after);
        let is_certain = overlap > 0 || last_arrived.is_some();
        let mut undelivered = Undelivered::default();
        let before = self.before;
        for own in self.own.iter_mut().filter(|own| !own.settled && own.number <= before) {
            own.settled = true;
            if own.number <= begins {
                continue;
            }
            let was_before = !undelivered.lost.is_empty();
            if is_certain && (own.seen.is_some() || was_before) {
                undelivered.lost.push(own.typed.clone());
            } else if own.number > self.last_received {
                undelivered.doubtful.push(own.typed.clone());
            }
        }
        undelivered
    }
}

fn remember<T>(lines: &mut VecDeque<T>, line: T) {
    lines.push_back(line);
    if lines.len() > REMEMBERED {
        lines.pop_front();
    }
}

#[cfg(test)]
mod tests;

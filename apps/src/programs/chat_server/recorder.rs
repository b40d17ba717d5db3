//! What happens in the room goes to the log file, and to a reader of JSON.

use std::collections::VecDeque;
use std::fmt;

use barewire_core::chat::{Kind, LeaveReason, Line, MemberEvent};

use crate::output::events::chat::ChatEvent;
use crate::output::printer::Printer;

use super::log_file::LogFile;

#[derive(Clone, Copy)]
pub(super) enum RoomEvent<'a> {
    Joined(&'a str),
    Left(&'a str, LeaveReason),
    Member(MemberEvent<'a>),
}

pub(super) struct Recorder {
    log_file: Option<LogFile>,
    /// Notices that a reader of JSON was shown as other events, in the room's order.
    shown_notices: VecDeque<String>,
}

impl Recorder {
    pub(super) fn new(log_file: Option<LogFile>) -> Self {
        Self { log_file, shown_notices: VecDeque::new() }
    }

    /// Records an event. On the screen it appears as a line of the room, which the operator reads like
    /// every member; but a reader of JSON is shown joins and leaves as such.
    pub(super) fn record(&mut self, event: RoomEvent<'_>, printer: &mut Printer) {
        if let Some(log_file) = &self.log_file {
            log_file.append(event);
        }
        if printer.is_json()
            && !printer.is_quiet()
            && let Some(shown) = event.as_chat_event()
        {
            printer.show(&shown);
            self.shown_notices.push_back(event.to_string());
        }
    }

    /// Shows a line of the room, unless what it says was shown.
    pub(super) fn show_line(&mut self, bytes: &[u8], printer: &mut Printer) {
        let line = Line::read(bytes);
        if let Kind::Notice(_) = line.kind {
            let is_it = |notice: &String| notice.as_bytes() == bytes;
            let shown = self.shown_notices.front().is_some_and(is_it).then_some(1);
            if let Some(count) = shown.or_else(|| told_together(bytes)) {
                let count = count.min(self.shown_notices.len());
                if self.shown_notices.drain(..count).len() > 0 {
                    return;
                }
            }
        }
        printer.show_unless_quiet(&ChatEvent::from(line));
    }
}

/// How many joins and leaves a notice tells together: `* 14 joined, 9 left`.
fn told_together(bytes: &[u8]) -> Option<usize> {
    let notice = std::str::from_utf8(bytes).ok()?.strip_prefix("* ")?.strip_suffix(" left")?;
    let (joined, left) = notice.split_once(" joined, ")?;
    Some(joined.parse::<usize>().ok()? + left.parse::<usize>().ok()?)
}

impl<'a> RoomEvent<'a> {
    fn as_chat_event(self) -> Option<ChatEvent<'a>> {
        match self {
            Self::Joined(nick) => Some(ChatEvent::Joined { nick }),
            Self::Left(nick, why) => Some(ChatEvent::Left { nick, reason: why.reason() }),
            Self::Member(_) => None,
        }
    }
}

/// As it stands in the log file, and in the room.
impl fmt::Display for RoomEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.as_chat_event()) {
            (Self::Member(event), _) => event.fmt(f),
            (_, Some(event)) => event.fmt(f),
            (_, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_together_counts_for_all_of_it() {
        assert_eq!(told_together(b"* 14 joined, 9 left"), Some(23));
        for line in [&b"* 14 joined"[..], b"* 9 left", b"* x joined, 9 left", b"14 joined, 9 left"]
        {
            assert_eq!(told_together(line), None);
        }
    }
}

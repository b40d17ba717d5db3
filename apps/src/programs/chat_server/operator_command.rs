//! What the operator can do beside what every member can.

use barewire_core::time::Duration;

use crate::cli::times::timeout;

/// A command that is the operator's alone.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OperatorCommand<'a> {
    Kick(&'a str),
    /// Whom, a nick or an address, and for how long; `None`: until the ban is lifted.
    Ban(&'a str, Option<Duration>),
    Unban(&'a str),
    Bans,
    Help,
    /// What is wrong with it.
    Wrong(String),
}

/// What there is, as `/help` tells it.
pub(super) const HELP: &str = "\
the operator has /kick NICK, /ban NICK or ADDRESS [TIME], /unban ADDRESS, /bans as well";

impl<'a> OperatorCommand<'a> {
    /// Reads a line. `None`: it is for the room.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let command = std::str::from_utf8(line.strip_prefix(b"/")?).ok()?.trim_ascii_end();
        let (word, rest) = split(command);
        let wrong = |usage| Some(Self::Wrong(format!("write it as: {usage}")));
        match (word, split(rest)) {
            ("help", _) => Some(Self::Help),
            ("bans", _) => Some(Self::Bans),
            ("kick", ("", _)) => wrong("/kick NICK"),
            ("kick", (nick, _)) => Some(Self::Kick(nick)),
            ("unban", ("", _)) => wrong("/unban ADDRESS"),
            ("unban", (address, _)) => Some(Self::Unban(address)),
            ("ban", ("", _)) => wrong("/ban NICK or ADDRESS [TIME]"),
            ("ban", (whom, "")) => Some(Self::Ban(whom, None)),
            ("ban", (whom, time)) => Some(match timeout(time) {
                Ok(time) => Self::Ban(whom, Some(time)),
                Err(why) => Self::Wrong(format!("'{time}': {why}")),
            }),
            _ => None,
        }
    }
}

/// The first word, and what follows it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim_ascii_start();
    text.split_once(|c: char| c.is_ascii_whitespace())
        .map_or((text, ""), |(word, rest)| (word, rest.trim_ascii_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_documented() {
        let hour = Duration::from_millis(3_600_000);
        for (line, command) in [
            ("/kick anna", OperatorCommand::Kick("anna")),
            ("/kick  小明 \r", OperatorCommand::Kick("小明")),
            ("/ban anna", OperatorCommand::Ban("anna", None)),
            ("/ban anna 1h", OperatorCommand::Ban("anna", Some(hour))),
            ("/ban 2001:db8::/64  59m 60s", OperatorCommand::Ban("2001:db8::/64", Some(hour))),
            ("/unban 192.0.2.7", OperatorCommand::Unban("192.0.2.7")),
            ("/bans", OperatorCommand::Bans),
            ("/help", OperatorCommand::Help),
            ("/kick", OperatorCommand::Wrong("write it as: /kick NICK".into())),
            ("/ban ", OperatorCommand::Wrong("write it as: /ban NICK or ADDRESS [TIME]".into())),
            ("/unban", OperatorCommand::Wrong("write it as: /unban ADDRESS".into())),
        ] {
            assert_eq!(OperatorCommand::parse(line.as_bytes()), Some(command), "{line}");
        }
        for line in
            [&b"kick anna"[..], b"//kick anna", b" /kick anna", b"/kicks", b"/who", b"/\xff", b""]
        {
            assert_eq!(OperatorCommand::parse(line), None, "{line:?}");
        }
        for time in ["0", "soon", "-1h"] {
            let line = format!("/ban anna {time}");
            let command = OperatorCommand::parse(line.as_bytes());
            let is_told = |command| matches!(command, Some(OperatorCommand::Wrong(why)) if why.starts_with(&format!("'{time}': ")));
            assert!(is_told(command), "{line}");
        }
    }
}

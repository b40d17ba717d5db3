//! What a typed line asks of the program itself, and not of the server.

/// A command of the program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LocalCommand<'l> {
    Quit,
    /// With nobody named, it is asked who is ignored.
    Ignore(&'l str),
    Unignore(&'l str),
}

/// What the program adds to the server's answer to `/help`.
pub(super) const HELP: &str = "of chat-client: /ignore NICK, /ignore, /unignore NICK; Tab completes nicks and \
     commands, Ctrl-R searches your lines, Page Up shows what has scrolled away";

impl<'l> LocalCommand<'l> {
    /// Reads a line; most are for the server.
    pub(super) fn read(line: &'l str) -> Option<Self> {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (command, rest.trim()) {
            ("/quit", "") => Some(Self::Quit),
            ("/ignore", nick) => Some(Self::Ignore(nick)),
            ("/unignore", nick) => Some(Self::Unignore(nick)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_the_program_is_told_from_what_is_for_the_server() {
        for (line, expected) in [
            ("/quit", Some(LocalCommand::Quit)),
            ("/quit ", Some(LocalCommand::Quit)),
            ("/ignore", Some(LocalCommand::Ignore(""))),
            ("/ignore  anna ", Some(LocalCommand::Ignore("anna"))),
            ("/unignore anna", Some(LocalCommand::Unignore("anna"))),
            ("/quit it", None),
            ("//ignore anna", None),
            ("/ignored", None),
            (" /quit", None),
            ("/who", None),
        ] {
            assert_eq!(LocalCommand::read(line), expected, "{line}");
        }
    }
}

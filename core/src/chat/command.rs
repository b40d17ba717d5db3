//! What a member's line asks for.

/// A line, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    Say(&'a [u8]),
    Act(&'a [u8]),
    Whisper {
        to: &'a [u8],
        text: &'a [u8],
    },
    Nick(&'a [u8]),
    Who,
    Help,
    Quit,
    /// Nothing that could be said.
    Nothing,
    /// A command that lacks what it needs: how it is written.
    Lacks(&'static str),
    Unknown,
}

impl<'a> Command<'a> {
    pub(super) fn parse(line: &'a [u8]) -> Self {
        let Some(rest) = line.strip_prefix(b"/") else {
            return if line.trim_ascii().is_empty() { Self::Nothing } else { Self::Say(line) };
        };
        if rest.starts_with(b"/") {
            return Self::Say(rest);
        }
        let (word, argument) = split(rest);
        match (word, argument) {
            (b"me", b"") => Self::Lacks("/me TEXT"),
            (b"me", text) => Self::Act(text),
            (b"nick", b"") => Self::Lacks("/nick NAME"),
            (b"nick", name) => Self::Nick(name),
            (b"msg", argument) => match split(argument) {
                (b"", _) | (_, b"") => Self::Lacks("/msg NICK TEXT"),
                (to, text) => Self::Whisper { to, text },
            },
            (b"who", _) => Self::Who,
            (b"help", _) => Self::Help,
            (b"quit", _) => Self::Quit,
            _ => Self::Unknown,
        }
    }
}

/// The first word, and what follows it.
fn split(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    (word, rest.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_documented() {
        for (line, command) in [
            (&b"hello"[..], Command::Say(b"hello")),
            (b" /nick x", Command::Say(b" /nick x")),
            (b"//nick x", Command::Say(b"/nick x")),
            (b"/me waves", Command::Act(b"waves")),
            (b"/me", Command::Lacks("/me TEXT")),
            (b"/nick Anna ", Command::Nick(b"Anna")),
            (b"/nick", Command::Lacks("/nick NAME")),
            (b"/msg anna  good morning", Command::Whisper { to: b"anna", text: b"good morning" }),
            (b"/msg anna", Command::Lacks("/msg NICK TEXT")),
            (b"/msg", Command::Lacks("/msg NICK TEXT")),
            (b"/who", Command::Who),
            (b"/help me", Command::Help),
            (b"/quit", Command::Quit),
            (b"/QUIT", Command::Unknown),
            (b"/", Command::Unknown),
            (b"/\xff", Command::Unknown),
            (b"", Command::Nothing),
            (b" \t", Command::Nothing),
        ] {
            assert_eq!(Command::parse(line), command, "{line:?}");
        }
    }
}

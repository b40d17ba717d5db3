//! How lines look on a terminal.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Effects, Style};
use barewire_core::chat::{Kind, Line};
use barewire_core::printable::printable;
use jiff::Zoned;

const TIME: Style = Style::new().dimmed();
const NOTICE: Style = Style::new().dimmed();
const PRIVATE: Style = Style::new().italic();
const OWN: Style = Style::new().bold();
const MENTION: Style = Style::new().bold();

/// The colours of nicks: those that can be read on light and on dark.
const NICKS: [AnsiColor; 12] = [
    AnsiColor::Red,
    AnsiColor::Green,
    AnsiColor::Yellow,
    AnsiColor::Blue,
    AnsiColor::Magenta,
    AnsiColor::Cyan,
    AnsiColor::BrightRed,
    AnsiColor::BrightGreen,
    AnsiColor::BrightYellow,
    AnsiColor::BrightBlue,
    AnsiColor::BrightMagenta,
    AnsiColor::BrightCyan,
];

/// What a terminal shows at the left of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp([u8; 5]);

impl Stamp {
    /// Of a line that was said before the user came.
    pub(super) const EARLIER: Self = Self(*b"--:--");

    /// The time of day where the user is.
    pub(super) fn now() -> Self {
        let now = Zoned::now();
        Self::at(now.hour(), now.minute())
    }

    fn at(hour: i8, minute: i8) -> Self {
        let digit = |number: i8| b'0' + u8::try_from(number % 10).unwrap_or(0);
        Self([digit(hour / 10), digit(hour), b':', digit(minute / 10), digit(minute)])
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.0).unwrap_or_default())
    }
}

/// Writes lines, with colours or without.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineStyle {
    pub(super) colors: bool,
}

impl LineStyle {
    /// A line of the server's. Tells whether it mentions the user.
    pub(super) fn line(
        self,
        out: &mut String,
        stamp: Stamp,
        line: Line<'_>,
        own: Option<&str>,
    ) -> bool {
        self.stamp(out, stamp);
        let (nick, text, mark) = match line.kind {
            Kind::Notice(text) => {
                self.paint(out, NOTICE, format_args!("* {text}"));
                out.push('\n');
                return false;
            }
            Kind::Said { nick, text } | Kind::Acted { nick, text } => {
                (Some(nick), text, Style::new())
            }
            Kind::Private { nick, text } => (Some(nick), text, PRIVATE),
            _ => (None, line.printable(), Style::new()),
        };
        let text = text.to_string();
        let is_mention = own.is_some_and(|own| mentions(&text, own));
        if mark == PRIVATE {
            self.paint(out, PRIVATE, format_args!("(private) "));
        }
        let is_action = matches!(line.kind, Kind::Acted { .. });
        if is_action {
            out.push_str("* ");
        }
        if let Some(nick) = nick {
            self.paint(out, color(nick), format_args!("{nick}"));
            out.push_str(if is_action { " " } else { ": " });
        }
        let style = if is_mention { mark | MENTION.get_effects() } else { mark };
        self.paint(out, style, format_args!("{text}"));
        out.push('\n');
        is_mention
    }

    /// A line of the user's own; `waits` until there is a connection.
    pub(super) fn own(
        self,
        out: &mut String,
        stamp: Stamp,
        nick: Option<&str>,
        line: &str,
        waits: bool,
    ) {
        self.stamp(out, stamp);
        let text = printable(line.as_bytes());
        let is_command = line.starts_with('/') && !line.starts_with("//");
        if is_command {
            self.paint(out, NOTICE, format_args!("{text}"));
        } else {
            self.paint(out, OWN, format_args!("{}", nick.unwrap_or("you")));
            let _ = write!(
                out,
                ": {}",
                if line.starts_with("//") {
                    printable(line.as_bytes().get(1..).unwrap_or_default())
                } else {
                    text
                }
            );
        }
        if waits {
            out.push(' ');
            self.paint(out, NOTICE, format_args!("(queued until connected)"));
        }
        out.push('\n');
    }

    /// What the program itself has to say.
    pub(super) fn note(self, out: &mut String, stamp: Stamp, note: &str) {
        self.stamp(out, stamp);
        let note = printable(note.as_bytes());
        self.paint(out, NOTICE | Effects::ITALIC, format_args!("-- {note}"));
        out.push('\n');
    }

    fn stamp(self, out: &mut String, stamp: Stamp) {
        self.paint(out, TIME, format_args!("{stamp}"));
        out.push(' ');
    }

    fn paint(self, out: &mut String, style: Style, text: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = if self.colors && !style.is_plain() {
            write!(out, "{style}{text}{style:#}")
        } else {
            out.write_fmt(text)
        };
    }
}

/// The same for the same nick in every room and run (FNV-1a).
fn color(nick: &str) -> Style {
    let hash = nick
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    NICKS[(hash >> 16) as usize % NICKS.len()].on_default()
}

/// Whether a text has a nick as a word of its own, in capitals or not.
fn mentions(text: &str, nick: &str) -> bool {
    let (text, nick) = (text.to_lowercase(), nick.to_lowercase());
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    text.match_indices(&nick).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &[u8], colors: bool) -> (String, bool) {
        let mut out = String::new();
        let mention =
            LineStyle { colors }.line(&mut out, Stamp::at(9, 5), Line::read(line), Some("Eve"));
        (out, mention)
    }

    #[test]
    fn each_kind_of_line_has_its_look() {
        assert_eq!(shown(b"anna: hi", false).0, "09:05 anna: hi\n");
        assert_eq!(shown(b"(private) anna: hi", false).0, "09:05 (private) anna: hi\n");
        assert_eq!(shown(b"* anna joined", false).0, "09:05 * anna joined\n");
        assert_eq!(shown(b"anna: /me waves", false).0, "09:05 * anna waves\n");
        assert_eq!(
            shown(b"(private) anna: /me waves", false).0,
            "09:05 (private) anna: /me waves\n"
        );
        assert_eq!(shown(b"no nick", false).0, "09:05 no nick\n");
        let (colored, _) = shown(b"anna: hi", true);
        assert!(colored.starts_with("\x1b[2m09:05\x1b[0m \x1b[") && colored.ends_with(": hi\n"));
        assert!(shown(b"* anna joined", true).0.contains("\x1b[2m* anna joined\x1b[0m"));
        let (acted, _) = shown(b"anna: /me joined", true);
        assert!(acted.contains(" * \x1b[") && acted.ends_with("anna\x1b[0m joined\n"), "no notice");
    }

    #[test]
    fn what_a_peer_sends_moves_no_cursor() {
        let (text, _) = shown(b"anna: \x1b[2J\x07\xe2\x80\xae", false);
        assert_eq!(text, "09:05 anna: \\x1b[2J\\x07\\u{202e}\n");
    }

    #[test]
    fn a_mention_is_a_word_in_what_somebody_says() {
        for (line, expected) in [
            ("anna: hi Eve", true),
            ("anna: eve, hi", true),
            ("anna: @EVE!", true),
            ("(private) anna: Eve?", true),
            ("anna: /me greets Eve", true),
            ("anna: evening", false),
            ("anna: steve", false),
            ("anna: eve-2", false),
            ("eve: hi", false),
            ("* Eve joined", false),
        ] {
            assert_eq!(shown(line.as_bytes(), false).1, expected, "{line}");
        }
        assert!(shown(b"anna: hi Eve", true).0.contains("\x1b[1mhi Eve\x1b[0m"));
    }

    #[test]
    fn the_users_own_lines_look_as_they_do_to_others() {
        let own = |line: &str, waits| {
            let mut out = String::new();
            LineStyle { colors: false }.own(&mut out, Stamp::EARLIER, Some("eve"), line, waits);
            out
        };
        assert_eq!(own("hi", false), "--:-- eve: hi\n");
        assert_eq!(own("//x", false), "--:-- eve: /x\n");
        assert_eq!(own("/who", false), "--:-- /who\n");
        assert_eq!(own("hi", true), "--:-- eve: hi (queued until connected)\n");
    }

    #[test]
    fn a_nick_keeps_its_color_and_others_mostly_have_another() {
        assert_eq!(color("anna"), color("anna"));
        let nicks = ["anna", "bob", "carl", "dora", "emil", "fritz"].map(color);
        let different: std::collections::HashSet<String> =
            nicks.iter().map(ToString::to_string).collect();
        assert!(different.len() > 3);
    }
}

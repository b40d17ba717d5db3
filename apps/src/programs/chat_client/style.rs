//! How lines look on a terminal.

use std::fmt;

use anstyle::{AnsiColor, Effects, Style};
use barewire_core::chat::{Kind, Line};
use barewire_core::printable::printable;
use jiff::Zoned;

use super::mention::mentions;
use crate::terminal::styled_line::StyledLine;

const TIME: Style = Style::new().dimmed();
const NOTICE: Style = Style::new().dimmed();
const PRIVATE: Style = Style::new().italic();
const OWN: Style = Style::new().bold();
const MENTION: Style = Style::new().bold();
const MARK: Style = AnsiColor::Yellow.on_default().bold().invert();

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

/// Makes lines, with colours or without.
///
/// A line of the server's starts with `*** `, an action of a member's with `* ` and the nick: what a
/// server says cannot be drawn by `/me` either, with colours or without, since no nick starts with `*`.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineStyle {
    pub(super) colors: bool,
}

impl LineStyle {
    /// A line of the server's. Tells whether it calls the user: by name, or in private.
    pub(super) fn line(
        self,
        stamp: Stamp,
        line: Line<'_>,
        own: Option<&str>,
    ) -> (StyledLine, bool) {
        let (nick, text) = match line.kind {
            Kind::Notice(text) => {
                let mut out = self.stamped(stamp, false);
                self.paint(&mut out, NOTICE, format_args!("*** "));
                out.hang_here();
                self.paint(&mut out, NOTICE, format_args!("{text}"));
                return (out, false);
            }
            Kind::Said { nick, text }
            | Kind::Acted { nick, text }
            | Kind::Private { nick, text } => (Some(nick), text),
            _ => (None, line.printable()),
        };
        let text = text.to_string();
        let is_private = matches!(line.kind, Kind::Private { .. });
        let is_mention = own.is_some_and(|own| mentions(&text, own));
        let mut out = self.stamped(stamp, is_mention);
        if let Kind::Acted { nick, .. } = line.kind {
            self.action(&mut out, nick);
        } else {
            if is_private {
                self.paint(&mut out, PRIVATE, format_args!("(private) "));
            }
            if let Some(nick) = nick {
                self.paint(&mut out, color(nick), format_args!("{nick}"));
                self.paint(&mut out, Style::new(), format_args!(": "));
            }
            out.hang_here();
        }
        let style = if is_private { PRIVATE } else { Style::new() };
        let style = if is_mention { style | MENTION.get_effects() } else { style };
        self.paint(&mut out, style, format_args!("{text}"));
        (out, is_mention || is_private)
    }

    /// A line of the user's own; `waits` until there is a connection.
    pub(super) fn own(
        self,
        stamp: Stamp,
        nick: Option<&str>,
        line: &str,
        waits: bool,
    ) -> StyledLine {
        let mut out = self.stamped(stamp, false);
        let said = line.strip_prefix('/').filter(|text| text.starts_with('/')).unwrap_or(line);
        let text = if let (Some(nick), Some(action)) = (nick, said.strip_prefix("/me ")) {
            self.action(&mut out, nick);
            action.trim()
        } else if said.len() == line.len() && line.starts_with('/') {
            out.hang_here();
            self.paint(&mut out, NOTICE, format_args!("{}", printable(line.as_bytes())));
            ""
        } else {
            self.paint(&mut out, OWN, format_args!("{}", nick.unwrap_or("you")));
            self.paint(&mut out, Style::new(), format_args!(": "));
            out.hang_here();
            said
        };
        self.paint(&mut out, Style::new(), format_args!("{}", printable(text.as_bytes())));
        if waits {
            self.paint(&mut out, NOTICE, format_args!(" (queued until connected)"));
        }
        out
    }

    /// What the program itself has to say.
    pub(super) fn note(self, stamp: Stamp, note: &str) -> StyledLine {
        let mut out = self.stamped(stamp, false);
        let style = NOTICE | Effects::ITALIC;
        self.paint(&mut out, style, format_args!("-- "));
        out.hang_here();
        self.paint(&mut out, style, format_args!("{}", printable(note.as_bytes())));
        out
    }

    /// The beginning of a line; one that mentions the user is marked, where nothing said can be.
    fn stamped(self, stamp: Stamp, is_mention: bool) -> StyledLine {
        let mut out = StyledLine::default();
        self.paint(&mut out, TIME, format_args!("{stamp}"));
        let (style, mark) = if is_mention { (MARK, '!') } else { (Style::new(), ' ') };
        self.paint(&mut out, style, format_args!("{mark}"));
        out
    }

    /// The beginning of an action.
    fn action(self, out: &mut StyledLine, nick: &str) {
        self.paint(out, Style::new(), format_args!("* "));
        out.hang_here();
        self.paint(out, color(nick), format_args!("{nick}"));
        self.paint(out, Style::new(), format_args!(" "));
    }

    fn paint(self, out: &mut StyledLine, style: Style, text: fmt::Arguments<'_>) {
        out.push(if self.colors { style } else { Style::new() }, text);
    }
}

/// The same for the same nick in every room and run (FNV-1a).
fn color(nick: &str) -> Style {
    let hash = nick
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    NICKS[(hash >> 16) as usize % NICKS.len()].on_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: &[u8], colors: bool) -> (StyledLine, bool) {
        LineStyle { colors }.line(Stamp::at(9, 5), Line::read(line), Some("Eve"))
    }

    fn plain(bytes: &[u8]) -> String {
        line(bytes, false).0.text().to_owned()
    }

    fn colored(bytes: &[u8]) -> String {
        line(bytes, true).0.rows(80).collect()
    }

    #[test]
    fn each_kind_of_line_has_its_look() {
        assert_eq!(plain(b"anna: hi"), "09:05 anna: hi");
        assert_eq!(plain(b"(private) anna: hi"), "09:05 (private) anna: hi");
        assert_eq!(plain(b"anna: /me waves"), "09:05 * anna waves");
        assert_eq!(plain(b"* anna joined"), "09:05 *** anna joined");
        assert_eq!(plain(b"no nick"), "09:05 no nick");
        let said = colored(b"anna: hi");
        assert!(
            said.starts_with("\x1b[2m09:05\x1b[0m \x1b[") && said.ends_with(": hi"),
            "{said:?}"
        );
        assert!(colored(b"* anna joined").contains("\x1b[2manna joined\x1b[0m"));
    }

    /// Whatever a member says or does, under whatever nick: also where there are no colours.
    #[test]
    fn nothing_that_a_member_does_looks_like_the_servers_word() {
        for text in
            ["joined", "left (fell behind)", "** x joined", "*** x joined", "-- lost", "12:00 x"]
        {
            for form in ["NICK: /me ", "NICK: ", "(private) NICK: ", "(private) NICK: /me "] {
                let said = plain(format!("{}{text}", form.replace("NICK", "anna")).as_bytes());
                let start = &said["09:05 ".len()..];
                let starts = ["* anna ", "anna: ", "(private) anna: "];
                assert!(starts.iter().any(|own| start.starts_with(own)), "{said}");
            }
        }
    }

    #[test]
    fn what_a_peer_sends_moves_no_cursor() {
        let text = plain(b"anna: \x1b[2J\x07\xe2\x80\xae");
        assert_eq!(text, "09:05 anna: \\x1b[2J\\x07\\u{202e}");
    }

    #[test]
    fn a_mention_is_a_word_in_what_somebody_says() {
        for (text, expected) in [
            ("anna: hi Eve", true),
            ("anna: eve, hi", true),
            ("anna: @EVE!", true),
            ("anna: /me greets eve", true),
            ("(private) anna: Eve?", true),
            ("anna: evening", false),
            ("anna: steve", false),
            ("anna: eve-2", false),
            ("eve: hi", false),
            ("* Eve joined", false),
        ] {
            assert_eq!(plain(text.as_bytes()).starts_with("09:05!"), expected, "{text}");
        }
        assert!(colored(b"anna: hi Eve").contains("\x1b[1mhi Eve\x1b[0m"));
    }

    #[test]
    fn a_mention_and_a_private_line_call_the_user() {
        for (text, expected) in [
            ("anna: hi Eve", true),
            ("(private) anna: psst", true),
            ("anna: hi", false),
            ("* Eve joined", false),
        ] {
            assert_eq!(line(text.as_bytes(), false).1, expected, "{text}");
        }
    }

    #[test]
    fn the_users_own_lines_look_as_they_do_to_others() {
        let own = |nick, line, waits| {
            let style = LineStyle { colors: false };
            style.own(Stamp::EARLIER, nick, line, waits).text().to_owned()
        };
        let eve = Some("eve");
        assert_eq!(own(eve, "hi", false), "--:-- eve: hi");
        assert_eq!(own(eve, "//x", false), "--:-- eve: /x");
        assert_eq!(own(eve, "/who", false), "--:-- /who");
        assert_eq!(own(eve, "/me waves", false), "--:-- * eve waves");
        assert_eq!(own(eve, "//me waves", false), "--:-- * eve waves");
        assert_eq!(
            own(None, "/me waves", false),
            "--:-- /me waves",
            "a server may know no actions"
        );
        assert_eq!(own(eve, "hi", true), "--:-- eve: hi (queued until connected)");
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

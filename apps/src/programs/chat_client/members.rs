//! Who has been heard of, to complete nicks; and who is not to be heard.

use std::collections::VecDeque;

use barewire_core::chat::{Kind, Line};

use super::notices::Presence;
use crate::programs::folding::folded;
use crate::terminal::completion::Candidates;

/// So many nicks are known: those heard of last.
const KNOWN: usize = 1000;

/// The commands, of the server's and the program's, and whether something follows them.
const COMMANDS: [(&str, bool); 8] = [
    ("/msg", true),
    ("/me", true),
    ("/nick", true),
    ("/who", false),
    ("/help", false),
    ("/quit", false),
    ("/ignore", true),
    ("/unignore", true),
];

/// The nicks.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Who spoke last comes first.
    known: VecDeque<String>,
    ignored: Vec<Ignored>,
}

/// Somebody who is not to be heard: by the nick that the user gave, for good, and by the last one that
/// whoever had it has taken.
#[derive(Debug)]
struct Ignored {
    given: String,
    latest: String,
}

impl Ignored {
    fn is(&self, nick: &str) -> bool {
        are_same(&self.given, nick) || are_same(&self.latest, nick)
    }
}

impl Members {
    /// Takes note of who is there, by a line of the server's.
    pub(super) fn update(&mut self, line: Line<'_>) {
        let notice = match line.kind {
            Kind::Notice(notice) => notice.to_string(),
            Kind::Said { nick, .. } | Kind::Private { nick, .. } | Kind::Acted { nick, .. } => {
                self.forget(nick);
                self.known.push_front(nick.to_owned());
                self.known.truncate(KNOWN);
                return;
            }
            _ => return,
        };
        match Presence::read(&notice) {
            Some(Presence::Joined(nick)) => self.add(nick),
            Some(Presence::Left(nick)) => self.forget(nick),
            Some(Presence::Renamed { old, new }) => {
                match self.known.iter_mut().find(|known| *known == old) {
                    Some(known) => new.clone_into(known),
                    None => self.add(new),
                }
                // Who is not to be heard is not by another nick either.
                if let Some(ignored) = self.ignored.iter_mut().find(|ignored| ignored.is(old)) {
                    new.clone_into(&mut ignored.latest);
                }
            }
            Some(Presence::Here(nicks)) => nicks.into_iter().for_each(|nick| self.add(nick)),
            None => {}
        }
    }

    /// Adds one who has not said anything.
    fn add(&mut self, nick: &str) {
        if self.known.len() < KNOWN && !self.known.iter().any(|known| known == nick) {
            self.known.push_back(nick.to_owned());
        }
    }

    fn forget(&mut self, nick: &str) {
        self.known.retain(|known| known != nick);
    }

    /// What can stand in place of the word at the end of `left`, which is what is left of the cursor:
    /// a command or a nick at the start of a line, a nick elsewhere.
    pub(super) fn candidates(&self, left: &str, own: Option<&str>) -> Candidates {
        let start = left.rfind(' ').map_or(0, |at| at + 1);
        let word = folded(&left[start..]);
        let words = if start == 0 && word.starts_with('/') {
            let fitting = COMMANDS.into_iter().filter(|(command, _)| command.starts_with(&word));
            fitting
                .map(|(command, more)| command.to_owned() + if more { " " } else { "" })
                .collect()
        } else {
            let others = self.known.iter().filter(|nick| Some(nick.as_str()) != own);
            let fitting = others.filter(|nick| folded(nick).starts_with(&word));
            let end = if start == 0 { ": " } else { " " };
            fitting.map(|nick| format!("{nick}{end}")).collect()
        };
        Candidates { start, words }
    }

    /// Whether a line is not to be shown: one of somebody who is ignored, or a notice of theirs.
    pub(super) fn hides(&self, line: Line<'_>) -> bool {
        match line.kind {
            _ if self.ignored.is_empty() => false,
            Kind::Said { nick, .. } | Kind::Private { nick, .. } | Kind::Acted { nick, .. } => {
                self.is_ignored(nick)
            }
            Kind::Notice(notice) => match Presence::read(&notice.to_string()) {
                Some(Presence::Joined(nick) | Presence::Left(nick)) => self.is_ignored(nick),
                Some(Presence::Renamed { old, .. }) => self.is_ignored(old),
                _ => false,
            },
            _ => false,
        }
    }

    fn is_ignored(&self, nick: &str) -> bool {
        self.ignored.iter().any(|ignored| ignored.is(nick))
    }

    /// The nicks by which they were given.
    pub(super) fn ignored(&self) -> Vec<&str> {
        self.ignored.iter().map(|ignored| ignored.given.as_str()).collect()
    }

    pub(super) fn ignore(&mut self, nick: &str) {
        if !self.is_ignored(nick) {
            self.ignored.push(Ignored { given: nick.to_owned(), latest: nick.to_owned() });
        }
    }

    /// Tells whether that one was ignored.
    pub(super) fn unignore(&mut self, nick: &str) -> bool {
        let before = self.ignored.len();
        self.ignored.retain(|ignored| !ignored.is(nick));
        self.ignored.len() < before
    }
}

/// No server gives two members nicks that differ only in how they are written.
fn are_same(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&str]) -> Members {
        let mut members = Members::default();
        for line in lines {
            members.update(Line::read(line.as_bytes()));
        }
        members
    }

    fn words(members: &Members, left: &str) -> Vec<String> {
        members.candidates(left, Some("eve")).words
    }

    #[test]
    fn nicks_are_completed_who_spoke_last_first() {
        let members =
            after(&["anna: hi", "* anton joined", "(private) Angus: hi", "eve: hi", "bob: hi"]);
        assert_eq!(words(&members, "an"), ["Angus: ", "anna: ", "anton: "]);
        assert_eq!(words(&members, "ask an"), ["Angus ", "anna ", "anton "]);
        assert_eq!(members.candidates("ask AN", None).start, 4);
        assert_eq!(words(&members, "/msg b"), ["bob "]);
        assert_eq!(words(&members, "ev"), [""; 0], "the user's own is none");
    }

    /// A keyboard may give letters and marks apart.
    #[test]
    fn a_nick_is_meant_however_it_is_written() {
        let mut members = after(&["josé: hi", "민수: hi"]);
        assert_eq!(words(&members, "Jose\u{301}"), ["josé: "]);
        assert_eq!(words(&members, "jos"), ["josé: "]);
        assert_eq!(words(&members, "\u{1106}\u{1175}\u{11ab}"), ["민수: "]);
        members.ignore("Jose\u{301}");
        assert!(members.hides(Line::read("josé: hi".as_bytes())));
    }

    #[test]
    fn who_has_gone_or_has_another_nick_is_known_by_what_the_server_says() {
        let members = after(&["* here: anna, bob, carl", "* anna left", "* bob is now dora"]);
        assert_eq!(words(&members, ""), ["dora: ", "carl: "]);
    }

    #[test]
    fn commands_are_completed_at_the_start_of_a_line() {
        let members = after(&[]);
        assert_eq!(words(&members, "/m"), ["/msg ", "/me "]);
        assert_eq!(words(&members, "/wh"), ["/who"]);
        assert_eq!(words(&members, "x /m"), [""; 0]);
        assert_eq!(words(&members, "//m"), [""; 0]);
    }

    #[test]
    fn who_is_ignored_is_so_under_the_next_nick_too_until_that_is_undone() {
        let mut members = after(&["anna: hi"]);
        members.ignore("Anna");
        members.ignore("anna");
        assert_eq!(members.ignored(), ["Anna"]);
        let hides = |members: &Members, line: &str| members.hides(Line::read(line.as_bytes()));
        for line in [
            "anna: hi",
            "(private) anna: hi",
            "anna: /me waves",
            "* anna left",
            "* anna is now bob",
        ] {
            assert!(hides(&members, line), "{line}");
        }
        for line in ["bob: anna", "* bob joined", "annabel: hi", "* here: anna", "anna"] {
            assert!(!hides(&members, line), "{line}");
        }
        members.update(Line::read(b"* anna is now bob"));
        // Nor does a way back to the nick that was given undo it.
        assert!(hides(&members, "bob: hi") && hides(&members, "anna: hi"));
        members.update(Line::read(b"* bob is now carl"));
        assert!(hides(&members, "carl: hi") && !hides(&members, "bob: hi"));
        assert_eq!(members.ignored(), ["Anna"]);
        assert!(members.unignore("CARL") && !members.unignore("anna"));
        assert!(!hides(&members, "carl: hi") && !hides(&members, "anna: hi"));
    }

    #[test]
    fn only_so_many_are_known() {
        let mut members = Members::default();
        for number in 0..2 * KNOWN {
            members.update(Line::read(format!("n{number}: hi").as_bytes()));
        }
        assert_eq!(words(&members, "").len(), KNOWN);
    }
}

//! What everybody in a room is to receive, as far as its owner is told of it. So it holds also where
//! memory is short and members are dropped.
//!
//! Joins and leaves may be told one by one, or together later: which, only a witness can tell, who reads all
//! there is after each call of the room (the operator, say), and so is never in anybody's way.

use std::collections::{BTreeMap, VecDeque};

use barewire_core::chat::DEFAULT_HISTORY;

/// What is true of one member.
#[derive(Debug)]
pub struct MemberModel {
    /// Its nick.
    pub nick: String,
    /// What was said before it came.
    history: Vec<String>,
    /// What it is to receive after that.
    pub expected: Vec<String>,
    /// It receives nothing more.
    pub has_ended: bool,
}

/// What has happened, and was not told yet.
#[derive(Debug)]
enum Event {
    /// A line to all, but one.
    Public(String, Option<usize>),
    /// A line to one.
    Private(usize, String),
    /// Somebody has come or gone, and how that is told.
    Moved(String, usize, Move),
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Joined,
    Left,
}

/// Everything that everybody is to receive.
#[derive(Debug, Default)]
pub struct Model {
    /// By the order of joining.
    pub members: BTreeMap<usize, MemberModel>,
    said: Vec<String>,
    /// What the witness has read.
    pub log: Vec<String>,
    events: VecDeque<Event>,
    /// How many have come and gone that nobody was told of.
    untold: (u32, u32),
    /// How often several were told together.
    pub sums: usize,
}

impl Model {
    fn tell(&mut self, line: &str, except: Option<usize>) {
        for (&number, member) in &mut self.members {
            if Some(number) != except && !member.has_ended {
                member.expected.push(line.into());
            }
        }
    }

    /// Somebody comes.
    pub fn join(&mut self, number: usize, nick: &str) {
        self.events.push_back(Event::Moved(format!("* {nick} joined"), number, Move::Joined));
        let member = MemberModel {
            nick: nick.into(),
            history: self.said.clone(),
            expected: Vec::new(),
            has_ended: false,
        };
        self.members.insert(number, member);
    }

    /// Somebody goes; the reason is what stands in the notice behind `left`.
    pub fn leave(&mut self, number: usize, reason: &str) {
        let member = self.members.get_mut(&number).expect("who leaves was there");
        member.has_ended = true;
        let line = format!("* {} left{reason}", member.nick);
        self.events.push_back(Event::Moved(line, number, Move::Left));
    }

    /// A member's line, as the room reports it.
    pub fn hear(&mut self, number: usize, line: &str, is_rename: bool) {
        if !is_rename {
            self.said.push(line.into());
        }
        self.events.push_back(Event::Public(line.into(), (!is_rename).then_some(number)));
    }

    /// A private note of the room.
    pub fn note(&mut self, number: usize, note: &str) {
        self.private(number, format!("* {note}"));
    }

    fn private(&mut self, to: usize, line: String) {
        if !self.events.is_empty() {
            self.events.push_back(Event::Private(to, line));
        } else if let Some(member) = self.members.get_mut(&to) {
            member.expected.push(line);
        }
    }

    /// A private line: to a member, or to nobody, which its sender is told.
    pub fn whisper(&mut self, from: usize, to: usize, text: &str) {
        let (name, nick) = (format!("guest{}", to + 1), self.members[&from].nick.clone());
        let found = self.members.get(&to).is_some_and(|one| !one.has_ended && one.nick == name);
        if found {
            self.private(to, format!("(private) {nick}: {text}"));
        } else {
            self.note(from, &format!("nobody here is called {name}; /who tells who is here"));
        }
    }

    /// Takes what the witness has read since the last call of the room: all that has happened in that
    /// call is told by now, but for joins and leaves that are told together later.
    pub fn witness(&mut self, read: &[u8]) {
        let read = std::str::from_utf8(read).expect("what a room says is UTF-8");
        for line in read.lines() {
            self.log.push(line.into());
            if let Some(counts) = sum(line) {
                assert_eq!(counts, self.untold, "{line:?}: so many were not told of");
                self.untold = (0, 0);
                self.sums += 1;
                self.tell(line, None);
                continue;
            }
            assert!(self.settle(Some(line)), "{line:?} is told, and has not happened");
        }
        assert!(!self.settle(None));
    }

    /// Goes on to the event that is told by this line, if there is one; the others are told.
    fn settle(&mut self, line: Option<&str>) -> bool {
        while let Some(event) = self.events.pop_front() {
            match event {
                Event::Private(to, private) => {
                    if let Some(member) = self.members.get_mut(&to) {
                        member.expected.push(private);
                    }
                }
                Event::Public(said, except) => {
                    assert_eq!(Some(&*said), line, "what is said is told at once, in its order");
                    self.tell(&said, except);
                    return true;
                }
                Event::Moved(told, about, _) if Some(&*told) == line => {
                    assert_eq!(self.untold, (0, 0), "{told:?} overtakes others");
                    self.tell(&told, Some(about));
                    return true;
                }
                Event::Moved(_, _, Move::Joined) => self.untold.0 += 1,
                Event::Moved(_, _, Move::Left) => self.untold.1 += 1,
            }
        }
        false
    }

    /// Judges what a member received: all of what it should have, or, if it was cut off, the
    /// beginning. Tells how many lines of history it got.
    pub fn judge(&self, number: usize, received: &[String], is_whole: bool) -> usize {
        let member = &self.members[&number];
        let Some((welcome, lines)) = received.split_first() else {
            assert!(!is_whole, "{number} got nothing");
            return 0;
        };
        assert!(welcome.starts_with("* welcome to barewire chat, you are guest"), "{welcome}");
        let most = usize::from(DEFAULT_HISTORY).min(member.history.len());
        let fits = |count: &usize| {
            let history = &member.history[member.history.len() - count..];
            let mut expected = history.iter().chain(&member.expected);
            let agrees = lines.iter().all(|line| expected.next() == Some(line));
            // What is told in the very turn in which it says no more may come behind its end.
            agrees && (!is_whole || expected.all(|line| sum(line).is_some()))
        };
        (0..=most).rev().find(fits).unwrap_or_else(|| {
            panic!("{number} got (whole: {is_whole})\n{lines:#?}\nand should have\n{member:#?}")
        })
    }
}

/// Reads `* N joined, M left`.
fn sum(line: &str) -> Option<(u32, u32)> {
    let (joined, rest) = line.strip_prefix("* ")?.split_once(" joined, ")?;
    Some((joined.parse().ok()?, rest.strip_suffix(" left")?.parse().ok()?))
}

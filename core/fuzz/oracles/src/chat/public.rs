//! What everybody in a room is to receive, as far as its owner is told of it: private lines and
//! answers are left aside. So it holds also where memory is short and members are dropped.

use std::collections::BTreeMap;

use barewire_core::chat::DEFAULT_HISTORY;

/// What is true of one member.
#[derive(Debug)]
pub struct MemberModel {
    /// Its nick.
    pub nick: String,
    /// What was said before it came.
    history: Vec<String>,
    /// What it is to receive after that, private lines left aside.
    pub expected: Vec<String>,
    /// It receives nothing more.
    pub has_ended: bool,
}

/// Everything that everybody is to receive.
#[derive(Debug, Default)]
pub struct Model {
    /// By the order of joining.
    pub members: BTreeMap<usize, MemberModel>,
    said: Vec<String>,
    /// What the operator is to receive.
    pub log: Vec<String>,
    /// Notices of joins and leaves, which are written whether there is room or not.
    pub notices: usize,
}

impl Model {
    fn tell(&mut self, line: &str, except: Option<usize>) {
        self.log.push(line.into());
        for (&number, member) in &mut self.members {
            if Some(number) != except && !member.has_ended {
                member.expected.push(line.into());
            }
        }
    }

    /// Somebody comes.
    pub fn join(&mut self, number: usize, nick: &str) {
        self.notices += 2;
        self.tell(&format!("* {nick} joined"), None);
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
        self.notices += 1;
        let member = self.members.get_mut(&number).expect("who leaves was there");
        member.has_ended = true;
        let line = format!("* {} left{reason}", member.nick);
        self.tell(&line, Some(number));
    }

    /// A member's line, as the room reports it.
    pub fn hear(&mut self, number: usize, line: &str, is_rename: bool) {
        if is_rename {
            self.tell(line, None);
        } else {
            self.said.push(line.into());
            self.tell(line, Some(number));
        }
    }

    /// A private note of the room.
    pub fn note(&mut self, number: usize, note: &str) {
        if let Some(member) = self.members.get_mut(&number) {
            member.expected.push(format!("* {note}"));
        }
    }

    /// A private line: to a member, or to nobody, which its sender is told.
    pub fn whisper(&mut self, from: usize, to: usize, text: &str) {
        let (name, nick) = (format!("guest{}", to + 1), self.members[&from].nick.clone());
        let found =
            self.members.get_mut(&to).filter(|member| !member.has_ended && member.nick == name);
        if let Some(member) = found {
            member.expected.push(format!("(private) {nick}: {text}"));
        } else {
            self.note(from, &format!("nobody here is called {name}; /who tells who is here"));
        }
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
            agrees && (!is_whole || expected.next().is_none())
        };
        (0..=most).rev().find(fits).unwrap_or_else(|| {
            panic!("{number} got (whole: {is_whole})\n{lines:#?}\nand should have\n{member:#?}")
        })
    }
}

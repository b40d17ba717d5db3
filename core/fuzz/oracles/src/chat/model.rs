//! A room as it should be: every member has a list of its own of what it is to receive, without end.

use std::collections::{HashSet, VecDeque};
use std::fmt::Write as _;

use barewire_core::chat::{MAX_NICK, max_line_bytes, skeleton};
use barewire_core::printable::printable;
use barewire_core::time::{Duration, Instant};

use super::flood::Allowance;
use super::opening::Opening;

/// The operator's number.
pub const OPERATOR: usize = 0;

/// The operator's nick, which nobody else can have, and what the nicks of newcomers begin with.
const SERVER: &str = "server";
const GUEST: &str = "guest";

const HELP: &str = "/nick NAME, /who, /msg NICK TEXT, /me TEXT, /help, /quit; //TEXT says a line that starts with /";

/// A member, and all that it is to receive.
#[derive(Debug)]
pub struct MemberModel {
    /// Its nick.
    pub nick: String,
    /// What it is to receive, from its welcome on.
    pub expected: String,
    /// It says no more, and receives nothing that is said from then on.
    pub has_ended: bool,
    /// It was given its nick.
    keeps_nick: bool,
    opening: Opening,
    allowance: Allowance,
}

impl MemberModel {
    fn new(nick: String, expected: String, rate: u32) -> Self {
        let (opening, allowance) = (Opening::default(), Allowance::new(rate));
        Self { nick, expected, has_ended: false, keeps_nick: false, opening, allowance }
    }
}

/// The room.
#[derive(Debug)]
pub struct Model {
    /// By place; the operator's is the first.
    pub members: Vec<Option<MemberModel>>,
    /// Vacant places, the next to be taken first.
    vacant: VecDeque<usize>,
    /// The nicks of those who lost their connection, by place, and until when nobody else can have them:
    /// here each place is another source's.
    kept: Vec<Option<(String, Instant)>>,
    history: usize,
    /// How many lines a second a member may say; the operator as many as it likes.
    rate: u32,
    said: Vec<String>,
    /// The nicks that anybody has had.
    pub nicks: HashSet<String>,
    guests: u64,
    /// The longest text, in bytes, and how many bytes were written in all.
    text: usize,
    written: usize,
    /// How many bytes an answer to `/who` may have, and so the nicks in it.
    room_for_who: usize,
}

/// What a line brings about, as the owner of the room is told.
pub type Reported = Option<String>;

impl Model {
    /// An empty room with `places` places, the operator's among them, of which newcomers get the last
    /// `history` lines, where each may say `rate` lines a second (0 for no limit), and none is longer
    /// than `text` bytes.
    pub fn new(places: usize, history: usize, rate: u32, text: u16) -> Self {
        let member = MemberModel::new(SERVER.into(), String::new(), 0);
        let mut members: Vec<_> = (0..places).map(|_| None).collect();
        members[OPERATOR] = Some(member);
        Self {
            members,
            vacant: (1..places).collect(),
            kept: vec![None; places],
            history,
            rate,
            said: Vec::new(),
            nicks: HashSet::from([SERVER.into()]),
            guests: 0,
            text: text.into(),
            written: 0,
            room_for_who: (max_line_bytes(text) - 32).min(1_024),
        }
    }

    fn nick(&self, number: usize) -> String {
        self.members[number].as_ref().map_or_else(String::new, |member| member.nick.clone())
    }

    /// Tells all that still listen, but one.
    fn tell(&mut self, line: &str, except: Option<usize>) {
        self.written += line.len() + 1;
        for (number, member) in self.members.iter_mut().enumerate() {
            if let Some(member) = member
                && !member.has_ended
                && Some(number) != except
            {
                member.expected.push_str(line);
                member.expected.push('\n');
            }
        }
    }

    /// A private note of the room.
    fn note(&mut self, number: usize, note: &str) {
        self.tell_one(number, &format!("* {note}"));
    }

    fn tell_one(&mut self, number: usize, line: &str) {
        self.written += line.len() + 1;
        let member = self.members[number].as_mut().expect("it is here");
        member.expected.push_str(line);
        member.expected.push('\n');
    }

    /// Somebody comes, whom the owner may know by a name. Gives its number; `None`: the room is full.
    pub fn join(&mut self, name: Option<&str>) -> Option<usize> {
        let number = self.vacant.pop_front()?;
        self.kept[number] = None;
        let nick = if let Some(name) = name {
            self.named(name)
        } else {
            self.guests += 1;
            format!("{GUEST}{}", self.guests)
        };
        self.nicks.insert(nick.clone());
        let mut expected = format!("* welcome to barewire chat, you are {nick} (/help)\n");
        let first = self.said.len().saturating_sub(self.history);
        for line in &self.said[first..] {
            expected.push_str(line);
            expected.push('\n');
        }
        self.tell(&format!("* {nick} joined"), None);
        let mut member = MemberModel::new(nick, expected, self.rate);
        member.keeps_nick = name.is_some();
        self.members[number] = Some(member);
        Some(number)
    }

    /// The name, or the first number behind it that makes it one that nobody has.
    fn named(&self, name: &str) -> String {
        let with_number = (2..).map(|number| format!("{name}-{number}"));
        let is_free = |nick: &String| {
            let mut members = self.members.iter().flatten();
            !members.any(|member| skeleton(&member.nick).is_like(skeleton(nick)))
        };
        let mut nicks = std::iter::once(name.to_owned()).chain(with_number);
        nicks.find(is_free).expect("there are fewer members than numbers")
    }

    /// Somebody goes, for a reason if it was not its own will.
    pub fn leave(&mut self, number: usize, now: Instant, reason: Option<&str>) {
        let nick = self.nick(number);
        self.kept[number] = reason.map(|_| (nick.clone(), now + Duration::from_secs(60)));
        let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        self.members[number] = None;
        self.vacant.push_back(number);
        self.tell(&format!("* {nick} left{reason}"), None);
    }

    /// A member has ended its stream, or was told to say no more.
    pub fn end(&mut self, number: usize) {
        if number != OPERATOR
            && let Some(member) = &mut self.members[number]
        {
            member.has_ended = true;
        }
    }

    /// A member says something: whether that passes flood control. If not, it is told.
    fn passes(&mut self, number: usize, now: Instant) -> bool {
        let member = self.members[number].as_mut().expect("it is here");
        let said = member.allowance.say(now);
        if let Err(Some(note)) = &said {
            self.note(number, note);
        }
        said.is_ok()
    }

    /// A member's line is refused, for a reason that it is told.
    pub fn refuse(&mut self, number: usize, now: Instant, why: &str) {
        if self.passes(number, now) {
            let before = self.written;
            self.note(number, why);
            self.charge(number, before);
        }
    }

    /// What has been written for a member's line counts as a line for each that it could be, the first of
    /// which is counted.
    fn charge(&mut self, number: usize, before: usize) {
        let lines = (self.written - before).div_ceil(self.text + 128);
        let member = self.members[number].as_mut().expect("it is here");
        member.allowance.take(lines.saturating_sub(1));
    }

    /// A byte of a member, unless it says no more. Whether it is by this one that its stream is none of
    /// lines, which ends it.
    pub fn opens_otherwise(&mut self, number: usize, byte: u8) -> bool {
        let text = self.text;
        self.turn_away_if(number, |opening| opening.hear(byte, text))
    }

    /// A member's line ends without a line feed. Whether it is a request, which ends its stream.
    pub fn ends_otherwise(&mut self, number: usize) -> bool {
        self.turn_away_if(number, Opening::end)
    }

    /// Whether silence waits: a member's line may become a request.
    pub fn may_be_request(&self, number: usize) -> bool {
        let member = self.members[number].as_ref().expect("it is here");
        number != OPERATOR && member.opening.may_be_request()
    }

    fn turn_away_if(&mut self, number: usize, is_other: impl FnOnce(&mut Opening) -> bool) -> bool {
        let member = self.members[number].as_mut().expect("it is here");
        let is_other = number != OPERATOR && !member.has_ended && is_other(&mut member.opening);
        if is_other {
            self.turn_away(number);
        }
        is_other
    }

    fn turn_away(&mut self, number: usize) {
        self.note(number, "this is a chat room, which speaks neither HTTP nor TLS");
        self.end(number);
    }

    /// A member's line. Gives what the owner is told.
    pub fn hear(&mut self, number: usize, now: Instant, line: &[u8]) -> Reported {
        // What says nothing counts for nothing.
        if line.trim_ascii().is_empty() {
            return None;
        }
        if !self.passes(number, now) {
            return None;
        }
        let before = self.written;
        let reported = self.carry_out(number, now, line);
        self.charge(number, before);
        reported
    }

    fn carry_out(&mut self, number: usize, now: Instant, line: &[u8]) -> Reported {
        let nick = self.nick(number);
        let Some(command) = line.strip_prefix(b"/").filter(|rest| !rest.starts_with(b"/")) else {
            // A second slash escapes the first.
            let text = if line.starts_with(b"/") { &line[1..] } else { line };
            return Some(self.say(number, format!("{nick}: {}", printable(text))));
        };
        let (word, rest) = split(command);
        match (word, rest) {
            (b"me", [_, ..]) => {
                return Some(self.say(number, format!("{nick}: /me {}", printable(rest))));
            }
            (b"nick", [_, ..]) => return self.rename(number, now, rest),
            (b"msg", [_, ..]) if !split(rest).1.is_empty() => self.whisper(number, rest),
            (b"me", _) => self.note(number, "write it as: /me TEXT"),
            (b"nick", _) => self.note(number, "write it as: /nick NAME"),
            (b"msg", _) => self.note(number, "write it as: /msg NICK TEXT"),
            (b"who", _) => self.tell_who(number),
            (b"help", _) => self.note(number, HELP),
            (b"quit", _) if number == OPERATOR => {
                self.note(number, "the operator stays: end the server instead");
            }
            (b"quit", _) => self.end(number),
            _ => self.note(number, "no such command; /help tells which there are, //x says /x"),
        }
        None
    }

    fn say(&mut self, number: usize, line: String) -> String {
        self.tell(&line, Some(number));
        self.said.push(line.clone());
        line
    }

    fn rename(&mut self, number: usize, now: Instant, name: &[u8]) -> Reported {
        let old = self.nick(number);
        let name = std::str::from_utf8(name).unwrap_or(":");
        let looks = skeleton(name);
        let starts_like_guest = || {
            let guest = skeleton(GUEST);
            let ends = name.char_indices().map(|(at, c)| at + c.len_utf8());
            ends.take(MAX_NICK).any(|end| skeleton(&name[..end]).is_like(guest))
        };
        let why = if name == old {
            "that is your nick already"
        } else if number == OPERATOR {
            "this nick is reserved, or looks like one that is"
        } else if self.members[number].as_ref().is_some_and(|member| member.keeps_nick) {
            "this server gives you your nick, and you keep it"
        } else if name.chars().count() > MAX_NICK {
            "a nick has 1 to 24 characters"
        } else if name.starts_with(['-', '_', '.'])
            || printable(name.as_bytes()).to_string() != name
            || name.contains(|c: char| {
                c.is_ascii() && !c.is_ascii_alphanumeric() && !"-_.".contains(c)
            })
        {
            "a nick has letters in everyday use, digits and -_. only, and starts with a letter or digit"
        } else if !name.is_ascii() {
            "this room takes nicks of a to z, 0 to 9 and -_. only"
        } else if starts_like_guest() || skeleton(SERVER).is_like(looks) {
            "this nick is reserved, or looks like one that is"
        } else if self.others(number).any(|member| skeleton(&member.nick).is_like(looks))
            || self
                .kept
                .iter()
                .flatten()
                .any(|(nick, until)| now < *until && skeleton(nick).is_like(looks))
        {
            "this nick is taken, or looks like one that is"
        } else {
            let line = format!("* {old} is now {name}");
            self.members[number].as_mut().expect("it is here").nick = name.into();
            self.nicks.insert(name.into());
            self.tell(&line, None);
            return Some(line);
        };
        self.note(number, why);
        None
    }

    fn others(&self, number: usize) -> impl Iterator<Item = &MemberModel> {
        let members = self.members.iter().enumerate();
        members.filter(move |(other, _)| *other != number).filter_map(|(_, member)| member.as_ref())
    }

    fn whisper(&mut self, number: usize, rest: &[u8]) {
        let (to, text) = split(rest);
        let nick = self.nick(number);
        let name = std::str::from_utf8(to).ok().filter(|name| name.chars().count() <= MAX_NICK);
        let found = name.and_then(|name| {
            let looks = skeleton(name);
            self.members.iter().position(|member| {
                member
                    .as_ref()
                    .is_some_and(|member| !member.has_ended && skeleton(&member.nick).means(looks))
            })
        });
        if let Some(found) = found {
            self.tell_one(found, &format!("(private) {nick}: {}", printable(text)));
        } else {
            let name = printable(name.unwrap_or("that").as_bytes());
            self.note(number, &format!("nobody here is called {name}; /who tells who is here"));
        }
    }

    fn tell_who(&mut self, number: usize) {
        let here = self.members.iter().flatten().filter(|member| !member.has_ended);
        let (mut line, mut rest) = (String::new(), 0);
        for member in here {
            let before = if line.is_empty() { "* here: " } else { ", " };
            if rest == 0 && line.len() + before.len() + member.nick.len() <= self.room_for_who {
                line += before;
                line += &member.nick;
            } else {
                rest += 1;
            }
        }
        if rest > 0 {
            let _ = write!(line, " and {rest} more");
        }
        self.tell_one(number, &line);
    }
}

/// The first word, and what follows it.
fn split(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

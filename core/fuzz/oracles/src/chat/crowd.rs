//! Clients in a room that is too small for them, over links that are slow or break.

use std::collections::VecDeque;

use arbitrary::Arbitrary;
use barewire_core::chat::{
    Client, DEFAULT_END_TIMEOUT, DEFAULT_PATIENCE, LeaveReason, Line, LogEntry, MemberError,
    MemberEvent, MemberId, MemberSlot, Room, RoomConfig, SayError, max_line_bytes, min_log_bytes,
};
use barewire_core::session::Session;
use barewire_core::text::{Text, TextReaderError};
use barewire_core::time::{Duration, Instant};

use super::flood::{Allowance, PASTED, Rate};
use super::public::Model;
use crate::manual_driver::ManualDriver;
use crate::script::{START, Span};

/// The longest text, and the longest line.
const LONGEST: u16 = 32;
const LINE: usize = max_line_bytes(LONGEST as usize);

/// Places, the operator's among them, and how many clients come at all.
const PLACES: usize = 5;
const CLIENTS: usize = 8;

/// How long a line may take to come in whole.
const LINE_TIMEOUT: Duration = Duration::from_secs(10);

/// The memory of the room, and what happens in it.
#[derive(Debug, Arbitrary)]
pub struct Input {
    bytes: u8,
    lines: u8,
    parts: u8,
    /// How much a member may say; `None`: there is no limit.
    rate: Option<Rate>,
    steps: Vec<Step>,
}

#[derive(Debug, Arbitrary)]
enum Step {
    Join,
    Say(u8, What, u8),
    /// So many bytes go from a client to the room.
    Up(u8, u8),
    /// So many bytes go from the room to a client.
    Down(u8, u8),
    Finish(u8),
    Lose(u8),
    Wait(Span),
    /// So many lines, and the link takes them all.
    Paste(u8, What, u8),
}

#[derive(Clone, Copy, Debug, Arbitrary)]
enum What {
    Say,
    Act,
    Rename,
}

struct Guest {
    /// `None`: it has left.
    key: Option<MemberId>,
    client: Client<64, LINE>,
    /// The client's end of the connection, and the room's.
    ends: [ManualDriver; 2],
    /// How much of what was sent has arrived at the client, and in the room.
    arrived: [usize; 2],
    received: Vec<String>,
    said: usize,
    /// What it has said that the room has not taken, up to the ends of lines.
    pending: VecDeque<(What, String)>,
    allowance: Allowance,
    /// When the room took the first byte of a line that has not ended.
    began: Option<Instant>,
    /// The room has given that line up, and skips it to its end.
    skips: bool,
    /// When it last took something from the room, or might still say something.
    moved: Instant,
    /// Both ends were closed in order.
    whole: bool,
}

/// What the room's end of a member does.
#[derive(Clone, Copy)]
enum Move {
    Listen,
    Expire,
}

struct World<'m> {
    room: Room<'m>,
    model: Model,
    rate: u32,
    /// How many lines may still be pasted.
    paste: usize,
    guests: Vec<Guest>,
    now: Instant,
}

/// What of `sent` has not arrived, at most `count` bytes of it.
fn under_way(sent: &[u8], arrived: &mut usize, count: usize) -> Vec<u8> {
    let rest = &sent[*arrived..];
    let part = rest[..count.min(rest.len())].to_vec();
    *arrived += part.len();
    part
}

impl World<'_> {
    fn join(&mut self) {
        if self.guests.len() < CLIENTS
            && let Ok(key) = self.room.join()
        {
            let nick = self.room.nick(key).expect("it is here");
            self.model.join(self.guests.len(), nick);
            self.guests.push(Guest {
                key: Some(key),
                client: Client::new(Duration::MAX),
                ends: [ManualDriver::default(), ManualDriver::default()],
                arrived: [0; 2],
                received: Vec::new(),
                said: 0,
                pending: VecDeque::new(),
                allowance: Allowance::new(self.rate),
                began: None,
                skips: false,
                moved: self.now,
                whole: false,
            });
        }
    }

    fn say(&mut self, number: usize, what: What, length: u8) -> Result<(), SayError> {
        let guest = &mut self.guests[number];
        let mark = format!("{number}-{}", guest.said);
        let (before, text) = match what {
            What::Say => ("", mark + " " + &"x".repeat(usize::from(length % 16))),
            What::Act => ("/me ", mark),
            What::Rename => ("/nick ", format!("n{mark}")),
        };
        guest.client.say(Text::new(&format!("{before}{text}")).expect("a line"))?;
        guest.said += 1;
        guest.pending.push_back((what, text));
        Ok(())
    }

    fn paste(&mut self, number: usize, what: What, count: u8) {
        let count = usize::from(count).min(self.paste);
        self.paste -= count;
        for _ in 0..count {
            if self.say(number, what, 0) == Err(SayError::Full) {
                self.up(number, usize::MAX);
                let _ = self.say(number, what, 0);
            }
        }
    }

    fn up(&mut self, number: usize, count: usize) {
        let now = self.now;
        let guest = &mut self.guests[number];
        let [end, other] = &mut guest.ends;
        end.transmit(now, &mut guest.client, count as u64);
        let part = under_way(&end.sent, &mut guest.arrived[1], count);
        if guest.key.is_some() {
            other.held.extend(part);
            other.ended |= end.shut() && guest.arrived[1] == end.sent.len();
        }
        self.attend(number);
    }

    fn down(&mut self, number: usize, count: usize) {
        let now = self.now;
        let guest = &mut self.guests[number];
        let [end, other] = &mut guest.ends;
        if let Some(mut member) = guest.key.and_then(|key| self.room.member(key)) {
            let before = other.sent.len();
            other.transmit(now, &mut member, count as u64);
            if other.sent.len() > before {
                guest.moved = now;
            }
        }
        let part = under_way(&other.sent, &mut guest.arrived[0], count);
        let received = &mut guest.received;
        let mut on_line = |line: Result<Line<'_>, TextReaderError>| {
            received.push(line.expect("it fits").printable().to_string());
        };
        if !end.ended {
            end.hear(now, &mut guest.client, &part, &mut on_line);
            end.ended = other.shut() && guest.arrived[0] == other.sent.len();
            end.listen(now, &mut guest.client, &mut on_line);
            end.transmit(now, &mut guest.client, 0);
        }
        let is_over = other.closed;
        guest.whole = is_over && end.ended;
        if is_over {
            self.leave(number, LeaveReason::Quit);
        }
    }

    fn leave(&mut self, number: usize, why: LeaveReason) {
        if let Some(key) = self.guests[number].key.take() {
            self.room.leave(key, why);
            let reason = why.reason().map(|why| format!(" ({why})")).unwrap_or_default();
            self.model.leave(number, &reason);
        }
    }

    /// The room's end of a member has its turn: what is held is offered, and time has passed.
    fn attend(&mut self, number: usize) {
        let now = self.now;
        let Some(key) = self.guests[number].key else { return };
        let mut failed = self.turn(number, key, Move::Listen);
        if self.deadline(key).is_some_and(|deadline| deadline <= now) {
            failed = failed.or_else(|| self.turn(number, key, Move::Expire));
            self.give_up(number, key);
            failed = failed.or_else(|| self.turn(number, key, Move::Listen));
        }
        let end = &self.guests[number].ends[1];
        let is_active = self.room.member(key).is_some_and(|member| member.is_active());
        let says_no_more = end.ended && end.held.is_empty() && !is_active;
        let seat = self.model.seats.get_mut(&number).expect("it has joined");
        seat.has_ended |= says_no_more;
        assert_eq!(self.room.nick(key), Some(&*seat.nick));
        let guest = &mut self.guests[number];
        if is_active {
            guest.moved = now;
        }
        if let Some(error) = failed {
            if error == MemberError::TimedOut {
                assert!(seat.has_ended, "it may still say something");
                assert!(
                    now.duration_since(guest.moved) >= DEFAULT_END_TIMEOUT,
                    "given up too early"
                );
            }
            self.leave(number, error.into());
        }
    }

    fn deadline(&mut self, key: MemberId) -> Option<Instant> {
        self.room.member(key).expect("it has not left").poll_deadline()
    }

    /// The room's end of a member makes a move. Of every line that it takes, the owner is told what it
    /// should be.
    fn turn(&mut self, number: usize, key: MemberId, make: Move) -> Option<MemberError> {
        let guest = &mut self.guests[number];
        let mut member = self.room.member(key).expect("it has not left");
        let mut told = VecDeque::new();
        let before = guest.arrived[1] - guest.ends[1].held.len();
        let (now, end) = (self.now, &mut guest.ends[1]);
        let on_heard = |heard: MemberEvent<'_>| told.push_back(heard.to_string());
        let failed = match make {
            Move::Listen => end.listen(now, &mut member, on_heard),
            Move::Expire => end.expire(now, &mut member, on_heard),
        };
        let after = guest.arrived[1] - guest.ends[1].held.len();
        for at in before..after {
            let guest = &mut self.guests[number];
            if guest.ends[0].sent[at] != b'\n' {
                guest.began.get_or_insert(self.now);
                continue;
            }
            guest.began = None;
            if !std::mem::take(&mut guest.skips)
                && let Some((what, text)) = self.take(number)
            {
                let nick = &mut self.model.seats.get_mut(&number).expect("it has joined").nick;
                let line = match what {
                    What::Say => format!("{nick}: {text}"),
                    What::Act => format!("* {nick} {text}"),
                    What::Rename => {
                        let old = std::mem::replace(nick, text);
                        format!("* {old} is now {nick}")
                    }
                };
                assert_eq!(told.pop_front().as_ref(), Some(&line));
                self.model.hear(number, &line, matches!(what, What::Rename));
            }
        }
        assert!(told.is_empty(), "nobody said {told:?}");
        failed
    }

    /// Takes what a member says next, unless flood control refuses it: then the member is told.
    fn take(&mut self, number: usize) -> Option<(What, String)> {
        let guest = &mut self.guests[number];
        let said = guest.pending.pop_front().expect("it has said a line");
        match guest.allowance.say(self.now) {
            Ok(()) => return Some(said),
            Err(Some(note)) => self.model.note(number, &note),
            Err(None) => {}
        }
        None
    }

    /// A line that has begun has a deadline. If it is gone, the line has been refused.
    fn give_up(&mut self, number: usize, key: MemberId) {
        let has_deadline = self.deadline(key).is_some();
        let guest = &mut self.guests[number];
        if has_deadline || guest.skips {
            return;
        }
        if let Some(began) = guest.began {
            assert!(self.now.duration_since(began) >= LINE_TIMEOUT, "refused too early");
            guest.skips = true;
            if self.take(number).is_some() {
                self.model.note(number, "your line took longer than 10 s: it was refused");
            }
        }
    }

    /// There are news: every member has a turn, until there are none.
    fn settle(&mut self) {
        for _ in 0..64 + PASTED {
            let mut member = self.room.member(self.room.operator()).expect("it stays");
            let mut end = ManualDriver::default();
            end.transmit(self.now, &mut member, u64::MAX);
            if !self.room.needs_poll() {
                return;
            }
            for number in 0..self.guests.len() {
                self.attend(number);
            }
        }
        panic!("news without end");
    }

    fn step(&mut self, step: &Step) {
        let pick = |number: u8, count: usize| usize::from(number) % count.max(1);
        let (Step::Say(number, ..)
        | Step::Paste(number, ..)
        | Step::Up(number, _)
        | Step::Down(number, _)
        | Step::Finish(number)
        | Step::Lose(number)) = step
        else {
            if let Step::Wait(span) = step {
                self.now += span.duration();
                (0..self.guests.len()).for_each(|number| self.attend(number));
            } else {
                self.join();
            }
            return;
        };
        if self.guests.is_empty() {
            return;
        }
        let number = pick(*number, self.guests.len());
        match step {
            Step::Say(_, what, length) => {
                let _ = self.say(number, *what, *length);
            }
            Step::Paste(_, what, count) => self.paste(number, *what, *count),
            Step::Up(_, count) => self.up(number, (*count).into()),
            Step::Down(_, count) => self.down(number, (*count).into()),
            Step::Finish(_) => {
                self.guests[number].client.finish(self.now, DEFAULT_END_TIMEOUT);
            }
            _ => self.leave(number, LeaveReason::Lost),
        }
    }

    /// Everybody has said what it wanted to, and links are fast again.
    fn end(&mut self) {
        for _ in 0..256 {
            for number in 0..self.guests.len() {
                self.guests[number].client.finish(self.now, DEFAULT_END_TIMEOUT);
                self.up(number, usize::MAX);
                self.settle();
                self.down(number, usize::MAX);
                self.settle();
            }
            if self.guests.iter().all(|guest| guest.key.is_none()) {
                return;
            }
            self.now += DEFAULT_PATIENCE;
        }
        panic!("somebody never comes to an end");
    }
}

/// Everybody who stays to the end receives everything that the others said, once and in one order;
/// who does not, the beginning of it.
pub fn check(input: &Input) {
    let mut members: [MemberSlot; PLACES] = std::array::from_fn(|_| MemberSlot::vacant());
    let mut lines = vec![LogEntry::EMPTY; 16 + usize::from(input.lines % 32)];
    // Silence ends no line here: half of one is no line that was said.
    let rate = input.rate.map_or(0, Rate::lines);
    let config = RoomConfig::new()
        .with_rate(rate)
        .with_quiet(Duration::MAX)
        .with_max_text(LONGEST)
        .with_line_buffers(u16::from(1 + input.parts % 4));
    let log = min_log_bytes(LONGEST.into()) + 4 * usize::from(input.bytes);
    let mut bytes = vec![0xaa; config.bytes(log)];
    let room = Room::new(&mut members, &mut lines, &mut bytes, config).expect("it is enough");
    let mut world = World {
        room,
        model: Model::default(),
        rate,
        paste: if rate == 0 { 0 } else { PASTED },
        guests: Vec::new(),
        now: START,
    };
    for step in input.steps.iter().take(128) {
        world.step(step);
        world.settle();
    }
    world.end();
    for (number, guest) in world.guests.iter().enumerate() {
        world.model.judge(number, &guest.received, guest.whole);
        assert!(!guest.whole || guest.pending.is_empty(), "{:?} was never heard", guest.pending);
    }
}

//! Clients in a room that is too small for them, over links that are slow or break.

use arbitrary::Arbitrary;
use barewire_core::chat::{
    Client, Config, Heard, Key, Leave, Line, Mark, MemberError, PATIENCE, Part, Place, Room,
    least_backlog, longest_line,
};
use barewire_core::session::Session;
use barewire_core::text::{Text, TooLong};
use barewire_core::time::{Duration, Instant};

use super::public::Model;
use crate::driver::Driver;
use crate::script::{START, Span};

/// The longest text, and the longest line.
const LONGEST: usize = 32;
const LINE: usize = longest_line(LONGEST);

/// Places, the operator's among them, and how many clients come at all.
const PLACES: usize = 5;
const CLIENTS: usize = 8;

/// The memory of the room, and what happens in it.
#[derive(Debug, Arbitrary)]
pub struct Input {
    bytes: u8,
    lines: u8,
    parts: u8,
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
}

#[derive(Clone, Copy, Debug, Arbitrary)]
enum What {
    Say,
    Act,
    Rename,
}

struct Guest {
    /// `None`: it has left.
    key: Option<Key>,
    client: Client<64, LINE>,
    /// The client's end of the connection, and the room's.
    ends: [Driver; 2],
    /// How much of what was sent has arrived at the client, and in the room.
    arrived: [usize; 2],
    received: Vec<String>,
    said: usize,
    /// Both ends were closed in order.
    whole: bool,
}

struct World<'m> {
    room: Room<'m, LONGEST>,
    model: Model,
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
                ends: [Driver::default(), Driver::default()],
                arrived: [0; 2],
                received: Vec::new(),
                said: 0,
                whole: false,
            });
        }
    }

    fn say(&mut self, number: usize, what: What, length: u8) {
        let guest = &mut self.guests[number];
        let mark = format!("{number}-{}", guest.said);
        let line = match what {
            What::Say => mark + " " + &"x".repeat(usize::from(length % 16)),
            What::Act => format!("/me {mark}"),
            What::Rename => format!("/nick n{mark}"),
        };
        if guest.client.say(Text::new(&line).expect("a line")).is_ok() {
            guest.said += 1;
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
            other.ended |= end.shut && guest.arrived[1] == end.sent.len();
        }
        self.attend(number);
    }

    fn down(&mut self, number: usize, count: usize) {
        let now = self.now;
        let guest = &mut self.guests[number];
        let [end, other] = &mut guest.ends;
        if let Some(mut member) = guest.key.and_then(|key| self.room.member(key)) {
            other.transmit(now, &mut member, count as u64);
        }
        let part = under_way(&other.sent, &mut guest.arrived[0], count);
        let received = &mut guest.received;
        let mut on_line = |line: Result<Line<'_>, TooLong>| {
            received.push(line.expect("it fits").printable().to_string());
        };
        if !end.ended {
            end.hear(now, &mut guest.client, &part, &mut on_line);
            end.ended = other.shut && guest.arrived[0] == other.sent.len();
            end.listen(now, &mut guest.client, &mut on_line);
            end.transmit(now, &mut guest.client, 0);
        }
        let is_over = other.closed;
        guest.whole = is_over && end.ended;
        if is_over {
            self.leave(number, Leave::Quit);
        }
    }

    fn leave(&mut self, number: usize, why: Leave) {
        if let Some(key) = self.guests[number].key.take() {
            self.room.leave(key, why);
            let reason = why.reason().map(|why| format!(" ({why})")).unwrap_or_default();
            self.model.leave(number, &reason);
        }
    }

    /// The room's end of a member has its turn: what is held is offered, and time has passed.
    fn attend(&mut self, number: usize) {
        let now = self.now;
        let guest = &mut self.guests[number];
        let Some(key) = guest.key else { return };
        let mut member = self.room.member(key).expect("it has not left");
        let mut told = Vec::new();
        let mut on_heard = |heard: Heard<'_>| {
            told.push((heard.to_string(), matches!(heard, Heard::Renamed { .. })));
        };
        let end = &mut guest.ends[1];
        let mut failed: Option<MemberError> = end.listen(now, &mut member, &mut on_heard);
        if member.poll_deadline().is_some_and(|deadline| deadline <= now) {
            failed = failed.or(end.expire(now, &mut member, &mut on_heard));
            failed = failed.or(end.listen(now, &mut member, &mut on_heard));
        }
        let says_no_more = end.ended && end.held.is_empty() && member.poll_deadline().is_none();
        for (line, is_rename) in told {
            self.model.hear(number, &line, is_rename);
        }
        let seat = self.model.seats.get_mut(&number).expect("it has joined");
        seat.has_ended |= says_no_more;
        seat.nick = self.room.nick(key).expect("it has not left").into();
        if failed.is_some() {
            self.leave(number, Leave::FellBehind);
        }
    }

    /// There are news: every member has a turn, until there are none.
    fn settle(&mut self) {
        for _ in 0..64 {
            let mut member = self.room.member(self.room.operator()).expect("it stays");
            let mut end = Driver::default();
            end.transmit(self.now, &mut member, u64::MAX);
            if !self.room.has_news() {
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
            Step::Say(_, what, length) => self.say(number, *what, *length),
            Step::Up(_, count) => self.up(number, (*count).into()),
            Step::Down(_, count) => self.down(number, (*count).into()),
            Step::Finish(_) => self.guests[number].client.finish(),
            _ => self.leave(number, Leave::Lost),
        }
    }

    /// Everybody has said what it wanted to, and links are fast again.
    fn end(&mut self) {
        for _ in 0..256 {
            for number in 0..self.guests.len() {
                self.guests[number].client.finish();
                self.up(number, usize::MAX);
                self.settle();
                self.down(number, usize::MAX);
                self.settle();
            }
            if self.guests.iter().all(|guest| guest.key.is_none()) {
                return;
            }
            self.now += PATIENCE;
        }
        panic!("somebody never comes to an end");
    }
}

/// Everybody who stays to the end receives everything that the others said, once and in one order;
/// who does not, the beginning of it.
pub fn check(input: &Input) {
    let mut members: [Place; PLACES] = std::array::from_fn(|_| Place::vacant());
    let mut bytes = vec![0xaa; least_backlog(LONGEST) + 4 * usize::from(input.bytes)];
    let mut lines = vec![Mark::NONE; 16 + usize::from(input.lines % 32)];
    let mut parts: Vec<Part<LONGEST>> = (0..2 + input.parts % 4).map(|_| Part::empty()).collect();
    // Silence ends no line here: half of one is no line that was said.
    let config = Config { rate: 0, quiet: Duration::MAX, ..Config::default() };
    let room = Room::new(&mut members, &mut bytes, &mut lines, &mut parts, config);
    let mut world = World { room, model: Model::default(), guests: Vec::new(), now: START };
    for step in input.steps.iter().take(128) {
        world.step(step);
        world.settle();
    }
    world.end();
    for (number, guest) in world.guests.iter().enumerate() {
        let is_public = |line: &&String| !line.starts_with("* your line took longer than ");
        let public: Vec<_> = guest.received.iter().filter(is_public).cloned().collect();
        world.model.judge(number, &public, guest.whole);
    }
}

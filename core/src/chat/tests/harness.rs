//! Drives the members of a room.

use super::*;
use crate::session::Output;

pub(super) struct Harness<'a> {
    pub(super) room: Room<'a>,
    pub(super) now: Instant,
    /// Where the next member comes from.
    pub(super) source: Source,
}

impl<'a> Harness<'a> {
    pub(super) fn new(room: Room<'a>) -> Self {
        Self { room, now: Instant::ZERO, source: Source(1) }
    }

    /// Lets a member in, each from another source.
    pub(super) fn join(&mut self) -> Result<MemberId, JoinError> {
        let Source(number) = self.source;
        self.source = Source(number + 1);
        self.room.join(self.now, Source(number))
    }

    pub(super) fn leave(&mut self, id: MemberId, why: LeaveReason) {
        self.room.leave(self.now, id, why);
    }

    /// Lets so many members in, who read all that greets them.
    pub(super) fn join_members<const COUNT: usize>(&mut self) -> [MemberId; COUNT] {
        let ids = [(); COUNT].map(|()| self.join().unwrap());
        for id in ids {
            self.read(id);
        }
        self.read(self.room.operator());
        ids
    }

    pub(super) fn member(&mut self, id: MemberId) -> Member<'_, 'a> {
        self.room.member(id).expect("the member has left")
    }

    /// Everybody has a turn, as after [`Room::needs_poll`], and reads nothing in it.
    pub(super) fn give_turns(&mut self) {
        for id in self.room.members().collect::<Vec<_>>() {
            self.member(id);
        }
    }

    /// Offers input; tells what came of it, an event a line, and how much was left. If something has to
    /// wait, the others have a turn.
    pub(super) fn offer(&mut self, id: MemberId, input: &[u8]) -> (String, usize) {
        let (mut heard, mut rest) = (String::new(), input);
        let now = self.now;
        while let Some(event) = step(self.member(id).handle_input(now, &mut rest)) {
            heard += &event;
            if event.starts_with('!') {
                break;
            }
        }
        if !rest.is_empty() {
            self.give_turns();
        }
        (heard, rest.len())
    }

    /// Says `count` numbered lines, which the operator reads.
    #[track_caller]
    pub(super) fn say_lines(&mut self, id: MemberId, count: u32) {
        for number in 0..count {
            self.say(id, format!("line {number}\n"));
            self.read(self.room.operator());
        }
    }

    /// Offers input, all of which must be taken.
    #[track_caller]
    pub(super) fn say(&mut self, id: MemberId, input: impl AsRef<[u8]>) -> String {
        let (heard, left) = self.offer(id, input.as_ref());
        assert_eq!(left, 0, "input is left");
        heard
    }

    pub(super) fn disconnect(&mut self, id: MemberId) {
        let now = self.now;
        self.member(id).disconnect(now);
    }

    pub(super) fn end(&mut self, id: MemberId) -> String {
        let (mut heard, now) = (String::new(), self.now);
        while let Some(event) = step(self.member(id).handle_end(now)) {
            heard += &event;
        }
        heard
    }

    pub(super) fn deadline(&mut self, id: MemberId) -> Option<Instant> {
        self.member(id).poll_deadline()
    }

    /// Lets time pass until `millis`, and tells the member so.
    pub(super) fn wait(&mut self, id: MemberId, millis: u64) -> String {
        self.now = at(millis);
        let (mut heard, now) = (String::new(), self.now);
        while let Some(event) = step(self.member(id).handle_timeout(now)) {
            heard += &event;
            if event.starts_with('!') {
                break;
            }
        }
        heard
    }

    /// All that waits for a member; `|` for the end of the direction, `.` for the close.
    pub(super) fn read(&mut self, id: MemberId) -> String {
        self.read_by(id, usize::MAX)
    }

    /// The same, `step` bytes at a time.
    pub(super) fn read_by(&mut self, id: MemberId, step: usize) -> String {
        let mut bytes = Vec::new();
        loop {
            let part = self.read_once(id, step);
            if part.is_empty() {
                break;
            }
            bytes.extend_from_slice(&part);
            if part == b"." {
                break;
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    /// At most `count` bytes of what waits.
    pub(super) fn read_once(&mut self, id: MemberId, count: usize) -> Vec<u8> {
        let now = self.now;
        let mut member = self.member(id);
        match member.poll_transmit() {
            Output::Nothing => Vec::new(),
            Output::Close => b".".to_vec(),
            Output::Shutdown => {
                member.transmitted(now, 0);
                b"|".to_vec()
            }
            Output::Bytes { head, tail, .. } => {
                assert!(!head.is_empty());
                let mut bytes = [head, tail].concat();
                bytes.truncate(count);
                member.transmitted(now, bytes.len());
                bytes
            }
            Output::Contents { .. } => panic!("a room has no contents"),
        }
    }
}

/// A step's event, on a line of its own; `!` before an error.
fn step(step: nb::Result<MemberEvent<'_>, MemberError>) -> Option<String> {
    match step {
        Ok(event) => Some(format!("{event:?}\n")),
        Err(nb::Error::WouldBlock) => None,
        Err(nb::Error::Other(error)) => Some(format!("!{error:?}")),
    }
}

/// Fills a room until its sender has to wait; tells how many lines went in.
pub(super) fn fill(hand: &mut Harness<'_>, sender: MemberId, others: &[MemberId]) -> usize {
    for number in 0..1000 {
        let (_, left) = hand.offer(sender, format!("line {number}\n").as_bytes());
        if left > 0 {
            return number;
        }
        for &id in others {
            hand.read(id);
        }
    }
    panic!("the room is never full");
}

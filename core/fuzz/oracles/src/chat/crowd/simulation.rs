//! The room, its members, and the links between them.

use std::collections::VecDeque;

use arbitrary::Arbitrary;
use barewire_core::chat::{
    Client, DEFAULT_END_TIMEOUT, DEFAULT_PATIENCE, LeaveReason, Line, MemberError, MemberEvent,
    MemberId, Room, SayError, max_line_bytes,
};
use barewire_core::session::{Output, Session};
use barewire_core::source::Source;
use barewire_core::text::{Text, TextReaderError};
use barewire_core::time::{Duration, Instant};

use crate::chat::flood::{Allowance, PASTED};
use crate::chat::public::Model;
use crate::manual_driver::ManualDriver;

/// The longest text, and the longest line.
pub(super) const LONGEST: u16 = 32;
const LINE: usize = max_line_bytes(LONGEST);

/// How many clients come at all.
const CLIENTS: usize = 8;

/// How long a line may take to come in whole.
const LINE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a member is told whose line is given up.
pub(super) const REFUSALS: [&str; 2] = [
    "your line took longer than 10 s: it was refused",
    "your line took too long while others waited: it was refused",
];

#[derive(Clone, Copy, Debug, Arbitrary)]
pub(super) enum What {
    Say,
    Act,
    Rename,
}

pub(super) struct Peer {
    /// `None`: it has left.
    pub(super) id: Option<MemberId>,
    pub(super) client: Client<64, LINE>,
    /// The client's end of the connection, and the room's.
    ends: [ManualDriver; 2],
    /// How much of what was sent has arrived at the client, and in the room.
    arrived: [usize; 2],
    pub(super) received: Vec<String>,
    said: usize,
    /// What it has said that the room has not taken, up to the ends of lines.
    pub(super) pending: VecDeque<(What, String)>,
    allowance: Allowance,
    /// When the room took the first byte of a line that has not ended.
    began: Option<Instant>,
    /// The room has given that line up, and skips it to its end.
    skips: bool,
    /// How many of its lines were given up, where these are judged apart.
    pub(super) given_up: usize,
    /// When it last took something from the room, or might still say something.
    moved: Instant,
    /// When nothing waited for it last.
    drained: Instant,
    /// Both ends were closed in order.
    pub(super) whole: bool,
}

/// What the room's end of a member does.
#[derive(Clone, Copy)]
enum Move {
    Listen,
    Expire,
}

pub(super) struct Simulation<'m> {
    pub(super) room: Room<'m>,
    pub(super) model: Model,
    pub(super) rate: u32,
    /// How many lines may still be pasted.
    pub(super) paste: usize,
    pub(super) peers: Vec<Peer>,
    pub(super) now: Instant,
}

/// What of `sent` has not arrived, at most `count` bytes of it.
fn under_way(sent: &[u8], arrived: &mut usize, count: usize) -> Vec<u8> {
    let rest = &sent[*arrived..];
    let part = rest[..count.min(rest.len())].to_vec();
    *arrived += part.len();
    part
}

impl Simulation<'_> {
    pub(super) fn join(&mut self) {
        if self.peers.len() < CLIENTS
            && let Ok(id) = self.room.join(self.now, Source(self.peers.len() as u64))
        {
            let nick = self.room.nick(id).expect("it is here");
            self.model.join(self.peers.len(), nick);
            self.witness();
            self.peers.push(Peer {
                id: Some(id),
                client: Client::new(Duration::MAX),
                ends: [ManualDriver::default(), ManualDriver::default()],
                arrived: [0; 2],
                received: Vec::new(),
                said: 0,
                pending: VecDeque::new(),
                allowance: Allowance::new(self.rate),
                began: None,
                skips: false,
                given_up: 0,
                moved: self.now,
                drained: self.now,
                whole: false,
            });
        }
    }

    pub(super) fn say(&mut self, number: usize, what: What, length: u8) -> Result<(), SayError> {
        let peer = &mut self.peers[number];
        let mark = format!("{number}-{}", peer.said);
        let (before, text) = match what {
            What::Say => ("", mark + " " + &"x".repeat(usize::from(length % 16))),
            What::Act => ("/me ", mark),
            What::Rename => ("/nick ", format!("n{mark}")),
        };
        peer.client.command(Text::new(&format!("{before}{text}")).expect("a line"))?;
        peer.said += 1;
        peer.pending.push_back((what, text));
        Ok(())
    }

    pub(super) fn paste(&mut self, number: usize, what: What, count: u8) {
        let count = usize::from(count).min(self.paste);
        self.paste -= count;
        for _ in 0..count {
            if self.say(number, what, 0) == Err(SayError::Full) {
                self.up(number, usize::MAX);
                let _ = self.say(number, what, 0);
            }
        }
    }

    pub(super) fn up(&mut self, number: usize, count: usize) {
        let now = self.now;
        let peer = &mut self.peers[number];
        let [end, other] = &mut peer.ends;
        end.transmit(now, &mut peer.client, count as u64);
        let part = under_way(&end.sent, &mut peer.arrived[1], count);
        if peer.id.is_some() {
            other.held.extend(part);
            other.ended |= end.has_shut_down() && peer.arrived[1] == end.sent.len();
        }
        self.attend(number);
    }

    pub(super) fn down(&mut self, number: usize, count: usize) {
        let now = self.now;
        let peer = &mut self.peers[number];
        let [end, other] = &mut peer.ends;
        if let Some(mut member) = peer.id.and_then(|id| self.room.member(id)) {
            let before = other.sent.len();
            other.transmit(now, &mut member, count as u64);
            if other.sent.len() > before {
                peer.moved = now;
            }
            if matches!(member.poll_transmit(), Output::Nothing) && member.is_active() {
                peer.drained = now;
            }
        }
        let part = under_way(&other.sent, &mut peer.arrived[0], count);
        let received = &mut peer.received;
        let mut on_line = |line: Result<Line<'_>, TextReaderError>| {
            received.push(line.expect("it fits").printable().to_string());
        };
        if !end.ended {
            end.hear(now, &mut peer.client, &part, &mut on_line);
            end.ended = other.has_shut_down() && peer.arrived[0] == other.sent.len();
            end.listen(now, &mut peer.client, &mut on_line);
            end.transmit(now, &mut peer.client, 0);
        }
        let is_over = other.closed;
        peer.whole = is_over && end.ended;
        if is_over {
            self.leave(number, LeaveReason::Quit);
        }
    }

    pub(super) fn leave(&mut self, number: usize, why: LeaveReason) {
        if let Some(id) = self.peers[number].id.take() {
            self.room.leave(self.now, id, why);
            let reason = why.reason().map(|why| format!(" ({why})")).unwrap_or_default();
            self.model.leave(number, &reason);
            self.witness();
        }
    }

    /// The operator reads all there is, and so is never in the way.
    fn witness(&mut self) {
        let mut member = self.room.member(self.room.operator()).expect("it stays");
        let mut end = ManualDriver::default();
        end.transmit(self.now, &mut member, u64::MAX);
        self.model.witness(&end.sent);
    }

    /// The room's end of a member has its turn: what is held is offered, and time has passed.
    pub(super) fn attend(&mut self, number: usize) {
        let now = self.now;
        let Some(id) = self.peers[number].id else { return };
        let mut failed = self.turn(number, id, Move::Listen);
        if self.deadline(id).is_some_and(|deadline| deadline <= now) {
            failed = failed.or_else(|| self.turn(number, id, Move::Expire));
            self.give_up(number, id);
            failed = failed.or_else(|| self.turn(number, id, Move::Listen));
        }
        let end = &self.peers[number].ends[1];
        let is_active = self.room.member(id).is_some_and(|member| member.is_active());
        let says_no_more = end.ended && end.held.is_empty() && !is_active;
        let model = self.model.members.get_mut(&number).expect("it has joined");
        model.has_ended |= says_no_more;
        assert_eq!(self.room.nick(id), Some(&*model.nick));
        let peer = &mut self.peers[number];
        if is_active {
            peer.moved = now;
        }
        if let Some(error) = failed {
            if error == MemberError::FellBehind {
                let stalled = now.duration_since(peer.drained);
                assert!(stalled >= DEFAULT_PATIENCE, "it had read all {stalled} before");
            }
            if error == MemberError::TimedOut {
                assert!(model.has_ended, "it may still say something");
                assert!(
                    now.duration_since(peer.moved) >= DEFAULT_END_TIMEOUT,
                    "given up too early"
                );
            }
            self.leave(number, error.into());
        }
    }

    fn deadline(&mut self, id: MemberId) -> Option<Instant> {
        self.room.member(id).expect("it has not left").poll_deadline()
    }

    /// The room's end of a member makes a move. Of every line that it takes, the owner is told what it
    /// should be.
    fn turn(&mut self, number: usize, id: MemberId, make: Move) -> Option<MemberError> {
        let peer = &mut self.peers[number];
        let mut member = self.room.member(id).expect("it has not left");
        let mut told = VecDeque::new();
        let before = peer.arrived[1] - peer.ends[1].held.len();
        let (now, end) = (self.now, &mut peer.ends[1]);
        let on_event = |event: MemberEvent<'_>| told.push_back(event.to_string());
        let failed = match make {
            Move::Listen => end.listen(now, &mut member, on_event),
            Move::Expire => end.expire(now, &mut member, on_event),
        };
        let after = peer.arrived[1] - peer.ends[1].held.len();
        for at in before..after {
            let peer = &mut self.peers[number];
            if peer.ends[0].sent[at] != b'\n' {
                peer.began.get_or_insert(self.now);
                continue;
            }
            let began = peer.began.take().unwrap_or(now);
            if !std::mem::take(&mut peer.skips)
                && let Some((what, text)) = self.take(number)
            {
                let nick = &mut self.model.members.get_mut(&number).expect("it has joined").nick;
                let line = match what {
                    What::Say => format!("{nick}: {text}"),
                    What::Act => format!("{nick}: /me {text}"),
                    What::Rename => format!("* {nick} is now {text}"),
                };
                if self.rate == 0 && told.front() != Some(&line) {
                    let held = now.duration_since(began);
                    assert!(held >= DEFAULT_PATIENCE, "{line:?} was given up after {held}");
                    self.peers[number].given_up += 1;
                    continue;
                }
                if matches!(what, What::Rename) {
                    *nick = text;
                }
                assert_eq!(told.pop_front().as_ref(), Some(&line));
                self.model.hear(number, &line, matches!(what, What::Rename));
            }
        }
        assert!(told.is_empty(), "nobody said {told:?}");
        self.witness();
        failed
    }

    /// Takes what a member says next, unless flood control refuses it: then the member is told.
    fn take(&mut self, number: usize) -> Option<(What, String)> {
        let peer = &mut self.peers[number];
        let said = peer.pending.pop_front().expect("it has said a line");
        match peer.allowance.say(self.now) {
            Ok(()) => return Some(said),
            Err(Some(note)) => self.model.note(number, &note),
            Err(None) => {}
        }
        None
    }

    /// A line that has begun has a deadline. If it is gone, the line has been refused.
    fn give_up(&mut self, number: usize, id: MemberId) {
        if self.rate == 0 {
            return;
        }
        let has_deadline = self.deadline(id).is_some();
        let peer = &mut self.peers[number];
        if has_deadline || peer.skips {
            return;
        }
        if let Some(began) = peer.began {
            assert!(self.now.duration_since(began) >= LINE_TIMEOUT, "refused too early");
            peer.skips = true;
            if self.take(number).is_some() {
                self.model.note(number, REFUSALS[0]);
            }
        }
    }

    /// Every member has a turn, until there are none.
    pub(super) fn attend_all(&mut self) {
        for _ in 0..64 + PASTED {
            if !self.room.needs_poll() {
                return;
            }
            for number in 0..self.peers.len() {
                self.attend(number);
            }
        }
        panic!("news without end");
    }
}

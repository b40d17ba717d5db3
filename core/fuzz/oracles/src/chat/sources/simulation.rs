//! The room, its members, and what each of them is to receive.

use std::collections::VecDeque;

use barewire_core::chat::{DEFAULT_PATIENCE, JoinError, LeaveReason, MemberEvent, MemberId, Room};
use barewire_core::printable::printable;
use barewire_core::session::Session;
use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};

use super::accounts::{Accounts, Limits, TALKERS};
use crate::chat::flood::Allowance;
use crate::manual_driver::ManualDriver;
use crate::script::START;

/// The longest text.
pub(super) const LONGEST: u16 = 32;

/// Places, the operator's among them.
pub(super) const PLACES: usize = 8;

/// So many come at all, and say so many lines.
pub(super) const JOINS: usize = 24;
pub(super) const SAID: usize = 200;

/// How long a line may take to come in whole.
const LINE_TIMEOUT: Duration = Duration::from_secs(10);

/// A member and its connection.
struct Peer {
    id: MemberId,
    nick: String,
    source: u64,
    account: usize,
    allowance: Allowance,
    driver: ManualDriver,
    /// What has not arrived of the line that has begun to.
    rest: Vec<u8>,
    /// The texts that have begun to arrive, and that the room has not taken.
    texts: VecDeque<String>,
    /// All that has arrived.
    arrived: Vec<u8>,
    /// When the room took the first byte of a line that has not ended.
    began: Option<Instant>,
    /// The room has given that line up, and skips it to its end.
    skips: bool,
    waits: Option<Waits>,
    /// What it is to receive, its welcome and who comes and goes left aside.
    expected: Vec<String>,
}

/// Since when a member waits for a buffer, and behind how many.
#[derive(Clone, Copy)]
struct Waits {
    since: Instant,
    before: u32,
    /// It has been the only one of its source.
    is_alone: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Move {
    Listen,
    Expire,
}

pub(super) struct Simulation<'m> {
    room: Room<'m>,
    pub(super) accounts: Accounts,
    limits: Limits,
    /// Those who have left leave nothing but their number.
    peers: Vec<Option<Peer>>,
    said: usize,
    now: Instant,
}

impl<'m> Simulation<'m> {
    pub(super) fn new(room: Room<'m>, accounts: Accounts, limits: Limits) -> Self {
        Self { room, accounts, limits, peers: Vec::new(), said: 0, now: START }
    }

    fn here(&self) -> impl Iterator<Item = &Peer> {
        self.peers.iter().flatten()
    }

    pub(super) fn join(&mut self, source: u64) {
        if self.peers.len() == JOINS {
            return;
        }
        let account = if self.here().count() == PLACES - 1 {
            Err(JoinError::RoomFull)
        } else {
            self.accounts.join(self.now, source)
        };
        let joined = self.room.join(self.now, Source(source));
        assert_eq!(joined.map(|_| ()), account.map(|_| ()), "from {source}");
        if let (Ok(id), Ok(account)) = (joined, account) {
            let Limits { rate, burst, .. } = self.limits;
            self.peers.push(Some(Peer {
                id,
                nick: self.room.nick(id).expect("it is here").into(),
                source,
                account,
                allowance: Allowance::with_burst(rate, burst),
                driver: ManualDriver::default(),
                rest: Vec::new(),
                texts: VecDeque::new(),
                arrived: Vec::new(),
                began: None,
                skips: false,
                waits: None,
                expected: Vec::new(),
            }));
        }
    }

    fn pick(&self, number: u8) -> Option<usize> {
        let number = usize::from(number).checked_rem(self.peers.len())?;
        self.peers[number].is_some().then_some(number)
    }

    pub(super) fn leave(&mut self, number: u8) {
        let Some(number) = self.pick(number) else { return };
        let peer = self.peers[number].take().expect("it is here");
        judge_received(&peer);
        self.room.leave(self.now, peer.id, LeaveReason::Quit);
        self.accounts.get(peer.account).members -= 1;
    }

    pub(super) fn say(&mut self, number: u8, length: u8, controls: u8, cut: u8) {
        if let Some(number) = self.pick(number) {
            self.begin(number, (length % 8).into(), (controls % 17).into(), (cut % 64).into());
        }
    }

    pub(super) fn chorus(&mut self, source: u64, count: u8) {
        for number in 0..self.peers.len() {
            if self.peers[number].as_ref().is_some_and(|peer| peer.source == source) {
                (0..count).for_each(|_| self.begin(number, 0, 0, usize::MAX));
            }
        }
    }

    /// A member says a line, of which so many bytes arrive.
    fn begin(&mut self, number: usize, length: usize, controls: usize, cut: usize) {
        if self.said == SAID {
            return;
        }
        let peer = self.peers[number].as_mut().expect("it is here");
        let text = format!("{} {}{}", self.said, "x".repeat(length), "\x01".repeat(controls));
        self.said += 1;
        let before = peer.rest.len();
        peer.rest.extend(text.bytes().chain([b'\n']));
        peer.texts.push_back(text);
        self.arrive(number, before.saturating_add(cut));
    }

    pub(super) fn go_on(&mut self, number: u8) {
        if let Some(number) = self.pick(number) {
            self.arrive(number, usize::MAX);
        }
    }

    /// So many bytes of what a member says arrive.
    fn arrive(&mut self, number: usize, count: usize) {
        let peer = self.peers[number].as_mut().expect("it is here");
        let count = count.min(peer.rest.len());
        peer.driver.held.extend(&peer.rest[..count]);
        peer.arrived.extend(peer.rest.drain(..count));
        self.attend(number);
    }

    /// Time passes, from one deadline to the next.
    pub(super) fn wait(&mut self, span: Duration) {
        let until = self.now + span;
        loop {
            self.settle();
            let ids: Vec<_> = self.here().map(|peer| peer.id).collect();
            let deadlines = ids.into_iter().filter_map(|id| self.deadline(id));
            let Some(next) = deadlines.min().filter(|next| *next < until) else { break };
            assert!(next > self.now, "it is served at its deadline");
            self.now = next;
        }
        self.now = until;
    }

    /// Everybody says what it has begun to say.
    pub(super) fn end(&mut self) {
        for number in 0..self.peers.len() {
            if self.peers[number].is_some() {
                self.arrive(number, usize::MAX);
            }
            self.settle();
        }
        for peer in self.here() {
            assert!(peer.texts.is_empty() && peer.driver.held.is_empty(), "it waits for ever");
            judge_received(peer);
        }
    }

    fn deadline(&mut self, id: MemberId) -> Option<Instant> {
        self.room.member(id).expect("it is here").poll_deadline()
    }

    /// Everybody has a turn, for as long as the room asks for it.
    pub(super) fn settle(&mut self) {
        for _ in 0..64 {
            for number in 0..self.peers.len() {
                self.attend(number);
            }
            if !self.room.needs_poll() {
                self.judge_buffers();
                return;
            }
        }
        panic!("news without end");
    }

    fn attend(&mut self, number: usize) {
        let Some(peer) = &self.peers[number] else { return };
        let id = peer.id;
        // Nothing else is due before all time.
        let is_revoked = self.deadline(id) == Some(Instant::ZERO);
        self.turn(number, Move::Listen, is_revoked);
        if self.deadline(id).is_some_and(|deadline| deadline <= self.now) {
            let is_revoked = self.deadline(id) == Some(Instant::ZERO);
            self.turn(number, Move::Expire, is_revoked);
            self.turn(number, Move::Listen, false);
        }
        self.note_wait(number);
    }

    /// A member's turn. Its line may have been given up since others waited: that it is told first.
    fn turn(&mut self, number: usize, make: Move, is_revoked: bool) {
        let now = self.now;
        let peer = self.peers[number].as_mut().expect("it is here");
        let before = peer.arrived.len() - peer.driver.held.len();
        let mut member = self.room.member(peer.id).expect("it is here");
        let mut told = VecDeque::new();
        let on_event = |event: MemberEvent<'_>| told.push_back(event.to_string());
        let failed = match make {
            Move::Listen => peer.driver.listen(now, &mut member, on_event),
            Move::Expire => peer.driver.expire(now, &mut member, on_event),
        };
        assert_eq!(failed, None, "it reads at every turn");
        peer.driver.transmit(now, &mut member, u64::MAX);
        let taken = peer.arrived[before..peer.arrived.len() - peer.driver.held.len()].to_vec();
        if !taken.is_empty() {
            // What it waits for now, it begins to wait for.
            peer.waits = None;
        }
        if is_revoked && (!taken.is_empty() || make == Move::Expire) {
            let held = now.duration_since(peer.began.expect("it had a buffer"));
            assert!(held >= DEFAULT_PATIENCE, "it has had its buffer for {held}");
            self.refuse(number, "your line took too long while others waited: it was refused");
        }
        for byte in taken {
            self.take(number, byte, &mut told);
        }
        let began = self.peers[number].as_ref().and_then(|peer| peer.began);
        let is_late = began.is_some_and(|began| now.duration_since(began) >= LINE_TIMEOUT);
        if is_late && make == Move::Expire {
            self.refuse(number, "your line took longer than 10 s: it was refused");
        }
        assert!(told.is_empty(), "nobody said {told:?}");
    }

    /// The room has taken a byte of a member's.
    fn take(&mut self, number: usize, byte: u8, told: &mut VecDeque<String>) {
        let peer = self.peers[number].as_mut().expect("it is here");
        if byte != b'\n' {
            if !peer.skips {
                peer.began.get_or_insert(self.now);
            }
            return;
        }
        peer.began = None;
        if std::mem::take(&mut peer.skips) {
            return;
        }
        let text = peer.texts.pop_front().expect("it has said a line");
        let line = format!("{}: {}", peer.nick, printable(text.as_bytes()));
        if self.passes(number) {
            assert_eq!(told.pop_front().as_ref(), Some(&line));
            let others = self.peers.iter_mut().enumerate().filter(|(other, _)| *other != number);
            for other in others.filter_map(|(_, peer)| peer.as_mut()) {
                other.expected.push(line.clone());
            }
            self.charge(number, line.len() + 1);
        }
    }

    /// A member's line is given up.
    fn refuse(&mut self, number: usize, why: &str) {
        let peer = self.peers[number].as_mut().expect("it is here");
        peer.texts.pop_front().expect("it has begun a line");
        (peer.began, peer.skips) = (None, true);
        if self.passes(number) {
            let note = format!("* {why}");
            self.charge(number, note.len() + 1);
            self.peers[number].as_mut().expect("it is here").expected.push(note);
        }
    }

    /// Whether a line passes flood control. If not, its sender may be told.
    fn passes(&mut self, number: usize) -> bool {
        let (now, Limits { rate, burst, .. }) = (self.now, self.limits);
        let peer = self.peers[number].as_mut().expect("it is here");
        let lines = &mut self.accounts.get(peer.account).lines;
        let (what, rate, burst) = if !peer.allowance.allows(now) {
            ("your lines", rate, burst)
        } else if !lines.allows(now) {
            ("the lines of all at your address", TALKERS * rate, TALKERS * burst)
        } else {
            return true;
        };
        if peer.allowance.may_note(now) {
            let note =
                format!("* too fast: {what} are refused ({rate} a second pass, {burst} at once)");
            peer.expected.push(note);
        }
        false
    }

    /// What has been written for a member's line counts as a line for each that it could be.
    fn charge(&mut self, number: usize, written: usize) {
        let lines = written.div_ceil(usize::from(LONGEST) + 128);
        let peer = self.peers[number].as_mut().expect("it is here");
        let account = self.accounts.get(peer.account);
        peer.allowance.take(lines);
        account.lines.take(lines);
        account.said.push((self.now, u32::try_from(lines).expect("a few")));
    }

    /// Takes note of whether a member waits, and for how long.
    fn note_wait(&mut self, number: usize) {
        let before = self.here().filter(|peer| peer.waits.is_some()).count();
        let peer = self.peers[number].as_mut().expect("it is here");
        assert!(!peer.driver.held.contains(&b'\n'), "a whole line needs no buffer");
        if peer.driver.held.is_empty() {
            peer.waits = None;
            return;
        }
        let (since, before) = (self.now, u32::try_from(before).expect("a few"));
        let waits = peer.waits.get_or_insert(Waits { since, before, is_alone: true });
        waits.is_alone &= self.accounts.get(peer.account).members == 1;
        let waited = self.now.duration_since(waits.since);
        let most = DEFAULT_PATIENCE * (waits.before + 1);
        assert!(
            !waits.is_alone || waited <= most,
            "it has waited {waited}, where {most} is the most"
        );
    }

    /// No source has more begun lines than its share, nor have all together more than there are buffers.
    fn judge_buffers(&self) {
        let Limits { line_buffers, share, .. } = self.limits;
        let holders = || self.here().filter(|peer| peer.began.is_some());
        assert!(holders().count() <= line_buffers.into(), "so many buffers there are not");
        for peer in holders() {
            let count = holders().filter(|other| other.account == peer.account).count();
            assert!(share == 0 || count <= share.into(), "{count} of one source");
        }
    }
}

/// A member has received just what it is to.
fn judge_received(peer: &Peer) {
    let received = str::from_utf8(&peer.driver.sent).expect("what a room says is UTF-8");
    let comes_or_goes = |line: &&str| {
        line.starts_with("* ") && (line.ends_with(" joined") || line.ends_with(" left"))
    };
    let received: Vec<_> = received.lines().skip(1).filter(|line| !comes_or_goes(line)).collect();
    assert_eq!(received, peer.expected);
}

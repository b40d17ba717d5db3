//! The links, and what happens on them.

use barewire_core::time::{Duration, Instant};
use barewire_oracles::judge::Judge;

use super::link::{Calamity, Direction, Fault, Moment};
use super::pipe::Pipe;
use crate::simulator::random::Random;
use crate::simulator::schedule::Schedule;

/// One end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End(pub(super) usize);

impl End {
    /// The two ends of a link stand side by side.
    pub(super) const fn peer(self) -> Self {
        Self(self.0 ^ 1)
    }

    pub(super) const fn link(self) -> usize {
        self.0 / 2
    }
}

/// All links, and the time that they share.
#[derive(Debug)]
pub struct Streams {
    pub(super) schedule: Schedule<Happening>,
    pub(super) random: Random,
    pub(super) links: Vec<Link>,
    /// Two for each link, and beside them the pipes that they write into.
    pub(super) ends: Vec<EndState>,
    pub(super) pipes: Vec<Pipe>,
}

#[derive(Debug)]
pub(super) enum Happening {
    /// An end may have something to do.
    Wake(End),
    /// Something arrives at an end.
    Land(End, Cargo),
    /// An end learns that the other has taken bytes.
    Room(End, usize),
    /// The fault of a link strikes.
    Strike(usize),
}

#[derive(Debug)]
pub(super) enum Cargo {
    Bytes(Vec<u8>),
    /// The end of the direction.
    End,
    Reset,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) state: LinkState,
    /// What is still to go wrong.
    pub(super) fault: Option<Fault>,
    pub(super) struck_at: Option<Instant>,
    /// Bytes and ends that have landed.
    pub(super) landed: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkState {
    Up,
    /// Only the reset itself still lands.
    Reset,
    Cut,
}

/// How the program at one end closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Orderly,
    /// Without any ado, when its conversation is over.
    Abrupt,
    /// It has done so: what has not been read by then never is.
    Abandoned,
}

/// What the program at one end, and the kernel below it, know.
#[derive(Debug)]
pub(super) struct EndState {
    /// Read, and not taken by the session yet.
    pub(super) input: Vec<u8>,
    pub(super) judge: Judge,
    /// The conversation is over, and the connection is not yet.
    pub(super) lingers: bool,
    pub(super) ending: Ending,
    pub(super) is_closed: bool,
    pub(super) reset_at: Option<Instant>,
    /// The deadline that it will be woken at.
    pub(super) armed: Option<Instant>,
    /// It gets no turn before.
    pub(super) stalled_until: Instant,
    /// Its machine has failed, and knows nothing of the connection when it is back.
    pub(super) back_at: Option<Instant>,
}

impl Streams {
    /// Without links. Its clock starts anywhere, as clocks do.
    pub fn new(mut random: Random) -> Self {
        let start = Instant::ZERO + random.span(Duration::ZERO..=Duration::from_secs(1 << 32));
        Self {
            schedule: Schedule::new(start),
            random,
            links: Vec::new(),
            ends: Vec::new(),
            pipes: Vec::new(),
        }
    }

    /// The time.
    pub const fn now(&self) -> Instant {
        self.schedule.now()
    }

    /// Opens a link, and returns its ends: the first direction is what the first end writes.
    pub fn connect(&mut self, directions: [Direction; 2], fault: Option<Fault>) -> [End; 2] {
        let ends = [0, 1].map(|side| End(self.ends.len() + side));
        let now = self.now();
        for (end, direction) in ends.into_iter().zip(directions) {
            self.pipes.push(Pipe::new(direction, self.random.fork()));
            self.ends.push(EndState {
                input: Vec::new(),
                judge: Judge::default(),
                lingers: false,
                ending: Ending::Orderly,
                is_closed: false,
                reset_at: None,
                armed: None,
                stalled_until: now,
                back_at: None,
            });
            self.schedule.enter(now, Happening::Wake(end));
        }
        let number = self.links.len();
        self.links.push(Link { state: LinkState::Up, fault, struck_at: None, landed: 0 });
        match fault.map(|fault| fault.when) {
            Some(Moment::At(at)) => self.schedule.enter(at, Happening::Strike(number)),
            Some(Moment::AfterBytes(0)) => self.strike(number),
            Some(Moment::AfterBytes(_)) | None => {}
        }
        ends
    }

    /// Lets time pass until an end may have something to do, which must then be
    /// [driven](Self::drive). `None`: nothing will ever happen again.
    pub fn advance(&mut self) -> Option<End> {
        loop {
            let end = match self.schedule.advance()? {
                Happening::Wake(end) => end,
                Happening::Land(end, cargo) => {
                    self.land(end, cargo);
                    end
                }
                Happening::Room(end, count) => {
                    if self.links[end.link()].state == LinkState::Up {
                        self.pipes[end.0].free(count);
                    }
                    end
                }
                Happening::Strike(link) => {
                    self.strike(link);
                    continue;
                }
            };
            let state = &self.ends[end.0];
            if state.is_closed {
                continue;
            }
            if self.now() < state.stalled_until {
                self.schedule.enter(state.stalled_until, Happening::Wake(end));
                continue;
            }
            if state.lingers {
                self.linger(end);
                continue;
            }
            return Some(end);
        }
    }

    /// Gives an end its turn at `at`: its program has something to do then, of which the session
    /// knows nothing.
    pub fn wake(&mut self, end: End, at: Instant) {
        self.schedule.enter(at, Happening::Wake(end));
    }

    /// An end's program is not given the processor before `until`.
    pub fn stall(&mut self, end: End, until: Instant) {
        let state = &mut self.ends[end.0];
        state.stalled_until = state.stalled_until.max(until);
    }

    /// An end's program, once its conversation is over, does what a socket tutorial has people do: it
    /// closes at once, whether anything is unread or not.
    pub fn close_abruptly(&mut self, end: End) {
        self.ends[end.0].ending = Ending::Abrupt;
    }

    /// When the fault of an end's link struck, if it has.
    pub fn struck_at(&self, end: End) -> Option<Instant> {
        self.links[end.link()].struck_at
    }

    /// When a reset reached an end, if one has: the fault's, or one that the peer caused.
    pub fn reset_at(&self, end: End) -> Option<Instant> {
        self.ends[end.0].reset_at
    }

    /// When the end of the peer's direction reached an end, if it has: in order, behind all its
    /// bytes. A reset after it comes too late for a reader to be told.
    pub fn ended_at(&self, end: End) -> Option<Instant> {
        self.pipes[end.peer().0].ended_at
    }

    pub(super) fn strike(&mut self, number: usize) {
        let now = self.now();
        let Some(fault) = self.links[number].fault.take() else { return };
        self.links[number].struck_at = Some(now);
        let ends = [End(2 * number), End(2 * number + 1)];
        match fault.what {
            Calamity::Cut => self.links[number].state = LinkState::Cut,
            Calamity::Reset => {
                self.links[number].state = LinkState::Reset;
                for end in ends {
                    let at = now + self.pipes[end.peer().0].delay();
                    self.schedule.enter(at, Happening::Land(end, Cargo::Reset));
                }
            }
            Calamity::Stall { side, lasting } => {
                self.stall(ends[side], now + lasting);
            }
        }
    }

    pub(super) fn land(&mut self, end: End, cargo: Cargo) {
        let now = self.now();
        match (self.links[end.link()].state, cargo) {
            // It is sent again until the machine is back, and then answered by a reset.
            (LinkState::Up, Cargo::Bytes(_) | Cargo::End) if self.ends[end.0].back_at.is_some() => {
                let back_at = self.ends[end.0].back_at.unwrap_or(now);
                let at = back_at.max(now) + self.pipes[end.0].delay();
                self.schedule.enter(at, Happening::Land(end.peer(), Cargo::Reset));
            }
            (LinkState::Up, Cargo::Bytes(bytes)) => self.land_bytes(end, bytes),
            (LinkState::Up, Cargo::End) => {
                self.pipes[end.peer().0].ended_at = Some(now);
                self.count_landed(end, 1);
            }
            (LinkState::Up | LinkState::Reset, Cargo::Reset) => {
                self.ends[end.0].reset_at.get_or_insert(now);
            }
            (LinkState::Cut | LinkState::Reset, _) => {}
        }
    }

    pub(super) fn land_bytes(&mut self, end: End, mut bytes: Vec<u8>) {
        let link = &self.links[end.link()];
        let until_fault = match link.fault {
            Some(Fault { when: Moment::AfterBytes(count), .. }) => count - link.landed,
            _ => usize::MAX,
        };
        // The fault may strike in the middle of a piece.
        let rest = bytes.split_off(until_fault.min(bytes.len()));
        if self.ends[end.0].is_closed {
            self.send(end, Cargo::Reset);
        } else {
            self.pipes[end.peer().0].land(&bytes);
        }
        self.count_landed(end, bytes.len());
        if !rest.is_empty() {
            self.land(end, Cargo::Bytes(rest));
        }
    }

    pub(super) fn count_landed(&mut self, end: End, count: usize) {
        let link = &mut self.links[end.link()];
        link.landed += count;
        if link.fault.is_some_and(|fault| fault.when == Moment::AfterBytes(link.landed)) {
            self.strike(end.link());
        }
    }
}

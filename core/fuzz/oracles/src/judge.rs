//! The judge of whether a session keeps its side of the contract, whatever it is driven over.

use std::ops::ControlFlow::Continue;

use barewire_core::driver::{Driver, LastStep, Step, Transport};
use barewire_core::session::{Event, Events, Output, Session};
use barewire_core::time::Instant;

/// More events in a row are a livelock, as long as no byte is taken or sent: each byte of a sealed record may
/// be one.
const IDLE_EVENTS: usize = 1 << 16;

/// What a turn of the driver consists of, besides offering what the transport has received.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// What the session wants is carried out.
    pub transmits: bool,
    /// How often at most the session is told that its deadline is reached: what was due may give way
    /// to something else that is due already.
    pub expirations: u32,
    /// What was said to be sent is more than was lent, whenever that was all of it.
    pub overstates: bool,
}

impl Turn {
    /// What the rule makes it.
    pub const WHOLE: Self = Self { transmits: true, expirations: 1, overstates: false };
}

/// A driver of the core, and between it and its session one who judges all that the session does. One
/// that breaks the contract is a panic.
#[derive(Debug, Default)]
pub struct Judge {
    driver: Driver,
    record: Record,
    is_over: bool,
}

#[derive(Debug, Default)]
struct Record {
    has_shut_down: bool,
    moves: usize,
    idle_events: usize,
    drained: Option<Drained>,
}

/// What a session has nothing more to give for, as it said last.
#[derive(Debug)]
enum Drained {
    /// These bytes, which it left.
    Input(Vec<u8>),
    End,
}

impl Judge {
    /// Whether the session has ended its direction.
    pub const fn has_shut_down(&self) -> bool {
        self.record.has_shut_down
    }

    /// Bytes taken, events and transmissions so far.
    pub const fn moves(&self) -> usize {
        self.record.moves
    }

    /// As [`Driver::step`], but for the parts that the turn leaves out.
    pub fn step<S: Session, T: Transport>(
        &mut self,
        turn: Turn,
        now: Instant,
        session: &mut S,
        transport: &mut T,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> Step<S::Error, T::Error> {
        if !self.is_over {
            call_too_early(now, session);
        }
        self.record.idle_events = 0;
        let mut judged = Judged { session, turn, record: &mut self.record };
        for _ in 0..turn.expirations.max(1) {
            let step = self.driver.step(now, &mut judged, transport, |event| {
                on_event(event);
                Continue(())
            });
            judged.check_drained(now);
            self.is_over = !matches!(step, Step::Wait(_));
            if !matches!(step, Step::Wait(Some(at)) if at <= now) {
                return step;
            }
        }
        panic!("a driver would spin: the deadline stays in the past");
    }

    /// As [`Driver::end`].
    pub fn end<T: Transport>(&mut self, now: Instant, transport: &mut T) -> LastStep {
        self.driver.end(now, transport)
    }
}

/// A session is told of its deadline at any time, and takes notice if it is reached.
fn call_too_early<S: Session>(now: Instant, session: &mut S) {
    let before = (session.poll_deadline(), shape(session.poll_transmit()));
    if before.0.is_some_and(|deadline| deadline <= now) {
        return;
    }
    match session.handle_timeout(now) {
        Ok(_) => panic!("an event before the deadline, which is {:?}", before.0),
        Err(nb::Error::WouldBlock) => {}
        Err(nb::Error::Other(error)) => panic!("an early call failed: {error}"),
    }
    let after = (session.poll_deadline(), shape(session.poll_transmit()));
    assert_eq!(after, before, "an early call changed something");
}

/// What of an output can be kept while the session goes on.
fn shape(output: Output<'_>) -> (u8, u64, u64) {
    match output {
        Output::Nothing => (0, 0, 0),
        Output::Bytes { head, tail, .. } => (1, head.len() as u64, tail.len() as u64),
        Output::Contents { offset, length } => (2, offset, length),
        Output::Shutdown => (3, 0, 0),
        Output::Close => (4, 0, 0),
    }
}

/// What the driver has for the session.
struct Judged<'a, S> {
    session: &'a mut S,
    turn: Turn,
    record: &'a mut Record,
}

impl<S: Session> Judged<'_, S> {
    /// Nothing has happened since the session said that it has nothing more to give: it still has not.
    fn check_drained(&mut self, now: Instant) {
        let is_drained = match self.record.drained.take() {
            None => true,
            Some(Drained::Input(left)) => {
                let mut input = &left[..];
                let told = self.session.handle_input(now, &mut input);
                matches!(told, Err(nb::Error::WouldBlock)) && input.len() == left.len()
            }
            Some(Drained::End) => {
                matches!(self.session.handle_end(now), Err(nb::Error::WouldBlock))
            }
        };
        assert!(is_drained, "there was more to give");
    }
}

impl Record {
    fn note<V, E>(&mut self, told: &nb::Result<V, E>, drained: impl FnOnce() -> Option<Drained>) {
        match told {
            Ok(_) => {
                self.moves += 1;
                self.idle_events += 1;
                assert!(self.idle_events <= IDLE_EVENTS, "livelock: events without end");
            }
            Err(nb::Error::WouldBlock) => self.drained = drained(),
            Err(nb::Error::Other(_)) => {}
        }
    }

    fn count_bytes(&mut self, count: usize) {
        if count > 0 {
            self.idle_events = 0;
        }
    }
}

impl<'s, S: Session> Events<'s> for Judged<'_, S> {
    type Event = Event<'s, S>;
}

impl<S: Session> Session for Judged<'_, S> {
    type Error = S::Error;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, S::Error> {
        self.check_drained(now);
        let offered = *input;
        let told = self.session.handle_input(now, input);
        let left = *input;
        assert!(
            left.is_empty() || left.as_ptr_range().end == offered.as_ptr_range().end,
            "the input is advanced from the front only"
        );
        let taken = offered.len() - left.len();
        self.record.moves += taken;
        self.record.count_bytes(taken);
        // Who took some has not said that it takes no more.
        self.record
            .note(&told, || (taken == 0 || left.is_empty()).then(|| Drained::Input(left.to_vec())));
        told
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, S::Error> {
        self.check_drained(now);
        let told = self.session.handle_end(now);
        self.record.note(&told, || Some(Drained::End));
        told
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, S::Error> {
        self.check_drained(now);
        let told = self.session.handle_timeout(now);
        self.record.note(&told, || None);
        told
    }

    fn prepare_transmit(&mut self, now: Instant) {
        if self.turn.transmits {
            self.session.prepare_transmit(now);
        }
    }

    fn poll_transmit(&self) -> Output<'_> {
        let output = self.session.poll_transmit();
        assert_eq!(output, self.session.poll_transmit(), "asked twice, answered differently");
        match output {
            Output::Bytes { head, .. } => assert!(!head.is_empty(), "the head is never empty"),
            Output::Contents { offset, length } => {
                assert!(length > 0 && offset.checked_add(length).is_some(), "no range");
            }
            Output::Nothing | Output::Shutdown | Output::Close => {}
        }
        let is_silent = matches!(output, Output::Nothing | Output::Close);
        assert!(
            is_silent || !self.record.has_shut_down,
            "{output:?} after the end of the direction"
        );
        if self.turn.transmits { output } else { Output::Nothing }
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        self.check_drained(now);
        let (most, more_is_certain) = match self.session.poll_transmit() {
            Output::Bytes { head, tail, more } => (head.len() + tail.len(), more),
            Output::Contents { length, .. } => {
                (usize::try_from(length).unwrap_or(usize::MAX), false)
            }
            Output::Shutdown => {
                self.record.has_shut_down = true;
                (0, false)
            }
            output @ (Output::Nothing | Output::Close) => {
                panic!("the driver carried out {output:?}")
            }
        };
        let is_all = count == most;
        let overstates = is_all && self.turn.overstates;
        self.session.transmitted(now, if overstates { usize::MAX } else { count });
        self.record.moves += 1;
        self.record.count_bytes(count);
        let is_kept = self.session.poll_transmit() != Output::Nothing;
        assert!(!(is_all && more_is_certain) || is_kept, "more was certain to follow");
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.session.poll_deadline().filter(|_| self.turn.expirations > 0)
    }
}

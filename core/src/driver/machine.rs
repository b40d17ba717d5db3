//! The driver itself.

use core::convert::Infallible;
use core::mem;
use core::ops::ControlFlow;

use super::linger::{LINGER, Linger};
use super::step::{DriveError, LastStep, Next, Sent, Step};
use super::transport::Transport;
use crate::session::{Event, Output, Session};
use crate::time::{Duration, Instant};

/// Drives one session over one connection. The [module](crate::driver) states the rule.
///
/// A turn, from one [`Wait`](Step::Wait) to the next, is bounded by what the transport gives and takes
/// in it. The driver has no buffer: a session reads from what the transport has received, and what it
/// lends goes to the transport as it is.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one connection")]
#[derive(Debug)]
pub struct Driver {
    stage: Stage,
    /// How much the session took of what was received last: consumed when an event that may lend it
    /// is done with.
    taken: usize,
    /// The session has left bytes, or was told the end, since it was last given something new.
    left: bool,
    /// The session's last call with input has given an event, so there may be more without any.
    has_events: bool,
    /// The deadline has been told in this turn.
    expired: bool,
    /// The peer has ended its direction.
    ended: bool,
    /// This side has ended its own.
    write_closed: bool,
    /// Of [`Stage::ShutDown`] and [`Stage::Linger`].
    linger: Linger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Rule 1; a turn begins here.
    Transmit,
    /// Rules 2 and 3.
    Receive,
    /// Rule 2: behind the last byte of this turn the session may have more to tell.
    Drain,
    /// Rule 1, behind that.
    Answer,
    /// Rule 4: whether the deadline is reached.
    Check,
    /// Rule 4: it is.
    Expire,
    /// Rule 6, until the stack has taken it.
    ShutDown,
    /// Rule 5.
    FinalTransmit,
    /// Rule 7.
    BeginLinger,
    Linger,
    Close,
    Reset,
}

impl Default for Driver {
    fn default() -> Self {
        Self::new()
    }
}

impl Driver {
    /// A driver for a new connection.
    pub const fn new() -> Self {
        Self::with_linger(LINGER)
    }

    /// A driver that lingers for so long at most, where [`LINGER`] is too long or not long enough. More
    /// than 71 minutes (in microseconds, `u32::MAX`) count as so many.
    pub const fn with_linger(linger: Duration) -> Self {
        Self {
            stage: Stage::Transmit,
            taken: 0,
            left: false,
            has_events: false,
            expired: false,
            ended: false,
            write_closed: false,
            linger: Linger::new(linger),
        }
    }

    /// Whether this side has ended its direction.
    pub const fn has_shut_down(&self) -> bool {
        self.write_closed
    }

    /// Whether the peer has ended its direction.
    pub const fn has_peer_ended(&self) -> bool {
        self.ended
    }

    /// When the next step is due at the latest: what [`Step::Wait`] told last, or what a command to the
    /// session has made of it since.
    pub fn poll_deadline<S: Session>(&self, session: &S) -> Option<Instant> {
        match self.stage {
            Stage::ShutDown | Stage::Linger => Some(self.linger.until()),
            _ => session.poll_deadline(),
        }
    }

    /// Whether the conversation is over, in order or not: the session is no longer asked for anything
    /// but its last word.
    pub const fn is_over(&self) -> bool {
        matches!(
            self.stage,
            Stage::FinalTransmit | Stage::BeginLinger | Stage::Linger | Stage::Close | Stage::Reset
        )
    }

    /// Ends the conversation before its time (rule 5): the next step tells how the connection is to
    /// end. Does nothing once the conversation is over.
    pub const fn give_up(&mut self) {
        if !self.is_over() {
            self.stage = self.after_failure();
        }
    }

    const fn after_failure(&self) -> Stage {
        if self.write_closed { Stage::BeginLinger } else { Stage::Reset }
    }

    /// Does what can be done at `now` without waiting, and hands each event to `on_event`. Call it as
    /// [`Step::Wait`] says and after each command to the session. An `on_event` that breaks gives the
    /// conversation up.
    pub fn step<S: Session, T: Transport>(
        &mut self,
        now: Instant,
        session: &mut S,
        transport: &mut T,
        mut on_event: impl FnMut(Event<'_, S>) -> ControlFlow<()>,
    ) -> Step<S::Error, T::Error> {
        loop {
            match self.next(now, session, transport) {
                Next::Event(event) => {
                    if on_event(event).is_break() {
                        self.give_up();
                        return Step::Over(Err(DriveError::GivenUp));
                    }
                }
                Next::Continue => {}
                Next::Step(step) => return step,
            }
        }
    }

    /// As [`step`](Self::step), for an owner who has more to do with an event than a closure can: it
    /// returns with each, which lends from the session and the transport until the next call.
    pub fn next<'a, S: Session, T: Transport>(
        &mut self,
        now: Instant,
        session: &'a mut S,
        transport: &'a mut T,
    ) -> Next<'a, S, T::Error> {
        self.consume_taken(transport);
        match self.stage {
            Stage::Transmit | Stage::Answer => self.carry_out(now, session, transport),
            Stage::Receive => self.offer(now, session, transport),
            Stage::Drain => {
                self.has_events = false;
                self.hand_over(session.handle_input(now, &mut <&[u8]>::default()), Stage::Answer)
            }
            Stage::Check => self.check(now, session),
            Stage::Expire => self.expire(now, session),
            Stage::ShutDown => Next::Step(self.conclude(now, transport)),
            Stage::FinalTransmit => {
                let result = self.transmit(now, session, transport);
                self.stage = if result.is_ok() { self.after_failure() } else { Stage::Reset };
                Next::Continue
            }
            Stage::BeginLinger | Stage::Linger | Stage::Close | Stage::Reset => {
                Next::Step(self.end(now, transport).into())
            }
        }
    }

    /// As [`step`](Self::step), for an owner that has no session any more: gives up a conversation that
    /// is not over, lets a session that has failed have no last word, and says what else there is to do
    /// with the connection.
    pub fn end<T: Transport>(&mut self, now: Instant, transport: &mut T) -> LastStep {
        self.consume_taken(transport);
        self.give_up();
        if self.stage == Stage::FinalTransmit {
            self.stage = self.after_failure();
        }
        if self.stage == Stage::BeginLinger {
            self.stage = Stage::Linger;
            self.linger.begin(now);
        }
        if self.stage == Stage::Linger {
            match self.linger.discard(&mut self.ended, transport) {
                Err(nb::Error::WouldBlock) if now < self.linger.until() => {
                    return LastStep::Wait(self.linger.until());
                }
                _ => self.stage = Stage::Close,
            }
        }
        if self.stage == Stage::Reset { LastStep::Reset } else { LastStep::Close }
    }

    /// An event that may lend what the session took is done with.
    fn consume_taken<T: Transport>(&mut self, transport: &mut T) {
        if self.taken > 0 {
            transport.consume(mem::take(&mut self.taken));
        }
    }

    fn carry_out<'a, S: Session, T: Transport>(
        &mut self,
        now: Instant,
        session: &mut S,
        transport: &mut T,
    ) -> Next<'a, S, T::Error> {
        match self.transmit(now, session, transport) {
            Ok(Sent::Close) => {
                self.linger.begin(now);
                return Next::Step(self.conclude(now, transport));
            }
            Ok(Sent::Nothing) if self.left => self.stage = Stage::Check,
            Ok(_) if self.stage == Stage::Answer => self.stage = Stage::Check,
            Ok(Sent::Some | Sent::Nothing) => self.stage = Stage::Receive,
            Err(error) => return Next::Step(self.break_off(error)),
        }
        Next::Continue
    }

    /// Carries out what the session wants, as far as the transport takes it.
    fn transmit<S: Session, T: Transport>(
        &mut self,
        now: Instant,
        session: &mut S,
        transport: &mut T,
    ) -> Result<Sent, DriveError<S::Error, T::Error>> {
        let mut sent = Sent::Nothing;
        loop {
            session.prepare_transmit(now);
            match session.poll_transmit() {
                Output::Nothing => return Ok(sent),
                Output::Close => return Ok(Sent::Close),
                output => match self.put(output, transport) {
                    Ok(count) => session.transmitted(now, count),
                    Err(nb::Error::WouldBlock) => return Ok(sent),
                    Err(nb::Error::Other(error)) => return Err(error.widened()),
                },
            }
            sent = Sent::Some;
        }
    }

    /// Carries out one thing. Apart from [`transmit`](Self::transmit), so that the sessions over one kind
    /// of transport share it.
    fn put<T: Transport>(
        &mut self,
        output: Output<'_>,
        transport: &mut T,
    ) -> nb::Result<usize, DriveError<Infallible, T::Error>> {
        let moved = match output {
            Output::Bytes { head, tail, more } => match transport.send(head, tail, more) {
                Ok(0) => Err(nb::Error::WouldBlock),
                moved => moved,
            },
            Output::Contents { offset, length } => match transport.send_contents(offset, length) {
                Ok(0) => return Err(nb::Error::Other(DriveError::Contents)),
                moved => moved,
            },
            Output::Shutdown => transport.shut_down().map(|()| self.write_closed = true).and(Ok(0)),
            Output::Nothing | Output::Close => Err(nb::Error::WouldBlock),
        };
        moved.map_err(|error| error.map(DriveError::Connection))
    }

    fn offer<'a, S: Session, T: Transport>(
        &mut self,
        now: Instant,
        session: &'a mut S,
        transport: &'a mut T,
    ) -> Next<'a, S, T::Error> {
        if self.has_events && !self.left {
            // It took the last byte, which is no reason to have nothing more to tell; nor is a reset
            // behind that byte.
            let result = session.handle_input(now, &mut <&[u8]>::default());
            self.has_events = result.is_ok();
            return self.hand_over(result, Stage::Transmit);
        }
        let result = match transport.receive() {
            Ok([]) => {
                (self.ended, self.left) = (true, true);
                session.handle_end(now)
            }
            Ok(bytes) => {
                let mut input = bytes;
                let result = session.handle_input(now, &mut input);
                self.taken = bytes.len().saturating_sub(input.len());
                self.has_events = result.is_ok();
                // Who took some has not said yet that it takes no more now.
                self.left = !input.is_empty() && (self.taken == 0 || self.has_events);
                result
            }
            Err(nb::Error::WouldBlock) => {
                self.stage = if self.has_events { Stage::Drain } else { Stage::Check };
                return Next::Continue;
            }
            Err(nb::Error::Other(error)) => {
                return Next::Step(self.break_off(DriveError::Connection(error)));
            }
        };
        self.hand_over(result, Stage::Transmit)
    }

    fn check<'a, S: Session, C>(&mut self, now: Instant, session: &S) -> Next<'a, S, C> {
        let deadline = session.poll_deadline();
        if !self.expired && deadline.is_some_and(|at| at <= now) {
            self.stage = Stage::Expire;
            return Next::Continue;
        }
        // The next turn begins.
        (self.stage, self.expired, self.left) = (Stage::Transmit, false, false);
        Next::Step(Step::Wait(deadline))
    }

    fn expire<'a, S: Session, C>(&mut self, now: Instant, session: &'a mut S) -> Next<'a, S, C> {
        // The time may have made room for what was left.
        (self.expired, self.left) = (true, false);
        self.hand_over(session.handle_timeout(now), Stage::Transmit)
    }

    /// Passes on what a call of the session gave; after the last of it comes another stage.
    fn hand_over<'a, S: Session, C>(
        &mut self,
        result: nb::Result<Event<'a, S>, S::Error>,
        after: Stage,
    ) -> Next<'a, S, C> {
        match result {
            Ok(event) => return Next::Event(event),
            Err(nb::Error::WouldBlock) => self.stage = after,
            Err(nb::Error::Other(error)) => {
                self.stage = Stage::FinalTransmit;
                return Next::Step(Step::Over(Err(DriveError::Session(error))));
            }
        }
        Next::Continue
    }

    /// The session has said that the conversation is over.
    fn conclude<S, T: Transport>(&mut self, now: Instant, transport: &mut T) -> Step<S, T::Error> {
        match self.prepare_close(now, transport) {
            Ok(()) => Step::Over(Ok(())),
            Err(nb::Error::WouldBlock) => Step::Wait(Some(self.linger.until())),
            Err(nb::Error::Other(error)) => self.break_off(error.widened()),
        }
    }

    /// Apart from [`conclude`](Self::conclude) for the same reason.
    fn prepare_close<T: Transport>(
        &mut self,
        now: Instant,
        transport: &mut T,
    ) -> nb::Result<(), DriveError<Infallible, T::Error>> {
        if !self.write_closed {
            match transport.shut_down() {
                Ok(()) => self.write_closed = true,
                Err(nb::Error::WouldBlock) if now < self.linger.until() => {
                    self.stage = Stage::ShutDown;
                    return Err(nb::Error::WouldBlock);
                }
                Err(nb::Error::WouldBlock) => return Err(nb::Error::Other(DriveError::Stalled)),
                Err(error) => return Err(error.map(DriveError::Connection)),
            }
        }
        // A reset may lie behind bytes that nobody wants any more, or behind the end.
        let discarded = self
            .linger
            .discard(&mut self.ended, transport)
            .and_then(|()| transport.receive().map(|_| ()));
        if let Err(nb::Error::Other(error)) = discarded {
            return Err(nb::Error::Other(DriveError::Connection(error)));
        }
        self.stage = Stage::BeginLinger;
        Ok(())
    }

    /// The connection is of no use any more.
    fn break_off<S, C>(&mut self, error: DriveError<S, C>) -> Step<S, C> {
        self.stage = Stage::Reset;
        Step::Over(Err(error))
    }
}

//! The driver for any session: the [driving rule](barewire_core::session) to the letter, and the
//! judge of whether the session keeps its side of it.

use std::mem;
use std::ops::ControlFlow::{self, Break, Continue};

use barewire_core::session::{Event, Output, Session};
use barewire_core::time::Instant;

use super::socket::{Received, Reset};
use super::{End, Happening, Streams};

/// So many calls in a row that move no byte are a livelock. The busiest honest session makes a
/// call for each kind of thing that can happen, and one more to hear that nothing did.
const IDLE_CALLS: u32 = 64;

/// In how many of a hundred turns the driver makes a call too early, as the rule allows.
const EARLY_CALLS: u8 = 10;

/// How a conversation ended at one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<E> {
    /// In order: the session said [`Output::Close`].
    Closed,
    /// The session failed.
    Failed(E),
    /// The connection was reset, of which the session is told nothing (rule 8).
    Broken,
}

impl<E> From<Reset> for Outcome<E> {
    fn from(_: Reset) -> Self {
        Self::Broken
    }
}

impl Streams {
    /// Gives the session at `end` its turn; call it for what [`advance`](Self::advance) returns.
    /// The conversation has ended, and the end is closed, when this returns an outcome.
    pub fn drive<S: Session>(
        &mut self,
        end: End,
        session: &mut S,
        on_event: impl FnMut(Event<'_, S>),
    ) -> Option<Outcome<S::Error>> {
        let mut turn = Turn { streams: self, end, session, on_event, moves: 0, idle_calls: 0 };
        let outcome = turn.run().break_value()?;
        if let Outcome::Failed(_) = outcome {
            // Rule 6: a last word, as far as the link takes it.
            let _ = turn.transmit();
            self.give_up(end);
        } else {
            self.close(end);
        }
        Some(outcome)
    }
}

/// One turn of one session.
struct Turn<'a, S, F> {
    streams: &'a mut Streams,
    end: End,
    session: &'a mut S,
    on_event: F,
    /// Bytes, transmissions and events so far: while their number grows, the turn goes on.
    moves: usize,
    idle_calls: u32,
}

impl<S: Session, F: FnMut(Event<'_, S>)> Turn<'_, S, F> {
    fn run(&mut self) -> ControlFlow<Outcome<S::Error>> {
        // A new session may want to speak first, and a command may have been given.
        self.transmit()?;
        if self.streams.random.chance(EARLY_CALLS) {
            self.call_too_early()?;
        }
        loop {
            let moves = self.moves;
            self.listen()?;
            // Rule 2: the time may have made room for what is held.
            let offers_again = self.expire()? && self.holds_input();
            if moves == self.moves && !offers_again {
                break;
            }
        }
        self.arm();
        Continue(())
    }

    fn now(&self) -> Instant {
        self.streams.now()
    }

    /// Counts a call to the session.
    fn count_call(&mut self) {
        self.idle_calls += 1;
        assert!(self.idle_calls <= IDLE_CALLS, "livelock: {IDLE_CALLS} calls without a byte");
    }

    fn count_bytes(&mut self, count: usize) {
        if count > 0 {
            self.moves += count;
            self.idle_calls = 0;
        }
    }

    /// Rules 2 and 3: offers the session what has arrived, until it waits.
    fn listen(&mut self) -> ControlFlow<Outcome<S::Error>> {
        let now = self.now();
        // What the session left is back-pressure: nothing more is read until it is taken.
        let input = self.read()?;
        let has_ended = self.streams.ends[self.end.0].has_read_end;
        let mut rest = &input[..];
        while !input.is_empty() {
            self.count_call();
            let offered = rest.len();
            let had_event = settle(self.session.handle_input(now, &mut rest), &mut self.on_event)?;
            assert!(input.ends_with(rest), "a session takes input from the front");
            self.count_bytes(offered - rest.len());
            if !had_event {
                break;
            }
            self.moves += 1;
            self.transmit_or_not()?;
        }
        while has_ended && rest.is_empty() {
            self.count_call();
            if !settle(self.session.handle_end(now), &mut self.on_event)? {
                break;
            }
            self.moves += 1;
            self.transmit_or_not()?;
        }
        self.streams.ends[self.end.0].input = rest.to_vec();
        self.transmit()
    }

    /// What is to be offered: what the session left, or else what the link has.
    fn read(&mut self) -> ControlFlow<Outcome<S::Error>, Vec<u8>> {
        let left = mem::take(&mut self.streams.ends[self.end.0].input);
        if !left.is_empty() || self.streams.ends[self.end.0].has_read_end {
            return Continue(left);
        }
        match self.streams.read(self.end) {
            Ok(Received::Bytes(bytes)) => return Continue(bytes),
            Ok(Received::End) => self.streams.ends[self.end.0].has_read_end = true,
            Ok(Received::Nothing) => {}
            Err(reset) => return Break(reset.into()),
        }
        Continue(Vec::new())
    }

    /// Whether the session has left bytes, or may have to be told of the end again.
    fn holds_input(&self) -> bool {
        let end = &self.streams.ends[self.end.0];
        end.has_read_end || !end.input.is_empty()
    }

    /// Rule 4: tells the session that its deadline is reached, until it waits. Tells whether it was.
    fn expire(&mut self) -> ControlFlow<Outcome<S::Error>, bool> {
        let now = self.now();
        let is_due = self.session.poll_deadline().is_some_and(|deadline| deadline <= now);
        if is_due {
            while self.time_out()? {
                self.moves += 1;
                self.transmit_or_not()?;
            }
            self.transmit()?;
        }
        if let Some(deadline) = self.session.poll_deadline() {
            assert!(deadline > now, "a driver would spin: a deadline that is over stays");
        }
        Continue(is_due)
    }

    /// Rules 3 and 4: neither an early deadline nor a second end does harm.
    fn call_too_early(&mut self) -> ControlFlow<Outcome<S::Error>> {
        let now = self.now();
        let deadline = self.session.poll_deadline();
        if deadline.is_none_or(|deadline| now < deadline) {
            let had_event = self.time_out()?;
            assert!(!had_event, "an event before the deadline, which is {deadline:?}");
            assert_eq!(self.session.poll_deadline(), deadline, "an early call moved it");
        }
        Continue(())
    }

    /// Calls [`Session::handle_timeout`] once; tells whether there was an event.
    fn time_out(&mut self) -> ControlFlow<Outcome<S::Error>, bool> {
        self.count_call();
        let now = self.now();
        settle(self.session.handle_timeout(now), &mut self.on_event)
    }

    /// Rule 1 has a driver transmit when the calls have nothing more to give; one that does so after
    /// each is as good.
    fn transmit_or_not(&mut self) -> ControlFlow<Outcome<S::Error>> {
        if self.streams.random.chance(50) { self.transmit() } else { Continue(()) }
    }

    /// Rule 1: carries out what the session wants, until it wants nothing or the link takes no
    /// more.
    fn transmit(&mut self) -> ControlFlow<Outcome<S::Error>> {
        loop {
            self.count_call();
            let now = self.now();
            let output = self.session.poll_transmit();
            assert_eq!(output, self.session.poll_transmit(), "asked twice, answered differently");
            let is_shut = self.streams.pipes[self.end.0].is_shut;
            let (count, more_is_certain) = match output {
                Output::Nothing => return Continue(()),
                Output::Close => return Break(Outcome::Closed),
                _ if is_shut => panic!("{output:?} after the end of the direction"),
                Output::Contents { .. } => panic!("contents are lent in memory here: see InMemory"),
                Output::Shutdown => match self.streams.shut(self.end) {
                    Ok(()) => (0, false),
                    Err(reset) => return Break(reset.into()),
                },
                Output::Bytes { head, tail, more } => {
                    assert!(!head.is_empty(), "the head is never empty");
                    // A driver with vectored writes sends both parts at once, another the first.
                    let vectored = self.streams.random.chance(50);
                    let bytes = if vectored { [head, tail].concat() } else { head.to_vec() };
                    match self.streams.write(self.end, &bytes) {
                        Ok(0) => return Continue(()),
                        Ok(count) => (count, more && count == head.len() + tail.len()),
                        Err(reset) => return Break(reset.into()),
                    }
                }
            };
            self.session.transmitted(now, count);
            self.count_bytes(count);
            self.moves += 1;
            let is_silent = self.session.poll_transmit() == Output::Nothing;
            assert!(!(more_is_certain && is_silent), "more was certain to follow");
        }
    }

    /// Has the session woken at its deadline, which any call may have moved.
    fn arm(&mut self) {
        let deadline = self.session.poll_deadline();
        let state = &mut self.streams.ends[self.end.0];
        if let Some(at) = deadline
            && state.armed != deadline
        {
            self.streams.schedule.enter(at, Happening::Wake(self.end));
        }
        state.armed = deadline;
    }
}

/// Passes an event on; tells whether there was one.
fn settle<V, E>(
    step: nb::Result<V, E>,
    on_event: &mut impl FnMut(V),
) -> ControlFlow<Outcome<E>, bool> {
    match step {
        Ok(event) => {
            on_event(event);
            Continue(true)
        }
        Err(nb::Error::WouldBlock) => Continue(false),
        Err(nb::Error::Other(error)) => Break(Outcome::Failed(error)),
    }
}

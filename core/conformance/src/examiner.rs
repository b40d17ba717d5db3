//! The adversarial session: it behaves as it is told, and judges each call.

use std::cell::Cell;
use std::error::Error;
use std::fmt;

use barewire_core::session::{Events, Output, Session};
use barewire_core::time::Instant;

use crate::behaviour::{Behaviour, Call, ConnectionState, input_byte};
use crate::outbox::Outbox;
use crate::rule::{Rule, breach};

/// More calls in one turn that bring nothing on, and the adapter spins.
const IDLE_CALLS: u32 = 32;

/// How the [`Examiner`] fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExaminerError;

impl fmt::Display for ExaminerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the examiner fails, as it was told to")
    }
}

impl Error for ExaminerError {}

/// An event of the [`Examiner`]: to be handed on as it is.
#[derive(Debug)]
pub struct ExaminerEvent<'e> {
    pub(crate) number: usize,
    pub(crate) gives_up: bool,
    /// What it took of the input, which it lends.
    pub(crate) bytes: &'e [u8],
}

/// The session that the kit gives the adapter to drive. It is unkind: it takes as much as it likes,
/// leaves the rest, moves its deadline, and fails.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one conversation")]
#[derive(Debug)]
pub struct Examiner {
    pub(crate) state: ConnectionState,
    pub(crate) behaviour: Behaviour,
    /// Bytes taken, and the furthest that were offered.
    taken: usize,
    offered: usize,
    end_told: bool,
    /// The kind of call that has given an event, and so is due again.
    open: Option<Call>,
    /// The session left bytes, or may be told the end again, in this turn or (false) in an earlier.
    left: Option<bool>,
    /// Something has happened since that may have made room.
    stale: bool,
    pending_events: usize,
    pub(crate) event_count: usize,
    last: Cell<Rule>,
    pub(crate) outbox: Outbox,
    pub(crate) deadline: Option<Instant>,
    pub(crate) failed: bool,
    pub(crate) given_up: bool,
    /// Since it was asked for output.
    prepared: Cell<bool>,
    /// Since the turn began.
    polled: Cell<bool>,
    idle: Cell<u32>,
    /// The session lends: transmission may be reported.
    lends: Cell<bool>,
    /// It has said that the conversation is over.
    pub(crate) closed: Cell<bool>,
}

impl Examiner {
    pub(crate) fn new() -> Self {
        Self {
            state: ConnectionState::default(),
            behaviour: Behaviour::KIND,
            taken: 0,
            offered: 0,
            end_told: false,
            open: None,
            left: None,
            stale: false,
            pending_events: 0,
            event_count: 0,
            last: Cell::new(Rule::Transmission),
            outbox: Outbox::default(),
            deadline: None,
            failed: false,
            given_up: false,
            prepared: Cell::new(false),
            polled: Cell::new(false),
            idle: Cell::new(0),
            lends: Cell::new(false),
            closed: Cell::new(false),
        }
    }

    /// To be called by an adapter that takes more than one turn of its own in one of the kit's, where the
    /// driver is called again without a cause that it knows.
    pub fn begin_turn(&mut self) {
        self.polled.set(false);
        self.idle.set(0);
        self.left = self.left.map(|_| false);
    }

    /// A command: it may make room for what was left.
    pub(crate) fn command(&mut self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.behaviour);
        self.stale = true;
    }

    /// Something has been left, and nothing has happened since.
    pub(crate) fn holds_back(&self) -> bool {
        self.left.is_some() && !self.stale
    }

    /// How much was delivered to it, of which it took nothing.
    pub(crate) fn untaken(&self) -> usize {
        self.state.arrived - self.taken
    }

    /// A turn ends: what was begun in it must be done with.
    pub(crate) fn end_turn(&self) {
        if let Some(call) = self.open {
            breach(call.rule(), "a call gave an event and was not repeated until WouldBlock");
        }
    }

    /// The adapter waits: everything that could be done must have been.
    pub(crate) fn check_wait(&self, now: Instant) {
        self.end_turn();
        if self.outbox.could_transmit(&self.state)
            || (self.outbox.wants_close() && !self.closed.get())
        {
            breach(Rule::Transmission, "it waits, though the stack takes what the session wants");
        }
        if self.state.reset || self.closed.get() {
            return;
        }
        if let Some(rule) = self.unoffered() {
            breach(rule, "it waits, though not all that arrived was offered, or not again");
        }
        if self.deadline.is_some_and(|at| at <= now) {
            breach(Rule::Deadline, "a deadline that is over was not told");
        }
    }

    /// What is not offered that ought to be: bytes, or the end.
    fn unoffered(&self) -> Option<Rule> {
        let is_end = self.state.ended && self.taken == self.state.arrived;
        let is_missing = match self.left {
            Some(_) => self.stale,
            None => self.offered < self.state.arrived || (is_end && !self.end_told),
        };
        is_missing.then_some(if is_end { Rule::End } else { Rule::Input })
    }

    fn begin(&mut self, call: Call) {
        self.count(call.rule());
        if self.failed || self.given_up {
            breach(Rule::Failure, "a session that failed or was given up is called again");
        }
        if self.closed.get() {
            breach(Rule::OrderlyEnd, "a session is called after it said Close");
        }
        if !self.polled.get() {
            breach(Rule::Transmission, "the session is called before it was asked for output");
        }
        if let Some(open) = self.open.filter(|open| *open != call) {
            breach(open.rule(), "a call gave an event and was not repeated until WouldBlock");
        }
        if call != Call::Timeout && self.left == Some(true) && !self.stale {
            breach(call.rule(), "what was left is offered again, though nothing has happened");
        }
        self.lends.set(false);
    }

    fn count(&self, rule: Rule) {
        self.last.set(rule);
        self.idle.set(self.idle.get() + 1);
        if self.idle.get() > IDLE_CALLS {
            breach(rule, "it spins: many calls in one turn that bring nothing on");
        }
    }

    /// The rule of the last call.
    pub(crate) fn last_rule(&self) -> Rule {
        self.last.get()
    }

    /// What comes of input, of the end, or of a time-out.
    fn react(&mut self, now: Instant) {
        self.idle.set(0);
        self.pending_events += self.behaviour.events;
        self.outbox.say(self.behaviour.echo);
        self.deadline = self.behaviour.timeout.map(|timeout| now + timeout).or(self.deadline);
    }

    fn fails(&mut self, call: Call) -> bool {
        let Some((_, word, shuts)) = self.behaviour.failure.filter(|(at, ..)| *at == call) else {
            return false;
        };
        self.outbox.say(word);
        if shuts {
            self.outbox.shut_down();
        }
        self.failed = true;
        self.open = None;
        true
    }

    fn next_event<'e>(
        &mut self,
        call: Call,
        bytes: &'e [u8],
    ) -> nb::Result<ExaminerEvent<'e>, ExaminerError> {
        self.open = None;
        if self.pending_events == 0 {
            return Err(nb::Error::WouldBlock);
        }
        self.pending_events -= 1;
        self.event_count += 1;
        self.idle.set(0);
        self.given_up = self.behaviour.gives_up;
        self.open = Some(call).filter(|_| !self.given_up);
        Ok(ExaminerEvent { number: self.event_count, gives_up: self.given_up, bytes })
    }

    /// The session has nothing more to tell, and may have left something.
    fn note_left(&mut self, has_left: bool) {
        if self.open.is_none() {
            (self.left, self.stale) = (has_left.then_some(true), false);
        }
    }
}

impl<'s> Events<'s> for Examiner {
    type Event = ExaminerEvent<'s>;
}

impl Session for Examiner {
    type Error = ExaminerError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<ExaminerEvent<'s>, ExaminerError> {
        if self.end_told {
            breach(Rule::End, "input follows the end");
        }
        self.begin(Call::Input);
        let offered = self.taken..self.taken + input.len();
        if offered.end > self.state.arrived
            || !input.iter().copied().eq(offered.clone().map(input_byte))
        {
            breach(Rule::Input, "the bytes are not the peer's: some are lost, doubled or changed");
        }
        self.offered = self.offered.max(offered.end);
        let capacity = if self.pending_events > 0 { 0 } else { self.behaviour.capacity };
        let (taken, rest) = input.split_at(input.len().min(capacity).min(self.behaviour.chunk));
        *input = rest;
        self.taken += taken.len();
        if !taken.is_empty() {
            self.behaviour.capacity = self.behaviour.capacity.saturating_sub(taken.len());
            self.react(now);
            if self.fails(Call::Input) {
                return Err(nb::Error::Other(ExaminerError));
            }
        }
        let result = self.next_event(Call::Input, taken);
        self.note_left(!rest.is_empty());
        // Who took some has not said that it takes no more.
        self.stale |= !taken.is_empty();
        result
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<ExaminerEvent<'_>, ExaminerError> {
        self.begin(Call::End);
        if !self.state.ended {
            let rule = if self.state.reset { Rule::Broken } else { Rule::End };
            breach(rule, "the peer has not ended its stream, but the session is told so");
        }
        if self.taken < self.state.arrived {
            breach(Rule::End, "the end is told before all bytes were taken");
        }
        if !self.end_told {
            self.end_told = true;
            self.react(now);
            if self.fails(Call::End) {
                return Err(nb::Error::Other(ExaminerError));
            }
        }
        let result = self.next_event(Call::End, &[]);
        self.note_left(true);
        result
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<ExaminerEvent<'_>, ExaminerError> {
        self.begin(Call::Timeout);
        if self.deadline.is_some_and(|at| at <= now) {
            if !self.state.reset && self.unoffered().is_some() {
                breach(Rule::Deadline, "it is told before all that had arrived was offered");
            }
            self.deadline = None;
            self.react(now);
            self.behaviour.capacity = self.behaviour.capacity.saturating_add(self.behaviour.refill);
            self.stale = true;
            if self.fails(Call::Timeout) {
                return Err(nb::Error::Other(ExaminerError));
            }
        }
        self.next_event(Call::Timeout, &[])
    }

    fn prepare_transmit(&mut self, _now: Instant) {
        self.prepared.set(true);
    }

    fn poll_transmit(&self) -> Output<'_> {
        self.count(Rule::Transmission);
        if !self.prepared.replace(false) {
            breach(Rule::Transmission, "the session is asked for output without preparing it");
        }
        self.polled.set(true);
        let output = self.outbox.output(self.behaviour.head);
        self.lends.set(output != Output::Nothing);
        if output == Output::Close {
            self.closed.set(!self.failed);
        }
        output
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        self.count(Rule::Transmission);
        if !self.lends.replace(false) {
            breach(Rule::Transmission, "a transmission is reported of which nothing was lent");
        }
        if self.outbox.transmitted(&mut self.state, count) {
            self.idle.set(0);
            self.stale = true;
            self.behaviour.capacity = self.behaviour.capacity.saturating_add(self.behaviour.refill);
        }
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

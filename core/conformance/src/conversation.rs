//! One conversation: what happens in it, and whether the adapter has done right.

use std::ops::ControlFlow;

use barewire_core::driver::{DriveError, Step};
use barewire_core::session::Session;
use barewire_core::time::Instant;

use crate::adapter::{Adapter, Peer, Seen};
use crate::behaviour::{Behaviour, CONTENTS, contents_byte, input_byte};
use crate::examiner::{Examiner, ExaminerError};
use crate::rule::{Rule, breach};
use crate::script::Op;

/// How often it is looked at what the peer sees, if that is not what it must come to see.
const LOOKS: u32 = 1_000;

/// How a conversation was said to end, and when.
#[derive(Clone, Copy, Debug)]
struct Over {
    at: Instant,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    InOrder,
    /// The session failed, or was given up.
    Failed,
    /// The connection is of no use.
    Broken,
}

pub(crate) struct Conversation<A> {
    adapter: A,
    examiner: Examiner,
    now: Instant,
    seen: Seen,
    over: Option<Over>,
    is_done: bool,
    pub(crate) turns: usize,
    /// When the stack first refused to end the direction of a conversation that is over.
    closing: Option<Instant>,
}

impl<A: Adapter> Conversation<A> {
    pub(crate) fn new(mut adapter: A) -> Self {
        let contents: Vec<u8> = (0..CONTENTS).map(contents_byte).collect();
        let mut examiner = Examiner::new();
        examiner.state.has_contents = adapter.peer().set_contents(&contents);
        let now = adapter.start();
        Self {
            adapter,
            examiner,
            now,
            seen: Seen::default(),
            over: None,
            is_done: false,
            turns: 0,
            closing: None,
        }
    }

    /// Whether the adapter lets this happen. What is set stays as it is.
    pub(crate) fn can(&mut self, op: Op) -> bool {
        let state = self.examiner.state;
        match op {
            Op::Room(_) => self.adapter.peer().set_room(state.room),
            Op::RefuseShutdown(_) => {
                self.adapter.peer().set_shutdown_refused(state.refuses_shutdown)
            }
            Op::GiveUp => self.adapter.can_give_up(),
            _ => true,
        }
    }

    pub(crate) fn apply(&mut self, op: Op) {
        if self.is_done {
            return;
        }
        let (examiner, now) = (&mut self.examiner, self.now);
        match op {
            Op::Turn => self.turn(),
            Op::Pass(span) => self.now += span,
            Op::Deliver(count) => self.deliver(count),
            Op::End => self.end(),
            Op::Reset => {
                if !examiner.state.reset && self.adapter.peer().can_reset() {
                    examiner.state.reset = true;
                    self.adapter.peer().reset();
                }
            }
            Op::Room(room) => {
                examiner.state.room = room;
                self.adapter.peer().set_room(room);
            }
            Op::RefuseShutdown(is_refused) => {
                examiner.state.refuses_shutdown = is_refused;
                self.adapter.peer().set_shutdown_refused(is_refused);
            }
            Op::Say(count) => examiner.outbox.say(count),
            Op::SayContents(offset, length) => {
                examiner.outbox.say_contents(&examiner.state, offset, length);
            }
            Op::Shutdown => examiner.outbox.shut_down(),
            Op::Close => examiner.outbox.close(),
            Op::Capacity(capacity, chunk) => {
                examiner.command(|new| (new.capacity, new.chunk) = (capacity, chunk));
            }
            Op::Refill(refill) => examiner.behaviour.refill = refill,
            Op::Events(events) => examiner.behaviour.events = events,
            Op::Echo(echo) => examiner.behaviour.echo = echo,
            Op::Timeout(timeout) => examiner.behaviour.timeout = timeout,
            Op::Deadline(span) => examiner.deadline = Some(now + span),
            Op::Head(head) => examiner.behaviour.head = head,
            Op::Fail(call, word, shuts) => examiner.behaviour.failure = Some((call, word, shuts)),
            Op::GiveUp => examiner.behaviour.gives_up = true,
        }
    }

    /// Nothing is in the way of an end any more, and the adapter must come to it.
    pub(crate) fn finish(&mut self, peer_ends: bool) {
        for op in [Op::Room(None), Op::RefuseShutdown(false)] {
            if self.can(op) {
                self.apply(op);
            }
        }
        if !self.is_done && self.over.is_none() {
            self.examiner.command(|behaviour| *behaviour = Behaviour::KIND);
            self.examiner.outbox.close();
            self.turn();
            if self.over.is_none() {
                breach(
                    Rule::OrderlyEnd,
                    "the session said Close, but the conversation is not over",
                );
            }
        }
        self.deliver(5);
        self.turn();
        if peer_ends {
            self.end();
        } else {
            self.now += self.adapter.linger();
        }
        self.turn();
        if !self.is_done {
            breach(Rule::Linger, "it lingers for longer than it may");
        }
    }

    fn deliver(&mut self, count: usize) {
        let state = &mut self.examiner.state;
        if !state.ended && !state.reset && !self.is_done {
            let bytes: Vec<u8> = (state.arrived..state.arrived + count).map(input_byte).collect();
            state.arrived += count;
            self.adapter.peer().deliver(&bytes);
        }
    }

    fn end(&mut self) {
        let state = &mut self.examiner.state;
        if !state.ended && !state.reset && !self.is_done {
            state.ended = true;
            self.adapter.peer().end();
        }
    }

    fn turn(&mut self) {
        // Over, and then either the end of the connection or a wait for it.
        for _ in 0..3 {
            if self.is_done {
                return;
            }
            let is_over = self.over.is_some();
            let step = self.step();
            self.look(
                matches!(step, Step::Close | Step::Over(Ok(()))),
                matches!(step, Step::Reset),
            );
            match step {
                Step::Wait(until) => return self.judge_wait(until),
                Step::Over(result) if !is_over => self.judge_over(result.as_ref()),
                Step::Over(_) => {
                    breach(Rule::OrderlyEnd, "a conversation is told to be over twice")
                }
                Step::Close => self.judge_close(),
                Step::Reset => self.judge_reset(),
            }
        }
    }

    fn step(&mut self) -> Step<ExaminerError, A::Error> {
        self.turns += 1;
        let held = self.held();
        let mut number = self.examiner.event_count;
        let (untaken, mut lent) = (self.examiner.untaken(), 0);
        self.examiner.begin_turn();
        let held_back = self.examiner.holds_back() && self.over.is_none();
        let step = self.adapter.turn(self.now, &mut self.examiner, &mut |event| {
            number += 1;
            if event.number != number {
                breach(Rule::Input, "an event is lost, doubled or out of order");
            }
            lent += event.bytes.len();
            if event.gives_up { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if number != self.examiner.event_count {
            breach(self.examiner.last_rule(), "an event is lost");
        }
        let taken = untaken - self.examiner.untaken();
        if lent > taken {
            breach(Rule::Input, "an event lends other bytes than were taken");
        }
        let waits = matches!(step, Step::Wait(_));
        if held_back && waits && taken == 0 && self.held() > held {
            breach(Rule::Input, "it receives more, though the session has left bytes");
        }
        step
    }

    /// How much the adapter holds that the session did not take; where that is known.
    fn held(&mut self) -> usize {
        let untaken = self.examiner.untaken();
        self.adapter.peer().unread().map_or(0, |unread| untaken.saturating_sub(unread))
    }

    /// What the peer sees must be a part of what was reported, and no end that was not. It is waited
    /// for, as long as that is of use.
    fn look(&mut self, expects_end: bool, expects_reset: bool) {
        let (peer, outbox) = (self.adapter.peer(), &self.examiner.outbox);
        for _ in 0..LOOKS {
            peer.look(&mut self.seen);
            let is_missing = self.seen.received.len() < outbox.reported().len()
                || (!self.seen.ended && (outbox.shut || expects_end))
                || (!self.seen.reset && expects_reset);
            if self.examiner.state.reset || !is_missing || !peer.wait() {
                break;
            }
        }
        let examiner = &self.examiner;
        let reported = examiner.outbox.reported();
        if !reported.starts_with(&self.seen.received) {
            breach(Rule::Transmission, "the peer got other bytes than were reported");
        }
        if examiner.state.reset {
            return;
        }
        if examiner.outbox.shut && !self.seen.ended && self.over.is_none() {
            breach(Rule::Transmission, "an end was reported, but the peer does not see it");
        }
        if self.seen.ended && self.seen.received.len() < reported.len() {
            breach(Rule::Transmission, "the end came before bytes that were reported");
        }
    }

    fn judge_wait(&mut self, until: Option<Instant>) {
        let examiner = &self.examiner;
        if let Some(over) = self.over {
            let may_linger =
                over.how == How::InOrder || (over.how == How::Failed && examiner.outbox.shut);
            let end = over.at + self.adapter.linger();
            if !may_linger {
                breach(Rule::Failure, "it waits, but the connection is to be reset");
            }
            if examiner.state.ended || examiner.state.reset || self.now >= end {
                breach(Rule::Linger, "it lingers, though the peer has ended or the time is over");
            }
            if until.is_none_or(|until| until > end) {
                breach(Rule::Linger, "it lingers without an end of its own");
            }
            return;
        }
        if examiner.failed || examiner.given_up {
            breach(Rule::Failure, "a conversation failed or was given up, which is not told");
        }
        if examiner.outbox.lacks_contents(&examiner.state) {
            breach(Rule::Transmission, "it waits for contents that cannot be had");
        }
        if examiner.state.reset && !examiner.holds_back() {
            breach(Rule::Broken, "the connection was reset, which is not told");
        }
        examiner.check_wait(self.now);
        if examiner.closed.get() {
            let end = *self.closing.get_or_insert(self.now) + self.adapter.linger();
            if !examiner.state.refuses_shutdown {
                breach(Rule::OrderlyEnd, "the session said Close, but the conversation goes on");
            }
            if self.now >= end || until.is_none_or(|until| until > end) {
                breach(Rule::OrderlyEnd, "it waits for ever for a stack that ends the direction");
            }
        } else if until != examiner.poll_deadline() {
            breach(Rule::Deadline, "it waits until another time than the session's deadline");
        }
    }

    fn judge_over(&mut self, result: Result<&(), &DriveError<ExaminerError, A::Error>>) {
        let (examiner, now) = (&self.examiner, self.now);
        let stalls_until = self.closing.map(|at| at + self.adapter.linger());
        let is_given_up = examiner.given_up;
        let (how, is_so, rule, what) = match result {
            Ok(()) if examiner.state.reset => {
                breach(Rule::Broken, "a reset is taken for success");
            }
            Ok(()) => {
                let is_so = examiner.closed.get() && !examiner.failed && !is_given_up;
                let rule =
                    if examiner.failed || is_given_up { Rule::Failure } else { Rule::OrderlyEnd };
                (How::InOrder, is_so, rule, "told to be over in order, which it is not")
            }
            Err(DriveError::Session(_)) => {
                (How::Failed, examiner.failed, Rule::Failure, "the session has not failed")
            }
            Err(DriveError::GivenUp) => {
                (How::Failed, is_given_up, Rule::Failure, "nobody has given it up")
            }
            Err(DriveError::Contents) => {
                let is_so = examiner.outbox.lacks_contents(&examiner.state);
                (How::Broken, is_so, Rule::Transmission, "the contents are there")
            }
            Err(DriveError::Stalled) => {
                let is_so = stalls_until.is_some_and(|until| now >= until);
                (How::Broken, is_so, Rule::OrderlyEnd, "it gives up too early to end the direction")
            }
            Err(_) => {
                let what = "the connection is not broken";
                (How::Broken, examiner.state.reset, Rule::Broken, what)
            }
        };
        if !is_so {
            breach(rule, what);
        }
        if how == How::InOrder && !self.seen.ended {
            breach(Rule::OrderlyEnd, "over in order, but the peer sees no end of the stream");
        }
        self.over = Some(Over { at: now, how });
    }

    fn judge_close(&mut self) {
        let examiner = &self.examiner;
        let Some(over) = self.over else {
            breach(Rule::OrderlyEnd, "it closes a connection whose conversation is not over");
        };
        self.is_done = true;
        if examiner.state.reset || over.how == How::Broken {
            if !examiner.state.reset {
                breach(Rule::Failure, "it closes a connection that is to be reset");
            }
            return;
        }
        if over.how == How::Failed && !examiner.outbox.shut {
            breach(Rule::Failure, "it closes a connection that is to be reset");
        }
        if !examiner.state.ended && self.now < over.at + self.adapter.linger() {
            breach(Rule::Linger, "it closes before the peer has ended its direction");
        }
        if self.seen.reset {
            breach(Rule::Linger, "the peer sees a reset, where the connection was to be closed");
        }
        self.judge_output(over.how);
    }

    fn judge_reset(&mut self) {
        let examiner = &self.examiner;
        let Some(over) = self.over else {
            breach(Rule::Failure, "it resets a connection whose conversation is not over");
        };
        self.is_done = true;
        if examiner.state.reset {
            return;
        }
        match over.how {
            How::InOrder => breach(Rule::Linger, "it resets a conversation that is over in order"),
            How::Failed if examiner.outbox.shut => {
                breach(Rule::Failure, "it resets, though this side's direction was ended in order");
            }
            How::Failed | How::Broken => {}
        }
        if self.seen.ended || !self.seen.reset {
            breach(Rule::Failure, "the peer sees no reset, or takes the part for the whole");
        }
        self.judge_output(over.how);
    }

    /// What was to be sent must have been.
    fn judge_output(&self, how: How) {
        let examiner = &self.examiner;
        if how == How::Failed
            && !examiner.given_up
            && examiner.outbox.could_transmit(&examiner.state)
        {
            breach(Rule::Failure, "the last word was not tried");
        }
        let is_whole = self.seen.received.len() == examiner.outbox.reported().len();
        // What is under way when a connection of no use is reset may be lost.
        if how != How::Broken && !is_whole {
            breach(Rule::Transmission, "the peer did not get all that was reported");
        }
    }
}

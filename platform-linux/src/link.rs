//! Drives any [`Session`] over a TCP stream, by the rule that [`barewire_core::session`] states.

mod connector;
#[cfg(test)]
mod tests;

use std::io;
use std::mem;

use barewire_core::session::{self, Event, Output, Session};
use barewire_core::time::Instant;

pub use connector::{Connector, TIMEOUT};

use crate::executor::{Context, Readiness, Source};
use crate::stream::TcpStream;

/// Why a conversation failed: by the session's own rules, or because the connection broke (reset,
/// unreachable, timed out).
pub type Fault<E> = session::Fault<E, io::Error>;

/// How many reads, and how many writes, a link makes in one turn before everybody else's turn comes.
const READS: usize = 16;
const WRITES: usize = 16;

/// A connection and how far its conversation has come.
///
/// A link belongs to one task of an executor. The session is given to each
/// [`drive`](Self::drive) anew, so that it can be a view that its owner lends for the turn.
///
/// An idle link owns no buffer: it reads into the executor's, and allocates only for bytes that the
/// session would not take yet. While it holds such bytes (at most one read's worth) it reads no
/// further, so that TCP's flow control slows the peer.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one connection")]
#[derive(Debug)]
pub struct Link {
    /// Absent once the conversation is over.
    stream: Option<TcpStream>,
    /// Absent until the first turn has sent what there was to send: a peer that is spoken to first
    /// waits one system call less.
    source: Option<Source>,
    /// Read, and not yet taken by the session.
    held: Vec<u8>,
    /// How many bytes at the front of `held` it has taken.
    taken: usize,
    /// The peer has ended its direction.
    ended: bool,
    /// This side has ended its own.
    shut: bool,
    /// The kernel's send buffer is full.
    full: bool,
    /// `EPOLLOUT` is watched for: only since the send buffer was full for the first time.
    watches_output: bool,
}

/// What is left of [`READS`] and [`WRITES`].
struct Budget {
    reads: usize,
    writes: usize,
}

/// How an attempt to transmit ended.
enum Sent {
    /// The session has nothing to send.
    All,
    /// The send buffer is full.
    Full,
    /// The turn's budget is used up.
    Enough,
    /// The session wants the connection closed.
    Close,
}

impl Link {
    /// A link over a connected stream that is not registered with an executor yet.
    pub fn new(stream: TcpStream) -> Self {
        Self::with_source(stream, None)
    }

    /// A link over a stream that the task has registered for both directions.
    fn with_source(stream: TcpStream, source: Option<Source>) -> Self {
        Self {
            stream: Some(stream),
            source,
            held: Vec::new(),
            taken: 0,
            ended: false,
            shut: false,
            full: false,
            watches_output: source.is_some(),
        }
    }

    /// The stream, until the conversation is over.
    pub fn stream(&self) -> Option<&TcpStream> {
        self.stream.as_ref()
    }

    /// Carries the conversation on as far as it goes without waiting, within this turn's budget,
    /// and hands each event to `on_event`. To be called in every turn of the task, and after any
    /// command to the session. The task's deadline is set to the session's.
    ///
    /// `Ok` means that the conversation is over, in order, and the connection closed.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: the conversation goes on with the task's next turn.
    /// [`Fault::Session`]: it failed; what the session had yet to say was attempted once, and the
    /// connection is closed, or reset if this side has not ended its direction.
    /// [`Fault::Connection`]: the connection broke.
    pub fn drive<W, S: Session>(
        &mut self,
        cx: &mut Context<'_, W>,
        session: &mut S,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), Fault<S::Error>> {
        let Some(stream) = self.stream.take() else {
            return Ok(());
        };
        let mut scratch = cx.take_scratch();
        let result = self.advance(cx, &stream, session, &mut on_event, &mut scratch);
        match &result {
            Err(nb::Error::WouldBlock) => {
                cx.set_deadline(session.poll_deadline());
                self.stream = Some(stream);
            }
            Ok(()) => self.close(cx, &stream, &mut scratch),
            Err(nb::Error::Other(fault)) => {
                if let Fault::Session(_) = fault {
                    // A last word, if the session has one. Its fate changes nothing.
                    let _ = self.transmit(&stream, session, cx.now(), &mut { WRITES });
                }
                self.close(cx, &stream, &mut scratch);
                self.give_up(stream);
            }
        }
        cx.give_scratch(scratch);
        result
    }

    /// Closes the connection so that the peer sees a reset. To be called by
    /// [`Task::abandon`](crate::executor::Task::abandon).
    pub fn abort(&mut self) {
        if let Some(stream) = self.stream.take() {
            stream.abort();
        }
    }

    /// Rule 4 around all the others: what has arrived is offered first, as far as the turn's budget
    /// goes, and again after the deadline, which may have made room for it.
    fn advance<W, S: Session>(
        &mut self,
        cx: &mut Context<'_, W>,
        stream: &TcpStream,
        session: &mut S,
        on_event: &mut impl FnMut(Event<'_, S>),
        scratch: &mut [u8],
    ) -> nb::Result<(), Fault<S::Error>> {
        let now = cx.now();
        let mut budget = Budget { reads: READS, writes: WRITES };
        if self.full && self.readiness(cx).intersects(Readiness::WRITABLE) {
            self.full = false;
        }
        match self.exchange(cx, stream, session, on_event, scratch, &mut budget) {
            Err(nb::Error::WouldBlock) if is_due(session, now) => {
                while give(on_event, session.handle_timeout(now))? {}
                self.exchange(cx, stream, session, on_event, scratch, &mut budget)
            }
            result => result,
        }
    }

    /// Reads, offers and transmits until nothing is left to do or the budget is used up.
    fn exchange<W, S: Session>(
        &mut self,
        cx: &mut Context<'_, W>,
        stream: &TcpStream,
        session: &mut S,
        on_event: &mut impl FnMut(Event<'_, S>),
        scratch: &mut [u8],
        budget: &mut Budget,
    ) -> nb::Result<(), Fault<S::Error>> {
        let now = cx.now();
        loop {
            self.offer_held(now, session, on_event)?;
            let waits_for_room = self.ended || !self.held.is_empty();
            let writes = budget.writes;
            if !self.full {
                let sent = self.transmit(stream, session, now, &mut budget.writes);
                match sent? {
                    Sent::All | Sent::Enough => {}
                    Sent::Full => self.full = true,
                    Sent::Close => {
                        // A reset that no read or write has met yet is no orderly end.
                        if self.readiness(cx).intersects(Readiness::ERROR) {
                            stream.take_error().map_err(Fault::Connection)?;
                        }
                        return Ok(());
                    }
                }
            }
            self.watch(cx, stream).map_err(Fault::Connection)?;
            if budget.writes == 0 {
                cx.again();
                return Err(nb::Error::WouldBlock);
            }
            if waits_for_room {
                // What was sent may have made room for what is held, or for the peer's end.
                if budget.writes == writes {
                    return Err(nb::Error::WouldBlock);
                }
                continue;
            }
            // The clock was read after epoll's report: at a deadline, bytes may have come in between.
            let may_be_late = budget.reads == READS && is_due(session, now);
            if !may_be_late && !self.readiness(cx).intersects(Readiness::READABLE) {
                return Err(nb::Error::WouldBlock);
            }
            if budget.reads == 0 {
                cx.again();
                return Err(nb::Error::WouldBlock);
            }
            budget.reads -= 1;
            self.read(cx, stream, session, on_event, scratch)?;
        }
    }

    /// Rules 2 and 3, for what an earlier turn or pass has left.
    fn offer_held<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        on_event: &mut impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), Fault<S::Error>> {
        if !self.held.is_empty() {
            let mut rest = &self.held[self.taken..];
            while give(on_event, session.handle_input(now, &mut rest))? {}
            self.taken = self.held.len() - rest.len();
            if rest.is_empty() {
                self.held = Vec::new();
                self.taken = 0;
            }
        }
        if self.ended && self.held.is_empty() {
            while give(on_event, session.handle_end(now))? {}
        }
        Ok(())
    }

    /// Reads once and offers what came.
    fn read<W, S: Session>(
        &mut self,
        cx: &mut Context<'_, W>,
        stream: &TcpStream,
        session: &mut S,
        on_event: &mut impl FnMut(Event<'_, S>),
        scratch: &mut [u8],
    ) -> nb::Result<(), Fault<S::Error>> {
        let Some(source) = self.source else { return Ok(()) };
        let count = match stream.recv(scratch) {
            Ok(0) => {
                self.ended = true;
                return Ok(());
            }
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                cx.clear(source, Readiness::READABLE | Readiness::URGENT);
                return Ok(());
            }
            Err(error) => return Err(nb::Error::Other(Fault::Connection(error))),
        };
        // A read that left room has emptied the receive buffer, and the next byte will be a new
        // edge (`epoll(7)`, "Do I need to continuously read…"); but an end that was reported
        // together with these bytes will not be reported again, nor will those behind an urgent
        // mark, where a read stops (`tcp(7)`).
        let more = Readiness::ENDED | Readiness::ERROR | Readiness::URGENT;
        if count < scratch.len() && !cx.readiness(source).intersects(more) {
            cx.clear(source, Readiness::READABLE);
        }
        let mut rest = &scratch[..count];
        while give(on_event, session.handle_input(cx.now(), &mut rest))? {}
        self.held.extend_from_slice(rest);
        Ok(())
    }

    fn readiness<W>(&self, cx: &Context<'_, W>) -> Readiness {
        self.source.map_or(Readiness::NONE, |source| cx.readiness(source))
    }

    /// Registers the stream in the first turn, and asks for `EPOLLOUT` once it is needed.
    fn watch<W>(&mut self, cx: &mut Context<'_, W>, stream: &TcpStream) -> io::Result<()> {
        let both = Readiness::READABLE | Readiness::WRITABLE;
        match self.source {
            None => {
                let interest = if self.full { both } else { Readiness::READABLE };
                self.source = Some(cx.register(stream, interest)?);
                self.watches_output = self.full;
            }
            Some(source) if self.full => {
                cx.clear(source, Readiness::WRITABLE);
                if !mem::replace(&mut self.watches_output, true) {
                    cx.modify(source, stream, both)?;
                }
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Prepares for the stream's being closed. Unread bytes would turn the close into a reset
    /// (RFC 2525 §2.17), which can destroy what the peer has yet to read: so what has arrived is
    /// thrown away, within a bound.
    fn close<W>(&mut self, cx: &mut Context<'_, W>, stream: &TcpStream, scratch: &mut [u8]) {
        if let Some(source) = self.source.take() {
            if !self.ended && cx.readiness(source).intersects(Readiness::READABLE) {
                for _ in 0..READS {
                    if !matches!(stream.recv(scratch), Ok(1..)) {
                        break;
                    }
                }
            }
            cx.release(source);
        }
        self.held = Vec::new();
        cx.set_deadline(None);
    }

    /// Rule 1: carries out what the session wants, as far as the send buffer and the budget go.
    fn transmit<S: Session>(
        &mut self,
        stream: &TcpStream,
        session: &mut S,
        now: Instant,
        budget: &mut usize,
    ) -> Result<Sent, Fault<S::Error>> {
        loop {
            let mut full = false;
            let count = match session.poll_transmit() {
                Output::Nothing => return Ok(Sent::All),
                Output::Close => return Ok(Sent::Close),
                Output::Contents { .. } => return Err(Fault::Contents),
                _ if *budget == 0 => return Ok(Sent::Enough),
                Output::Shut => {
                    stream.shut().map_err(Fault::Connection)?;
                    self.shut = true;
                    0
                }
                Output::Bytes { head, tail, more } => match stream.send(head, tail, more) {
                    Ok(count) => {
                        full = count < head.len() + tail.len();
                        count
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        return Ok(Sent::Full);
                    }
                    Err(error) => return Err(Fault::Connection(error)),
                },
            };
            *budget -= 1;
            session.transmitted(now, count);
            if full {
                return Ok(Sent::Full);
            }
        }
    }

    /// Closes a connection whose conversation is not over: with a reset, unless this side has said all
    /// it had to say, so that the peer cannot take a part for the whole.
    fn give_up(&self, stream: TcpStream) {
        if !self.shut {
            stream.abort();
        }
    }
}

/// A link that is dropped in the middle of its conversation gives it up.
impl Drop for Link {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.give_up(stream);
        }
    }
}

fn is_due<S: Session>(session: &S, now: Instant) -> bool {
    session.poll_deadline().is_some_and(|at| at <= now)
}

/// Hands on what a `handle_*` call gave; false when it gave nothing.
fn give<V, E>(on_event: &mut impl FnMut(V), step: nb::Result<V, E>) -> nb::Result<bool, Fault<E>> {
    match step {
        Ok(event) => on_event(event),
        Err(nb::Error::WouldBlock) => return Ok(false),
        Err(nb::Error::Other(error)) => return Err(nb::Error::Other(Fault::Session(error))),
    }
    Ok(true)
}

//! What a link does in one turn of its task.

use std::os::fd::BorrowedFd;

use barewire_core::session::{Event, Output, Session};
use barewire_core::time::Instant;

use super::DriveError;
use super::connection::{Budget, Connection, READS};
use crate::executor::{Context, Readiness};

/// One turn, or the part of it between two looks that the owner takes at the session.
pub(super) struct Turn<'a, 't, W, S, F> {
    pub(super) cx: &'a mut Context<'t, W>,
    pub(super) connection: &'a mut Connection,
    pub(super) session: &'a mut S,
    pub(super) on_event: F,
    /// Lent by the executor.
    pub(super) scratch: &'a mut [u8],
    /// Where the contents are that the session may want to send.
    pub(super) contents: Option<BorrowedFd<'a>>,
    /// Small output may wait for more of it.
    pub(super) gathers: bool,
    pub(super) now: Instant,
}

/// What a session's `handle_*` call gave; false when it gave nothing.
fn give<V, E>(
    on_event: &mut impl FnMut(V),
    step: nb::Result<V, E>,
) -> nb::Result<bool, DriveError<E>> {
    match step {
        Ok(event) => on_event(event),
        Err(nb::Error::WouldBlock) => return Ok(false),
        Err(nb::Error::Other(error)) => return Err(nb::Error::Other(DriveError::Session(error))),
    }
    Ok(true)
}

impl<W, S, F> Turn<'_, '_, W, S, F>
where
    S: Session,
    F: FnMut(Event<'_, S>),
{
    /// Rule 4 around all the others: what has arrived is offered first, as far as the turn's budget
    /// goes, and again after the deadline, which may have made room for it.
    pub(super) fn run(&mut self) -> nb::Result<(), DriveError<S::Error>> {
        if self.connection.budget.is_spent() {
            self.cx.yield_now();
            return Err(nb::Error::WouldBlock);
        }
        if self.connection.full && self.is_ready(Readiness::WRITABLE) {
            self.connection.full = false;
        }
        match self.exchange() {
            Err(nb::Error::WouldBlock) if self.is_due() => {
                while give(&mut self.on_event, self.session.handle_timeout(self.now))? {}
                self.exchange()
            }
            result => result,
        }
    }

    /// Rule 6: what a failed session has yet to say, if anything, is tried once. Its fate changes
    /// nothing.
    pub(super) fn last_word(&mut self) {
        self.connection.budget = Budget::TURN;
        self.connection.full = false;
        if self.transmit().is_ok() {
            let _ = self.connection.flush(self.cx, false);
        }
    }

    /// Reads, offers and transmits until nothing is left to do or the budget is used up.
    fn exchange(&mut self) -> nb::Result<(), DriveError<S::Error>> {
        loop {
            self.offer_held()?;
            let waits_for_room = self.connection.ended || !self.connection.held.is_empty();
            let before = self.connection.budget;
            if self.transmit()? {
                self.connection.check(self.cx).map_err(DriveError::Connection)?;
                return Ok(());
            }
            self.connection.watch(self.cx).map_err(DriveError::Connection)?;
            if self.connection.budget.is_spent() {
                self.cx.yield_now();
                return Err(nb::Error::WouldBlock);
            }
            if waits_for_room {
                // What was sent may have made room for what is held, or for the peer's end.
                if self.connection.budget == before {
                    return Err(nb::Error::WouldBlock);
                }
                continue;
            }
            // The clock was read after epoll's report: at a deadline, bytes may have come in between.
            let may_be_late = self.connection.budget.reads == READS && self.is_due();
            if !may_be_late && !self.is_ready(Readiness::READABLE) {
                return Err(nb::Error::WouldBlock);
            }
            if self.connection.budget.reads == 0 {
                self.cx.yield_now();
                return Err(nb::Error::WouldBlock);
            }
            self.connection.budget.reads -= 1;
            self.read()?;
        }
    }

    /// Rules 2 and 3, for what an earlier turn or pass has left.
    fn offer_held(&mut self) -> nb::Result<(), DriveError<S::Error>> {
        let Connection { held, taken, ended, .. } = &mut *self.connection;
        if !held.is_empty() {
            let mut rest = &held[*taken..];
            while give(&mut self.on_event, self.session.handle_input(self.now, &mut rest))? {}
            *taken = held.len() - rest.len();
            if rest.is_empty() {
                *held = Vec::new();
                *taken = 0;
            }
        }
        if *ended && held.is_empty() {
            while give(&mut self.on_event, self.session.handle_end(self.now))? {}
        }
        Ok(())
    }

    /// Reads once and offers what came.
    fn read(&mut self) -> nb::Result<(), DriveError<S::Error>> {
        let read = self.connection.read(self.cx, self.scratch).map_err(DriveError::Connection)?;
        if let Some(count) = read {
            let mut rest = &self.scratch[..count];
            while give(&mut self.on_event, self.session.handle_input(self.now, &mut rest))? {}
            self.connection.held.extend_from_slice(rest);
        }
        Ok(())
    }

    /// Rule 1: carries out what the session wants, as far as the send buffer and the budget go. True
    /// when that is to close the connection, and all has been sent.
    fn transmit(&mut self) -> Result<bool, DriveError<S::Error>> {
        while !self.connection.full {
            let (connection, cx) = (&mut *self.connection, &mut *self.cx);
            let moved = match self.session.poll_transmit() {
                Output::Nothing => break,
                Output::Close => return connection.flush(cx, true).map_err(DriveError::Connection),
                _ if connection.budget.is_spent() => break,
                Output::Shutdown => connection.shut(cx).map_err(DriveError::Connection),
                Output::Bytes { head, tail, more } if self.gathers => {
                    connection.gather(cx, head, tail, more).map_err(DriveError::Connection)
                }
                Output::Bytes { head, tail, more } => {
                    connection.send(cx, head, tail, more).map_err(DriveError::Connection)
                }
                Output::Contents { offset, length } => {
                    let contents = self.contents.ok_or(DriveError::Contents)?;
                    connection.send_contents(cx, contents, offset, length)
                }
            };
            let Some(count) = moved? else { break };
            self.session.transmitted(self.now, count);
        }
        Ok(false)
    }

    fn is_due(&self) -> bool {
        self.session.poll_deadline().is_some_and(|at| at <= self.now)
    }

    fn is_ready(&self, what: Readiness) -> bool {
        self.connection.readiness(self.cx).intersects(what)
    }
}

//! A connection, and the driver of the conversation over it.

use core::mem;
use core::ops::ControlFlow;
use std::io;

use barewire_core::driver::{DriveError, Driver, LastStep, Step};
use barewire_core::session::{Event, Session};

use super::connection::{Budget, Connection};
use super::contents::Contents;
use super::lingering::Lingering;
use super::transport::LinkTransport;
use crate::executor::{Context, Readiness};

#[derive(Debug)]
pub(super) struct DrivenConnection {
    pub(super) driver: Driver,
    /// Absent once the conversation is over.
    pub(super) connection: Option<Connection>,
}

impl DrivenConnection {
    pub(super) fn new(connection: Connection) -> Self {
        Self { driver: Driver::new(), connection: Some(connection) }
    }

    /// Drives the session as far as it goes; once the conversation is over, the connection is gone.
    pub(super) fn step<W, S: Session>(
        &mut self,
        cx: &mut Context<'_, W>,
        session: &mut S,
        contents: Option<&mut Contents<'_>>,
        gathers: bool,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), DriveError<S::Error, io::Error>> {
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        if connection.budget.is_spent() {
            cx.yield_now();
            return Err(nb::Error::WouldBlock);
        }
        if connection.full && connection.readiness(cx).intersects(Readiness::WRITABLE) {
            connection.full = false;
        }
        let now = cx.now();
        let is_due = session.poll_deadline().is_some_and(|at| at <= now);
        let mut transport = LinkTransport::new(cx, connection);
        (transport.gathers, transport.is_due) = (gathers, is_due);
        transport.contents = contents.as_deref().copied();
        let mut on_event = |event: Event<'_, S>| {
            on_event(event);
            ControlFlow::Continue(())
        };
        let result = match self.driver.step(now, session, &mut transport, &mut on_event) {
            Step::Over(result) => Some(result),
            _ => None,
        };
        transport.has_failed = matches!(result, Some(Err(_)));
        if let (Some(contents), Some(used)) = (contents, transport.contents) {
            contents.stopped_at = used.stopped_at;
        }
        if matches!(result, Some(Err(DriveError::Session(_)))) {
            // The last word, whatever the budget: its fate changes nothing.
            (transport.connection.budget, transport.connection.full) = (Budget::TURN, false);
            let _ = self.driver.step(now, session, &mut transport, &mut on_event);
            let _ = transport.connection.flush(transport.cx, false);
        }
        let last = result.is_some().then(|| self.driver.end(now, &mut transport));
        drop(transport);
        let (Some(result), Some(last)) = (result, last) else { return Err(nb::Error::WouldBlock) };
        self.end(cx, last, result.is_err());
        Ok(result?)
    }

    /// Gives the conversation up, and leaves nothing of it with the task.
    pub(super) fn give_up<W>(&mut self, cx: &mut Context<'_, W>) {
        let Some(connection) = &mut self.connection else { return };
        let now = cx.now();
        let last = self.driver.end(now, &mut LinkTransport::new(cx, connection));
        self.end(cx, last, true);
    }

    /// Closes the connection so that the peer sees a reset.
    pub(super) fn abort(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.stream.abort();
        }
    }

    /// Takes the connection, whose conversation is over, away from the task. `is_background`: the
    /// executor need not wait for its end.
    fn end<W>(&mut self, cx: &mut Context<'_, W>, last: LastStep, is_background: bool) {
        let Some(mut connection) = self.connection.take() else { return };
        connection.leave(cx);
        match last {
            LastStep::Close => {}
            LastStep::Reset => connection.stream.abort(),
            LastStep::Wait(_) if cx.lingering >= cx.max_lingering => {}
            LastStep::Wait(_) => {
                cx.lingering += 1;
                let driver = mem::take(&mut self.driver);
                let until = cx.now() + cx.linger;
                cx.spawn(Box::new(Lingering { driver, connection, until, is_background }));
            }
        }
    }
}

/// Dropped in the middle of its conversation, it gives that up.
impl Drop for DrivenConnection {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !self.driver.has_shut_down()
        {
            connection.stream.abort();
        }
    }
}

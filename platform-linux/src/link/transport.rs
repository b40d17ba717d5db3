//! What a connection is to the core's driver, in one turn of its task.

use core::mem;
use core::ops::Range;
use std::io;

use barewire_core::driver::Transport;

use super::connection::{Connection, Held, READS};
use super::contents::Contents;
use crate::executor::{Context, Readiness};

/// A connection, with what it needs for a turn or for the part of it between two looks that the owner
/// takes at the session.
pub(super) struct LinkTransport<'a, 't, W> {
    pub(super) cx: &'a mut Context<'t, W>,
    pub(super) connection: &'a mut Connection,
    /// Lent by the executor, until this is dropped.
    scratch: Box<[u8]>,
    /// What of the scratch buffer was read and is not consumed.
    fresh: Range<usize>,
    /// How much of it was only [looked at](Connection::looks_first).
    looked_at: usize,
    /// Where the contents are that the session may want to send.
    pub(super) contents: Option<Contents<'a>>,
    /// Small output may wait for more of it, even if none is certain to follow.
    pub(super) gathers: bool,
    /// The deadline was reached when the turn began. The clock was read after epoll's report, so bytes
    /// may have come in between.
    pub(super) is_due: bool,
    /// The conversation has failed: what was only looked at stays where it is.
    pub(super) has_failed: bool,
}

impl<'a, 't, W> LinkTransport<'a, 't, W> {
    /// One that sends nothing from a file and gathers nothing.
    pub(super) fn new(cx: &'a mut Context<'t, W>, connection: &'a mut Connection) -> Self {
        let scratch = cx.take_scratch();
        Self {
            cx,
            connection,
            scratch,
            fresh: 0..0,
            looked_at: 0,
            contents: None,
            gathers: false,
            is_due: false,
            has_failed: false,
        }
    }

    /// Takes what was only looked at, once it is known to be welcome.
    fn take_looked_at(&mut self) -> io::Result<()> {
        while self.looked_at > 0 {
            let count = self.connection.stream.recv(&mut self.scratch[..self.looked_at])?;
            self.looked_at -= count.clamp(1, self.looked_at);
        }
        Ok(())
    }

    /// Whether a read is worth a system call.
    fn may_read(&self) -> bool {
        let may_be_late = self.is_due && self.connection.budget.reads == READS;
        may_be_late || self.connection.readiness(self.cx).intersects(Readiness::READABLE)
    }

    /// Whether output may go out. Once the turn's budget is used up, another turn is asked for.
    fn may_send(&mut self) -> bool {
        let is_spent = self.connection.budget.is_spent();
        if is_spent {
            self.cx.yield_now();
        }
        !self.connection.full && !is_spent
    }
}

/// Keeps what the session left for the next turn, also where a panic ends this one.
impl<W> Drop for LinkTransport<'_, '_, W> {
    fn drop(&mut self) {
        if !self.fresh.is_empty() {
            let bytes = self.scratch[mem::take(&mut self.fresh)].into();
            self.connection.held = Some(Box::new(Held { bytes, taken: 0 }));
        }
        if !self.has_failed {
            // It is there, or the next read says why not.
            let _ = self.take_looked_at();
        }
        self.cx.give_scratch(mem::take(&mut self.scratch));
    }
}

impl<W> Transport for LinkTransport<'_, '_, W> {
    type Error = io::Error;

    fn receive(&mut self) -> nb::Result<&[u8], io::Error> {
        if self.connection.budget.is_spent() {
            self.connection.check(self.cx)?;
            self.cx.yield_now();
            return Err(nb::Error::WouldBlock);
        }
        let is_empty = self.connection.held.is_none() && self.fresh.is_empty();
        if is_empty && !self.connection.ended {
            self.connection.watch(self.cx)?;
            if !self.may_read() {
                self.connection.check(self.cx)?;
                return Err(nb::Error::WouldBlock);
            }
            if self.connection.budget.reads == 0 {
                self.connection.check(self.cx)?;
                self.cx.yield_now();
                return Err(nb::Error::WouldBlock);
            }
            self.connection.budget.reads -= 1;
            self.take_looked_at()?;
            match self.connection.read(self.cx, &mut self.scratch)? {
                Some(count) => {
                    self.fresh = 0..count;
                    self.looked_at = if self.connection.looks_first { count } else { 0 };
                }
                None if self.connection.ended => {}
                None => return Err(nb::Error::WouldBlock),
            }
        }
        if let Some(held) = &self.connection.held {
            return Ok(&held.bytes[held.taken..]);
        }
        if self.fresh.is_empty() {
            self.connection.check(self.cx)?;
        }
        Ok(&self.scratch[self.fresh.clone()])
    }

    fn consume(&mut self, count: usize) {
        let Some(held) = &mut self.connection.held else {
            self.fresh.start += count;
            return;
        };
        held.taken += count;
        if held.taken == held.bytes.len() {
            self.connection.held = None;
        }
    }

    fn send(&mut self, head: &[u8], tail: &[u8], more: bool) -> nb::Result<usize, io::Error> {
        if !self.may_send() {
            return Err(nb::Error::WouldBlock);
        }
        let sent = if self.gathers || more || self.connection.has_gathered() {
            self.connection.gather(self.cx, head, tail, more)
        } else {
            self.connection.send(self.cx, head, tail, more)
        };
        sent?.ok_or(nb::Error::WouldBlock)
    }

    fn send_contents(&mut self, offset: u64, length: u64) -> nb::Result<usize, io::Error> {
        if !self.may_send() {
            return Err(nb::Error::WouldBlock);
        }
        let Some(contents) = &mut self.contents else { return Ok(0) };
        let sent = self.connection.send_contents(self.cx, contents, offset, length);
        sent?.ok_or(nb::Error::WouldBlock)
    }

    fn shut_down(&mut self) -> nb::Result<(), io::Error> {
        if !self.may_send() || !self.connection.shut_down(self.cx)? {
            return Err(nb::Error::WouldBlock);
        }
        Ok(())
    }
}

//! What the program at an end asks of its kernel.

use barewire_core::time::Instant;

use super::streams::{Cargo, End, Happening, Streams};

/// The connection was reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reset;

/// What a reader finds.
pub(super) enum Received {
    Nothing,
    Bytes(Vec<u8>),
    End,
}

impl Streams {
    /// Sends what the other end gets behind all that was sent before.
    pub(super) fn send(&mut self, end: End, cargo: Cargo) {
        let at = self.pipes[end.0].landing(self.schedule.now());
        self.schedule.enter(at, Happening::Land(end.peer(), cargo));
    }

    /// Reads a piece of what has landed. A reset is behind what landed before it, and no reset
    /// takes back the end of a direction.
    pub(super) fn read(&mut self, end: End) -> Result<Received, Reset> {
        let pipe = &mut self.pipes[end.peer().0];
        if pipe.has_unread() {
            let bytes = pipe.take();
            let at = self.schedule.now() + self.pipes[end.0].delay();
            self.schedule.enter(at, Happening::Room(end.peer(), bytes.len()));
            return Ok(Received::Bytes(bytes));
        }
        if pipe.ended_at.is_some() {
            Ok(Received::End)
        } else {
            self.check(end).map(|()| Received::Nothing)
        }
    }

    /// Writes as many of the bytes as there is room for.
    pub(super) fn write(&mut self, end: End, bytes: &[u8]) -> Result<usize, Reset> {
        self.check(end)?;
        let count = self.pipes[end.0].room().min(bytes.len());
        self.pipes[end.0].fill(count);
        let mut rest = &bytes[..count];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(self.pipes[end.0].piece(rest.len()));
            self.send(end, Cargo::Bytes(piece.to_vec()));
            rest = after;
        }
        Ok(count)
    }

    /// Ends the direction that `end` writes.
    pub(super) fn shut_down(&mut self, end: End) -> Result<(), Reset> {
        self.check(end)?;
        self.pipes[end.0].is_shut = true;
        self.send(end, Cargo::End);
        Ok(())
    }

    pub(super) fn check(&self, end: End) -> Result<(), Reset> {
        self.ends[end.0].reset_at.map_or(Ok(()), |_| Err(Reset))
    }

    /// Closes an end that has not said all it had to say: unless its direction has ended already,
    /// the peer is reset, so that it does not take a part for the whole. For a conversation that
    /// its owner gives up (rule 6).
    pub fn give_up(&mut self, end: End) {
        if self.pipes[end.0].is_shut {
            self.close(end);
        } else {
            self.ends[end.0].is_closed = true;
            self.send(end, Cargo::Reset);
        }
    }

    /// The program at an end is killed. Its system closes the connection, and so the peer may find
    /// an end where there should have been more.
    pub fn kill(&mut self, end: End) {
        self.close(end);
    }

    /// The machine at an end fails, and is back at some time. The peer hears nothing of it, unless
    /// it sends something: that is answered, when the machine is back, by a reset (RFC 9293 §3.5.1).
    pub fn lose_power(&mut self, end: End, back_at: Instant) {
        self.ends[end.0].is_closed = true;
        self.ends[end.0].back_at = Some(back_at);
    }

    pub(super) fn close(&mut self, end: End) {
        self.ends[end.0].is_closed = true;
        if self.pipes[end.peer().0].has_unread() {
            self.send(end, Cargo::Reset);
        } else if !self.pipes[end.0].is_shut {
            self.send(end, Cargo::End);
        }
    }
}

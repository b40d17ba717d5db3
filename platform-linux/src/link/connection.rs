//! What a link knows of its connection, and how bytes go out over it.

use core::mem;
use std::io;

use super::contents::{Contents, judge};
use crate::executor::{Context, EventSource, Readiness};
use crate::stream::StreamSocket;

/// How many reads, and how many writes, a link makes in one turn before everybody else's turn comes.
pub(super) const READS: u8 = 16;
pub(super) const WRITES: u8 = 16;

/// How many pieces of output a link gathers in one turn. A response has two or three, and costs its
/// owner much more than the link.
pub(super) const PIECES: u16 = 256;

/// How many bytes of contents a link moves in one turn: about a millisecond's worth. The last call
/// may go beyond it by one [`CONTENTS_PIECE`].
pub(super) const CONTENTS: u32 = 2 << 20;

/// How many bytes of contents one system call moves at most.
pub(super) const CONTENTS_PIECE: u32 = 1 << 20;

/// Up to this size in bytes, output is gathered: the copy costs less than a system call of its own.
pub(super) const SMALL: usize = 16 * 1024;

/// How many bytes are gathered before they are written.
pub(super) const GATHERED: usize = 64 * 1024;

/// A connection whose conversation is not over.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one connection")]
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: StreamSocket,
    /// Absent until the first turn has sent what there was to send: a peer that is spoken to first
    /// waits one system call less.
    pub(super) source: Option<EventSource>,
    /// Read in an earlier turn, and not yet taken by the session.
    pub(super) held: Option<Box<Held>>,
    /// Gathered output. Within a turn it lies in a buffer of [`GATHERED`] bytes that the executor
    /// lends; beyond it, what the kernel did not take lies in one of its own size.
    gathered: Vec<u8>,
    /// The peer has ended its direction.
    pub(super) ended: bool,
    /// The peer has reset the connection, and no read has met that yet.
    reset: bool,
    /// A byte has gone one way or the other.
    has_moved: bool,
    /// What comes first is looked at before it is read, over a Unix socket: who is refused for it is reset, as
    /// over TCP, since it lies unread.
    pub(super) looks_first: bool,
    /// Over a Unix socket, the peer takes nothing any more: it has closed.
    takes_nothing: bool,
    /// The kernel's send buffer is full.
    pub(super) full: bool,
    /// `EPOLLOUT` is watched for: only since the send buffer was full for the first time.
    watches_output: bool,
    pub(super) budget: Budget,
}

/// Input that is kept from one turn to another: so rare that its room is taken when it is needed.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Box<[u8]>,
    /// How many bytes at the front the session has taken.
    pub(super) taken: usize,
}

/// What is left of the turn's [`READS`], [`WRITES`], [`PIECES`] and [`CONTENTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) reads: u8,
    writes: u8,
    pieces: u16,
    contents: u32,
}

impl Budget {
    pub(super) const TURN: Self =
        Self { reads: READS, writes: WRITES, pieces: PIECES, contents: CONTENTS };

    /// Nothing more may be sent.
    pub(super) fn is_spent(self) -> bool {
        self.writes == 0 || self.pieces == 0 || self.contents == 0
    }
}

impl Connection {
    pub(super) fn new(stream: StreamSocket, source: Option<EventSource>) -> Self {
        Self {
            stream,
            source,
            held: None,
            gathered: Vec::new(),
            ended: false,
            reset: false,
            has_moved: false,
            looks_first: false,
            takes_nothing: false,
            full: false,
            watches_output: source.is_some(),
            budget: Budget::TURN,
        }
    }

    /// How many writes are left in this turn, and how many bytes are gathered.
    #[cfg(test)]
    pub(super) fn output(&self) -> (usize, usize) {
        (self.budget.writes.into(), self.gathered.len())
    }

    pub(super) fn has_gathered(&self) -> bool {
        !self.gathered.is_empty()
    }

    pub(super) fn readiness<W>(&self, cx: &Context<'_, W>) -> Readiness {
        self.source.map_or(Readiness::NONE, |source| cx.readiness(source))
    }

    /// Makes sure that no reset is taken for an orderly end which no read or write has met yet.
    pub(super) fn check<W>(&self, cx: &Context<'_, W>) -> io::Result<()> {
        if self.reset || self.readiness(cx).intersects(Readiness::ERROR) {
            self.stream.take_error()?;
        }
        if self.reset { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }

    /// Registers the stream in the first turn, and asks for `EPOLLOUT` once it is needed.
    pub(super) fn watch<W>(&mut self, cx: &mut Context<'_, W>) -> io::Result<()> {
        let both = Readiness::READABLE | Readiness::WRITABLE;
        match self.source {
            None => {
                let interest = if self.full { both } else { Readiness::READABLE };
                self.source = Some(cx.register(&self.stream, interest)?);
                self.watches_output = self.full;
            }
            Some(source) if self.full => {
                cx.clear(source, Readiness::WRITABLE);
                if !mem::replace(&mut self.watches_output, true) {
                    cx.modify(source, &self.stream, both)?;
                }
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Reads once into `buffer`. `None`: nothing has arrived, or the end, which is noted.
    pub(super) fn read<W>(
        &mut self,
        cx: &mut Context<'_, W>,
        buffer: &mut [u8],
    ) -> io::Result<Option<usize>> {
        let Some(source) = self.source else { return Ok(None) };
        if self.looks_first {
            self.looks_first = !self.has_moved && !self.stream.is_tcp()?;
        }
        let received =
            if self.looks_first { self.stream.peek(buffer) } else { self.stream.recv(buffer) };
        let count = match received {
            // Over TCP that is a reset: who closes before it has read a byte, and says none, turns away.
            Ok(0) if self.takes_nothing && !self.has_moved => {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            Ok(0) => {
                // What is still to be said fails now.
                self.full &= !self.takes_nothing;
                self.ended = true;
                return Ok(None);
            }
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                cx.clear(source, Readiness::READABLE | Readiness::URGENT);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        self.has_moved = true;
        // A read that left room has emptied the receive buffer, and the next byte will be a new
        // edge (`epoll(7)`, "Do I need to continuously read…"); but an end that was reported
        // together with these bytes will not be reported again, nor will those behind an urgent
        // mark, where a read stops (`tcp(7)`).
        let more = Readiness::ENDED | Readiness::ERROR | Readiness::URGENT;
        if count < buffer.len() && !cx.readiness(source).intersects(more) {
            cx.clear(source, Readiness::READABLE);
        }
        Ok(Some(count))
    }

    /// Sends at once, behind what is gathered. `None`, here and below: the send buffer is full.
    pub(super) fn send<W>(
        &mut self,
        cx: &mut Context<'_, W>,
        head: &[u8],
        tail: &[u8],
        more: bool,
    ) -> io::Result<Option<usize>> {
        if !self.flush(cx, true)? {
            return Ok(None);
        }
        let sent = self.note_sent(self.stream.send(head, tail, more))?;
        // What did not fit found the send buffer full, and need not be tried.
        self.full |= sent.is_some_and(|count| count < head.len() + tail.len());
        Ok(sent)
    }

    /// Takes small output into the buffer; what is larger is sent at once.
    pub(super) fn gather<W>(
        &mut self,
        cx: &mut Context<'_, W>,
        head: &[u8],
        tail: &[u8],
        more: bool,
    ) -> io::Result<Option<usize>> {
        let length = head.len() + tail.len();
        if length > SMALL {
            return self.send(cx, head, tail, more);
        }
        if !self.make_room(cx, length)? {
            return Ok(None);
        }
        self.gathered.extend_from_slice(head);
        self.gathered.extend_from_slice(tail);
        self.budget.pieces = self.budget.pieces.saturating_sub(1);
        Ok(Some(length))
    }

    /// Sends from a file: small contents by way of the buffer, others by `sendfile(2)`. `None` also where
    /// `contents` is to stop. 0 bytes: the file ends before the range, or even the file system's largest
    /// file does.
    pub(super) fn send_contents<W>(
        &mut self,
        cx: &mut Context<'_, W>,
        contents: &mut Contents<'_>,
        offset: u64,
        length: u64,
    ) -> io::Result<Option<usize>> {
        let Some(length) = contents.allow(offset, length.min(CONTENTS_PIECE.into())) else {
            return Ok(None);
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let moved = if length == 0 {
            Ok(Some(0))
        } else if length <= SMALL {
            self.gather_contents(cx, contents, offset, length)
        } else if self.flush(cx, true)? {
            self.note_sent(self.stream.send_file(contents.file, offset, length))
        } else {
            Ok(None)
        };
        let moved = judge(moved)?;
        let count = moved.and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
        self.budget.contents = self.budget.contents.saturating_sub(count);
        Ok(moved)
    }

    fn gather_contents<W>(
        &mut self,
        cx: &mut Context<'_, W>,
        contents: &mut Contents<'_>,
        offset: u64,
        length: usize,
    ) -> io::Result<Option<usize>> {
        if !self.make_room(cx, length)? {
            return Ok(None);
        }
        let start = self.gathered.len();
        self.gathered.resize(start + length, 0);
        let room = &mut self.gathered[start..];
        let read = contents.read(room, offset);
        let count = read.as_ref().map_or(0, |count| count.unwrap_or(0));
        self.gathered.truncate(start + count);
        self.budget.pieces = self.budget.pieces.saturating_sub(1);
        read
    }

    /// Makes room for `length` bytes, at most [`SMALL`]; false if the send buffer is full.
    fn make_room<W>(&mut self, cx: &mut Context<'_, W>, length: usize) -> io::Result<bool> {
        if self.gathered.capacity() - self.gathered.len() < length {
            if !self.flush(cx, true)? {
                return Ok(false);
            }
            self.gathered = cx.take_buffer(GATHERED);
        }
        Ok(true)
    }

    /// Sends what is gathered; false if some of it has to wait, since the send buffer is full.
    /// `more`: other output follows at once.
    pub(super) fn flush<W>(&mut self, cx: &mut Context<'_, W>, more: bool) -> io::Result<bool> {
        if self.gathered.is_empty() {
            return Ok(true);
        }
        let sent = self.stream.send(&self.gathered, &[], more);
        let sent = self.note_sent(sent)?.unwrap_or(0);
        let is_done = sent == self.gathered.len();
        self.full |= !is_done;
        if sent > 0 || self.gathered.len() < self.gathered.capacity() {
            let rest = self.gathered[sent..].to_vec();
            cx.give_buffer(mem::replace(&mut self.gathered, rest));
        }
        Ok(is_done)
    }

    /// Ends the sending direction behind all that was to be sent; false if some of that has to wait.
    pub(super) fn shut_down<W>(&mut self, cx: &mut Context<'_, W>) -> io::Result<bool> {
        if !self.flush(cx, true)? {
            return Ok(false);
        }
        match self.stream.shut_down() {
            // The peer has reset the connection: a read will say so, behind what had arrived before.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => self.reset = true,
            result => result?,
        }
        self.budget.writes = self.budget.writes.saturating_sub(1);
        Ok(true)
    }

    /// Takes note of what a call that sends has said.
    fn note_sent(&mut self, sent: io::Result<usize>) -> io::Result<Option<usize>> {
        match sent {
            Ok(count) => {
                self.has_moved = true;
                self.budget.writes = self.budget.writes.saturating_sub(1);
                Ok(Some(count))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.full = true;
                Ok(None)
            }
            // A Unix socket tells at once that the peer has closed; what it had sent before comes first, as it
            // does where a network is in between.
            Err(error)
                if error.kind() == io::ErrorKind::BrokenPipe
                    && !self.ended
                    && !self.stream.is_tcp()? =>
            {
                (self.full, self.takes_nothing) = (true, true);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Leaves the task that it has been part of: its place among the sources is free again.
    pub(super) fn leave<W>(&mut self, cx: &mut Context<'_, W>) {
        if let Some(source) = self.source.take() {
            cx.release(source);
        }
        cx.give_buffer(mem::take(&mut self.gathered));
        cx.set_deadline(None);
    }
}

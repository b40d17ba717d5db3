//! What the session has to send.

use std::collections::VecDeque;

use barewire_core::session::Output;

use crate::manner::{World, contents_byte};
use crate::rule::{Rule, breach};

/// A part of what it has to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Bytes(usize),
    Contents { offset: usize, length: usize },
    Shutdown,
}

/// What the session has to send, and how far that has come.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pieces: VecDeque<Piece>,
    /// All bytes that it ever wanted to send, and how many of them were reported.
    wanted: Vec<u8>,
    said: usize,
    /// The end was reported.
    pub(crate) shut: bool,
    closes: bool,
}

fn output_byte(at: usize) -> u8 {
    at.wrapping_mul(11).wrapping_add(at / 256 + 5).to_le_bytes()[0]
}

impl Outbox {
    pub(crate) fn say(&mut self, count: usize) {
        if count > 0 && !self.ends() {
            let start = self.wanted.len();
            self.wanted.extend((start..start + count).map(output_byte));
            self.pieces.push_back(Piece::Bytes(count));
        }
    }

    pub(crate) fn say_contents(&mut self, world: &World, offset: usize, length: usize) {
        if !self.ends() {
            let end = (offset + length).min(world.contents());
            self.wanted.extend((offset..end).map(contents_byte));
            self.pieces.push_back(Piece::Contents { offset, length });
        }
    }

    pub(crate) fn shut_down(&mut self) {
        if !self.ends() {
            self.pieces.push_back(Piece::Shutdown);
        }
    }

    pub(crate) fn close(&mut self) {
        self.closes = true;
    }

    /// Nothing is to be said behind the end.
    fn ends(&self) -> bool {
        self.shut || self.closes || self.pieces.back() == Some(&Piece::Shutdown)
    }

    /// Whether the contents that it wants are not to be had.
    pub(crate) fn lacks_contents(&self, world: &World) -> bool {
        matches!(self.pieces.front(), Some(&Piece::Contents { offset, .. }) if offset >= world.contents())
    }

    /// Whether something is to be carried out that the stack would take.
    pub(crate) fn could_transmit(&self, world: &World) -> bool {
        match self.pieces.front() {
            Some(Piece::Bytes(_) | Piece::Contents { .. }) => world.room != Some(0),
            Some(Piece::Shutdown) => !world.refuses_shutdown,
            None => false,
        }
    }

    pub(crate) fn wants_close(&self) -> bool {
        self.closes && self.pieces.is_empty()
    }

    /// What was reported.
    pub(crate) fn reported(&self) -> &[u8] {
        self.wanted.get(..self.said).unwrap_or(&self.wanted)
    }

    /// The next, of which so many bytes are lent as head.
    pub(crate) fn output(&self, head: usize) -> Output<'_> {
        match self.pieces.front() {
            Some(&Piece::Bytes(count)) => {
                let bytes = &self.wanted[self.said..self.said + count];
                let (head, tail) = bytes.split_at(count.min(head.max(1)));
                let more = matches!(self.pieces.get(1), Some(Piece::Bytes(_)));
                Output::Bytes { head, tail, more }
            }
            Some(&Piece::Contents { offset, length }) => {
                Output::Contents { offset: offset as u64, length: length as u64 }
            }
            Some(Piece::Shutdown) => Output::Shutdown,
            None if self.closes => Output::Close,
            None => Output::Nothing,
        }
    }

    /// Tells whether that brought anything on.
    pub(crate) fn transmitted(&mut self, world: &mut World, count: usize) -> bool {
        let most = match self.pieces.front() {
            Some(&(Piece::Bytes(length) | Piece::Contents { length, .. })) => length,
            Some(Piece::Shutdown) if world.refuses_shutdown => {
                breach(Rule::Transmission, "an end is reported that the stack refused");
            }
            Some(Piece::Shutdown) => 0,
            None => {
                breach(Rule::Transmission, "a transmission is reported of which nothing was lent")
            }
        };
        if count > most || world.room.is_some_and(|room| count > room) {
            breach(Rule::Transmission, "more is reported than was lent, or than the stack took");
        }
        self.said += count;
        world.room = world.room.map(|room| room - count);
        match self.pieces.front_mut() {
            Some(Piece::Bytes(length)) => *length -= count,
            Some(Piece::Contents { offset, length }) => {
                *offset += count;
                *length -= count;
            }
            _ => self.shut = true,
        }
        if count == most {
            self.pieces.pop_front();
        }
        count > 0 || most == 0
    }
}

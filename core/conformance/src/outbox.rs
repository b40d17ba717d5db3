//! What the session has to send.

use std::collections::VecDeque;

use barewire_core::session::Output;

use crate::behaviour::{ConnectionState, contents_byte};
use crate::rule::{Rule, breach};

/// A part of what it has to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Segment {
    Bytes(usize),
    Contents { offset: usize, length: usize },
    Shutdown,
}

/// What the session has to send, and how far that has come.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    segments: VecDeque<Segment>,
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
            self.segments.push_back(Segment::Bytes(count));
        }
    }

    pub(crate) fn say_contents(&mut self, state: &ConnectionState, offset: usize, length: usize) {
        if !self.ends() {
            let end = (offset + length).min(state.contents());
            self.wanted.extend((offset..end).map(contents_byte));
            self.segments.push_back(Segment::Contents { offset, length });
        }
    }

    pub(crate) fn shut_down(&mut self) {
        if !self.ends() {
            self.segments.push_back(Segment::Shutdown);
        }
    }

    pub(crate) fn close(&mut self) {
        self.closes = true;
    }

    /// Nothing is to be said behind the end.
    fn ends(&self) -> bool {
        self.shut || self.closes || self.segments.back() == Some(&Segment::Shutdown)
    }

    /// Whether the contents that it wants are not to be had.
    pub(crate) fn lacks_contents(&self, state: &ConnectionState) -> bool {
        matches!(self.segments.front(), Some(&Segment::Contents { offset, .. }) if offset >= state.contents())
    }

    /// Whether something is to be carried out that the stack would take.
    pub(crate) fn could_transmit(&self, state: &ConnectionState) -> bool {
        match self.segments.front() {
            Some(Segment::Bytes(_) | Segment::Contents { .. }) => state.room != Some(0),
            Some(Segment::Shutdown) => !state.refuses_shutdown,
            None => false,
        }
    }

    pub(crate) fn wants_close(&self) -> bool {
        self.closes && self.segments.is_empty()
    }

    /// What was reported.
    pub(crate) fn reported(&self) -> &[u8] {
        self.wanted.get(..self.said).unwrap_or(&self.wanted)
    }

    /// The next, of which so many bytes are lent as head.
    pub(crate) fn output(&self, head: usize) -> Output<'_> {
        match self.segments.front() {
            Some(&Segment::Bytes(count)) => {
                let bytes = &self.wanted[self.said..self.said + count];
                let (head, tail) = bytes.split_at(count.min(head.max(1)));
                let more = matches!(self.segments.get(1), Some(Segment::Bytes(_)));
                Output::Bytes { head, tail, more }
            }
            Some(&Segment::Contents { offset, length }) => {
                Output::Contents { offset: offset as u64, length: length as u64 }
            }
            Some(Segment::Shutdown) => Output::Shutdown,
            None if self.closes => Output::Close,
            None => Output::Nothing,
        }
    }

    /// Tells whether that brought anything on.
    pub(crate) fn transmitted(&mut self, state: &mut ConnectionState, count: usize) -> bool {
        let most = match self.segments.front() {
            Some(&(Segment::Bytes(length) | Segment::Contents { length, .. })) => length,
            Some(Segment::Shutdown) if state.refuses_shutdown => {
                breach(Rule::Transmission, "an end is reported that the stack refused");
            }
            Some(Segment::Shutdown) => 0,
            None => {
                breach(Rule::Transmission, "a transmission is reported of which nothing was lent")
            }
        };
        if count > most || state.room.is_some_and(|room| count > room) {
            breach(Rule::Transmission, "more is reported than was lent, or than the stack took");
        }
        self.said += count;
        state.room = state.room.map(|room| room - count);
        match self.segments.front_mut() {
            Some(Segment::Bytes(length)) => *length -= count,
            Some(Segment::Contents { offset, length }) => {
                *offset += count;
                *length -= count;
            }
            _ => self.shut = true,
        }
        if count == most {
            self.segments.pop_front();
        }
        count > 0 || most == 0
    }
}

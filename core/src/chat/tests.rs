//! The room, driven by hand.

extern crate std;

mod backpressure;
mod client;
mod commands;
mod cursor;
mod endings;
mod harness;
mod joins_and_leaves;
mod line_buffers;
mod lines;
mod lines_that_wait;
mod membership_notices;
mod memory;
mod newcomers;
mod openings;
mod operator;
mod sources;

use super::*;
use crate::session::Session;
use crate::source::Source;
use crate::text::MAX_TEXT;
use crate::time::{Duration, Instant};
use core::ops::Range;
use harness::{Harness, fill};
use std::borrow::ToOwned;
use std::format;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

/// The memory of a room, and what must be known of it.
struct Memory {
    slots: Vec<MemberSlot>,
    sources: Vec<SourceSlot>,
    entries: Vec<LogEntry>,
    bytes: Vec<u8>,
    max_text: u16,
    line_buffers: u16,
}

impl Memory {
    fn new(slots: usize, entries: usize, log: usize, line_buffers: u16, max_text: u16) -> Self {
        let config = RoomConfig::new().with_max_text(max_text).with_line_buffers(line_buffers);
        Self {
            slots: (0..slots).map(|_| MemberSlot::vacant()).collect(),
            sources: (0..slots).map(|_| SourceSlot::vacant()).collect(),
            entries: vec![LogEntry::EMPTY; entries],
            bytes: vec![0xaa; config.bytes(log)],
            max_text,
            line_buffers,
        }
    }

    fn room(&mut self, config: RoomConfig) -> Room<'_> {
        let Self { slots, sources, entries, bytes, max_text, line_buffers } = self;
        let config = config.with_max_text(*max_text).with_line_buffers(*line_buffers);
        Room::new(slots, sources, entries, bytes, config).unwrap()
    }
}

/// Memory of which little matters but how many slots and line buffers there are.
fn ample(slots: usize, line_buffers: u16) -> Memory {
    Memory::new(slots, 256, 32_768, line_buffers, DEFAULT_MAX_TEXT)
}

/// A room that none of these tests fills.
fn wide() -> Memory {
    ample(6, 4)
}

/// A room that is soon full.
fn narrow() -> Memory {
    Memory::new(5, 16, min_log_bytes(64), 2, 64)
}

fn no_limit() -> RoomConfig {
    RoomConfig::new().with_rate(0)
}

/// The same, with nicks of any letters.
fn any_letters() -> RoomConfig {
    no_limit().with_nicks(NickRules { check: |_| Ok(()), skeleton })
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// A line for each number.
fn numbered(start: &str, numbers: Range<usize>) -> String {
    let lines: Vec<_> = numbers.map(|number| format!("{start} {number}\n")).collect();
    lines.concat()
}

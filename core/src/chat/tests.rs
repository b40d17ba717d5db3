//! The room, driven by hand.

extern crate std;

mod backpressure;
mod client;
mod commands;
mod cursor;
mod harness;
mod joins_and_leaves;
mod line_buffers;
mod lines;
mod operator;
mod sizes;

use super::*;
use crate::session::Session;
use crate::time::Instant;
use core::ops::Range;
use harness::Harness;
use std::borrow::ToOwned;
use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

/// A room that none of these tests fills.
fn wide() -> Box<Space<6, 32768, 256, 5>> {
    Box::default()
}

/// A room that is soon full.
fn narrow() -> Box<Space<5, { min_log_bytes(64) }, 16, 3, 64>> {
    Box::default()
}

fn no_limit() -> RoomConfig {
    RoomConfig::new().with_rate(0)
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// A line for each number.
fn numbered(start: &str, numbers: Range<usize>) -> String {
    let lines: Vec<_> = numbers.map(|number| format!("{start} {number}\n")).collect();
    lines.concat()
}

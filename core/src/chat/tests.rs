//! The room, driven by hand.

extern crate std;

mod blocking;
mod client;
mod coming_and_going;
mod commands;
mod hand;
mod lines;
mod operator;
mod parts;
mod reading;
mod sizes;

use super::*;
use crate::session::Session;
use crate::time::Instant;
use core::ops::Range;
use hand::Hand;
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
fn narrow() -> Box<Space<5, { least_backlog(64) }, 16, 3, 64>> {
    Box::default()
}

fn no_limit() -> Config {
    Config { rate: 0, ..Config::default() }
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// A line for each number.
fn numbered(start: &str, numbers: Range<usize>) -> String {
    let lines: Vec<_> = numbers.map(|number| format!("{start} {number}\n")).collect();
    lines.concat()
}

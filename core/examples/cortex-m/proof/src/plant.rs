//! What the check must find.

use core::hint::black_box;

use crate::{Given, used};

/// A panic and a recursion.
///
/// # Panics
/// If there are no bytes.
pub fn exercise(given: &Given) {
    used(given.bytes.first().unwrap());
    used(recurse(given.number));
}

#[inline(never)]
fn recurse(number: u64) -> u64 {
    if black_box(number) == 0 { 0 } else { black_box(recurse(black_box(number))) ^ 1 }
}

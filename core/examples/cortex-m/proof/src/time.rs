//! Arithmetic with time.

use barewire_core::time::{Duration, Instant};

use crate::{Given, used};

pub fn exercise(given: &Given, span: core::time::Duration) {
    let mut now = Instant::from_micros(given.number);
    used(Instant::from_millis(given.number).as_micros());
    used(now.since(given.now));
    used(now + given.span);
    used(now - given.span);
    now += given.span;
    used(now);
    used(Duration::from_micros(given.number).as_micros());
    used(Duration::from_millis(given.number).as_millis_ceil());
    used(Duration::from_secs(given.number).doubled());
    used(given.span + Duration::from(span));
    used(core::time::Duration::from(given.span));
}

//! Arithmetic with time.

use barewire_core::time::{Duration, Instant};

use crate::{Given, used};

pub fn exercise(given: &Given, span: core::time::Duration) {
    let (mut now, mut sum) = (Instant::from_micros(given.number), given.span);
    used(Instant::from_millis(given.number).as_micros());
    used(Instant::from_secs(given.number).as_millis());
    used(now.duration_since(given.now));
    used(now.checked_duration_since(given.now));
    used(now.checked_add(given.span));
    used(now.checked_sub(given.span));
    used(now.saturating_add(given.span));
    used(now.saturating_sub(given.span));
    used(now + given.span);
    used(now - given.span);
    used(now - given.now);
    now += given.span;
    used(now);
    now -= given.span;
    used(now);
    used(Duration::from_micros(given.number).as_micros());
    used(Duration::from_millis(given.number).as_millis_ceil());
    used(Duration::from_secs(given.number).as_millis());
    used(given.span.as_secs());
    used(given.span.is_zero());
    used(given.span.saturating_add(sum));
    used(given.span.saturating_sub(sum));
    used(given.span.saturating_mul(given.rate));
    used(given.span * given.rate);
    used(given.span / given.rate);
    used(given.span.checked_add(Duration::from(span)));
    used(given.span.checked_sub(Duration::from(span)));
    sum += Duration::from(span);
    used(sum);
    sum -= given.span;
    used(sum);
    used(given.span + sum);
    used(given.span - sum);
    used(Instant::from(span));
    used(core::time::Duration::from(given.now));
    used(core::time::Duration::from(given.span));
}

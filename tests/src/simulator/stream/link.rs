//! What a link is like, and what goes wrong on it.

use std::ops::RangeInclusive;

use barewire_core::time::{Duration, Instant};

use crate::simulator::random::Random;

/// What one direction of a link is like.
#[derive(Clone, Debug)]
pub struct Direction {
    /// How long a piece is under way. The next piece never overtakes it.
    pub delay: RangeInclusive<Duration>,
    /// Into pieces of how many bytes the stream is cut; at least 1.
    pub piece: RangeInclusive<usize>,
    /// How many bytes the sender may have written before the receiver has taken any of them, and
    /// said so; at least 1. It is what makes writes partial.
    pub window: usize,
    /// How often in a hundred times the program that reads has enough for a turn in the middle of what has
    /// come, and wants another at once: as one does that has others to serve.
    pub pauses: u8,
}

impl Direction {
    /// Nothing is cut, and nothing waits for room: what the others are compared with.
    pub const SMOOTH: Self = Self {
        delay: Duration::from_millis(1)..=Duration::from_millis(1),
        piece: usize::MAX..=usize::MAX,
        window: usize::MAX,
        pauses: 0,
    };

    /// A direction whose bytes are under way for up to `slowest`, cut into pieces of every size,
    /// through a window of at least `window` bytes.
    pub fn cutting(random: &mut Random, slowest: Duration, window: usize) -> Self {
        let largest = random.pick(&[1, 2, 3, 7, 64, 2048]);
        let widest = random.pick(&[window, 4 * window, window.max(4096)]);
        Self {
            delay: Duration::ZERO..=random.span(Duration::ZERO..=slowest),
            piece: 1..=largest,
            window: random.count(window..=widest),
            pauses: 0,
        }
    }
}

/// One thing that goes wrong on a link, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub what: Calamity,
    /// When.
    pub when: Moment,
}

impl Fault {
    /// Some fault in the first `span` of time after `start`, or in the first `bytes`.
    pub fn draw(random: &mut Random, start: Instant, span: Duration, bytes: usize) -> Self {
        let stall = Calamity::Stall {
            side: random.count(0..=1),
            lasting: random.span(Duration::ZERO..=span),
        };
        let at = Moment::At(start + random.span(Duration::ZERO..=span));
        let after = Moment::AfterBytes(random.count(0..=bytes));
        Self {
            what: random.pick(&[Calamity::Reset, Calamity::Cut, stall]),
            when: random.pick(&[at, after]),
        }
    }
}

/// What can go wrong on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calamity {
    /// Both ends learn that the connection is gone (RFC 9293 §3.10.7); what is under way is lost.
    Reset,
    /// Neither end receives anything more, nor learns of it: a cable is pulled.
    Cut,
    /// One end's program is not given the processor.
    Stall {
        /// Which of the link's two ends, as [`connect`](super::Streams::connect) returns them.
        side: usize,
        /// For how long.
        lasting: Duration,
    },
}

/// When a [`Fault`] strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// At an instant.
    At(Instant),
    /// When so many bytes have landed, both directions together, the end of a direction counting
    /// as one byte. So a fault can strike between any two bytes, and before an end.
    AfterBytes(usize),
}

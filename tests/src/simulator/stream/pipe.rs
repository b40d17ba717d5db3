//! One direction of a link: bytes in order, in pieces, through a window.

use std::collections::VecDeque;

use barewire_core::time::{Duration, Instant};

use super::link::Direction;
use crate::simulator::random::Random;

/// What one end writes and the other reads.
#[derive(Debug)]
pub(super) struct Pipe {
    direction: Direction,
    random: Random,
    /// Bytes that were written, and whose room is not free again yet.
    in_use: usize,
    /// When the piece sent last lands; none lands before it.
    last_landing: Instant,
    /// The writer has ended this direction.
    pub(super) is_shut: bool,
    /// Bytes that the reader may take.
    landed: VecDeque<u8>,
    /// When the writer's end landed, behind all its bytes.
    pub(super) ended_at: Option<Instant>,
}

impl Pipe {
    pub(super) fn new(direction: Direction, random: Random) -> Self {
        Self {
            direction,
            random,
            in_use: 0,
            last_landing: Instant::ZERO,
            is_shut: false,
            landed: VecDeque::new(),
            ended_at: None,
        }
    }

    /// How many bytes the writer may write.
    pub(super) fn room(&self) -> usize {
        self.direction.window - self.in_use
    }

    /// Takes up room until [`free`](Self::free).
    pub(super) fn fill(&mut self, count: usize) {
        self.in_use += count;
    }

    /// The writer has learnt that the reader took `count` bytes.
    pub(super) fn free(&mut self, count: usize) {
        self.in_use -= count;
    }

    /// How long something is under way on its own.
    pub(super) fn delay(&mut self) -> Duration {
        self.random.span(self.direction.delay.clone())
    }

    /// When what is sent `now` lands: behind all that was sent before.
    pub(super) fn landing(&mut self, now: Instant) -> Instant {
        let at = now + self.delay();
        self.last_landing = self.last_landing.max(at);
        self.last_landing
    }

    /// How many of `count` bytes stay together.
    pub(super) fn piece(&mut self, count: usize) -> usize {
        self.random.count(self.direction.piece.clone()).min(count)
    }

    /// Whether the reader has enough for now.
    pub(super) fn pauses(&mut self) -> bool {
        self.random.chance(self.direction.pauses)
    }

    /// Puts bytes where the reader may take them.
    pub(super) fn land(&mut self, bytes: &[u8]) {
        self.landed.extend(bytes);
    }

    /// Takes a piece of what has landed.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let count = self.piece(self.landed.len());
        self.landed.drain(..count).collect()
    }

    /// Whether the reader has left bytes.
    pub(super) fn has_unread(&self) -> bool {
        !self.landed.is_empty()
    }
}

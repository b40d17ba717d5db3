//! The buffers of lines that have begun to come in.

use super::room_state::RoomState;
use crate::time::Instant;

/// A buffer of a [`Room`](super::Room) for a line that has begun to come in.
#[derive(Debug)]
pub struct Part<const N: usize> {
    pub(super) buffer: heapless::Vec<u8, N>,
    /// When the line began.
    pub(super) since: Instant,
    next_free: Option<u16>,
}

impl<const N: usize> Part<N> {
    /// An unused buffer.
    pub const fn empty() -> Self {
        Self { buffer: heapless::Vec::new(), since: Instant::ZERO, next_free: None }
    }
}

/// The buffers of lines that have begun to come in.
#[derive(Debug)]
pub(super) struct Parts<'a, const N: usize> {
    all: &'a mut [Part<N>],
    free: Option<u16>,
}

impl<'a, const N: usize> Parts<'a, N> {
    pub(super) fn new(all: &'a mut [Part<N>]) -> Self {
        let count = u16::try_from(all.len()).unwrap_or(u16::MAX);
        let next_free = |next: u16| Some(next).filter(|&next| next < count);
        // The first is the spare one.
        for (next, part) in (2..=count).zip(all.iter_mut().skip(1)) {
            *part = Part::empty();
            part.next_free = next_free(next);
        }
        Self { all, free: next_free(1) }
    }

    pub(super) fn get_mut(&mut self, index: u16) -> Option<&mut Part<N>> {
        self.all.get_mut(usize::from(index))
    }

    pub(super) fn get(&self, index: u16) -> Option<&Part<N>> {
        self.all.get(usize::from(index))
    }

    /// A buffer for a line that needs none, since it lies whole in the input.
    pub(super) fn spare(&mut self) -> Option<&mut Part<N>> {
        self.all.first_mut()
    }

    /// Gives a member a buffer, if one is free.
    pub(super) fn take(&mut self, now: Instant) -> Option<u16> {
        let index = self.free?;
        let part = self.get_mut(index)?;
        part.since = now;
        let next = part.next_free;
        self.free = next;
        Some(index)
    }

    /// Takes the member's buffer back.
    pub(super) fn free(&mut self, state: &mut RoomState<'_>, member: u32) {
        let Some(index) = state.place_mut(member).and_then(|place| place.part.take()) else {
            return;
        };
        let free = self.free;
        if let Some(part) = self.get_mut(index) {
            part.buffer.clear();
            part.next_free = free;
            self.free = Some(index);
        }
    }
}

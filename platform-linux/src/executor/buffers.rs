//! The buffers that all tasks of an executor share, so that an idle one owns none.

#[cfg(test)]
mod tests;

use core::iter::repeat_n;
use core::mem;
use std::collections::VecDeque;
use std::sync::Arc;

use super::Context;

/// The size in bytes of the [scratch buffer](Context::scratch), and so the most that one read from
/// a connection takes; unless [`set_scratch`](super::Executor::set_scratch) says otherwise.
pub const SCRATCH: usize = 64 * 1024;

/// How many buffers that somebody keeps are remembered, to be read into again.
const REMEMBERED: usize = 64;

/// What no task has at the moment.
pub(super) struct Buffers {
    scratch: Arc<[u8]>,
    /// Former scratch buffers of which somebody keeps a part, or did; the oldest first, since that is
    /// the first to be free again, as a rule.
    kept: VecDeque<Arc<[u8]>>,
    /// Empty; without capacity while it is lent, or before its first use.
    spare: Vec<u8>,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self { scratch: zeros(SCRATCH), kept: VecDeque::new(), spare: Vec::new() }
    }

    pub(super) fn set_scratch(&mut self, size: usize) {
        self.scratch = zeros(size.max(1));
        self.kept.clear();
    }
}

/// Gives `scratch` to be written into; if somebody keeps a part of it, another is put in its place.
fn renew<'s>(scratch: &'s mut Arc<[u8]>, kept: &mut VecDeque<Arc<[u8]>>) -> &'s mut [u8] {
    if Arc::get_mut(scratch).is_none() {
        let free = kept.pop_front_if(|oldest| Arc::get_mut(oldest).is_some());
        let free = free.unwrap_or_else(|| zeros(scratch.len()));
        let former = mem::replace(scratch, free);
        if kept.len() < REMEMBERED {
            kept.push_back(former);
        }
    }
    // Nobody else has it, so nothing is copied.
    Arc::make_mut(scratch)
}

fn zeros(size: usize) -> Arc<[u8]> {
    repeat_n(0, size).collect()
}

impl<W> Context<'_, W> {
    /// A buffer, of [`SCRATCH`] bytes as a rule, that all tasks share, so that an idle one owns none. Its
    /// contents last until the end of the turn at most, or until a link is driven.
    pub fn scratch(&mut self) -> &mut [u8] {
        renew(&mut self.buffers.scratch, &mut self.buffers.kept)
    }

    /// Lends the scratch buffer apart from the context; to be given back in the same turn.
    pub(crate) fn take_scratch(&mut self) -> Arc<[u8]> {
        mem::take(&mut self.buffers.scratch)
    }

    pub(crate) fn give_scratch(&mut self, scratch: Arc<[u8]>) {
        self.buffers.scratch = scratch;
    }

    /// The scratch buffer that was taken, to be read into. It may be another one now.
    pub(crate) fn writable<'s>(&mut self, scratch: &'s mut Arc<[u8]>) -> &'s mut [u8] {
        renew(scratch, &mut self.buffers.kept)
    }

    /// An empty buffer with room for `capacity` bytes, to be kept for as long as it is needed. As a
    /// rule it is one that was [given back](Self::give_buffer) before.
    pub(crate) fn take_buffer(&mut self, capacity: usize) -> Vec<u8> {
        let mut buffer = mem::take(&mut self.buffers.spare);
        buffer.reserve_exact(capacity);
        buffer
    }

    /// Keeps `buffer` for the next who takes one, if it is the larger of two.
    pub(crate) fn give_buffer(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() > self.buffers.spare.capacity() {
            buffer.clear();
            self.buffers.spare = buffer;
        }
    }
}

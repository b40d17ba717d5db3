//! The buffers that all tasks of an executor share, so that an idle one owns none.

use core::mem;

use super::Context;

/// The size in bytes of the [scratch buffer](Context::scratch), and so the most that one read from
/// a connection takes; unless [`set_scratch`](super::Executor::set_scratch) says otherwise.
pub const SCRATCH: usize = 64 * 1024;

/// What no task has at the moment.
pub(super) struct Buffers {
    scratch: Box<[u8]>,
    /// Empty; without capacity while it is lent, or before its first use.
    spare: Vec<u8>,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self { scratch: zeros(SCRATCH), spare: Vec::new() }
    }

    pub(super) fn set_scratch(&mut self, size: usize) {
        self.scratch = zeros(size.max(1));
    }
}

fn zeros(size: usize) -> Box<[u8]> {
    vec![0; size].into_boxed_slice()
}

impl<W> Context<'_, W> {
    /// A buffer, of [`SCRATCH`] bytes as a rule, that all tasks share, so that an idle one owns none. Its
    /// contents last until the end of the turn at most, or until a link is driven.
    pub fn scratch(&mut self) -> &mut [u8] {
        &mut self.buffers.scratch
    }

    /// Lends the scratch buffer apart from the context; to be given back in the same turn.
    pub(crate) fn take_scratch(&mut self) -> Box<[u8]> {
        mem::take(&mut self.buffers.scratch)
    }

    pub(crate) fn give_scratch(&mut self, scratch: Box<[u8]>) {
        self.buffers.scratch = scratch;
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

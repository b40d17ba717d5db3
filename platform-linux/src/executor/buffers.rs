//! The buffers that all tasks of an executor share, so that an idle one owns none.

use core::mem;

/// The size in bytes of the [scratch buffer](super::Context::scratch), and so the most that one read
/// from a connection takes; unless [`set_scratch`](super::Executor::set_scratch) says otherwise.
pub const SCRATCH: usize = 64 * 1024;

/// What no task has at the moment.
pub(super) struct Buffers {
    pub(super) scratch: Box<[u8]>,
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

    pub(super) fn take(&mut self, capacity: usize) -> Vec<u8> {
        let mut buffer = mem::take(&mut self.spare);
        buffer.reserve_exact(capacity);
        buffer
    }

    pub(super) fn give(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() > self.spare.capacity() {
            buffer.clear();
            self.spare = buffer;
        }
    }
}

fn zeros(size: usize) -> Box<[u8]> {
    vec![0; size].into_boxed_slice()
}

//! Sizes and marks, as they are on the wire.

use super::secret::{PUBLIC, TAG};

/// What each side begins with, and no side that speaks without a key.
pub(super) const MARKER: u8 = 1;
/// What a client opens with: the marker, the magic, the version.
pub(super) const PREFIX: [u8; 4] = [MARKER, b'B', b'W', 1];
/// That, the conversation, and the size of records that the client takes: the prologue.
pub(super) const OPENING: usize = PREFIX.len() + 2;
/// The opening, and the first message of the handshake.
pub(super) const FIRST: usize = OPENING + PUBLIC + TAG;
/// The marker, and the second message, with the size of records that the server takes.
pub(super) const ANSWER: usize = 1 + PUBLIC + 1 + TAG;

/// The length in front of a record.
pub(super) const LENGTH: usize = 2;
/// What it says, as the first byte of its plaintext.
pub(super) const KIND: usize = 1;
pub(super) const DATA: u8 = 0;
pub(super) const END: u8 = 1;
/// What a record has besides its data.
pub(super) const OVERHEAD: usize = LENGTH + KIND + TAG;

/// The smallest buffer that a channel can receive into, in bytes: the smallest record that either side
/// may be told to keep to.
pub const LEAST_RECEIVE: usize = 1024;

/// The smallest buffer that a channel can send from, in bytes.
pub const LEAST_SEND: usize = 64;

const _: () = assert!(FIRST <= LEAST_SEND && ANSWER <= LEAST_SEND && OVERHEAD < LEAST_SEND);

/// The largest record that a side takes, with the length in front: 1 KiB << n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordSize {
    exponent: u8,
}

impl RecordSize {
    pub(super) const LEAST: Self = Self { exponent: 0 };
    /// 64 KiB: the length has two bytes.
    const LARGEST: u8 = 6;

    pub(super) const fn new(exponent: u8) -> Option<Self> {
        if exponent <= Self::LARGEST { Some(Self { exponent }) } else { None }
    }

    /// The largest that fits into a buffer.
    pub(super) fn within(length: usize) -> Option<Self> {
        (0..=Self::LARGEST)
            .rev()
            .map(|exponent| Self { exponent })
            .find(|size| size.bytes() <= length)
    }

    pub(super) const fn exponent(self) -> u8 {
        self.exponent
    }

    pub(super) const fn bytes(self) -> usize {
        LEAST_RECEIVE << (self.exponent & 7)
    }
}

/// Copies as much as there is room for, and tells how much that was.
pub(super) fn copy(to: &mut [u8], from: &[u8]) -> usize {
    let count = to.len().min(from.len());
    for (place, byte) in to.iter_mut().zip(from) {
        *place = *byte;
    }
    count
}

//! Text into a ring of bytes.

use core::convert::Infallible;

use super::ring::Ring;
use crate::printable;

/// Writes a line into a ring, as far as there is room.
#[derive(Debug)]
pub(in crate::chat) struct LineWriter<'w, 'a> {
    ring: &'w mut Ring<'a, u8>,
    left: u64,
}

impl<'w, 'a> LineWriter<'w, 'a> {
    /// For at most `left` bytes and a line feed.
    pub(super) fn new(ring: &'w mut Ring<'a, u8>, left: u64) -> Self {
        Self { ring, left }
    }

    /// Adds a part. One that does not fit is left out whole, and so is all that follows: a line is
    /// cut between two parts, and so never in a character.
    pub(in crate::chat) fn text(&mut self, part: &str) {
        if part.len() as u64 > self.left {
            self.left = 0;
        } else {
            self.put(part.as_bytes());
        }
    }

    /// Adds what a member said, made [printable](printable::printable).
    pub(in crate::chat) fn shown(&mut self, bytes: &[u8]) {
        let _: Result<(), Infallible> = printable::write(bytes, |part| {
            self.text(part);
            Ok(())
        });
    }

    /// Ends the line, for which a byte was kept free.
    pub(in crate::chat) fn finish(mut self) {
        self.put(b"\n");
    }

    /// Adds bytes; there must be room for them.
    fn put(&mut self, mut rest: &[u8]) {
        while !rest.is_empty() {
            let at = self.ring.slot(self.ring.next());
            let free = at.and_then(|at| self.ring.slots.get_mut(at..)).unwrap_or_default();
            let count = free.len().min(rest.len());
            let (Some(to), Some((from, after))) =
                (free.get_mut(..count).filter(|to| !to.is_empty()), rest.split_at_checked(count))
            else {
                return;
            };
            to.copy_from_slice(from);
            self.ring.advance(count);
            self.left = self.left.saturating_sub(count as u64);
            rest = after;
        }
    }
}

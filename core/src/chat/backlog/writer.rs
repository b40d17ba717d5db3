//! Text into a ring of bytes.

use core::fmt;

/// Writes a line into a ring, as far as there is room.
pub(super) struct Writer<'w> {
    bytes: &'w mut [u8],
    end: u64,
    left: u64,
}

impl<'w> Writer<'w> {
    /// It goes on at the offset `end`, for at most `left` bytes and a line feed.
    pub(super) fn new(bytes: &'w mut [u8], end: u64, left: u64) -> Self {
        Self { bytes, end, left }
    }

    /// Ends the line; tells where.
    pub(super) fn finish(mut self) -> u64 {
        self.left = 1;
        let _ = self.put(b"\n");
        self.end
    }

    fn put(&mut self, mut rest: &[u8]) -> fmt::Result {
        while !rest.is_empty() {
            let at = self.end.checked_rem(self.bytes.len() as u64).ok_or(fmt::Error)?;
            let at = usize::try_from(at).map_err(|_| fmt::Error)?;
            let free = self.bytes.get_mut(at..).unwrap_or_default();
            let left = usize::try_from(self.left).unwrap_or(usize::MAX);
            let count = free.len().min(left).min(rest.len());
            let (Some(to), Some((from, after))) =
                (free.get_mut(..count).filter(|to| !to.is_empty()), rest.split_at_checked(count))
            else {
                return Err(fmt::Error);
            };
            to.copy_from_slice(from);
            self.end += count as u64;
            self.left -= count as u64;
            rest = after;
        }
        Ok(())
    }
}

impl fmt::Write for Writer<'_> {
    /// A part that does not fit is left out whole: a line is cut between two parts, and so never in
    /// a character.
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if part.len() as u64 > self.left {
            self.left = 0;
            return Err(fmt::Error);
        }
        self.put(part.as_bytes())
    }
}

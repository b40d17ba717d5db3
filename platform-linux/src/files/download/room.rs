//! Room for a download on the disk.

use std::io;

use super::Download;
use crate::files::storage::{Storage, StorageFile as _};

/// For how many bytes more than those that have come the disk keeps room: at first, and at most.
pub(super) const LEAST_RESERVED: u64 = 16 << 20;
const MOST_RESERVED: u64 = 1 << 30;

impl<D: Storage> Download<D> {
    /// Has the disk keep room for what is about to be written, and for as much more as has come
    /// already: what is only announced takes none from anybody.
    pub(super) fn reserve(&mut self, offset: u64, end: u64) -> io::Result<()> {
        let Some(size) = self.proven.size.filter(|_| end > self.reserved) else { return Ok(()) };
        let come = self.position.max(self.proven.bytes());
        let from = offset.max(self.reserved);
        let reserved = end.saturating_add(come.clamp(LEAST_RESERVED, MOST_RESERVED)).min(size);
        self.part.file.reserve(from, reserved - from)?;
        self.reserved = reserved;
        Ok(())
    }
}

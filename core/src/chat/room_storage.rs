//! The memory of a room in one piece.

use super::config::RoomConfig;
use super::limits::{MIN_ENTRIES, MIN_SLOTS, MIN_TEXT, RoomError, min_log_bytes};
use super::log::LogEntry;
use super::member_slot::MemberSlot;
use super::room::Room;
use super::source::SourceSlot;

/// The memory of a room, for a `static` or a `Box`: `MEMBERS` slots, one of them the operator's, and
/// accounts for as many sources, one of them for all who come when the others are taken; entries for `LINES` lines of the log; and `BYTES` for the log and the line buffers, see
/// [`RoomConfig::bytes`].
#[derive(Debug)]
pub struct RoomStorage<const MEMBERS: usize, const LINES: usize, const BYTES: usize> {
    slots: [MemberSlot; MEMBERS],
    sources: [SourceSlot; MEMBERS],
    entries: [LogEntry; LINES],
    bytes: [u8; BYTES],
}

impl<const MEMBERS: usize, const LINES: usize, const BYTES: usize>
    RoomStorage<MEMBERS, LINES, BYTES>
{
    /// Memory for a room.
    pub const fn new() -> Self {
        const {
            assert!(MEMBERS >= MIN_SLOTS, "a room has an operator and somebody else");
            assert!(LINES >= MIN_ENTRIES, "a log has at least 16 lines");
            assert!(BYTES >= min_log_bytes(MIN_TEXT), "a log has at least two lines");
        }
        Self {
            slots: [const { MemberSlot::vacant() }; MEMBERS],
            sources: [const { SourceSlot::vacant() }; MEMBERS],
            entries: [LogEntry::EMPTY; LINES],
            bytes: [0; BYTES],
        }
    }

    /// An empty room.
    ///
    /// # Errors
    /// [`RoomError`]: there is too little memory for the rules.
    pub fn room(&mut self, config: RoomConfig) -> Result<Room<'_>, RoomError> {
        let Self { slots, sources, entries, bytes } = self;
        Room::new(slots, sources, entries, bytes, config)
    }
}

impl<const MEMBERS: usize, const LINES: usize, const BYTES: usize> Default
    for RoomStorage<MEMBERS, LINES, BYTES>
{
    fn default() -> Self {
        Self::new()
    }
}

//! The memory of a room.

use super::line_buffers::Part;
use super::log::LogEntry;
use super::member_slot::MemberSlot;
use super::room_state::RESERVE;
use super::{Room, RoomConfig};
use crate::text::MAX_TEXT;

/// The memory of a room, for a `static` or a `Box`: `MEMBERS` places, one of them the operator's;
/// `BYTES` of backlog, and `LINES` lines in it; and `PARTS` lines at a time that have begun to come
/// in and not ended. `N` is the longest line, at most [`MAX_TEXT`].
#[derive(Debug)]
pub struct Space<
    const MEMBERS: usize,
    const BYTES: usize,
    const LINES: usize,
    const PARTS: usize,
    const N: usize = MAX_TEXT,
> {
    members: [MemberSlot; MEMBERS],
    bytes: [u8; BYTES],
    lines: [LogEntry; LINES],
    parts: [Part<N>; PARTS],
}

impl<
    const MEMBERS: usize,
    const BYTES: usize,
    const LINES: usize,
    const PARTS: usize,
    const N: usize,
> Space<MEMBERS, BYTES, LINES, PARTS, N>
{
    /// Memory for a room.
    pub const fn new() -> Self {
        const {
            assert!(MEMBERS > 1, "a room has an operator and somebody else");
            assert!(BYTES >= min_log_bytes(N), "the backlog holds two lines and the notices");
            assert!(LINES >= 16 && PARTS > 1, "a room needs lines and parts");
        }
        Self {
            members: [const { MemberSlot::vacant() }; MEMBERS],
            bytes: [0; BYTES],
            lines: [LogEntry::NONE; LINES],
            parts: [const { Part::empty() }; PARTS],
        }
    }

    /// An empty room.
    pub fn room(&mut self, config: RoomConfig) -> Room<'_, N> {
        Room::new(&mut self.members, &mut self.bytes, &mut self.lines, &mut self.parts, config)
    }
}

impl<
    const MEMBERS: usize,
    const BYTES: usize,
    const LINES: usize,
    const PARTS: usize,
    const N: usize,
> Default for Space<MEMBERS, BYTES, LINES, PARTS, N>
{
    fn default() -> Self {
        Self::new()
    }
}

/// The longest line that a text of `longest` bytes can become, in bytes: every byte shown by four
/// (see [`printable`](crate::printable)), a nick and what stands around it. The room's own lines
/// are shorter than the least of these.
pub const fn max_line_bytes(longest: usize) -> usize {
    let said = longest.saturating_mul(4).saturating_add(128);
    if said < 256 { 256 } else { said }
}

/// The smallest backlog for lines of at most `longest` bytes.
pub const fn min_log_bytes(longest: usize) -> usize {
    let two = max_line_bytes(longest).saturating_mul(2);
    // All but the reserve, rounded up: a share of 1 in RESERVE.
    two.saturating_add(two / (RESERVE - 1)).saturating_add(1)
}

//! What a room's memory must hold.

use core::fmt;

/// This share of the log is kept for notices and notes: what is said leaves it free.
pub(super) const RESERVE: usize = 8;

/// The fewest slots: the operator's, and somebody else's.
pub(super) const MIN_SLOTS: usize = 2;

/// The fewest lines that a log holds.
pub(super) const MIN_ENTRIES: usize = 16;

/// The least [`RoomConfig::max_text`](super::RoomConfig::max_text).
pub(super) const MIN_TEXT: u16 = 2;

/// A nick and what stands around it, in bytes: less than this.
pub(super) const AROUND_TEXT: u32 = 128;

/// The longest line that a text of `max_text` bytes can become, in bytes: every byte shown by four
/// (see [`printable`](crate::printable)), a nick and what stands around it. The room's own lines
/// are shorter than the least of these.
///
/// ```
/// use barewire_core::chat::{Client, DEFAULT_MAX_TEXT, max_line_bytes};
///
/// // It takes every line of a room that has the limits by default.
/// type Member = Client<1024, { max_line_bytes(DEFAULT_MAX_TEXT) }>;
/// ```
pub const fn max_line_bytes(max_text: u16) -> usize {
    let said = (max_text as usize).saturating_mul(4).saturating_add(AROUND_TEXT as usize);
    if said < 256 { 256 } else { said }
}

/// The smallest log for texts of at most `max_text` bytes: two lines beside the share that is kept
/// for notices.
pub const fn min_log_bytes(max_text: u16) -> usize {
    let two = max_line_bytes(max_text).saturating_mul(2);
    // All but the reserve, rounded up: a share of 1 in RESERVE.
    two.saturating_add(two / (RESERVE - 1)).saturating_add(1)
}

/// Why memory cannot hold a room, or rules cannot be kept in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RoomError {
    /// There are fewer than two slots, of which one is the operator's.
    Slots,
    /// There is no memory for the account of a source.
    Sources,
    /// There are fewer than 16 entries for lines of the log.
    Entries,
    /// There are fewer bytes than [`RoomConfig::bytes`](super::RoomConfig::bytes) of
    /// [`min_log_bytes`].
    Bytes,
    /// [`RoomConfig::max_text`](super::RoomConfig::max_text) is less than 2, or more than
    /// [`MAX_TEXT`](crate::text::MAX_TEXT).
    Text,
    /// [`RoomConfig::line_buffers`](super::RoomConfig::line_buffers) is 0: no line could come in by
    /// parts.
    LineBuffers,
    /// [`RoomConfig::patience`](super::RoomConfig::patience) is 0: nobody could read in time.
    Patience,
}

impl fmt::Display for RoomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slots => "a room needs slots for an operator and a member",
            Self::Sources => "a room needs an account for those who come",
            Self::Entries => "a room needs entries for 16 lines",
            Self::Bytes => "a room needs bytes for its line buffers and a log of two lines",
            Self::Text => "the longest text of a room has 2 to 1024 bytes",
            Self::LineBuffers => "a room needs a line buffer",
            Self::Patience => "a room needs a patience of more than 0",
        })
    }
}

impl core::error::Error for RoomError {}

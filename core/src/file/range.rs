//! Which bytes of a file answer a request: a rule that both sides follow.

use core::ops::Range;

use super::request::Request;
use super::response::Refusal;

/// From this length on, in bytes, whatever there is is wanted: no file has it.
const LONGER_THAN_ANY: u64 = 1 << 62;

/// The range of a file of `size` bytes, in the version `tag`, that answers `request`.
///
/// A range of another version is not sent: all is, if all was wanted that follows the offset, and nothing
/// if not.
pub(super) fn range_of(request: &Request<'_>, size: u64, tag: u64) -> Result<Range<u64>, Refusal> {
    let is_other = request.tag != 0 && request.tag != tag;
    let is_to_end = request.length >= LONGER_THAN_ANY;
    let start = if is_other { 0 } else { request.offset };
    let end = match (is_to_end, is_other) {
        (true, _) => size,
        (false, false) => start.saturating_add(request.length).min(size),
        (false, true) => 0,
    };
    if start > size {
        return Err(Refusal::PastEnd);
    }
    if request.has_digests() && !request.segment.divides(end) && end != size {
        return Err(Refusal::Malformed);
    }
    Ok(start..end)
}

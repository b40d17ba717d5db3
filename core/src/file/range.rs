//! Which bytes of a file answer a request: a rule that both sides follow.

use core::ops::Range;

use super::request::Request;
use super::response::Refusal;

/// The range of a file of `size` bytes, in the version `tag`, that answers `request`.
///
/// A range of another version is not sent: all is, if all was wanted that follows the offset, and nothing
/// if not.
pub(super) fn range_of(request: &Request<'_>, size: u64, tag: u64) -> Result<Range<u64>, Refusal> {
    let is_other = request.tag != 0 && request.tag != tag;
    let is_to_end = request.length == Request::TO_END;
    let (start, length) = match (is_other, is_to_end) {
        (false, _) => (request.offset, request.length),
        (true, true) => (0, Request::TO_END),
        (true, false) => (0, 0),
    };
    let end = start.saturating_add(length).min(size);
    if start > size {
        return Err(Refusal::PastEnd);
    }
    if request.has_digests() && !request.segment.divides(end) && end != size {
        return Err(Refusal::Malformed);
    }
    Ok(start..end)
}

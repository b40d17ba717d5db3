//! What a client asks for.

use core::fmt;

use crate::printable::printable;
use crate::text::MAX_TEXT;

/// The longest name, in bytes.
pub const MAX_NAME: usize = MAX_TEXT;

/// What a client wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Operation {
    /// Send a file.
    Get,
    /// List a directory.
    List,
}

/// What a client asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// What to do with what the name names.
    pub operation: Operation,
    /// The name. It may hold anything; show it as [printable](crate::printable) text.
    pub name: &'a [u8],
    /// Where the contents are to start.
    pub offset: u64,
    /// The version of which the client holds the bytes before the offset; 0 for none.
    pub tag: u64,
    /// Whether the client wants digests.
    pub verify: bool,
}

impl<'a> Request<'a> {
    /// Asks for all of a file, with digests.
    pub const fn get(name: &'a [u8]) -> Self {
        Self { operation: Operation::Get, name, offset: 0, tag: 0, verify: true }
    }

    /// Asks for the list of a directory, with digests; the empty name is the root.
    pub const fn list(name: &'a [u8]) -> Self {
        Self { operation: Operation::List, ..Self::get(name) }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, name, offset, tag, verify } = self;
        write!(f, "{operation:?} ")?;
        show(name, f)?;
        write!(f, " from {offset} of {tag:#x}, verify: {verify}")
    }
}

/// A name as it may be shown.
pub(super) fn show(name: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "\"{}\"", printable(name))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn a_request_is_shown_without_control_characters() {
        let request = Request::get(b"\x1b[2J");
        let shown = std::format!("{request:?}");
        assert_eq!(shown, "Get \"\\x1b[2J\" from 0 of 0x0, verify: true");
    }
}

//! Which nicks a room takes: what its owner's tables say of them.

use core::fmt;

use super::nick_error::NickError;
use super::skeleton::{Skeleton, skeleton};

/// Which nicks a room takes, beside what holds in every room (see [`chat`](super)): a host that has
/// the tables of Unicode knows the letters of all scripts, and the look-alikes among them (UTS #39). A
/// microcontroller does without, by [`NickRules::ASCII`].
#[derive(Clone, Copy)]
pub struct NickRules {
    /// Whether a name can be a nick. It is not asked about names that no room takes.
    pub check: fn(&str) -> Result<(), NickError>,
    /// What a name looks like. A room takes no two nicks that are [alike](Skeleton::is_like). It must
    /// tell digits apart, or guests would have the same nick.
    pub skeleton: fn(&str) -> Skeleton,
}

impl NickRules {
    /// ASCII alone (UTS #39 §5.2, *ASCII-Only*), compared by [`skeleton`]: needs no tables.
    pub const ASCII: Self = Self { check: check_ascii, skeleton };
}

const fn check_ascii(name: &str) -> Result<(), NickError> {
    if name.is_ascii() { Ok(()) } else { Err(NickError::NotAscii) }
}

/// Functions have no words.
impl fmt::Debug for NickRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NickRules").finish_non_exhaustive()
    }
}

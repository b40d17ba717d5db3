//! How members are named.

/// Names a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MemberId {
    pub(super) index: u32,
    /// Tells this member from those who had the slot before.
    pub(super) generation: u32,
}

/// The operator's slot.
pub(super) const OPERATOR: u32 = 0;

/// No member: there are never so many.
pub(super) const NOBODY: u32 = u32::MAX >> 1;

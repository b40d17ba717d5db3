//! What a member waits for.

/// What a member waits for, and since when: the lowest ticket of all who wait for the same is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Nothing,
    /// Room in the log for what it says.
    Room {
        ticket: u32,
        /// Bytes of it are offered again, or its end. Else it is only silent, by which its line ended.
        is_offered: bool,
        /// Since its last turn began there is room for that line.
        fits: bool,
    },
    /// A buffer for a line that has begun.
    Buffer {
        ticket: u32,
    },
}

/// What there is too little of, now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Room,
    Buffer,
}

impl Wait {
    /// Its ticket, if it waits for this.
    pub(super) const fn ticket(self, resource: Resource) -> Option<u32> {
        match (self, resource) {
            (Self::Room { ticket, .. }, Resource::Room)
            | (Self::Buffer { ticket }, Resource::Buffer) => Some(ticket),
            _ => None,
        }
    }
}

//! What the session is told to do, and what happens around it.

use barewire_core::time::Duration;

use crate::rule::Rule;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Input,
    End,
    Timeout,
}

impl Call {
    pub(crate) const fn rule(self) -> Rule {
        match self {
            Self::Input => Rule::Input,
            Self::End => Rule::End,
            Self::Timeout => Rule::Deadline,
        }
    }
}

/// What happens around the session, as far as it can be known.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one connection")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ConnectionState {
    pub(crate) arrived: usize,
    pub(crate) ended: bool,
    pub(crate) reset: bool,
    /// How many bytes the stack takes yet; without a number, all.
    pub(crate) room: Option<usize>,
    pub(crate) refuses_shutdown: bool,
    pub(crate) has_contents: bool,
}

impl ConnectionState {
    /// How many bytes of contents there are.
    pub(crate) const fn contents(&self) -> usize {
        if self.has_contents { CONTENTS } else { 0 }
    }
}

/// How the session behaves from now on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behaviour {
    /// How many bytes it takes yet, and how many it will with each transmission and time-out.
    pub(crate) capacity: usize,
    pub(crate) refill: usize,
    /// How many bytes it takes at once.
    pub(crate) chunk: usize,
    /// How many events it gives for a chunk, for the end, or for a time-out.
    pub(crate) events: usize,
    /// How many bytes it says to the same.
    pub(crate) echo: usize,
    /// After a chunk the deadline is so far away, and after a time-out the next.
    pub(crate) timeout: Option<Duration>,
    /// The bytes of its output that are lent as head.
    pub(crate) head: usize,
    /// The call that fails, with how many bytes to say yet, and whether it ends its direction then.
    pub(crate) failure: Option<(Call, usize, bool)>,
    /// The owner gives up at the next event.
    pub(crate) gives_up: bool,
}

impl Behaviour {
    pub(crate) const KIND: Self = Self {
        capacity: usize::MAX,
        refill: 0,
        chunk: usize::MAX,
        events: 1,
        echo: 0,
        timeout: None,
        head: usize::MAX,
        failure: None,
        gives_up: false,
    };
}

/// How many bytes of contents there are, if the adapter has any.
pub(crate) const CONTENTS: usize = 100;

pub(crate) fn contents_byte(at: usize) -> u8 {
    at.wrapping_mul(13).to_le_bytes()[0]
}

/// The bytes that the peer sends.
pub(crate) fn input_byte(at: usize) -> u8 {
    at.wrapping_mul(7).wrapping_add(at / 256).to_le_bytes()[0]
}

//! The driving rule's parts, and how the kit says that one of them is broken.

use std::any::Any;
use std::panic::resume_unwind;

/// A part of the driving rule, as [`barewire_core::driver`] numbers and words them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// What the session wants is carried out, first and again.
    Transmission = 1,
    /// Bytes that arrived are offered, and what was left of them again.
    Input,
    /// The end of the peer's stream is told behind them.
    End,
    /// The deadline is told, after what had arrived.
    Deadline,
    /// A session that fails is called no more, and its connection reset or closed.
    Failure,
    /// A conversation that is over in order ends this side's direction.
    OrderlyEnd,
    /// The peer's end is waited for before the connection is closed.
    Linger,
    /// A broken connection is told to the owner, never to the session.
    Broken,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Transmission,
        Self::Input,
        Self::End,
        Self::Deadline,
        Self::Failure,
        Self::OrderlyEnd,
        Self::Linger,
        Self::Broken,
    ];

    /// Its number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Its words, without the reasons.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Transmission => {
                "Transmission comes first, and again whenever the session has been called or commanded: \
                 what `poll_transmit` wants is carried out and reported with `transmitted`, until it \
                 wants nothing or the stack takes no more. Before each `poll_transmit`, \
                 `prepare_transmit` is called."
            }
            Self::Input => {
                "Bytes that arrived are offered by `handle_input` until that gives `WouldBlock` and takes \
                 none. What the session left is back-pressure: nothing more is received, and it is offered again \
                 after a transmission, a time-out or a command."
            }
            Self::End => {
                "The end of the peer's stream is told, behind all its bytes, by `handle_end` until that \
                 gives `WouldBlock`, and again as the bytes are. Input never follows it."
            }
            Self::Deadline => {
                "The deadline, if it is reached, is told by `handle_timeout` until that gives \
                 `WouldBlock`, but only when all that was to be received in this turn was offered"
            }
            Self::Failure => {
                "A session that fails is called no more, but for its last word: what it wants to send \
                 yet is tried once. Then the connection is closed if this side's direction was ended \
                 in order, and otherwise reset: the peer must not take the part that it got for the \
                 whole. A conversation that is given up ends in the same way."
            }
            Self::OrderlyEnd => {
                "A conversation that is over in order ends this side's direction, if the session did \
                 not."
            }
            Self::Linger => {
                "Before a connection is closed, what the peer still sends is thrown away until it has \
                 ended its direction, or for `LINGER` or `LINGER_BYTES` at most"
            }
            Self::Broken => {
                "A broken connection (reset, unreachable) is the stack's error, of which the session \
                 is told nothing; so it can never take a reset for success."
            }
        }
    }
}

/// What travels from the examiner up through the adapter.
pub(crate) struct Breach {
    pub(crate) rule: Rule,
    pub(crate) what: &'static str,
}

/// Ends the check. It unwinds through the adapter without a message of its own.
pub(crate) fn breach(rule: Rule, what: &'static str) -> ! {
    let breach: Box<dyn Any + Send> = Box::new(Breach { rule, what });
    resume_unwind(breach)
}

//! What the driver tells its owner.

use core::convert::Infallible;
use core::error::Error;
use core::fmt;

use crate::session::{Event, Session};
use crate::time::Instant;

/// What to do next with a connection. An adapter carries out each of these, so that another would be a
/// breaking change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Step<S, C> {
    /// Wait until the transport has more to receive or takes more, until the session is given a
    /// command, or until this time; then call again.
    Wait(Option<Instant>),
    /// The conversation is over, in order or not, which is told once and at once. Call again: the
    /// connection is not at its end yet.
    Over(Result<(), DriveError<S, C>>),
    /// Close the connection.
    Close,
    /// Reset the connection (RFC 9293 §3.10.7.4; in POSIX `SO_LINGER` of zero and `close(2)`, in
    /// smoltcp, embassy-net and lwIP `abort`).
    Reset,
}

/// What to do next with a connection whose conversation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum LastStep {
    /// As [`Step::Wait`].
    Wait(Instant),
    /// Close the connection.
    Close,
    /// Reset the connection, as [`Step::Reset`].
    Reset,
}

impl<S, C> From<LastStep> for Step<S, C> {
    fn from(last: LastStep) -> Self {
        match last {
            LastStep::Wait(until) => Self::Wait(Some(until)),
            LastStep::Close => Self::Close,
            LastStep::Reset => Self::Reset,
        }
    }
}

/// What a transmission did.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Nothing,
    Some,
    Close,
}

/// What [`Driver::next`](crate::driver::Driver::next) has come to. An adapter handles each of these, so
/// that another would be a breaking change.
#[must_use]
pub enum Next<'a, S: Session, C> {
    /// The session told this. Call again once it was dealt with; the session may be commanded before.
    Event(Event<'a, S>),
    /// Call again, and do nothing before.
    Continue,
    /// All that could be done is done.
    Step(Step<S::Error, C>),
}

impl<'a, S, C> fmt::Debug for Next<'a, S, C>
where
    S: Session,
    S::Error: fmt::Debug,
    C: fmt::Debug,
    Event<'a, S>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
            Self::Continue => f.write_str("Continue"),
            Self::Step(step) => f.debug_tuple("Step").field(step).finish(),
        }
    }
}

/// How a conversation fails, in the session, in the connection, or by its owner's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DriveError<S, C> {
    /// The session failed: what the peer said, or did not say in time.
    Session(S),
    /// The connection failed, which is never success, however much was said.
    Connection(C),
    /// The contents that the session was to send ended early, or there are none.
    Contents,
    /// The conversation was over for the session, but its last bytes did not leave within
    /// [`LINGER`](crate::driver::LINGER).
    Stalled,
    /// The owner gave the conversation up.
    GivenUp,
}

impl<C> DriveError<Infallible, C> {
    /// The same among the errors of any session.
    pub(super) fn widened<S>(self) -> DriveError<S, C> {
        match self {
            Self::Connection(error) => DriveError::Connection(error),
            Self::Contents => DriveError::Contents,
            Self::Stalled => DriveError::Stalled,
            Self::GivenUp => DriveError::GivenUp,
        }
    }
}

impl<S: fmt::Display, C: fmt::Display> fmt::Display for DriveError<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Connection(error) => error.fmt(f),
            Self::Contents => f.write_str("the contents to send cannot be read"),
            Self::Stalled => f.write_str("the peer does not take the last bytes"),
            Self::GivenUp => f.write_str("given up"),
        }
    }
}

impl<S: Error + 'static, C: Error + 'static> Error for DriveError<S, C> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(error) => error.source(),
            Self::Connection(error) => error.source(),
            Self::Contents | Self::Stalled | Self::GivenUp => None,
        }
    }
}

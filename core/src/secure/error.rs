//! How a channel fails, or cannot be made.

use core::error::Error;
use core::fmt;

use super::config::MAX_KEYS;
use super::wire::{LEAST_RECEIVE, LEAST_SEND};

/// How a channel fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ChannelError {
    /// The peer speaks without a key: its first bytes are not those of the keyed form.
    NotKeyed,
    /// To a server: the client speaks another version of the keyed form.
    OtherVersion,
    /// To a server: the client means another conversation.
    OtherConversation,
    /// To a server: the client has none of its keys. To a client: what answers has another key, or was
    /// damaged under way; a server that is in order and has another key [refuses](Self::Refused).
    WrongKey,
    /// To a client: the server closed without an answer. It has another key, or none, or it means another
    /// conversation or version. (That it resets the connection, which means the same as long as the channel
    /// [awaits its answer](super::Channel::awaits_answer), the driver tells as an error of the connection.)
    Refused,
    /// The peer did not take its part in the handshake in time; the client's first record is part of it.
    TimedOut,
    /// The stream ended within the handshake.
    HandshakeCut,
    /// What came is not what the peer sealed as its next record: it was damaged, forged, left out, repeated or
    /// moved. All before it was in order. Of the first record that a server hears, it tells that the client's opening was
    /// recorded, and sent again.
    Forged,
    /// The peer, who has the key, said what the form does not allow.
    Malformed,
    /// The stream ended, and the peer had not said that it would: something may be missing.
    Cut,
    /// The peer did not take the end of this side's direction in time.
    Stalled,
    /// Nothing more can be sealed in this conversation, after 2^64 records.
    Exhausted,
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotKeyed => "the peer speaks without a key",
            Self::OtherVersion => "the peer speaks another version of the keyed form",
            Self::OtherConversation => "the peer means another conversation",
            Self::WrongKey => "the peer has another key",
            Self::Refused => "the server closed at the handshake: it has another key, or none",
            Self::TimedOut => "the handshake under the key took too long",
            Self::HandshakeCut => "the connection ended within the handshake under the key",
            Self::Forged => {
                "what came is not what the peer sealed: damaged, forged or out of order"
            }
            Self::Malformed => "the peer broke the rules of the keyed form",
            Self::Cut => "the connection was cut before the peer had ended it",
            Self::Stalled => "the peer does not take the end of the conversation",
            Self::Exhausted => "nothing more can be sealed in this conversation",
        })
    }
}

impl Error for ChannelError {}

/// How a conversation in a channel fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SecuredError<E> {
    /// The channel failed.
    Channel(ChannelError),
    /// The session within failed.
    Session(E),
}

impl<E: fmt::Display> fmt::Display for SecuredError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(error) => error.fmt(f),
            Self::Session(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for SecuredError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Channel(_) => None,
            Self::Session(error) => error.source(),
        }
    }
}

/// Why a channel cannot be made: each is the owner's to mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ChannelSetupError {
    /// The buffer to receive into has less than [`LEAST_RECEIVE`](super::LEAST_RECEIVE) bytes.
    ReceiveBuffer,
    /// The buffer to send from has less than [`LEAST_SEND`](super::LEAST_SEND) bytes.
    SendBuffer,
    /// There is no key, or there are more than [`MAX_KEYS`](super::MAX_KEYS).
    Keys,
}

impl fmt::Display for ChannelSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReceiveBuffer => {
                write!(f, "a channel receives into {LEAST_RECEIVE} bytes at least")
            }
            Self::SendBuffer => write!(f, "a channel sends from {LEAST_SEND} bytes at least"),
            Self::Keys => write!(f, "a channel has from 1 to {MAX_KEYS} keys"),
        }
    }
}

impl Error for ChannelSetupError {}

//! What a channel is for, and its limits.

use crate::time::Duration;

/// How long the handshake of a channel may take, and how long the end of a direction may take to go out.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The most keys that a server tries.
pub const MAX_KEYS: usize = 64;

/// The conversation that is held inside: both sides must mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Conversation {
    /// The hello handshake.
    Hello = 2,
    /// File transfer.
    File = 3,
    /// Chat.
    Chat = 4,
}

/// What a channel is for, and its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ChannelConfig {
    /// The conversation that is held inside.
    pub conversation: Conversation,
    /// How long the handshake may take, and how long the end of this side's direction may take to go
    /// out; [`DEFAULT_TIMEOUT`] by default.
    pub timeout: Duration,
}

impl ChannelConfig {
    /// A channel for this conversation, with the limits by default.
    pub const fn new(conversation: Conversation) -> Self {
        Self { conversation, timeout: DEFAULT_TIMEOUT }
    }

    /// The same, with another [`timeout`](Self::timeout).
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

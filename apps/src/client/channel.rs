//! How a client of streams speaks to its server: in plain text, or under a key.

use std::io;

use barewire_core::secure::{ChannelConfig, ChannelError, Conversation, Key};
use barewire_core::time::{Duration, Instant};
use barewire_linux::link::{Link, OwnedChannel, RecordBuffers};

use super::hints::is_turned_away;

/// What a client needs to speak under a key.
#[derive(Debug)]
pub(crate) struct ClientChannel {
    key: Option<Key>,
    config: ChannelConfig,
    buffers: RecordBuffers,
}

impl ClientChannel {
    /// Speaks in plain text if there is no key. The handshake may take `timeout`.
    pub(crate) const fn new(
        key: Option<Key>,
        conversation: Conversation,
        buffers: RecordBuffers,
        timeout: Duration,
    ) -> Self {
        let config = ChannelConfig::new(conversation).with_timeout(timeout);
        Self { key, config, buffers }
    }

    /// Whether it speaks under a key.
    pub(crate) const fn is_keyed(&self) -> bool {
        self.key.is_some()
    }

    /// The same link, which speaks under the key from its first byte on.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn secure(&self, now: Instant, link: Link) -> io::Result<Link> {
        let Some(key) = &self.key else { return Ok(link) };
        Ok(link.with_channel(OwnedChannel::client(now, self.config, self.buffers, key)?))
    }
}

/// Whether a connection on which there `is_open` no channel yet broke as if the server had
/// [refused](ChannelError::Refused) it: whether that is a reset or an orderly end is chance.
pub(crate) fn is_refusal(error: &io::Error, is_open: bool) -> bool {
    !is_open && is_turned_away(error)
}

/// Why the channel with a server failed, in words for people. The handshake may take `limit`.
pub(crate) fn channel_error(server: &str, error: ChannelError, limit: Duration) -> String {
    match error {
        ChannelError::NotKeyed => format!(
            "{server} speaks without a key, so nothing was said to it (start it with --key as well)"
        ),
        ChannelError::WrongKey => format!(
            "{server} answered, but not under this key: it has another key, or the answer was damaged under way"
        ),
        ChannelError::Refused => format!(
            "{server} closed at the handshake: it has another key, or none, or is full, or turns this address \
             away (do both sides have the same key file? the server tells why with -v)"
        ),
        ChannelError::TimedOut => format!(
            "{server} did not answer under the key within {limit} (does the server have one? --timeout \
             allows more)"
        ),
        ChannelError::HandshakeCut => format!("{server} closed within the handshake (try again)"),
        ChannelError::Forged | ChannelError::Malformed => {
            format!("what came from {server} was changed under way: {error}")
        }
        ChannelError::Cut => format!("the connection to {server} was cut"),
        _ => format!("{server}: {error}"),
    }
}

//! How a server of streams speaks to its clients: in plain text, or under keys.

use std::io;

use barewire_core::secure::{ChannelConfig, ChannelError, Conversation};
use barewire_core::time::{Duration, Instant};
use barewire_linux::link::{Link, OwnedChannel, RecordBuffers};
use barewire_linux::stream::StreamSocket;

use crate::cli::keys::ServerKeys;

use super::penalties::Penalty;

/// Makes the links of a server.
#[derive(Debug)]
pub(crate) struct Links {
    keys: Option<ServerKeys>,
    config: ChannelConfig,
    buffers: RecordBuffers,
}

impl Links {
    /// For clients that must have one of the keys, if there are any, and may take so long for the handshake.
    pub(crate) const fn new(
        keys: Option<ServerKeys>,
        conversation: Conversation,
        buffers: RecordBuffers,
        timeout: Duration,
    ) -> Self {
        let config = ChannelConfig::new(conversation).with_timeout(timeout);
        Self { keys, config, buffers }
    }

    /// Whether only who has a key is spoken to.
    pub(crate) const fn are_keyed(&self) -> bool {
        self.keys.is_some()
    }

    /// The link to a client that has connected at `now`.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn link(&self, now: Instant, stream: StreamSocket) -> io::Result<Link> {
        let link = Link::new(stream);
        let Some(keys) = &self.keys else { return Ok(link) };
        let keys = keys.keys().clone();
        Ok(link.with_channel(OwnedChannel::server(now, self.config, self.buffers, keys)?))
    }

    /// Whose key the client has, unless all who come share one.
    pub(crate) fn key_of(&self, link: &Link) -> Option<&str> {
        self.keys.as_ref()?.owner(link.peer_key()?)
    }
}

/// What a server without keys tells of who has one.
pub(crate) const SPEAKS_UNDER_KEY: &str =
    "refused, as it speaks under a key, and this server has none (--key)";

/// Whether what a client says to a server without a key opens a keyed conversation, of whatever version.
pub(crate) fn is_keyed_opening(text: &[u8]) -> bool {
    text.starts_with(b"\x01BW")
}

/// Whether a client has shown that it has none of the keys.
pub(crate) const fn has_no_key(error: ChannelError) -> bool {
    matches!(
        error,
        ChannelError::NotKeyed
            | ChannelError::OtherVersion
            | ChannelError::OtherConversation
            | ChannelError::WrongKey
    )
}

/// What it costs a client's source that the channel has failed before anything was said.
pub(crate) const fn channel_penalty(error: ChannelError) -> Penalty {
    match error {
        ChannelError::HandshakeCut | ChannelError::Cut => Penalty::NoData,
        _ => Penalty::Failed,
    }
}

/// What a client did to the channel, in words that follow its address. The handshake may take `limit`.
pub(crate) fn channel_reason(error: ChannelError, limit: Duration) -> String {
    match error {
        ChannelError::NotKeyed => "refused, as it speaks without a key".into(),
        ChannelError::WrongKey => "refused, as it has another key".into(),
        ChannelError::OtherVersion => "refused, as it speaks another version under a key".into(),
        ChannelError::OtherConversation => "refused, as it is a client for another server".into(),
        ChannelError::TimedOut => format!("handshake under the key timed out after {limit}"),
        ChannelError::HandshakeCut => "closed within the handshake under the key".into(),
        ChannelError::Cut => "connection cut".into(),
        _ => error.to_string(),
    }
}

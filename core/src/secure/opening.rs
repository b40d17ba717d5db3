//! The messages of the handshake, as they are on the wire.

use super::config::Conversation;
use super::error::ChannelError;
use super::handshake::Message;
use super::wire::{OPENING, PREFIX, RecordSize, copy};

/// What a client opens with.
pub(super) const fn opening(conversation: Conversation, size: RecordSize) -> [u8; OPENING] {
    let [marker, b, w, version] = PREFIX;
    [marker, b, w, version, conversation as u8, size.exponent()]
}

/// Whether what has come of an opening is one.
pub(super) fn check(gathered: &[u8], conversation: Conversation) -> Result<(), ChannelError> {
    let expected = opening(conversation, RecordSize::LEAST);
    match gathered.iter().zip(expected).take(OPENING - 1).position(|(byte, own)| *byte != own) {
        None => Ok(()),
        Some(3) => Err(ChannelError::OtherVersion),
        Some(4) => Err(ChannelError::OtherConversation),
        Some(_) => Err(ChannelError::NotKeyed),
    }
}

/// A message of the handshake, and its payload.
pub(super) fn message_of(bytes: &[u8], payload: &mut [u8]) -> Option<Message> {
    let (public, rest) = bytes.split_first_chunk()?;
    let (sealed, tag) = rest.split_last_chunk()?;
    (copy(payload, sealed) == sealed.len()).then_some(Message { public: *public, tag: *tag })
}

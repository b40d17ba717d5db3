//! The keyed form as it goes over the wire, written a second time from its documentation: what anybody
//! can tell of it who has no key.

use barewire_core::secure::Conversation;
use data_encoding::{BASE64, HEXLOWER, HEXUPPER};

/// How long what a client opens with is.
pub const OPENING: usize = 54;

/// How long the answer of a server is.
pub const ANSWER: usize = 50;

/// What either side begins with.
pub const MARKER: u8 = 1;

/// The length in front of a record.
const LENGTH: usize = 2;

/// The least that it says: a byte, and its tag.
const LEAST: usize = 17;

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who opened the connection.
    Client,
    /// Who took it.
    Server,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Server];

    /// How long its part of the handshake is.
    pub const fn handshake(self) -> usize {
        match self {
            Self::Client => OPENING,
            Self::Server => ANSWER,
        }
    }
}

/// What a client opens with, before what chance has to say: `exponent` tells the size of records.
pub const fn prologue(conversation: Conversation, exponent: u8) -> [u8; 6] {
    [MARKER, b'B', b'W', 1, conversation as u8, exponent]
}

/// Cuts what one side sends into its messages: its part of the handshake, and then records, each with the
/// length in front.
#[derive(Debug)]
pub struct Messages {
    bytes: Vec<u8>,
    at: usize,
    handshake: usize,
}

impl Messages {
    /// Of that side, which has said nothing yet.
    pub const fn of(side: Side) -> Self {
        Self { bytes: Vec::new(), at: 0, handshake: side.handshake() }
    }

    /// More has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What has come of a message, and is none yet.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }
}

impl Iterator for Messages {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let rest = &self.bytes[self.at..];
        let length = if self.at == 0 {
            self.handshake
        } else {
            LENGTH + usize::from(u16::from_be_bytes(*rest.first_chunk()?))
        };
        let message = rest.get(..length)?.to_vec();
        self.at += length;
        Some(message)
    }
}

/// Demands that a side has said nothing but the keyed form of that conversation, were it to the middle of
/// a message: no plain byte has left it.
#[track_caller]
pub fn assert_keyed(side: Side, conversation: Conversation, bytes: &[u8]) {
    let expected = prologue(conversation, 0);
    let known = if side == Side::Client { &expected[..expected.len() - 1] } else { &[MARKER] };
    let begun = bytes.len().min(known.len());
    assert_eq!(bytes[..begun], known[..begun], "no handshake: {}", bytes.escape_ascii());
    let mut messages = Messages::of(side);
    messages.push(bytes);
    for record in messages.by_ref().skip(1) {
        assert!(record.len() >= LENGTH + LEAST, "no record: {}", record.escape_ascii());
    }
    let rest = messages.rest();
    if let (true, Some(length)) = (bytes.len() > side.handshake(), rest.first_chunk()) {
        let length = u16::from_be_bytes(*length);
        assert!(usize::from(length) >= LEAST, "no record begins so: {}", rest.escape_ascii());
    }
}

/// Demands that nothing of a text is among bytes, nor of what is made of it in other ways to write bytes.
#[track_caller]
pub fn assert_hidden(bytes: &[u8], text: &str) {
    let (lower, upper) = (HEXLOWER.encode(text.as_bytes()), HEXUPPER.encode(text.as_bytes()));
    let mut forms = vec![text.into(), text.to_uppercase(), lower, upper];
    // Wherever groups of three bytes begin.
    forms.extend((0..3).map(|start| BASE64.encode(&text.as_bytes()[start..])));
    for form in forms {
        // A part of it tells enough.
        for part in form.as_bytes().chunks(PART).filter(|part| part.len() == PART) {
            let found = bytes.windows(PART).any(|window| window == part);
            assert!(!found, "{} of {text:?} is to be seen", part.escape_ascii());
        }
    }
}

/// So much of a text does not come about by chance.
const PART: usize = 8;

#[cfg(test)]
mod tests {
    use super::{ANSWER, MARKER, Messages, Side, assert_hidden, assert_keyed};
    use barewire_core::secure::Conversation;

    /// An answer, and a record.
    fn said() -> Vec<u8> {
        [&[MARKER; ANSWER][..], &[0, 17], &[9; 17]].concat()
    }

    #[test]
    fn what_is_said_is_cut_into_its_messages() {
        let mut messages = Messages::of(Side::Server);
        for byte in said() {
            messages.push(&[byte]);
        }
        messages.push(&[0]);
        let lengths: Vec<_> = messages.by_ref().map(|message| message.len()).collect();
        assert_eq!((&lengths[..], messages.rest()), (&[ANSWER, 19][..], &[0][..]));
    }

    #[test]
    fn what_is_keyed_passes() {
        for end in 0..=said().len() {
            assert_keyed(Side::Server, Conversation::Chat, &said()[..end]);
        }
        assert_keyed(Side::Client, Conversation::Chat, b"\x01BW\x01\x04\x06");
    }

    #[test]
    #[should_panic(expected = "no handshake")]
    fn a_plain_opening_is_found() {
        assert_keyed(Side::Client, Conversation::Chat, b"hello\n");
    }

    #[test]
    #[should_panic(expected = "no handshake")]
    fn a_plain_answer_is_found() {
        assert_keyed(Side::Server, Conversation::Chat, b"* welcome\n");
    }

    #[test]
    #[should_panic(expected = "no record begins so")]
    fn a_plain_byte_behind_the_records_is_found() {
        let said = [&said()[..], &[0, 3, b'x']].concat();
        assert_keyed(Side::Server, Conversation::Chat, &said);
    }

    #[test]
    fn a_text_is_found_in_each_form() {
        let text = "what nobody may read";
        for seen in [text, "64792072656164", "d2hhdCBub2JvZHkg", "eHdoYXQgbm9ib2R5IG1heSByZWFk"] {
            let found = std::panic::catch_unwind(|| assert_hidden(seen.as_bytes(), text));
            assert!(found.is_err(), "{seen}");
        }
        assert_hidden(b"something else altogether", text);
    }
}

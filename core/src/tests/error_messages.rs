//! What a person is told, all of it in one place: every error says what happened, and no two of them
//! the same.

extern crate std;
use std::error::Error;
use std::string::{String, ToString};
use std::vec::Vec;

use crate::chat::{ClientError, JoinError, MemberError, NickError, RoomError, SayError};
use crate::datagram::{DropReason, ExchangeError};
use crate::driver::DriveError;
use crate::file::{EntryError, ReceiverError, Refusal, RequestError, SenderError};
use crate::hello;
use crate::secure::{ChannelError, ChannelSetupError, SecuredError};
use crate::text::{Text, TextError, TextReaderError};

/// An error whose cause is another.
#[derive(Debug)]
struct Caused(TextReaderError);

impl std::fmt::Display for Caused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("caused")
    }
}

impl Error for Caused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// The words of each, in the order of the list.
macro_rules! words {
    ($($error:expr,)*) => {
        [$($error.to_string()),*]
    };
}

#[test]
fn every_error_says_what_happened() {
    let words = words![
        TextError::TooLong,
        TextError::LineBreak,
        TextReaderError::TooLong,
        hello::HandshakeError::Silent,
        hello::HandshakeError::TooLong,
        hello::HandshakeError::TimedOut,
        hello::HandshakeError::Unclosed,
        ExchangeError::TimedOut,
        ExchangeError::Unreachable,
        DropReason::OwnReply,
        DropReason::OwnPort,
        DropReason::ReflectingPort,
        DropReason::Truncated,
        DropReason::OverRate,
        DropReason::OverTotalRate,
        DropReason::MutedNow,
        DropReason::Muted,
        Refusal::NotFound,
        Refusal::Refused,
        Refusal::Malformed,
        Refusal::NotSupported,
        Refusal::Busy,
        Refusal::Failed,
        Refusal::PastEnd,
        RequestError::TooLong,
        RequestError::Full,
        RequestError::Finished,
        RequestError::CutsSegment,
        ReceiverError::NotFramed,
        ReceiverError::Nothing,
        ReceiverError::CutShort,
        ReceiverError::OtherVersion,
        ReceiverError::DamagedHeader,
        ReceiverError::Malformed,
        ReceiverError::Unverified,
        ReceiverError::Corrupt,
        ReceiverError::TimedOut,
        ReceiverError::Stalled,
        ReceiverError::Unclosed,
        SenderError::CutShort,
        SenderError::TimedOut,
        SenderError::Stalled,
        EntryError::Malformed,
        EntryError::OutOfOrder,
        NickError::Length,
        NickError::Characters,
        NickError::Reserved,
        NickError::Taken,
        JoinError::RoomFull,
        JoinError::SourceFull,
        JoinError::TooOften,
        MemberError::FellBehind,
        MemberError::TimedOut,
        ClientError::TimedOut,
        RoomError::Slots,
        RoomError::Sources,
        RoomError::Entries,
        RoomError::Bytes,
        RoomError::Text,
        RoomError::LineBuffers,
        RoomError::Patience,
        SayError::Full,
        SayError::TooLong,
        SayError::LineBreak,
        SayError::Nick,
        SayError::Format,
        ChannelError::NotKeyed,
        ChannelError::OtherVersion,
        ChannelError::OtherConversation,
        ChannelError::WrongKey,
        ChannelError::Refused,
        ChannelError::TimedOut,
        ChannelError::HandshakeCut,
        ChannelError::Forged,
        ChannelError::Malformed,
        ChannelError::Cut,
        ChannelError::Stalled,
        ChannelError::Exhausted,
        ChannelSetupError::ReceiveBuffer,
        ChannelSetupError::SendBuffer,
        ChannelSetupError::Keys,
        DriveError::<TextReaderError, TextReaderError>::Contents,
    ];
    for (index, said) in words.iter().enumerate() {
        assert!(said.len() > 5, "{said:?} says too little");
        let same = words.iter().skip(index + 1).find(|other| *other == said);
        assert_eq!(same, None, "two errors say the same");
    }
    // A driver's error says what the session's or the connection's does.
    let fault = |fault: DriveError<TextReaderError, JoinError>| fault.to_string();
    assert_eq!(
        fault(DriveError::Session(TextReaderError::TooLong)),
        TextReaderError::TooLong.to_string()
    );
    assert_eq!(fault(DriveError::Connection(JoinError::RoomFull)), JoinError::RoomFull.to_string());
    // Both commands that a conversation takes no more say the same.
    assert_eq!(SayError::Finished.to_string(), RequestError::Finished.to_string());
}

#[test]
fn the_cause_of_a_fault_is_that_of_the_error_within() {
    let words = |fault: DriveError<Caused, Caused>| -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = fault.source();
        while let Some(error) = next {
            causes.push(error.to_string());
            next = error.source();
        }
        causes
    };
    assert_eq!(words(DriveError::Session(Caused(TextReaderError::TooLong))), ["text too long"]);
    assert_eq!(words(DriveError::Connection(Caused(TextReaderError::TooLong))), ["text too long"]);
    assert!(words(DriveError::Contents).is_empty());
    let within = SecuredError::Session(Caused(TextReaderError::TooLong));
    assert_eq!(
        (within.to_string(), within.source().map(ToString::to_string)),
        ("caused".into(), Some("text too long".into()))
    );
    let channel = SecuredError::<Caused>::Channel(ChannelError::Cut);
    assert_eq!(channel.to_string(), ChannelError::Cut.to_string());
    assert!(channel.source().is_none());
}

/// What a developer sees of a value holds no control character either.
#[test]
fn what_is_shown_for_debugging_is_printable() {
    let text = Text::new("a\u{1b}[2J").unwrap();
    assert_eq!(std::format!("{text:?}"), r#"Text("a\x1b[2J")"#);
    let config = std::format!("{:?}", crate::chat::RoomConfig::default());
    assert!(config.contains("history: 20") && config.contains("rate: 10"), "{config}");
}

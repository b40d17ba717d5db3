//! Everything that can be shown.

use core::fmt::{Debug, Display, Write};
use core::hint::black_box;

use barewire_core::{chat, datagram, driver, file, hello, printable, secure, text, time};

use crate::used;

/// One of each, with whatever in it.
#[derive(Debug)]
pub struct Values {
    pub span: time::Duration,
    pub printable: printable::Printable<'static>,
    pub text: text::Text<'static>,
    pub text_error: text::TextError,
    pub text_reader_error: text::TextReaderError,
    pub exchange_error: datagram::ExchangeError,
    pub drop_reason: datagram::DropReason,
    pub hash_key: datagram::HashKey,
    pub handshake_error: hello::HandshakeError,
    pub sender_error: file::SenderError,
    pub receiver_error: file::ReceiverError,
    pub request_error: file::RequestError,
    pub refusal: file::Refusal,
    pub request: file::Request<'static>,
    pub asked: file::RequestEvent<'static>,
    pub segment: file::SegmentDigester,
    pub root: file::RootDigester,
    pub listing_line: file::ListingLine<'static>,
    pub entry: file::Entry<'static>,
    pub entry_error: file::EntryError,
    pub config: chat::RoomConfig,
    pub line: chat::Line<'static>,
    pub heard: chat::MemberEvent<'static>,
    pub say_error: chat::SayError,
    pub member_error: chat::MemberError,
    pub nick_error: chat::NickError,
    pub full: chat::JoinError,
    pub room_error: chat::RoomError,
    pub client_error: chat::ClientError,
    pub channel_error: secure::ChannelError,
    pub secured_error: secure::SecuredError<hello::HandshakeError>,
    pub setup_error: secure::ChannelSetupError,
    pub key: secure::Key,
    pub datagram_key: secure::DatagramKey,
    pub random: secure::RandomFn<fn(&mut [u8])>,
    pub channel: secure::Channel<'static>,
    pub fault: driver::DriveError<hello::HandshakeError, file::SenderError>,
}

pub fn exercise(values: &Values, out: &mut dyn Write) {
    show(out, &values.span);
    show(out, &values.printable);
    used(black_box(&values.printable).as_bytes());
    used(black_box(&values.printable).to_str());
    used(black_box(&values.heard).nick());
    used(black_box(&values.heard).text());
    used(black_box(values.full).line());
    show(out, &values.text);
    show(out, &values.text_error);
    show(out, &values.text_reader_error);
    show(out, &values.exchange_error);
    show(out, &values.drop_reason);
    show(out, &values.handshake_error);
    show(out, &values.sender_error);
    show(out, &values.receiver_error);
    show(out, &values.request_error);
    show(out, &values.refusal);
    show(out, &values.listing_line);
    show(out, &values.entry);
    show(out, &values.entry_error);
    show(out, &values.heard);
    show(out, &values.say_error);
    show(out, &values.member_error);
    show(out, &values.nick_error);
    show(out, &values.full);
    show(out, &values.fault);
    show(out, &values.room_error);
    show(out, &values.client_error);
    tell(out, &values.hash_key);
    show(out, &values.channel_error);
    show(out, &values.secured_error);
    show(out, &values.setup_error);
    tell(out, &values.key);
    tell(out, &values.datagram_key);
    tell(out, &values.random);
    tell(out, &values.channel);
    used(core::error::Error::source(black_box(&values.secured_error)));
    tell(out, &values.text);
    tell(out, &values.request);
    tell(out, &values.asked);
    tell(out, &values.segment);
    tell(out, &values.root);
    tell(out, &values.config);
    tell(out, &values.line);
    tell(out, &values.heard);
    used(core::error::Error::source(black_box(&values.fault)));
    used(hello::HandshakeError::from(values.text_reader_error));
}

fn show<T: Display>(out: &mut dyn Write, value: &T) {
    used(write!(out, "{}", *black_box(value)));
}

fn tell<T: Debug>(out: &mut dyn Write, value: &T) {
    used(write!(out, "{:?}", *black_box(value)));
}

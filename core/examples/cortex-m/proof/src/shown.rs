//! Everything that can be shown.

use core::fmt::{Debug, Display, Formatter, Result, Write};
use core::hint::black_box;

use barewire_core::{chat, datagram, driver, file, hello, printable, session, text, time};

use crate::used;

/// One of each, with whatever in it.
#[derive(Debug)]
pub struct Values {
    pub span: time::Duration,
    pub printable: printable::Printable<'static>,
    pub text: text::Text<'static>,
    pub text_error: text::TextError,
    pub too_long: text::TooLong,
    pub exchange_error: datagram::ExchangeError,
    pub silence: datagram::DropReason,
    pub hello_error: hello::HandshakeError,
    pub send_error: file::SenderError,
    pub receive_error: file::ReceiverError,
    pub request_error: file::RequestError,
    pub refusal: file::Refusal,
    pub request: file::Request<'static>,
    pub asked: file::RequestEvent<'static>,
    pub digester: file::Digester,
    pub entry: file::Entry<'static>,
    pub entry_error: file::EntryError,
    pub config: chat::RoomConfig,
    pub line: chat::Line<'static>,
    pub heard: chat::MemberEvent<'static>,
    pub say_error: chat::SayError,
    pub member_error: chat::MemberError,
    pub nick_error: chat::NickError,
    pub full: chat::JoinError,
    pub fault: driver::DriveError<hello::HandshakeError, file::SenderError>,
}

pub fn exercise(values: &Values, out: &mut dyn Write) {
    show(out, &values.span);
    show(out, &values.printable);
    show(out, &values.text);
    show(out, &values.text_error);
    show(out, &values.too_long);
    show(out, &values.exchange_error);
    show(out, &values.silence);
    show(out, &values.hello_error);
    show(out, &values.send_error);
    show(out, &values.receive_error);
    show(out, &values.request_error);
    show(out, &values.refusal);
    show(out, &values.entry);
    show(out, &values.entry_error);
    show(out, &values.heard);
    show(out, &values.say_error);
    show(out, &values.member_error);
    show(out, &values.nick_error);
    show(out, &values.full);
    show(out, &values.fault);
    // It has no value that could be shown.
    used(<chat::ClientError as Display>::fmt as fn(&_, &mut Formatter<'_>) -> Result);
    tell(out, &values.text);
    tell(out, &values.request);
    tell(out, &values.asked);
    tell(out, &values.digester);
    tell(out, &values.config);
    tell(out, &values.line);
    tell(out, &values.heard);
    used(core::error::Error::source(black_box(&values.fault)));
    used(hello::HandshakeError::from(values.too_long));
}

fn show<T: Display>(out: &mut dyn Write, value: &T) {
    used(write!(out, "{}", *black_box(value)));
}

fn tell<T: Debug>(out: &mut dyn Write, value: &T) {
    used(write!(out, "{:?}", *black_box(value)));
}

//! Connections to servers, before anything is asked for.

use barewire_core::secure::Conversation;
use barewire_linux::address::Address;
use barewire_linux::dialer::{DialError, Dialer};
use barewire_linux::executor::Context;
use barewire_linux::link::{Link, RecordBuffers};

use crate::client::channel::ClientChannel;

use super::settings::Settings;

/// The receive buffer asked for, in bytes: about what a server's send buffer holds, so that reading goes
/// on while another program has the processor.
const RECEIVE_BUFFER: u32 = 4 << 20;

/// Of a channel: requests are small.
const RECORDS: RecordBuffers = RecordBuffers { receive: 64 << 10, send: 4 << 10 };

/// As [`Dialer::poll`], with a wide receive buffer, and under the key if there is one.
pub(super) fn connect<W>(
    dialer: &mut Dialer,
    settings: &Settings,
    cx: &mut Context<'_, W>,
) -> nb::Result<(Link, Address), DialError> {
    let (link, peer) = dialer.poll(cx)?;
    let failed = |last| DialError::Unreached { tried: 1, last };
    if let Some(stream) = link.stream() {
        stream.widen_receive_buffer(RECEIVE_BUFFER).map_err(failed)?;
    }
    let Settings { key, timeout, .. } = settings;
    let key = key.as_ref().map(|it| it.key.clone());
    let channel = ClientChannel::new(key, Conversation::File, RECORDS, *timeout);
    Ok((channel.secure(cx.now(), link).map_err(failed)?, peer))
}

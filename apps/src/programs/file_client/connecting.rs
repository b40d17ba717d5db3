//! Connections to servers, before anything is asked for.

use barewire_linux::address::Address;
use barewire_linux::dialer::{DialError, Dialer};
use barewire_linux::executor::Context;
use barewire_linux::link::Link;

/// The receive buffer asked for, in bytes: about what a server's send buffer holds, so that reading goes
/// on while another program has the processor.
const RECEIVE_BUFFER: u32 = 4 << 20;

/// As [`Dialer::poll`], with a wide receive buffer.
pub(super) fn connect<W>(
    dialer: &mut Dialer,
    cx: &mut Context<'_, W>,
) -> nb::Result<(Link, Address), DialError> {
    let (link, peer) = dialer.poll(cx)?;
    if let Some(stream) = link.stream() {
        let widened = stream.widen_receive_buffer(RECEIVE_BUFFER);
        widened.map_err(|last| DialError::Unreached { tried: 1, last })?;
    }
    Ok((link, peer))
}

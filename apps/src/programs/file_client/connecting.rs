//! Connections to servers, before anything is asked for.

use std::io;
use std::net::SocketAddr;

use barewire_linux::connector::Connector;
use barewire_linux::executor::Context;
use barewire_linux::link::Link;

/// The receive buffer asked for, in bytes: about what a server's send buffer holds, so that reading goes
/// on while another program has the processor.
const RECEIVE_BUFFER: u32 = 4 << 20;

/// As [`Connector::poll`], with a wide receive buffer.
pub(super) fn connect<W>(
    connector: &mut Connector,
    cx: &mut Context<'_, W>,
) -> nb::Result<(Link, SocketAddr), io::Error> {
    let (link, peer) = connector.poll(cx)?;
    if let Some(stream) = link.stream() {
        stream.widen_receive_buffer(RECEIVE_BUFFER)?;
    }
    Ok((link, peer))
}

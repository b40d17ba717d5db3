//! When the two sides of a chat ask whether a silent peer is still there.

use std::io;

use barewire_core::time::Duration;
use barewire_linux::stream::StreamSocket;

/// How the kernel asks: see [`StreamSocket::set_keepalive`].
pub(super) struct Keepalive {
    idle: Duration,
    interval: Duration,
    probes: u8,
}

/// The server asks after a minute, four times within another: a member whose machine or network is
/// gone would keep its nick for ever. A member that takes nothing of what waits for it has as long
/// (two minutes), if the room is not full before.
pub(super) const SERVER: Keepalive =
    Keepalive { idle: Duration::from_secs(60), interval: Duration::from_secs(15), probes: 4 };

/// The client asks after half a minute, then three times within another: its user waits.
pub(super) const CLIENT: Keepalive =
    Keepalive { idle: Duration::from_secs(30), interval: Duration::from_secs(10), probes: 3 };

impl Keepalive {
    pub(super) fn enable(&self, stream: &StreamSocket) -> io::Result<()> {
        stream.set_keepalive(self.idle, self.interval, self.probes)
    }
}

//! The network: an interface, the device below it, and the sockets above.

use barewire_core::time::Instant;
use barewire_smoltcp::time::to_instant;
use smoltcp::iface::{Interface, PollIngressSingleResult, SocketSet};
use smoltcp::phy::Device;

/// How many frames are taken in one turn, so that no flood of them keeps the sockets from theirs.
const FRAMES: usize = 8;

/// An interface with its device and its sockets.
#[expect(missing_debug_implementations, reason = "smoltcp's interface has none")]
pub struct Net<'a, D> {
    /// The addresses, routes and neighbours.
    pub interface: Interface,
    /// What sends and receives the frames.
    pub device: D,
    /// All sockets of this interface.
    pub sockets: SocketSet<'a>,
}

impl<D: Device> Net<'_, D> {
    /// Takes frames that have arrived.
    pub fn receive(&mut self, now: Instant) {
        let Self { interface, device, sockets } = self;
        interface.poll_maintenance(to_instant(now));
        for _ in 0..FRAMES {
            let taken = interface.poll_ingress_single(to_instant(now), device, sockets);
            if taken == PollIngressSingleResult::None {
                break;
            }
        }
    }

    /// Sends what the sockets have to send, as far as the device takes it.
    pub fn send(&mut self, now: Instant) {
        self.interface.poll_egress(to_instant(now), &mut self.device, &mut self.sockets);
    }
}

//! The network: an interface, the device below it, and the sockets above.

use barewire_core::time::Instant;
use smoltcp::iface::{Interface, PollIngressSingleResult, SocketSet};
use smoltcp::phy::Device;
use smoltcp::time::Instant as Time;

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
        interface.poll_maintenance(time(now));
        for _ in 0..FRAMES {
            let taken = interface.poll_ingress_single(time(now), device, sockets);
            if taken == PollIngressSingleResult::None {
                break;
            }
        }
    }

    /// Sends what the sockets have to send, as far as the device takes it.
    pub fn send(&mut self, now: Instant) {
        self.interface.poll_egress(time(now), &mut self.device, &mut self.sockets);
    }
}

/// The core's time as smoltcp counts it.
pub fn time(now: Instant) -> Time {
    Time::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
}

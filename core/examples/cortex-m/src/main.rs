//! The firmware: all four conversations on the LM3S6965, as a server to many, or as a client.

#![no_std]
#![no_main]

mod board;
mod flash;
mod host;
mod key;
mod memory;
mod roles;

use core::net::Ipv4Addr;

use barewire_cortex_m::net::Net;
use barewire_smoltcp::time::to_instant;
use cortex_m_rt::entry;
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::wire::{EthernetAddress, IpCidr};

use board::{Board, stack};
use host::{Arguments, Role, exit};
use memory::{BUFFERS, FRAMES};
use roles::Failed;

/// Locally administered (IEEE 802), and so nobody else's.
const HARDWARE_ADDRESS: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];
/// What QEMU's user network expects of its guest.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
const PREFIX: u8 = 24;
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

#[entry]
fn main() -> ! {
    let code = match run() {
        Ok(()) => 0,
        Err(Failed) => 1,
    };
    let (used, size) = stack::usage();
    defmt::info!("stack: {} of {} bytes", used, size);
    exit(code)
}

fn run() -> Result<(), Failed> {
    let arguments = Arguments::take();
    let Some(role) = arguments.role() else {
        defmt::error!("usage: nothing, or a client's name with SERVER:PORT and TEXT");
        return Err(Failed);
    };
    let seed = host::seed();
    let Some(board) = Board::take(HARDWARE_ADDRESS, FRAMES.take()) else { return Err(Failed) };
    let Board { clock, mut ethernet, serial } = board;

    let mut config = Config::new(EthernetAddress(HARDWARE_ADDRESS).into());
    config.random_seed = seed;
    let mut interface = Interface::new(config, &mut ethernet, to_instant(clock.now()));
    // There is room for one of each.
    interface.update_ip_addrs(|addresses| {
        let _ = addresses.push(IpCidr::new(ADDRESS.into(), PREFIX));
    });
    let _ = interface.routes_mut().add_default_ipv4_route(GATEWAY);
    let net = Net { interface, device: ethernet, sockets: SocketSet::new(memory::sockets()) };

    match role {
        Role::Serve => roles::serve(net, &clock, serial, BUFFERS.take()),
        Role::Call { program, server, text } => {
            // One of the ports that nobody is assigned (RFC 6335 §6).
            let port = 0xc000 | (seed & 0x3fff) as u16;
            roles::call(net, &clock, BUFFERS.take(), port, (program, server, text))
        }
    }
}

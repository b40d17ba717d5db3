//! The driver and the services over two sockets of one stack, which reach each other through a
//! loopback device, under virtual time.

mod keyed;
mod links;
mod services;

use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use barewire_core::time::{Duration, Instant};
use barewire_smoltcp::time::to_instant;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{FaultInjector, Loopback, Medium};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, IpEndpoint};

use crate::net::Net;

const ADDRESS: IpAddress = IpAddress::v4(127, 0, 0, 1);
const PORT: u16 = 80;

/// In how small steps the time goes on.
const STEP: Duration = Duration::from_millis(1);

/// So many steps are more than any test needs.
const STEPS: u32 = 120_000;

/// A stack, its sockets and its time.
struct TestStack {
    net: Net<'static, FaultInjector<Loopback>>,
    now: Instant,
    next_port: u16,
}

impl TestStack {
    fn new() -> Self {
        Self::with_loss(0)
    }

    /// So many frames of a hundred are lost.
    fn with_loss(percent: u8) -> Self {
        let mut device = FaultInjector::new(Loopback::new(Medium::Ethernet), 1);
        device.set_drop_chance(percent);
        let config = Config::new(EthernetAddress([2, 0, 0, 0, 0, 1]).into());
        let mut interface = Interface::new(config, &mut device, to_instant(Instant::ZERO));
        interface.update_ip_addrs(|addresses| addresses.push(IpCidr::new(ADDRESS, 8)).unwrap());
        let net = Net { interface, device, sockets: SocketSet::new(vec![]) };
        Self { net, now: Instant::ZERO, next_port: 50_000 }
    }

    /// A socket with buffers of so many bytes.
    fn socket(&mut self, size: usize) -> SocketHandle {
        let buffer = || SocketBuffer::new(vec![0; size]);
        self.net.sockets.add(Socket::new(buffer(), buffer()))
    }

    fn get(&mut self, handle: SocketHandle) -> &mut Socket<'static> {
        self.net.sockets.get_mut(handle)
    }

    fn port(&mut self) -> u16 {
        self.next_port += 1;
        self.next_port
    }

    /// Connects a raw socket to the server; it may take some steps until it is.
    fn connect(&mut self, size: usize) -> SocketHandle {
        let (handle, port) = (self.socket(size), self.port());
        let Net { interface, sockets, .. } = &mut self.net;
        let socket = sockets.get_mut::<Socket<'_>>(handle);
        socket.connect(interface.context(), IpEndpoint::new(ADDRESS, PORT), port).unwrap();
        handle
    }

    /// Two raw sockets that are connected.
    fn pair(&mut self) -> (SocketHandle, SocketHandle) {
        let server = self.socket(64);
        self.get(server).listen(PORT).unwrap();
        let client = self.connect(64);
        self.until(|stack| stack.get(server).state() == State::Established);
        (client, server)
    }

    /// Lets a step of time pass, with the network's turn in it.
    fn step(&mut self) {
        self.now += STEP;
        self.net.receive(self.now);
        self.net.send(self.now);
    }

    /// Lets time pass until `done`, which has its turn in each step.
    #[track_caller]
    fn until(&mut self, mut done: impl FnMut(&mut Self) -> bool) {
        for _ in 0..STEPS {
            self.step();
            if done(self) {
                return;
            }
        }
        panic!("it never comes to that");
    }

    /// What waits to be read.
    fn read(&mut self, handle: SocketHandle) -> Vec<u8> {
        let mut received = vec![];
        let socket = self.get(handle);
        while socket.can_recv() {
            socket.recv(|bytes| (bytes.len(), received.extend_from_slice(bytes))).unwrap();
        }
        received
    }
}

/// What lasts as long as the tests.
fn forever<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

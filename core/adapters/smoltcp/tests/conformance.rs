//! The adapter follows the driving rule, with its peer on another socket of the same stack.

mod frames;

use std::ops::ControlFlow;

use barewire_conformance::{Adapter, Examiner, ExaminerError, ExaminerEvent, Peer, Seen, check};
use barewire_core::driver::{Driver, Step};
use barewire_core::time::Instant;
use barewire_smoltcp::{Broken, TcpTransport, time};
use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::tcp::{RecvError, Socket, SocketBuffer, State};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use frames::Frames;

const ADDRESS: IpAddress = IpAddress::v4(127, 0, 0, 1);
const PORT: u16 = 80;

fn forever<T>(values: Vec<T>) -> &'static mut [T] {
    Box::leak(values.into_boxed_slice())
}

/// A connection of a stack with itself.
struct Connection {
    interface: Interface,
    frames: Frames,
    sockets: SocketSet<'static>,
    near: SocketHandle,
    far: SocketHandle,
    driver: Driver,
    now: Instant,
    /// The far end has ended its direction, and has seen the end of the other.
    has_ended: bool,
    has_seen_end: bool,
}

impl Connection {
    fn new(size: usize) -> Self {
        let now = Instant::from_millis(1_000);
        let mut frames = Frames::default();
        let config = Config::new(HardwareAddress::Ip);
        let mut interface = Interface::new(config, &mut frames, time::to_instant(now));
        interface.update_ip_addrs(|addresses| addresses.push(IpCidr::new(ADDRESS, 8)).unwrap());
        let mut sockets = SocketSet::new(forever([const { SocketStorage::EMPTY }; 2].into()));
        let [near, far] = [(); 2].map(|()| {
            let buffer = || SocketBuffer::new(forever(vec![0; size]));
            let mut socket = Socket::new(buffer(), buffer());
            socket.set_nagle_enabled(false);
            socket.set_ack_delay(None);
            sockets.add(socket)
        });
        sockets.get_mut::<Socket<'_>>(near).listen(PORT).unwrap();
        let socket = sockets.get_mut::<Socket<'_>>(far);
        socket.connect(interface.context(), (ADDRESS, PORT), 50_000).unwrap();
        let driver = Driver::new();
        let (has_ended, has_seen_end) = (false, false);
        let mut connection =
            Self { interface, frames, sockets, near, far, driver, now, has_ended, has_seen_end };
        connection.settle();
        connection
    }

    fn settle(&mut self) {
        let Self { interface, frames, sockets, now, .. } = self;
        while interface.poll(time::to_instant(*now), frames, sockets) != PollResult::None {}
    }

    fn far(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.far)
    }
}

impl Peer for Connection {
    fn deliver(&mut self, bytes: &[u8]) {
        // Where the connection is gone already, nothing arrives.
        if let Ok(count) = self.far().send_slice(bytes) {
            assert_eq!(count, bytes.len(), "there is room");
        }
        self.settle();
    }

    fn end(&mut self) {
        self.has_ended = true;
        self.far().close();
        self.settle();
    }

    fn reset(&mut self) {
        self.far().abort();
        self.settle();
    }

    fn can_reset(&mut self) -> bool {
        self.sockets.get::<Socket<'_>>(self.near).is_open()
    }

    fn look(&mut self, seen: &mut Seen) {
        while self.far().can_recv() {
            let take = |bytes: &mut [u8]| (bytes.len(), seen.received.extend_from_slice(bytes));
            self.far().recv(take).unwrap();
            self.settle();
        }
        self.has_seen_end |= self.far().peek(0) == Err(RecvError::Finished);
        seen.ended = self.has_seen_end;
        let is_orderly = self.has_ended && self.has_seen_end;
        seen.reset |= self.far().state() == State::Closed && !is_orderly;
    }

    fn unread(&mut self) -> Option<usize> {
        Some(self.sockets.get::<Socket<'_>>(self.near).recv_queue())
    }
}

impl Adapter for Connection {
    type Error = Broken;
    type Peer = Self;

    fn peer(&mut self) -> &mut Self {
        self
    }

    fn turn(
        &mut self,
        now: Instant,
        examiner: &mut Examiner,
        on_event: &mut dyn FnMut(ExaminerEvent<'_>) -> ControlFlow<()>,
    ) -> Step<ExaminerError, Broken> {
        self.now = now;
        self.settle();
        let socket = self.sockets.get_mut::<Socket<'_>>(self.near);
        let mut transport = TcpTransport::new(socket, &self.driver);
        let step = self.driver.step(now, examiner, &mut transport, on_event);
        if let Step::Close = step {
            socket.close();
        }
        self.settle();
        if let Step::Reset = step {
            self.sockets.get_mut::<Socket<'_>>(self.near).abort();
            self.settle();
        }
        step
    }
}

#[test]
fn it_follows_the_driving_rule() {
    let report = check(|seed| Connection::new(if seed % 2 == 0 { 8_192 } else { 8_191 }));
    let report = report.unwrap_or_else(|violation| panic!("{violation}"));
    assert!(report.scripts > 50, "{report:?}");
}

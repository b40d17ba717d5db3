//! A board that sleeps until the network or its connection has something to do gets its socket back.

mod frames;

use barewire_core::hello::{HandshakeConfig, HandshakeError, Server};
use barewire_core::text::Text;
use barewire_core::time::{Duration, Instant};
use barewire_smoltcp::{Connection, FLUSH, time};
use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::tcp::{Socket, SocketBuffer};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use frames::Frames;

const ADDRESS: IpAddress = IpAddress::v4(127, 0, 0, 1);
const PORT: u16 = 80;
const START: Instant = Instant::from_secs(1);

/// A server of one socket, and a client on the same stack.
struct Board {
    interface: Interface,
    frames: Frames,
    sockets: SocketSet<'static>,
    near: SocketHandle,
    far: SocketHandle,
    now: Instant,
}

impl Board {
    fn new() -> Self {
        let mut frames = Frames::default();
        let config = Config::new(HardwareAddress::Ip);
        let mut interface = Interface::new(config, &mut frames, time::to_instant(START));
        interface.update_ip_addrs(|addresses| addresses.push(IpCidr::new(ADDRESS, 8)).unwrap());
        let mut sockets =
            SocketSet::new(Box::leak(Box::new([const { SocketStorage::EMPTY }; 2])).as_mut_slice());
        let [near, far] = [(); 2].map(|()| {
            let buffer = || SocketBuffer::new(vec![0; 256].leak());
            let mut socket = Socket::new(buffer(), buffer());
            socket.set_ack_delay(None);
            sockets.add(socket)
        });
        sockets.get_mut::<Socket<'_>>(near).listen(PORT).unwrap();
        let socket = sockets.get_mut::<Socket<'_>>(far);
        socket.connect(interface.context(), (ADDRESS, PORT), 50_000).unwrap();
        let mut board = Self { interface, frames, sockets, near, far, now: START };
        board.settle();
        board
    }

    fn settle(&mut self) {
        let Self { interface, frames, sockets, now, .. } = self;
        while interface.poll(time::to_instant(*now), frames, sockets) != PollResult::None {}
    }

    /// Sleeps until the network is due, or what the connection has told.
    #[track_caller]
    fn sleep(&mut self, due: Option<Instant>) {
        let Self { interface, sockets, now, .. } = self;
        let network = interface.poll_at(time::to_instant(*now), sockets).map(time::from_instant);
        let wake = [network, due].into_iter().flatten().min();
        self.now = wake.expect("it would sleep for ever").max(self.now);
        self.settle();
    }

    /// Serves the client until the socket can be used again: how that went, and when it was.
    #[track_caller]
    fn serve(mut self) -> (Option<HandshakeError>, Duration) {
        let greeting = Text::new("hello").unwrap();
        let mut session = Server::<16>::new(START, greeting, HandshakeConfig::default());
        let mut connection = Connection::new();
        let failed = loop {
            let socket = self.sockets.get_mut(self.near);
            match connection.drive(self.now, &mut session, socket, |_| {}) {
                Err(nb::Error::WouldBlock) => {}
                Err(nb::Error::Other(error)) => match error {
                    barewire_core::driver::DriveError::Session(error) => break Some(error),
                    other => panic!("{other}"),
                },
                Ok(()) => break None,
            }
            self.sleep(connection.poll_deadline(&session));
        };
        while let Some(due) = connection.finish(self.now, self.sockets.get_mut(self.near)) {
            self.sleep(Some(due));
        }
        (failed, self.now.duration_since(START))
    }
}

#[test]
fn though_the_client_says_nothing() {
    let (failed, time) = Board::new().serve();
    assert_eq!(failed, Some(HandshakeError::TimedOut));
    assert!(time <= HandshakeConfig::default().timeout + FLUSH, "{time}");
}

#[test]
fn though_the_client_answers_and_never_closes() {
    let mut board = Board::new();
    board.sockets.get_mut::<Socket<'_>>(board.far).send_slice(b"hello\n").unwrap();
    board.settle();
    let (failed, time) = board.serve();
    assert_eq!(failed, None);
    assert!(time <= FLUSH, "{time}");
}

#[test]
fn though_the_client_closes_in_order() {
    let mut board = Board::new();
    let client = board.sockets.get_mut::<Socket<'_>>(board.far);
    client.send_slice(b"hello").unwrap();
    client.close();
    board.settle();
    let (failed, time) = board.serve();
    assert_eq!(failed, None);
    assert!(time.is_zero(), "{time}");
}

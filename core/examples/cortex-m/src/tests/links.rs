//! The driver: what a session is told, and how a connection ends.

use std::string::{String, ToString};
use std::vec::Vec;

use barewire_core::driver::DriveError;
use barewire_core::file::{self, Sender};
use barewire_core::hello::{Client, HandshakeConfig, HandshakeError, Server};
use barewire_core::text::Text;
use barewire_smoltcp::{Broken, Connection};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::{RecvError, State};

use super::World;

type Outcome = Result<(), DriveError<HandshakeError, Broken>>;

/// A server's or a client's side of a hello, on one socket.
struct Side<S> {
    handle: SocketHandle,
    connection: Connection,
    session: S,
    heard: Vec<String>,
    outcome: Option<Outcome>,
}

impl<S> Side<S>
where
    S: for<'s> barewire_core::session::Events<'s, Event = Text<'s>>
        + barewire_core::session::Session<Error = HandshakeError>,
{
    fn new(handle: SocketHandle, session: S) -> Self {
        Self { handle, connection: Connection::new(), session, heard: Vec::new(), outcome: None }
    }

    /// Its turn; tells whether its conversation is over.
    fn turn(&mut self, world: &mut World) -> bool {
        if self.outcome.is_some() {
            self.connection.finish(world.now, world.net.sockets.get_mut(self.handle));
        }
        if self.outcome.is_none() {
            let (now, heard) = (world.now, &mut self.heard);
            let socket = world.net.sockets.get_mut(self.handle);
            let on_event = |text: Text<'_>| heard.push(text.to_string());
            self.outcome = match self.connection.drive(now, &mut self.session, socket, on_event) {
                Ok(()) => Some(Ok(())),
                Err(nb::Error::WouldBlock) => None,
                Err(nb::Error::Other(fault)) => Some(Err(fault)),
            };
        }
        self.outcome.is_some()
    }
}

fn text(text: &str) -> Text<'_> {
    Text::new(text).unwrap()
}

fn client(world: &World, handle: SocketHandle) -> Side<Client<'static, 64>> {
    Side::new(handle, Client::new(world.now, text("fine"), HandshakeConfig::default()))
}

fn server(world: &World, handle: SocketHandle) -> Side<Server<'static, 64>> {
    // Longer than the buffers, which are rings.
    let greeting = "how do you do, all you on the other side of this very narrow connection?";
    Side::new(handle, Server::new(world.now, text(greeting), HandshakeConfig::default()))
}

#[test]
fn two_sessions_talk_and_close() {
    let mut world = World::new();
    let (near, far) = world.pair();
    let (mut client, mut server) = (client(&world, near), server(&world, far));
    server.session = Server::new(world.now, text("how are you?"), HandshakeConfig::default());
    world.until(|world| client.turn(world) & server.turn(world));
    assert_eq!((client.outcome, server.outcome), (Some(Ok(())), Some(Ok(()))));
    assert_eq!(
        (&client.heard[..], &server.heard[..]),
        (&["how are you?".into()][..], &["fine".into()][..])
    );
    world.until(|world| world.get(near).state() == State::Closed || !world.get(near).is_open());
    assert!(!world.get(far).may_send());
}

#[test]
fn what_is_longer_than_the_buffers_wraps_around_in_them() {
    let mut world = World::new();
    let (near, far) = world.pair();
    let mut server = server(&world, far);
    let mut received = Vec::new();
    world.until(|world| {
        server.turn(world);
        received.extend(world.read(near));
        received.ends_with(b"\n")
    });
    assert!(received.starts_with(b"how do you do") && received.ends_with(b"narrow connection?\n"));
}

#[test]
fn the_end_of_the_stream_ends_a_text() {
    let mut world = World::new();
    let (near, far) = world.pair();
    let mut client = client(&world, near);
    world.get(far).send_slice(b"how are").unwrap();
    world.get(far).close();
    world.until(|world| client.turn(world));
    assert_eq!((client.heard, client.outcome), (["how are".into()].into(), Some(Ok(()))));
    world.until(|world| world.get(far).state() == State::TimeWait);
    assert_eq!(world.read(far), b"fine");
}

#[test]
fn a_reset_is_no_end_of_the_stream() {
    let mut world = World::new();
    let (near, far) = world.pair();
    let mut client = client(&world, near);
    world.get(far).send_slice(b"how are").unwrap();
    world.until(|world| world.get(near).recv_queue() == 7);
    world.get(far).abort();
    world.until(|world| client.turn(world));
    assert_eq!(client.outcome, Some(Err(DriveError::Connection(Broken))));
    assert!(client.heard.is_empty(), "half a greeting is none");
}

#[test]
fn a_reset_behind_the_end_of_the_stream_shows_as_well() {
    let mut world = World::new();
    let (near, far) = world.pair();
    world.get(far).send_slice(b"how are").unwrap();
    world.get(far).close();
    world.until(|world| world.get(near).state() == State::CloseWait);
    world.get(far).abort();
    world.until(|world| world.get(near).state() == State::Closed);
    let mut client = client(&world, near);
    assert!(client.turn(&mut world));
    assert_eq!(client.heard, ["how are"]);
    assert_eq!(client.outcome, Some(Err(DriveError::Connection(Broken))), "it could not answer");
}

#[test]
fn a_failure_before_the_half_close_is_a_reset() {
    let mut world = World::new();
    let (near, far) = world.pair();
    let mut client = client(&world, near);
    world.get(far).send_slice(&[b'x'; 64]).unwrap();
    world.until(|world| {
        let _ = world.get(far).send_slice(b"x");
        client.turn(world)
    });
    assert_eq!(client.outcome, Some(Err(DriveError::Session(HandshakeError::TooLong))));
    world.until(|world| {
        client.turn(world);
        world.get(far).state() == State::Closed
    });
    assert_eq!(world.get(far).recv(|_| (0, ())), Err(RecvError::InvalidState), "a reset");
}

#[test]
fn a_failure_after_the_half_close_is_no_reset() {
    let mut world = World::new();
    let (near, far) = world.pair();
    let mut server = server(&world, far);
    let mut received = Vec::new();
    world.until(|world| {
        server.turn(world);
        received.extend(world.read(near));
        world.get(near).state() == State::CloseWait
    });
    assert!(received.ends_with(b"narrow connection?\n"));
    world.until(|world| {
        let _ = world.get(near).send_slice(b"xx");
        server.turn(world)
    });
    assert_eq!(server.outcome, Some(Err(DriveError::Session(HandshakeError::TooLong))));
    for _ in 0..10 {
        world.step();
    }
    assert_eq!(world.get(near).state(), State::CloseWait);
}

#[test]
fn a_reset_shows_while_the_session_waits_for_its_owner() {
    let mut world = World::new();
    let (near, far) = world.pair();
    world.get(near).send_slice(b"name\n").unwrap();
    world.get(near).close();
    let (mut connection, mut sender) =
        (Connection::new(), Sender::<64>::new(world.now, file::TransferConfig::default()));
    let mut drive = |world: &mut World| {
        let now = world.now;
        connection.drive(now, &mut sender, world.get(far), |_| {})
    };
    world.until(|world| {
        assert_eq!(drive(world), Err(nb::Error::WouldBlock));
        world.get(far).state() == State::CloseWait
    });
    assert_eq!(drive(&mut world), Err(nb::Error::WouldBlock), "the end of the stream is none");
    world.get(near).abort();
    world.until(|world| drive(world) != Err(nb::Error::WouldBlock));
    assert_eq!(world.get(far).state(), State::Closed);
}

#[test]
fn a_deadline_comes_without_a_byte() {
    let mut world = World::new();
    let (near, _far) = world.pair();
    let mut client = client(&world, near);
    let start = world.now;
    world.until(|world| client.turn(world));
    assert_eq!(client.outcome, Some(Err(DriveError::Session(HandshakeError::TimedOut))));
    assert_eq!(world.now.duration_since(start), HandshakeConfig::default().timeout);
}

#[test]
fn nothing_happens_before_the_connection_is_there() {
    let mut world = World::new();
    let near = world.connect(64);
    let mut client = client(&world, near);
    assert!(!client.turn(&mut world), "that is no broken connection");
}

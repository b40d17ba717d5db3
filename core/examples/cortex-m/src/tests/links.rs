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

use super::TestStack;

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
    fn turn(&mut self, stack: &mut TestStack) -> bool {
        if self.outcome.is_some() {
            let _ = self.connection.finish(stack.now, stack.net.sockets.get_mut(self.handle));
        }
        if self.outcome.is_none() {
            let (now, heard) = (stack.now, &mut self.heard);
            let socket = stack.net.sockets.get_mut(self.handle);
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

fn client(stack: &TestStack, handle: SocketHandle) -> Side<Client<'static, 64>> {
    Side::new(handle, Client::new(stack.now, text("fine"), HandshakeConfig::default()))
}

fn server(stack: &TestStack, handle: SocketHandle) -> Side<Server<'static, 64>> {
    // Longer than the buffers, which are rings.
    let greeting = "how do you do, all you on the other side of this very narrow connection?";
    Side::new(handle, Server::new(stack.now, text(greeting), HandshakeConfig::default()))
}

#[test]
fn two_sessions_talk_and_close() {
    let mut stack = TestStack::new();
    let (near, far) = stack.pair();
    let (mut client, mut server) = (client(&stack, near), server(&stack, far));
    server.session = Server::new(stack.now, text("how are you?"), HandshakeConfig::default());
    stack.until(|stack| client.turn(stack) & server.turn(stack));
    assert_eq!((client.outcome, server.outcome), (Some(Ok(())), Some(Ok(()))));
    assert_eq!(
        (&client.heard[..], &server.heard[..]),
        (&["how are you?".into()][..], &["fine".into()][..])
    );
    stack.until(|stack| stack.get(near).state() == State::Closed || !stack.get(near).is_open());
    assert!(!stack.get(far).may_send());
}

#[test]
fn what_is_longer_than_the_buffers_wraps_around_in_them() {
    let mut stack = TestStack::new();
    let (near, far) = stack.pair();
    let mut server = server(&stack, far);
    let mut received = Vec::new();
    stack.until(|stack| {
        server.turn(stack);
        received.extend(stack.read(near));
        received.ends_with(b"\n")
    });
    assert!(received.starts_with(b"how do you do") && received.ends_with(b"narrow connection?\n"));
}

#[test]
fn the_end_of_the_stream_ends_a_text() {
    let mut stack = TestStack::new();
    let (near, far) = stack.pair();
    let mut client = client(&stack, near);
    stack.get(far).send_slice(b"how are").unwrap();
    stack.get(far).close();
    stack.until(|stack| client.turn(stack));
    assert_eq!((client.heard, client.outcome), (["how are".into()].into(), Some(Ok(()))));
    stack.until(|stack| stack.get(far).state() == State::TimeWait);
    assert_eq!(stack.read(far), b"fine");
}

#[test]
fn a_reset_is_no_end_of_the_stream() {
    let mut stack = TestStack::new();
    let (near, far) = stack.pair();
    let mut client = client(&stack, near);
    stack.get(far).send_slice(b"how are").unwrap();
    stack.until(|stack| stack.get(near).recv_queue() == 7);
    stack.get(far).abort();
    stack.until(|stack| client.turn(stack));
    assert_eq!(client.outcome, Some(Err(DriveError::Connection(Broken))));
    assert!(client.heard.is_empty(), "half a greeting is none");
}

#[test]
fn a_reset_behind_the_end_of_the_stream_shows_as_well() {
    let mut stack = TestStack::new();
    let (near, far) = stack.pair();
    stack.get(far).send_slice(b"how are").unwrap();
    stack.get(far).close();
    stack.until(|stack| stack.get(near).state() == State::CloseWait);
    stack.get(far).abort();
    stack.until(|stack| stack.get(near).state() == State::Closed);
    let mut client = client(&stack, near);
    assert!(client.turn(&mut stack));
    assert_eq!(client.heard, ["how are"]);
    assert_eq!(client.outcome, Some(Err(DriveError::Connection(Broken))), "it could not answer");
}

#[test]
fn a_failure_before_the_half_close_is_a_reset() {
    let mut stack = TestStack::new();
    let (near, far) = stack.pair();
    let mut client = client(&stack, near);
    stack.get(far).send_slice(&[b'x'; 64]).unwrap();
    stack.until(|stack| {
        let _ = stack.get(far).send_slice(b"x");
        client.turn(stack)
    });
    assert_eq!(client.outcome, Some(Err(DriveError::Session(HandshakeError::TooLong))));
    stack.until(|stack| {
        client.turn(stack);
        stack.get(far).state() == State::Closed
    });
    assert_eq!(stack.get(far).recv(|_| (0, ())), Err(RecvError::InvalidState), "a reset");
}

#[test]
fn a_failure_after_the_half_close_is_no_reset() {
    let mut stack = TestStack::new();
    let (near, far) = stack.pair();
    let mut server = server(&stack, far);
    let mut received = Vec::new();
    stack.until(|stack| {
        server.turn(stack);
        received.extend(stack.read(near));
        stack.get(near).state() == State::CloseWait
    });
    assert!(received.ends_with(b"narrow connection?\n"));
    stack.until(|stack| {
        let _ = stack.get(near).send_slice(b"xx");
        server.turn(stack)
    });
    assert_eq!(server.outcome, Some(Err(DriveError::Session(HandshakeError::TooLong))));
    for _ in 0..10 {
        stack.step();
    }
    assert_eq!(stack.get(near).state(), State::CloseWait);
}

#[test]
fn a_reset_shows_while_the_session_waits_for_its_owner() {
    let mut stack = TestStack::new();
    let (near, far) = stack.pair();
    stack.get(near).send_slice(b"name\n").unwrap();
    stack.get(near).close();
    let (mut connection, mut sender) =
        (Connection::new(), Sender::<64>::new(stack.now, file::TransferConfig::default()));
    let mut drive = |stack: &mut TestStack| {
        let now = stack.now;
        connection.drive(now, &mut sender, stack.get(far), |_| {})
    };
    stack.until(|stack| {
        assert_eq!(drive(stack), Err(nb::Error::WouldBlock));
        stack.get(far).state() == State::CloseWait
    });
    assert_eq!(drive(&mut stack), Err(nb::Error::WouldBlock), "the end of the stream is none");
    stack.get(near).abort();
    stack.until(|stack| drive(stack) != Err(nb::Error::WouldBlock));
    assert_eq!(stack.get(far).state(), State::Closed);
}

#[test]
fn a_deadline_comes_without_a_byte() {
    let mut stack = TestStack::new();
    let (near, _far) = stack.pair();
    let mut client = client(&stack, near);
    let start = stack.now;
    stack.until(|stack| client.turn(stack));
    assert_eq!(client.outcome, Some(Err(DriveError::Session(HandshakeError::TimedOut))));
    assert_eq!(stack.now.duration_since(start), HandshakeConfig::default().timeout);
}

#[test]
fn nothing_happens_before_the_connection_is_there() {
    let mut stack = TestStack::new();
    let near = stack.connect(64);
    let mut client = client(&stack, near);
    assert!(!client.turn(&mut stack), "that is no broken connection");
}

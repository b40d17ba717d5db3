//! The services under a key.

use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use barewire_core::chat::{RoomConfig, RoomStorage};
use barewire_core::driver::DriveError;
use barewire_core::secure::{ChannelError, DEFAULT_TIMEOUT, Key, RandomFn, SecuredError};
use barewire_core::session::Session;
use barewire_core::text::Text;
use smoltcp::socket::tcp::State;
use smoltcp::wire::IpEndpoint;

use super::{ADDRESS, PORT, TestStack, forever};
use crate::call::{Call, CallError, Client};
use crate::chat::RoomService;
use crate::files::{Fetch, File, FileService, FlashStore};
use crate::hello::{HelloClient, HelloService};
use crate::net::Net;
use crate::security::Keyed;
use crate::server::{Server, Service};

type Dice = RandomFn<Box<dyn FnMut(&mut [u8])>>;

/// No chance at all: each byte is one more than the last.
fn dice(mut next: u8) -> Dice {
    RandomFn::new(Box::new(move |bytes| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
    }))
}

/// What one side has: this key, and the memory for one channel.
type Side = Keyed<Dice, 1>;

fn side(key: u8, chance: u8) -> Side {
    let memory = [vec![0; 1024].leak(), vec![0; 100].leak()];
    Keyed::new(forever([Key::new([key; 32])]), dice(chance), [memory])
}

/// A service on one socket, under the key 1.
struct Board<S: Service> {
    stack: TestStack,
    server: Server<S, Side, 1>,
    security: Side,
}

impl<S: Service> Board<S> {
    fn new(mut stack: TestStack, service: S) -> Self {
        let server = Server::new(service, PORT, [stack.socket(128)]);
        Self { stack, server, security: side(1, 0) }
    }

    /// Lets time pass until `done`, which has its turn in each step.
    #[track_caller]
    fn until(&mut self, mut done: impl FnMut(&mut TestStack) -> bool) {
        let Self { stack, server, security } = self;
        stack.until(|stack| {
            server.turn(security, &mut stack.net.sockets, stack.now);
            done(stack)
        });
    }

    /// Has a client with this key call it, until that is over, and gives the client back.
    #[track_caller]
    fn call<C: Client>(
        &mut self,
        key: u8,
        client: C,
    ) -> Result<C, CallError<<C::Session as Session>::Error>> {
        let (handle, port) = (self.stack.socket(200), self.stack.port());
        let Net { interface, sockets, .. } = &mut self.stack.net;
        let (socket, context) = (sockets.get_mut(handle), interface.context());
        let server = IpEndpoint::new(ADDRESS, PORT);
        let mut call =
            Call::<_, Side>::new(client, socket, context, server, port, self.stack.now).unwrap();
        let (mut security, mut outcome) = (side(key, 99), None);
        self.until(|stack| {
            outcome = match call.turn(&mut security, stack.net.sockets.get_mut(handle), stack.now) {
                Ok(()) => Some(Ok(())),
                Err(nb::Error::WouldBlock) => None,
                Err(nb::Error::Other(error)) => Some(Err(error)),
            };
            outcome.is_some()
        });
        outcome.unwrap().map(|()| call.into_client())
    }
}

fn hello() -> HelloService {
    HelloService::new(Text::new("how are you?").unwrap())
}

fn fine() -> HelloClient<'static> {
    HelloClient::new(Text::new("fine").unwrap())
}

#[test]
fn who_has_the_key_is_greeted_again_and_again_in_the_same_memory() {
    let mut board = Board::new(TestStack::new(), hello());
    for _ in 0..3 {
        board.call(1, fine()).unwrap();
    }
}

#[test]
fn who_has_another_key_or_none_gives_the_memory_back() {
    let mut board = Board::new(TestStack::new(), hello());
    for _ in 0..2 {
        let refused = board.call(2, fine()).unwrap_err();
        let error = SecuredError::Channel(ChannelError::Refused);
        assert_eq!(refused, CallError::Failed(DriveError::Session(error)));
        let raw = board.stack.connect(64);
        let mut has_spoken = false;
        board.until(|stack| {
            if !has_spoken && stack.get(raw).may_send() {
                has_spoken = true;
                stack.get(raw).send_slice(b"h").unwrap();
            }
            has_spoken && stack.get(raw).state() == State::Closed
        });
        assert!(board.stack.read(raw).is_empty(), "it says something to who has no key");
    }
    board.call(1, fine()).unwrap();
}

#[test]
fn a_download_is_proven_over_a_network_that_loses_frames() {
    static CONTENTS: [u8; 6_000] = [0x5a; 6_000];
    static FILES: [File; 1] = [File::new("contents", &CONTENTS)];
    let service = FileService::new(FlashStore::new(&FILES));
    let mut board = Board::new(TestStack::with_loss(10), service);
    let mut received = Vec::new();
    let fetch = board.call(1, Fetch::new("contents", |bytes| received.extend_from_slice(bytes)));
    assert!(fetch.unwrap().is_proven());
    assert!(received == CONTENTS);
}

#[test]
fn nobody_joins_before_the_key_is_shown_and_who_waits_is_late() {
    const CONFIG: RoomConfig = RoomConfig::new().with_max_text(64).with_line_buffers(1);
    let storage = forever(RoomStorage::<2, 16, { CONFIG.bytes(2048) }>::new());
    let mut board = Board::new(TestStack::new(), RoomService::new(storage.room(CONFIG).unwrap()));
    let silent = board.stack.connect(64);
    let end = board.stack.now + DEFAULT_TIMEOUT;
    board.until(|stack| stack.now >= end);
    assert!(!board.server.service().has_more(), "somebody is told of");
    board.until(|stack| stack.get(silent).state() == State::Closed);
    assert!(board.stack.read(silent).is_empty());
}

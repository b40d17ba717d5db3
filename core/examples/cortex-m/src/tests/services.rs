//! The services, with this crate's own clients and with raw sockets.

use std::vec::Vec;

use barewire_core::chat::{Room, RoomConfig, RoomStorage};
use barewire_core::driver::LINGER;
use barewire_core::hello::DEFAULT_TIMEOUT;
use barewire_core::text::Text;
use barewire_core::time::Duration;
use barewire_smoltcp::FLUSH;
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::State;
use smoltcp::wire::IpEndpoint;

use super::{ADDRESS, PORT, TestStack, forever};
use crate::call::{Call, CallError, Client};
use crate::chat::{Passer, RoomService};
use crate::files::{Fetch, File, FileService, FlashStore};
use crate::hello::{HelloClient, HelloService};
use crate::net::Net;
use crate::security::Plain;
use crate::server::{Server, Service};

/// Longer than any buffer, and a digest's worth of pieces.
static CONTENTS: [u8; 10_000] = {
    let mut bytes = [0; 10_000];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = (at * at / 8).to_le_bytes()[0];
        at += 1;
    }
    bytes
};

static FILES: [File; 2] = [File::new("contents", &CONTENTS), File::new("empty", b"")];

fn server<S: Service, const N: usize>(stack: &mut TestStack, service: S) -> Server<S, Plain, N> {
    Server::new(service, PORT, [(); N].map(|()| stack.socket(128)))
}

fn hello_service<const N: usize>(stack: &mut TestStack) -> Server<HelloService, Plain, N> {
    server(stack, HelloService::new(Text::new("how are you?").unwrap()))
}

fn file_service<const N: usize>(stack: &mut TestStack) -> Server<FileService, Plain, N> {
    server(stack, FileService::new(FlashStore::new(&FILES)))
}

/// Calls the server, in a socket of its own.
fn call<C: Client>(stack: &mut TestStack, client: C) -> (SocketHandle, Call<C, Plain>) {
    let (handle, port) = (stack.socket(200), stack.port());
    let Net { interface, sockets, .. } = &mut stack.net;
    let server = IpEndpoint::new(ADDRESS, PORT);
    let (socket, context) = (sockets.get_mut(handle), interface.context());
    (handle, Call::new(client, socket, context, server, port, stack.now).unwrap())
}

/// Has a call and a server take turns until the call is over, and gives the client back.
#[track_caller]
fn finish<C: Client, S: Service, const N: usize>(
    stack: &mut TestStack,
    server: &mut Server<S, Plain, N>,
    (handle, mut call): (SocketHandle, Call<C, Plain>),
) -> Result<C, CallError<<C::Session as barewire_core::session::Session>::Error>> {
    let mut outcome = None;
    stack.until(|stack| {
        server.turn(&mut Plain, &mut stack.net.sockets, stack.now);
        outcome = match call.turn(&mut Plain, stack.net.sockets.get_mut(handle), stack.now) {
            Ok(()) => Some(Ok(())),
            Err(nb::Error::WouldBlock) => None,
            Err(nb::Error::Other(error)) => Some(Err(error)),
        };
        outcome.is_some()
    });
    outcome.unwrap().map(|()| call.into_client())
}

#[test]
fn a_guest_is_greeted_again_and_again_on_one_socket() {
    let mut stack = TestStack::new();
    let mut service = hello_service::<1>(&mut stack);
    for _ in 0..3 {
        let call = call(&mut stack, HelloClient::new(Text::new("fine").unwrap()));
        finish(&mut stack, &mut service, call).unwrap();
    }
}

#[test]
fn nobody_answers_where_nothing_listens() {
    let mut stack = TestStack::new();
    let mut nobody = server::<_, 0>(&mut stack, HelloService::new(Text::new("").unwrap()));
    let call = call(&mut stack, HelloClient::new(Text::new("fine").unwrap()));
    assert_eq!(finish(&mut stack, &mut nobody, call).unwrap_err(), CallError::Refused);
}

#[test]
fn a_silent_client_keeps_nobody_out() {
    let mut stack = TestStack::new();
    let mut service = hello_service::<2>(&mut stack);
    let silent = stack.connect(64);
    let call = call(&mut stack, HelloClient::new(Text::new("fine").unwrap()));
    finish(&mut stack, &mut service, call).unwrap();
    assert!(stack.get(silent).may_send(), "and is not sent away itself");
}

#[test]
fn a_client_that_never_closes_is_reset_in_the_end() {
    let mut stack = TestStack::new();
    let mut service = hello_service::<1>(&mut stack);
    let raw = stack.connect(64);
    stack.until(|stack| {
        service.turn(&mut Plain, &mut stack.net.sockets, stack.now);
        stack.get(raw).can_recv()
    });
    stack.get(raw).send_slice(b"fine\n").unwrap();
    let start = stack.now;
    stack.until(|stack| {
        service.turn(&mut Plain, &mut stack.net.sockets, stack.now);
        stack.get(raw).state() == State::Closed
    });
    let took = stack.now.duration_since(start);
    assert!(took >= LINGER && took.as_micros() < LINGER.as_micros() + 50_000, "{took}");
    let call = call(&mut stack, HelloClient::new(Text::new("fine").unwrap()));
    finish(&mut stack, &mut service, call).unwrap();
}

#[test]
fn a_client_whose_machine_is_gone_gives_its_socket_back() {
    let mut stack = TestStack::new();
    let handle = stack.socket(128);
    let service = HelloService::new(Text::new("how are you?").unwrap());
    let mut service = Server::new(service, PORT, [handle]);
    let gone = stack.connect(64);
    stack.until(|stack| {
        service.turn(&mut Plain, &mut stack.net.sockets, stack.now);
        stack.get(gone).can_recv()
    });
    // Not even who it was is known any more, so no reset can be sent.
    stack.net.sockets.remove(gone);
    stack.net.device.set_drop_chance(100);
    stack.net.interface.update_ip_addrs(|_| {});
    let end = stack.now + DEFAULT_TIMEOUT + FLUSH + FLUSH + Duration::from_secs(1);
    stack.until(|stack| {
        service.turn(&mut Plain, &mut stack.net.sockets, stack.now);
        stack.now >= end
    });
    assert!(stack.get(handle).is_listening());
}

#[track_caller]
fn downloads(mut stack: TestStack) {
    let mut service = file_service::<1>(&mut stack);
    let mut received = Vec::new();
    let fetch = Fetch::new("contents", |bytes| received.extend_from_slice(bytes));
    let call = call(&mut stack, fetch);
    let (is_proven, size) = {
        let fetch = finish(&mut stack, &mut service, call).unwrap();
        (fetch.is_proven(), fetch.size())
    };
    assert_eq!((is_proven, size), (true, CONTENTS.len() as u64));
    assert!(received == CONTENTS);
}

#[test]
fn a_download_is_proven() {
    downloads(TestStack::new());
}

#[test]
fn a_download_is_proven_over_a_network_that_loses_frames() {
    downloads(TestStack::with_loss(10));
}

#[test]
fn what_is_not_there_is_refused_and_what_is_empty_is_whole() {
    let mut stack = TestStack::new();
    let mut service = file_service::<2>(&mut stack);
    for (name, is_proven) in [("none", false), ("empty", true)] {
        let call = call(&mut stack, Fetch::new(name, |_| {}));
        let fetch = finish(&mut stack, &mut service, call).unwrap();
        assert_eq!((fetch.is_proven(), fetch.size()), (is_proven, 0), "{name}");
    }
}

#[test]
fn requests_that_wait_in_the_receive_buffer_are_answered_in_turn() {
    let mut stack = TestStack::new();
    let mut service = file_service::<1>(&mut stack);
    let raw = stack.connect(256);
    let mut request = b"\0BW\x02\x01\0\0\x08".to_vec();
    request.extend([0; 8]);
    request.extend([0xff; 8]);
    request.extend([0; 16]);
    request.extend(b"contents");
    let mut received = Vec::new();
    let mut sent = false;
    stack.until(|stack| {
        service.turn(&mut Plain, &mut stack.net.sockets, stack.now);
        if !sent && stack.get(raw).may_send() {
            sent = true;
            stack.get(raw).send_slice(&request.repeat(3)).unwrap();
            stack.get(raw).close();
        }
        received.extend(stack.read(raw));
        sent && !stack.get(raw).may_recv()
    });
    assert_eq!(received.len(), 3 * (64 + CONTENTS.len()));
    for response in received.chunks(64 + CONTENTS.len()) {
        assert!(response[64..] == CONTENTS);
    }
}

#[test]
fn two_clients_share_the_digester() {
    let mut stack = TestStack::new();
    let mut service = file_service::<2>(&mut stack);
    let mut calls = [(); 2].map(|()| call(&mut stack, Fetch::new("contents", |_| {})));
    let mut left = 2;
    stack.until(|stack| {
        service.turn(&mut Plain, &mut stack.net.sockets, stack.now);
        for (handle, call) in &mut calls {
            match call.turn(&mut Plain, stack.net.sockets.get_mut(*handle), stack.now) {
                Ok(()) => left -= 1,
                Err(nb::Error::WouldBlock) => {}
                Err(nb::Error::Other(error)) => panic!("{error}"),
            }
        }
        left == 0
    });
    for (_, call) in calls {
        assert!(call.into_client().is_proven());
    }
}

#[test]
fn a_client_that_goes_away_gives_the_digester_back() {
    let mut stack = TestStack::new();
    let mut service = file_service::<2>(&mut stack);
    let mut leaver = call(&mut stack, Fetch::new("contents", |_| {}));
    // The first piece of the digest is done, and the second is not.
    stack.until(|stack| {
        let _ = leaver.1.turn(&mut Plain, stack.net.sockets.get_mut(leaver.0), stack.now);
        service.turn(&mut Plain, &mut stack.net.sockets, stack.now)
    });
    stack.get(leaver.0).abort();
    let call = call(&mut stack, Fetch::new("contents", |_| {}));
    assert!(finish(&mut stack, &mut service, call).unwrap().is_proven());
}

#[test]
fn a_line_reaches_the_others_and_a_full_room_turns_away() {
    const CONFIG: RoomConfig = RoomConfig::new().with_max_text(64).with_line_buffers(1);
    let mut stack = TestStack::new();
    let storage = forever(RoomStorage::<3, 16, { CONFIG.bytes(2048) }>::new());
    let room: Room<'static> = storage.room(CONFIG).unwrap();
    let mut hall = server::<_, 3>(&mut stack, RoomService::new(room));
    let (member, passer) =
        (stack.connect(512), call(&mut stack, Passer::new(Text::new("hi").unwrap())));
    let mut heard = Vec::new();
    let mut is_answered = false;
    let (handle, mut passer) = passer;
    stack.until(|stack| {
        hall.turn(&mut Plain, &mut stack.net.sockets, stack.now);
        heard.extend(stack.read(member));
        if !is_answered && heard.ends_with(b": hi\n") {
            is_answered = true;
            stack.get(member).send_slice(b"hello\n").unwrap();
        }
        passer.turn(&mut Plain, stack.net.sockets.get_mut(handle), stack.now).is_ok()
    });
    assert!(passer.into_client().has_heard());
    let heard = std::string::String::from_utf8(heard).unwrap();
    assert!(heard.starts_with("* welcome to barewire chat, you are guest1 (/help)\n"), "{heard}");

    let (second, third) = (stack.connect(512), stack.connect(512));
    stack.until(|stack| {
        hall.turn(&mut Plain, &mut stack.net.sockets, stack.now);
        stack.get(third).state() == State::Closed
    });
    assert!(stack.get(second).may_recv(), "only the one too many is turned away");
}

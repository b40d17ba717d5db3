//! Conversations through a channel.

use core::convert::Infallible;
use core::task::Poll;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream as StdStream};
use std::sync::Arc;

use barewire_core::hello::{self, HandshakeConfig, HandshakeError};
use barewire_core::secure::{ChannelConfig, ChannelError, Conversation, Key};
use barewire_core::session::{Event, Events, Output, Session};
use barewire_core::text::Text;
use barewire_core::time::Instant;

use super::sender::{Sender, TestFiles, calls_and_gathered, serve};
use super::{Contents, Link, LinkError, WRITES, pair};
use crate::executor::{Context, Executor};
use crate::link::connection::SMALL;
use crate::link::{OwnedChannel, RecordBuffers};
use crate::stream::StreamSocket;
use crate::testing::task;

const LEAST: RecordBuffers = RecordBuffers { receive: 1024, send: 64 };
pub(super) const SMALL_RECORDS: RecordBuffers = RecordBuffers { receive: 1024, send: 1024 };
const LARGE: RecordBuffers = RecordBuffers { receive: 65_536, send: 65_536 };

const CONFIG: ChannelConfig = ChannelConfig::new(Conversation::Hello);

fn key(number: u8) -> Key {
    Key::new([number; 32])
}

pub(super) fn server(stream: StreamSocket, keys: &[u8], buffers: RecordBuffers) -> Link {
    let keys: Arc<[Key]> = keys.iter().copied().map(key).collect();
    let channel = OwnedChannel::server(Instant::ZERO, CONFIG, buffers, keys);
    Link::new(stream).with_channel(channel.unwrap())
}

pub(super) fn client(stream: StreamSocket, number: u8, buffers: RecordBuffers) -> Link {
    let channel = OwnedChannel::client(Instant::ZERO, CONFIG, buffers, &key(number));
    Link::new(stream).with_channel(channel.unwrap())
}

fn greeting(text: &'static str) -> Text<'static> {
    Text::new(text).unwrap()
}

pub(super) fn greeter() -> hello::Server<'static> {
    hello::Server::new(Instant::ZERO, greeting("welcome"), HandshakeConfig::default())
}

pub(super) fn guest() -> hello::Client<'static> {
    hello::Client::new(Instant::ZERO, greeting("thanks"), HandshakeConfig::default())
}

/// What became of one end.
#[derive(Debug)]
struct Ended<E> {
    result: Result<(), LinkError<E>>,
    heard: Vec<u8>,
    peer_key: Option<usize>,
}

/// Has `executor` drive `session` over `link` to its end, which is left in `place` of its state.
fn spawn<W: 'static, S: Session + 'static>(
    executor: &mut Executor<'_, W>,
    mut link: Link,
    mut session: S,
    hear: impl for<'s> Fn(&mut Vec<u8>, Event<'s, S>) + 'static,
    place: impl Fn(&mut W) -> &mut Option<Ended<S::Error>> + 'static,
) {
    let mut heard = Vec::new();
    executor.spawn(task(move |state: &mut W, cx| {
        let over = link.drive(cx, &mut session, |event| hear(&mut heard, event));
        let result = match over {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Err(nb::Error::Other(error)) => Err(error),
            Ok(()) => Ok(()),
        };
        let heard = core::mem::take(&mut heard);
        *place(state) = Some(Ended { result, heard, peer_key: link.peer_key() });
        Poll::Ready(())
    }));
}

fn hear_text(heard: &mut Vec<u8>, text: Text<'_>) {
    heard.extend_from_slice(text.as_bytes());
}

fn hear_bytes(heard: &mut Vec<u8>, bytes: &[u8]) {
    heard.extend_from_slice(bytes);
}

type BothEnded = [Option<Ended<HandshakeError>>; 2];

/// The hello handshake between these two: what became of the server's end, and of the client's.
fn greet(mut executor: Executor<'_, BothEnded>, server: Link, client: Link) -> BothEnded {
    spawn(&mut executor, server, greeter(), hear_text, |both: &mut BothEnded| &mut both[0]);
    spawn(&mut executor, client, guest(), hear_text, |both: &mut BothEnded| &mut both[1]);
    let mut both = [None, None];
    executor.run(&mut both).unwrap();
    both
}

#[test]
fn the_conversation_is_held_under_the_key_and_the_server_knows_which() {
    for buffers in [LEAST, SMALL_RECORDS, LARGE] {
        let (ours, theirs) = pair();
        let (server, client) =
            (server(ours, &[1, 2, 3], buffers), client(theirs.try_into().unwrap(), 3, buffers));
        let [Some(server), Some(client)] = greet(Executor::new().unwrap(), server, client) else {
            panic!("both have ended")
        };
        assert!(server.result.is_ok() && client.result.is_ok(), "{server:?} {client:?}");
        assert_eq!((&server.heard[..], &client.heard[..]), (&b"thanks"[..], &b"welcome"[..]));
        assert_eq!((server.peer_key, client.peer_key), (Some(2), Some(0)));
    }
}

#[test]
fn who_has_another_key_hears_nothing_and_both_ends_know_why() {
    let (ours, theirs) = pair();
    let (server, client) =
        (server(ours, &[1, 2], LARGE), client(theirs.try_into().unwrap(), 3, LARGE));
    let [Some(server), Some(client)] = greet(Executor::new().unwrap(), server, client) else {
        panic!("both have ended")
    };
    let is_wrong = matches!(server.result, Err(LinkError::Channel(ChannelError::WrongKey)));
    assert!(is_wrong && server.peer_key.is_none(), "{server:?}");
    let is_refused = matches!(client.result, Err(LinkError::Channel(ChannelError::Refused)));
    assert!(is_refused && client.heard.is_empty(), "{client:?}");
}

/// What becomes of a server's end whose peer is `peer`, which then reads to the end.
fn serve_raw(peer: impl FnOnce(&mut StdStream)) -> (Ended<HandshakeError>, Vec<u8>) {
    let (ours, mut theirs) = pair();
    peer(&mut theirs);
    let mut executor = Executor::simulated();
    spawn(&mut executor, server(ours, &[1], LARGE), greeter(), hear_text, |it: &mut Option<_>| it);
    let mut ended = None;
    executor.run(&mut ended).unwrap();
    let mut received = Vec::new();
    // It is reset, or closed.
    let _ = theirs.read_to_end(&mut received);
    (ended.unwrap(), received)
}

#[test]
fn who_speaks_without_a_key_is_refused_at_the_first_byte_and_told_nothing() {
    for said in ["G", "GET / HTTP/1.1\r\n\r\n", "\0BW\x02", "\x01BX"] {
        let (ended, received) = serve_raw(|peer| peer.write_all(said.as_bytes()).unwrap());
        let is_refused = matches!(ended.result, Err(LinkError::Channel(ChannelError::NotKeyed)));
        assert!(is_refused && received.is_empty(), "{said:?}: {ended:?} {received:?}");
    }
}

#[test]
fn who_says_nothing_is_waited_for_as_long_as_a_handshake_may_take() {
    let (ended, received) = serve_raw(|_| {});
    let is_late = matches!(ended.result, Err(LinkError::Channel(ChannelError::TimedOut)));
    assert!(is_late && received.is_empty(), "{ended:?}");
    let (ended, received) = serve_raw(|peer| peer.shutdown(Shutdown::Write).unwrap());
    let is_cut = matches!(ended.result, Err(LinkError::Channel(ChannelError::HandshakeCut)));
    assert!(is_cut && received.is_empty(), "{ended:?}");
}

#[test]
fn a_client_takes_nobody_for_the_server_who_has_no_key() {
    let cases: [(&str, &[u8], bool, ChannelError); 5] = [
        ("closes", b"", false, ChannelError::Refused),
        ("resets", b"", true, ChannelError::Refused),
        ("greets plainly", b"welcome\n", false, ChannelError::NotKeyed),
        ("answers in part", &[1; 49], false, ChannelError::HandshakeCut),
        ("answers under another key", &[1; 50], false, ChannelError::WrongKey),
    ];
    for (name, said, resets, failure) in cases {
        let (ours, mut theirs) = pair();
        let mut executor = Executor::new().unwrap();
        spawn(&mut executor, client(ours, 1, LARGE), guest(), hear_text, |it: &mut Option<_>| it);
        let peer = std::thread::spawn(move || {
            let mut opening = [0; 54];
            theirs.read_exact(&mut opening).unwrap();
            theirs.write_all(said).unwrap();
            if resets {
                StreamSocket::try_from(theirs).unwrap().abort();
            }
            opening
        });
        let mut ended: Option<Ended<HandshakeError>> = None;
        executor.run(&mut ended).unwrap();
        assert!(peer.join().unwrap().starts_with(b"\x01BW\x01\x02\x06"));
        let ended = ended.unwrap();
        let Err(LinkError::Channel(found)) = ended.result else { panic!("{name}: {ended:?}") };
        assert_eq!(found, failure, "{name}");
        assert!(ended.heard.is_empty() && ended.peer_key.is_none());
    }
}

/// Asks for all at once, and hears the answers.
struct Asker {
    requests: Vec<u8>,
    shut: bool,
    ended: bool,
}

impl Asker {
    fn new(requests: &[u8]) -> Self {
        Self { requests: requests.to_vec(), shut: false, ended: false }
    }
}

impl<'s> Events<'s> for Asker {
    type Event = &'s [u8];
}

impl Session for Asker {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<&'s [u8], Infallible> {
        let all = core::mem::take(input);
        if all.is_empty() { Err(nb::Error::WouldBlock) } else { Ok(all) }
    }

    fn handle_end(&mut self, _: Instant) -> nb::Result<&[u8], Infallible> {
        self.ended = true;
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _: Instant) -> nb::Result<&[u8], Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        match (&self.requests[..], self.shut, self.ended) {
            ([], false, _) => Output::Shutdown,
            ([], true, true) => Output::Close,
            ([], true, false) => Output::Nothing,
            (head, ..) => Output::Bytes { head, tail: &[], more: false },
        }
    }

    fn transmitted(&mut self, _: Instant, count: usize) {
        self.shut |= self.requests.is_empty();
        self.requests.drain(..count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        None
    }
}

type Served = Option<Result<(), LinkError<Infallible>>>;
type Exchange = (Served, Option<Ended<Infallible>>);

/// Has a server that takes turns as `turn` says answer `requests`.
fn exchange(
    send_buffer: Option<usize>,
    buffers: RecordBuffers,
    requests: &[u8],
    mut turn: impl FnMut(
        &mut Context<'_, Exchange>,
        &mut Link,
        &mut Sender,
    ) -> nb::Result<(), LinkError<Infallible>>
    + 'static,
) -> Exchange {
    let (ours, theirs) = pair();
    if let Some(bytes) = send_buffer {
        ours.set_send_buffer(bytes).unwrap();
    }
    let (mut link, mut sender) = (server(ours, &[1], buffers), Sender::default());
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |(served, _): &mut Exchange, cx| {
        *served = Some(match turn(cx, &mut link, &mut sender) {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Err(nb::Error::Other(error)) => Err(error),
            Ok(()) => Ok(()),
        });
        assert!(link.stream().is_none() && link.peer_key() == Some(0));
        Poll::Ready(())
    }));
    let peer = client(theirs.try_into().unwrap(), 1, buffers);
    spawn(&mut executor, peer, Asker::new(requests), hear_bytes, |(_, asked): &mut Exchange| asked);
    let mut exchange = (None, None);
    executor.run(&mut exchange).unwrap();
    exchange
}

#[test]
fn contents_are_read_into_the_records_and_arrive_whole() {
    let files = TestFiles::of_sizes([0, 1, 1000, SMALL, SMALL + 1, 70_000, 1 << 20]);
    let requests = b"gabacadfegbbcfaab";
    for buffers in [SMALL_RECORDS, LARGE] {
        for send_buffer in [Some(40_000), None] {
            let served = files.clone();
            let (served, asked) =
                exchange(send_buffer, buffers, requests, move |cx, link, sender| {
                    serve(cx, link, sender, &served, |_, _| {})
                });
            let asked = asked.unwrap();
            assert!(matches!(served, Some(Ok(()))), "{served:?}");
            assert!(asked.result.is_ok(), "{:?}", asked.result);
            assert!(asked.heard == files.answers(requests), "{buffers:?} {send_buffer:?}");
        }
    }
}

#[test]
fn a_turn_under_a_key_is_bounded() {
    let files = TestFiles::of_sizes([8 << 20]);
    let (served, mut before) = (files.clone(), 0);
    let (_, asked) = exchange(None, LARGE, b"a", move |cx, link, sender| {
        let going_on = serve(cx, link, sender, &served, |link, _| {
            assert!(calls_and_gathered(link).0 <= WRITES);
        });
        // One record more may be sealed already.
        assert!(sender.sent - before <= (WRITES as u64 + 1) << 16);
        before = sender.sent;
        going_on
    });
    assert!(asked.unwrap().heard == files.answers(b"a"));
}

#[test]
fn no_more_is_read_than_may_go_out() {
    const STEP: u64 = 30_000;

    let files = TestFiles::of_sizes([100_000]);
    let (served, mut end) = (files.clone(), 0);
    let (over, asked) = exchange(None, LARGE, b"a", move |cx, link, sender| {
        let mut contents = sender.in_hand().map(|_| Contents::new(&served.get(b'a').0).before(end));
        let over = link.advance(cx, sender, contents.as_mut(), |()| {});
        if over.is_ok() {
            return over;
        }
        if let Some(at) = contents.and_then(|contents| contents.stopped_at()) {
            assert_eq!((at, sender.position), (end, end));
            end += STEP;
            cx.yield_now();
        }
        if sender.demand().is_some() {
            sender.offer(0..100_000);
            cx.yield_now();
        }
        link.flush(cx, sender)
    });
    assert!(matches!(over, Some(Ok(()))), "{over:?}");
    assert!(asked.unwrap().heard == files.answers(b"a"));
}

#[test]
fn contents_that_end_early_are_no_end_to_who_receives_them() {
    for rest in [0, 500, 70_000] {
        let files = TestFiles::of_sizes([200_000]);
        files.get(b'a').0.set_len(rest).unwrap();
        let (served, asked) = exchange(None, LARGE, b"a", move |cx, link, sender| {
            serve(cx, link, sender, &files, |_, _| {})
        });
        assert!(matches!(served, Some(Err(LinkError::Contents))), "{served:?}");
        let Err(LinkError::Connection(error)) = asked.unwrap().result else { panic!("{rest}") };
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

#[test]
fn an_end_of_the_stream_that_the_server_has_not_said_is_a_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = StdStream::connect(listener.local_addr().unwrap()).unwrap();
    let (ours, _) = listener.accept().unwrap();
    let mut cutter = Some(ours.try_clone().unwrap());
    let mut executor = Executor::new().unwrap();
    let (mut link, mut sender) = (server(ours.try_into().unwrap(), &[1], LARGE), Sender::default());
    let files = TestFiles::of_sizes([1000]);
    executor.spawn(task(move |_: &mut Option<_>, cx| {
        let over = serve(cx, &mut link, &mut sender, &files, |_, _| {});
        if let Some(cutter) = cutter.take_if(|_| sender.sent == 1001) {
            cutter.shutdown(Shutdown::Write).unwrap();
        }
        if matches!(over, Err(nb::Error::WouldBlock)) { Poll::Pending } else { Poll::Ready(()) }
    }));
    // It does not end its own direction, which the server would answer.
    let asker = Asker { shut: true, ..Asker::new(b"a") };
    let peer = client(theirs.try_into().unwrap(), 1, LARGE);
    spawn(&mut executor, peer, asker, hear_bytes, |it: &mut Option<_>| it);
    let mut ended: Option<Ended<Infallible>> = None;
    executor.run(&mut ended).unwrap();
    let ended = ended.unwrap();
    let is_cut = matches!(ended.result, Err(LinkError::Channel(ChannelError::Cut)));
    assert!(is_cut && ended.heard.len() == 1001, "{ended:?}");
}

extern crate std;
use super::*;
use crate::chat;
use crate::file::{self, Offer, Pending, Receiver, ReceiverEvent, Request, RequestEvent, Sender};
use crate::hello;
use crate::io::tests::{Direction, Wire, config};
use crate::session::InMemory;
use crate::text::{Text, TextReaderError};
use crate::time::Duration;
use core::cell::Cell;
use core::convert::Infallible;
use core::task::{Context, Waker};
use std::string::{String, ToString};
use std::vec::Vec;

impl Read for Wire<'_> {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        poll_fn(
            |_| {
                if self.readable() { Poll::Ready(Ok(self.take(buffer))) } else { Poll::Pending }
            },
        )
        .await
    }
}

impl Write for Wire<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        poll_fn(|_| if self.writable() { Poll::Ready(Ok(self.put(bytes))) } else { Poll::Pending })
            .await
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl Split for Wire<'_> {
    fn split(&mut self) -> (impl Read<Error = Infallible>, impl Write<Error = Infallible>) {
        (*self, *self)
    }
}

/// A timer on a clock that the test sets. Like that of embassy, it is never ready at once.
struct Set<'c>(&'c Cell<Instant>);

impl Timer for Set<'_> {
    fn now(&self) -> Instant {
        self.0.get()
    }

    async fn wait_until(&mut self, at: Instant) {
        let mut is_waiting = false;
        poll_fn(|_| {
            let was_waiting = core::mem::replace(&mut is_waiting, true);
            if was_waiting && self.0.get() >= at { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Every future is polled once and dropped: no byte may be lost on the way.
#[test]
fn both_ends_of_a_handshake_survive_futures_that_are_always_dropped() {
    let clock = Cell::new(Instant::ZERO);
    let (there, back) = Default::default();
    let (left, right) = (Wire::new(&there, &back), Wire::new(&back, &there));
    let (greeting, answer) = (Text::new("你好").unwrap(), Text::new("Hello").unwrap());
    let mut server = hello::Server::<64>::new(Instant::ZERO, greeting, config());
    let mut client = hello::Client::<64>::new(Instant::ZERO, answer, config());
    let mut server_driver = AsyncStreamDriver::<_, 3>::new(left);
    let mut client_driver = AsyncStreamDriver::<_, 3>::new(right);
    let mut heard = Vec::new();
    let mut over = (false, false);
    for _ in 0..99 {
        let timer = &mut Set(&clock);
        let mut note = |text: Text<'_>| {
            heard.push(text.to_string());
            ControlFlow::Continue(())
        };
        if !over.0 {
            let run = server_driver.run(&mut server, timer, &mut note);
            over.0 = poll_once(run).map(Result::unwrap).is_ready();
        }
        if !over.1 {
            let run = client_driver.run(&mut client, timer, &mut note);
            over.1 = poll_once(run).map(Result::unwrap).is_ready();
        }
    }
    assert_eq!(over, (true, true));
    assert_eq!(heard, ["你好", "Hello"]);
}

#[test]
fn the_deadline_ends_a_wait_for_a_silent_peer() {
    let clock = Cell::new(Instant::ZERO);
    let (there, back): (Direction, Direction) = Default::default();
    let mut client = hello::Client::<64>::new(Instant::ZERO, Text::new("").unwrap(), config());
    let mut driver = AsyncStreamDriver::<_, 64>::new(Wire::new(&there, &back));
    {
        let timer = &mut Set(&clock);
        let mut run = pin!(driver.run(&mut client, timer, |_| panic!("nobody spoke")));
        assert!(poll_once(run.as_mut()).is_pending());
        clock.set(Instant::ZERO + config().timeout);
        let failed = Err(DriveError::Session(hello::HandshakeError::TimedOut));
        assert_eq!(poll_once(run), Poll::Ready(failed));
    }
    assert!(poll_once(driver.close(&mut client, &mut Set(&clock))).is_ready());
    assert!(back.reset.get(), "which has ended no direction");
}

/// A session tells an error once. So it is reported by the poll that met it, though there is a last
/// word that the stream does not take.
#[test]
fn a_failure_is_reported_at_once() {
    let clock = Cell::new(Instant::ZERO);
    let (there, back): (Direction, Direction) = Default::default();
    let mut wire = Wire::new(&there, &back);
    while wire.writable() {
        wire.put(b"full");
    }
    wire.incoming_from(b"far too long");
    let mut server = hello::Server::<4>::new(Instant::ZERO, Text::new("hi").unwrap(), config());
    let mut driver = AsyncStreamDriver::<_, 64>::new(wire);
    let timer = &mut Set(&clock);
    let run = driver.run(&mut server, timer, |_| panic!("nothing was said in whole"));
    let failed = Err(DriveError::Session(hello::HandshakeError::TooLong));
    assert_eq!(poll_once(run), Poll::Ready(failed));
}

/// The requests of the one and the contents of the other are both more than the connection holds:
/// each must read while it writes. Meanwhile the owner of the sender answers.
#[test]
fn two_sides_that_both_have_much_to_send_do_not_wait_for_each_other() {
    const NAMES: [&[u8]; 4] = [b"first", b"second", b"third", b"fourth"];
    let contents: Vec<u8> = (0..=255).collect();
    let clock = Cell::new(Instant::ZERO);
    let (there, back) = Default::default();
    let (left, right) = (Wire::new(&there, &back), Wire::new(&back, &there));
    let mut sender = Sender::<16>::new(Instant::ZERO, file::TransferConfig::default());
    let mut receiver = Receiver::<256>::new(Instant::ZERO, file::TransferConfig::default());
    for name in NAMES {
        receiver.request(Instant::ZERO, &Request::get(name).with_verify(false)).unwrap();
    }
    receiver.finish();
    let mut sender_driver = AsyncStreamDriver::<_, 3>::new(left);
    let mut receiver_driver = AsyncStreamDriver::<_, 3>::new(right);
    let (mut asked, mut arrived, mut complete) = (Vec::new(), Vec::new(), 0);
    let timer = &mut Set(&clock);
    let mut over = (false, false);
    {
        let mut serve = pin!(async {
            let timer = &mut Set(&clock);
            loop {
                let session = &mut InMemory { session: &mut sender, contents: &contents };
                match sender_driver.next(Instant::ZERO, session) {
                    Next::Event(RequestEvent::Request(request)) => {
                        asked.push(request.name.to_vec());
                    }
                    Next::Event(event) => panic!("{event:?}"),
                    Next::Continue => continue,
                    Next::Step(Step::Wait(until)) => {
                        sender_driver.wait(session, until, timer).await;
                    }
                    Next::Step(Step::Over(result)) => return result,
                    Next::Step(step) => panic!("{step:?}"),
                }
                match sender.pending() {
                    Some(Pending::Response) => {
                        let size = contents.len() as u64;
                        sender.offer(Instant::ZERO, Offer { size, tag: 1, modified: 0 });
                    }
                    Some(Pending::Confirm) => sender.confirm(Instant::ZERO),
                    Some(Pending::Digest(_)) => panic!("nobody asked for digests"),
                    None => {}
                }
            }
        });
        let mut receive = pin!(receiver_driver.run(&mut receiver, timer, |event| {
            match event {
                ReceiverEvent::Contents(part) => arrived.extend_from_slice(part),
                ReceiverEvent::Complete => complete += 1,
                _ => {}
            }
            ControlFlow::Continue(())
        }));
        for _ in 0..999 {
            over.0 = over.0 || poll_once(serve.as_mut()).map(Result::unwrap).is_ready();
            over.1 = over.1 || poll_once(receive.as_mut()).map(Result::unwrap).is_ready();
        }
    }
    assert_eq!(over, (true, true));
    assert_eq!(asked, NAMES);
    assert_eq!(complete, 4);
    assert_eq!(arrived, contents.repeat(4));
}

/// What a member hears.
type Heard<'l> = Result<chat::Line<'l>, TextReaderError>;

/// An owner drops the wait in which nothing comes, and speaks.
#[test]
fn a_command_between_two_waits_is_carried_out() {
    let clock = Cell::new(Instant::ZERO);
    let (there, back): (Direction, Direction) = Default::default();
    let (wire, mut peer) = (Wire::new(&there, &back), Wire::new(&back, &there));
    wire.incoming_from(b"anna: go");
    let mut client = chat::Client::<64, 64>::new(Duration::from_millis(200));
    let mut driver = AsyncStreamDriver::<_, 64>::new(wire);
    let mut heard = String::new();
    for command in [None, Some("what?"), None] {
        if let Some(line) = command {
            client.say(Text::new(line).unwrap()).unwrap();
        }
        loop {
            match driver.next(Instant::ZERO, &mut client) {
                Next::Event(line) => heard.push_str(&line.unwrap().printable().to_string()),
                Next::Continue => {}
                Next::Step(Step::Wait(until)) => {
                    let timer = &mut Set(&clock);
                    if poll_once(driver.wait(&mut client, until, timer)).is_pending() {
                        break;
                    }
                }
                Next::Step(step) => panic!("{step:?}"),
            }
        }
    }
    let mut said = [0; 8];
    assert_eq!(peer.take(&mut said), 4, "as much as the connection holds");
    assert_eq!(&said[..4], b"what");
    assert_eq!(heard, "");
    peer.put(b"on\n");
    let hear = |line: Heard<'_>| {
        heard.push_str(&line.unwrap().printable().to_string());
        ControlFlow::Continue(())
    };
    let timer = &mut Set(&clock);
    assert!(poll_once(driver.run(&mut client, timer, hear)).is_pending());
    assert_eq!(peer.take(&mut said), 2);
    assert_eq!(&said[..2], b"?\n");
    assert_eq!(heard, "anna: goon");
}

/// What the end of a stream tells moves no bytes.
#[test]
fn nothing_is_waited_for_before_the_owner_has_answered() {
    let (there, back): (Direction, Direction) = Default::default();
    let (wire, mut peer) = (Wire::new(&there, &back), Wire::new(&back, &there));
    let mut sender = Sender::<64>::new(Instant::ZERO, file::TransferConfig::default());
    wire.incoming_from(b"name");
    let mut driver = AsyncStreamDriver::<_, 64>::new(wire);
    peer.shut_down().unwrap();
    loop {
        match driver.next(Instant::ZERO, &mut sender) {
            Next::Event(RequestEvent::Request(_)) => break,
            Next::Continue => {}
            next => panic!("{next:?}"),
        }
    }
}

/// An owner that has had enough ends the conversation out of a callback; what was not said is lost,
/// and the peer sees that.
#[test]
fn a_callback_that_breaks_gives_the_conversation_up() {
    let clock = Cell::new(Instant::ZERO);
    let (there, back): (Direction, Direction) = Default::default();
    let wire = Wire::new(&there, &back);
    wire.incoming_from(b"hi\nthere\n");
    let mut client = chat::Client::<64, 64>::new(Duration::from_millis(200));
    let mut driver = AsyncStreamDriver::<_, 64>::new(wire);
    let timer = &mut Set(&clock);
    let mut lines = 0;
    let run = driver.run(&mut client, timer, |_| {
        lines += 1;
        ControlFlow::Break(())
    });
    assert_eq!(poll_once(run), Poll::Ready(Err(DriveError::GivenUp)));
    assert_eq!(lines, 1);
    assert!(poll_once(driver.close(&mut client, &mut Set(&clock))).is_ready());
    assert!(back.reset.get() && !back.ended.get());
}

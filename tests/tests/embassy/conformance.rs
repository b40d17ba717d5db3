//! The adapter follows the driving rule, with its peer on the other stack.

use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use barewire_conformance::{Adapter, Examiner, ExaminerError, ExaminerEvent, Peer, Seen, check};
use barewire_core::driver::Step;
use barewire_core::io::{AsyncStreamDriver, Shutdown, Timer};
use barewire_core::session::InMemory;
use barewire_core::time::Instant;
use barewire_embassy_net::Socket;
use embassy_net::tcp::{Error, State, TcpSocket};

use crate::two_stacks::{LEFT, Leaked, PORT};

/// A connection between the two stacks.
struct Connection {
    network: Leaked,
    driver: AsyncStreamDriver<Socket<'static>, 64>,
    contents: Vec<u8>,
    far: TcpSocket<'static>,
    /// The far end has ended its direction, and has seen the end of the other.
    has_ended: bool,
    has_seen_end: bool,
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// The time is the kit's: the stacks have their own.
struct Given(Instant);

impl Timer for Given {
    fn now(&self) -> Instant {
        self.0
    }

    async fn wait_until(&mut self, at: Instant) {
        poll_fn(|_| if self.0 >= at { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

impl Connection {
    fn new(size: usize) -> Self {
        let mut network = Leaked::new();
        network.settle();
        let [mut near, mut far] = network.stacks.map(|stack| {
            let [receive, send] =
                [(); 2].map(|()| &mut *Box::leak(vec![0; size].into_boxed_slice()));
            let mut socket = TcpSocket::new(stack, receive, send);
            socket.set_nagle_enabled(false);
            socket
        });
        {
            let mut accept = pin!(near.accept(PORT));
            let mut connect = pin!(far.connect((LEFT, PORT)));
            let (mut is_accepted, mut is_connected) = (false, false);
            while !(is_accepted && is_connected) {
                is_accepted = is_accepted || poll_once(accept.as_mut()).is_ready();
                is_connected = is_connected || poll_once(connect.as_mut()).is_ready();
                network.settle();
            }
        }
        let driver = AsyncStreamDriver::new(Socket::new(near));
        let (contents, has_ended, has_seen_end) = (Vec::new(), false, false);
        Self { network, driver, contents, far, has_ended, has_seen_end }
    }
}

impl Peer for Connection {
    fn deliver(&mut self, bytes: &[u8]) {
        // Where the connection is gone already, nothing arrives.
        if let Poll::Ready(Ok(count)) = poll_once(self.far.write(bytes)) {
            assert_eq!(count, bytes.len(), "there is room");
        }
        self.network.settle();
    }

    fn end(&mut self) {
        self.has_ended = true;
        self.far.close();
        self.network.settle();
    }

    fn reset(&mut self) {
        self.far.abort();
        self.network.settle();
    }

    fn can_reset(&mut self) -> bool {
        !matches!(self.driver.stream().tcp.state(), State::Closed | State::TimeWait)
    }

    fn look(&mut self, seen: &mut Seen) {
        let mut buffer = [0; 256];
        while let Poll::Ready(Ok(count)) = poll_once(self.far.read(&mut buffer)) {
            self.has_seen_end |= count == 0;
            if count == 0 {
                break;
            }
            seen.received.extend_from_slice(&buffer[..count]);
            self.network.settle();
        }
        seen.ended = self.has_seen_end;
        let is_orderly = self.has_ended && self.has_seen_end;
        seen.reset |= self.far.state() == State::Closed && !is_orderly;
    }

    fn set_contents(&mut self, contents: &[u8]) -> bool {
        self.contents = contents.to_vec();
        true
    }

    fn unread(&mut self) -> Option<usize> {
        Some(self.driver.stream().tcp.recv_queue())
    }
}

impl Adapter for Connection {
    type Error = Error;
    type Peer = Self;

    fn peer(&mut self) -> &mut Self {
        self
    }

    fn turn(
        &mut self,
        now: Instant,
        examiner: &mut Examiner,
        on_event: &mut dyn FnMut(ExaminerEvent<'_>) -> ControlFlow<()>,
    ) -> Step<ExaminerError, Error> {
        self.network.settle();
        let session = &mut InMemory { session: examiner, contents: &self.contents };
        let timer = &mut Given(now);
        loop {
            let step = self.driver.step(now, session, &mut *on_event);
            self.network.settle();
            match step {
                Step::Wait(until) => {
                    let is_due = until.is_some_and(|at| at <= now);
                    if is_due || poll_once(self.driver.wait(session, until, timer)).is_pending() {
                        return step;
                    }
                }
                Step::Over(_) | Step::Close => return step,
                Step::Reset => {
                    self.driver.stream().reset();
                    self.network.settle();
                    return step;
                }
            }
        }
    }
}

#[test]
fn it_follows_the_driving_rule() {
    let report = check(|seed| Connection::new(if seed % 2 == 0 { 8_192 } else { 8_191 }));
    let report = report.unwrap_or_else(|violation| panic!("{violation}"));
    assert!(report.scripts > 50, "{report:?}");
}

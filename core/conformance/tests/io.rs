//! The core's drivers for streams that speak `embedded-io` and `embedded-io-async` pass.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use barewire_conformance::{
    Adapter, Examiner, ExaminerError, ExaminerEvent, Peer, Report, ScriptedStream, Seen, Stack,
    WasReset, check,
};
use barewire_core::driver::{Step, Transport};
use barewire_core::io::{AsyncStreamDriver, Shutdown, Split, StreamDriver, Timer};
use barewire_core::session::InMemory;
use barewire_core::time::Instant;
use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

type OnEvent<'f> = &'f mut dyn FnMut(ExaminerEvent<'_>) -> ControlFlow<()>;

/// The kit's stream, in the words of `embedded-io`.
struct Stream {
    inner: RefCell<ScriptedStream>,
    /// It says that it takes more when it does not.
    boasts: bool,
    was_reset: bool,
    contents: Vec<u8>,
}

impl Stream {
    fn new(seed: u64) -> Self {
        let inner = RefCell::new(ScriptedStream::new(seed));
        Self { inner, boasts: seed.is_multiple_of(3), was_reset: false, contents: Vec::new() }
    }

    fn take(&self, buffer: &mut [u8]) -> nb::Result<usize, Broken> {
        let mut inner = self.inner.borrow_mut();
        let bytes = inner.receive().map_err(|error| error.map(Broken))?;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        inner.consume(count);
        Ok(count)
    }

    fn put(&self, bytes: &[u8]) -> nb::Result<usize, Broken> {
        self.inner.borrow_mut().send(bytes, &[], false).map_err(|error| error.map(Broken))
    }

    /// Closes or resets the connection, as the adapter has come to the one or the other.
    fn end<E>(&mut self) -> Step<ExaminerError, E> {
        if self.was_reset {
            return Step::Reset;
        }
        self.inner.get_mut().close();
        Step::Close
    }
}

#[derive(Debug)]
struct Broken(WasReset);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Broken {}

impl embedded_io::Error for Broken {
    fn kind(&self) -> ErrorKind {
        ErrorKind::ConnectionReset
    }
}

impl ErrorType for Stream {
    type Error = Broken;
}

impl ReadReady for Stream {
    fn read_ready(&mut self) -> Result<bool, Broken> {
        Ok(self.inner.get_mut().is_readable())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        match self.take(buffer) {
            Err(nb::Error::WouldBlock) => panic!("a read that would block"),
            Err(nb::Error::Other(error)) => Err(error),
            Ok(count) => Ok(count),
        }
    }
}

impl WriteReady for Stream {
    fn write_ready(&mut self) -> Result<bool, Broken> {
        Ok(self.boasts || self.inner.get_mut().is_writable())
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        match self.put(bytes) {
            Err(nb::Error::WouldBlock) => Ok(0),
            Err(nb::Error::Other(error)) => Err(error),
            Ok(count) => Ok(count),
        }
    }

    fn flush(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

impl Shutdown for Stream {
    fn shut_down(&mut self) -> Result<(), Broken> {
        match self.inner.get_mut().shut_down() {
            Err(nb::Error::Other(error)) => Err(Broken(error)),
            Ok(()) | Err(nb::Error::WouldBlock) => Ok(()),
        }
    }

    fn reset(&mut self) {
        self.was_reset = true;
        self.inner.get_mut().abort();
    }
}

/// One direction.
struct Half<'s>(&'s Stream);

impl ErrorType for Half<'_> {
    type Error = Broken;
}

fn poll<V>(result: nb::Result<V, Broken>) -> Poll<Result<V, Broken>> {
    match result {
        Ok(value) => Poll::Ready(Ok(value)),
        Err(nb::Error::WouldBlock) => Poll::Pending,
        Err(nb::Error::Other(error)) => Poll::Ready(Err(error)),
    }
}

impl embedded_io_async::Read for Half<'_> {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        poll_fn(|_| poll(self.0.take(buffer))).await
    }
}

impl embedded_io_async::Write for Half<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        poll_fn(|_| match self.0.put(bytes) {
            Ok(0) if !self.0.boasts => Poll::Pending,
            put => poll(put),
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

impl Split for Stream {
    fn split(
        &mut self,
    ) -> (impl embedded_io_async::Read<Error = Broken>, impl embedded_io_async::Write<Error = Broken>)
    {
        (Half(self), Half(self))
    }
}

impl Peer for Stream {
    fn deliver(&mut self, bytes: &[u8]) {
        self.inner.get_mut().deliver(bytes);
    }

    fn end(&mut self) {
        Peer::end(self.inner.get_mut());
    }

    fn reset(&mut self) {
        Peer::reset(self.inner.get_mut());
    }

    fn look(&mut self, seen: &mut Seen) {
        self.inner.get_mut().look(seen);
    }

    fn set_room(&mut self, bytes: Option<usize>) -> bool {
        self.inner.get_mut().set_room(bytes)
    }

    /// They lie in memory.
    fn set_contents(&mut self, contents: &[u8]) -> bool {
        self.contents = contents.to_vec();
        true
    }

    fn unread(&mut self) -> Option<usize> {
        self.inner.get_mut().unread()
    }
}

/// The driver that never blocks.
struct Polled<const N: usize>(StreamDriver<Stream, N>);

impl<const N: usize> Adapter for Polled<N> {
    type Error = Broken;
    type Peer = Stream;

    fn peer(&mut self) -> &mut Stream {
        self.0.stream()
    }

    fn turn(
        &mut self,
        now: Instant,
        examiner: &mut Examiner,
        on_event: OnEvent<'_>,
    ) -> Step<ExaminerError, Broken> {
        let contents = self.0.stream().contents.clone();
        let session = &mut InMemory { session: examiner, contents: &contents };
        match self.0.step(now, session, on_event) {
            Step::Close => self.0.stream().end(),
            Step::Reset => {
                Shutdown::reset(self.0.stream());
                Step::Reset
            }
            step => step,
        }
    }
}

/// The driver that awaits. Its futures are polled once and dropped.
struct Awaited<const N: usize> {
    driver: AsyncStreamDriver<Stream, N>,
    is_over: bool,
}

/// A timer that notes what it is set to.
struct Noted {
    now: Instant,
    until: Cell<Option<Instant>>,
}

impl Timer for Noted {
    fn now(&self) -> Instant {
        self.now
    }

    async fn wait_until(&mut self, at: Instant) {
        self.until.set(Some(at));
        poll_fn(|_| if self.now >= at { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

impl<const N: usize> Adapter for Awaited<N> {
    type Error = Broken;
    type Peer = Stream;

    fn peer(&mut self) -> &mut Stream {
        self.driver.stream()
    }

    fn turn(
        &mut self,
        now: Instant,
        examiner: &mut Examiner,
        on_event: OnEvent<'_>,
    ) -> Step<ExaminerError, Broken> {
        let contents = self.driver.stream().contents.clone();
        let session = &mut InMemory { session: examiner, contents: &contents };
        let timer = &mut Noted { now, until: Cell::new(None) };
        if self.is_over {
            match poll_once(self.driver.close(session, timer)) {
                Poll::Ready(()) => self.driver.stream().end(),
                Poll::Pending => Step::Wait(timer.until.take()),
            }
        } else {
            match poll_once(self.driver.run(session, timer, on_event)) {
                Poll::Ready(result) => {
                    self.is_over = true;
                    Step::Over(result)
                }
                Poll::Pending => Step::Wait(timer.until.take()),
            }
        }
    }
}

fn pass<A: Adapter>(connect: impl FnMut(u64) -> A) {
    let Report { skipped, .. } = check(connect).unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(skipped, 9, "a half-close cannot be refused here; all else is tried");
}

#[test]
fn the_driver_that_never_blocks_follows_the_rule() {
    pass(|seed| Polled::<3>(StreamDriver::new(Stream::new(seed))));
    pass(|seed| Polled::<64>(StreamDriver::new(Stream::new(seed))));
}

#[test]
fn the_driver_that_awaits_follows_the_rule() {
    fn awaited<const N: usize>(seed: u64) -> Awaited<N> {
        Awaited { driver: AsyncStreamDriver::new(Stream::new(seed)), is_over: false }
    }
    pass(awaited::<3>);
    pass(awaited::<64>);
}

//! The driver for asynchronous streams.

use core::future::{Future, pending, poll_fn};
use core::ops::ControlFlow;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_io_async::{Read, Write};

use super::input::Input;
use super::shutdown::Shutdown;
use crate::driver::{DriveError, Driver, Next, Step, Transport};
use crate::session::{Event, Output, Session};
use crate::time::Instant;

/// The time, for [`AsyncStreamDriver`].
pub trait Timer {
    /// The time now.
    fn now(&self) -> Instant;

    /// Waits until `at`, or a little longer.
    fn wait_until(&mut self, at: Instant) -> impl Future<Output = ()>;
}

/// A stream whose two directions can be waited for at once, which `embedded-io-async` has no word
/// for. Without that, two sides that both send more than the connection holds would wait for each
/// other.
///
/// It must send what it is given without a `flush`, as sockets do.
pub trait Split: Shutdown {
    /// The two directions. A `read` or a `write` of theirs that is dropped before it is ready has
    /// moved no byte.
    fn split(&mut self) -> (impl Read<Error = Self::Error>, impl Write<Error = Self::Error>);
}

impl<T: Split> Split for &mut T {
    fn split(&mut self) -> (impl Read<Error = Self::Error>, impl Write<Error = Self::Error>) {
        T::split(self)
    }
}

/// Drives a session over an asynchronous stream.
///
/// An owner that only listens awaits [`run`](Self::run), then [`close`](Self::close). One that has a
/// part in the conversation calls [`next`](Self::next), which gives an event or says what to do, and
/// awaits [`wait`](Self::wait) or whatever else it likes in between. A file server answers what its
/// sender asks for:
///
/// ```
/// use barewire_core::driver::{DriveError, Next, Step};
/// use barewire_core::file::{
///     Offer, Pending, Refusal, RequestEvent, SegmentDigester, Sender, SenderError, TransferConfig,
/// };
/// use barewire_core::io::{AsyncStreamDriver, Split, Timer};
/// use barewire_core::session::InMemory;
///
/// /// Serves one file, which lies in flash, to one client.
/// async fn serve<T: Split>(
///     stream: T,
///     timer: &mut impl Timer,
///     file: &[u8],
/// ) -> Result<(), DriveError<SenderError, T::Error>> {
///     let mut sender = Sender::<64>::new(timer.now(), TransferConfig::default());
///     let mut driver = AsyncStreamDriver::<T, 256>::new(stream);
///     let mut is_there = false;
///     let result = loop {
///         let mut session = InMemory { session: &mut sender, contents: file };
///         let until = match driver.next(timer.now(), &mut session) {
///             Next::Event(RequestEvent::Request(request)) => {
///                 is_there = request.name == b"file";
///                 continue;
///             }
///             Next::Step(Step::Wait(until)) => until,
///             Next::Step(Step::Over(result)) => break result,
///             _ => continue,
///         };
///         let now = timer.now();
///         match session.session.pending() {
///             Some(Pending::Response) if is_there => {
///                 sender.offer(now, Offer { size: file.len() as u64, tag: 1, modified: 0 });
///             }
///             Some(Pending::Response) => sender.refuse(now, Refusal::NotFound),
///             Some(Pending::Digest(segment)) => {
///                 let mut digester = SegmentDigester::new(segment);
///                 digester.update(&file[segment.start() as usize..segment.end() as usize]);
///                 sender.provide_digest(now, digester.finish());
///             }
///             // What is in flash does not change.
///             Some(Pending::Confirm) => sender.confirm(now),
///             _ => driver.wait(&mut session, until, timer).await,
///         }
///     };
///     driver.close(&mut sender, timer).await;
///     result
/// }
/// ```
///
/// Members of a chat share their room, so none can keep it while it waits. There the server has all of
/// its members [`step`](Self::step) each time that it is polled, polls their [`wait`](Self::wait) once
/// and drops it: that needs a stream that wakes whom a dropped `read` or `write` was polled for, as
/// those of embassy-net do.
#[derive(Debug)]
pub struct AsyncStreamDriver<T: Split, const N: usize> {
    driver: Driver,
    transport: Tried<T, N>,
}

impl<T: Split, const N: usize> AsyncStreamDriver<T, N> {
    /// A driver for a new connection.
    pub const fn new(stream: T) -> Self {
        Self::with_driver(stream, Driver::new())
    }

    /// As [`new`](Self::new), by a driver with limits of its own.
    pub const fn with_driver(stream: T, driver: Driver) -> Self {
        Self { driver, transport: Tried { stream, input: Input::new(), failure: None } }
    }

    /// The stream.
    pub const fn stream(&mut self) -> &mut T {
        &mut self.transport.stream
    }

    /// Gives the conversation up; see [`Driver::give_up`].
    pub const fn give_up(&mut self) {
        self.driver.give_up();
    }

    /// Goes on with the conversation as far as it goes without waiting, and hands each event to
    /// `on_event`: see [`Driver::step`].
    pub fn step<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        on_event: impl FnMut(Event<'_, S>) -> ControlFlow<()>,
    ) -> Step<S::Error, T::Error> {
        self.driver.step(now, session, &mut self.transport, on_event)
    }

    /// As [`step`](Self::step), but returns with each event: see [`Driver::next`].
    pub fn next<'a, S: Session>(
        &'a mut self,
        now: Instant,
        session: &'a mut S,
    ) -> Next<'a, S, T::Error> {
        self.driver.next(now, session, &mut self.transport)
    }

    /// Waits as [`Step::Wait`] says: until something could be read or written, or until the time is
    /// reached.
    ///
    /// The future may be dropped at any time, so that an owner can wait for something else besides,
    /// such as a line that somebody types, and then give the session a command: no byte is held outside
    /// the stream, this driver and the session.
    pub async fn wait<S: Session>(
        &mut self,
        session: &mut S,
        until: Option<Instant>,
        timer: &mut impl Timer,
    ) {
        session.prepare_transmit(timer.now());
        let bytes = match session.poll_transmit() {
            Output::Bytes { head, .. } if !self.driver.is_over() => Some(head),
            _ => None,
        };
        let Tried { stream, input, failure } = &mut self.transport;
        let (read, written) = exchange(stream, input.room(), bytes, until, timer).await;
        match written {
            Some(Ok(count)) => session.transmitted(timer.now(), count),
            Some(Err(error)) => *failure = Some(error),
            None => {}
        }
        match read {
            Some(Ok(count)) => input.filled(count),
            Some(Err(error)) => *failure = Some(error),
            None => {}
        }
    }

    /// Runs the conversation to its end; [`close`](Self::close) follows.
    ///
    /// The future may be dropped at any time, and a new one goes on where it was.
    ///
    /// # Errors
    /// [`DriveError`], if the conversation failed.
    pub async fn run<S: Session>(
        &mut self,
        session: &mut S,
        timer: &mut impl Timer,
        mut on_event: impl FnMut(Event<'_, S>) -> ControlFlow<()>,
    ) -> Result<(), DriveError<S::Error, T::Error>> {
        loop {
            match self.step(timer.now(), session, &mut on_event) {
                Step::Wait(until) => self.wait(session, until, timer).await,
                Step::Over(result) => return result,
                Step::Close | Step::Reset => return Ok(()),
            }
        }
    }

    /// Brings the connection to its end when the conversation is over, or gives the conversation up:
    /// lingers or resets, whichever it takes. Then drop the stream.
    pub async fn close<S: Session>(&mut self, session: &mut S, timer: &mut impl Timer) {
        self.driver.give_up();
        loop {
            match self.step(timer.now(), session, |_| ControlFlow::Break(())) {
                Step::Wait(until) => self.wait(session, until, timer).await,
                Step::Over(_) => {}
                Step::Close => return,
                Step::Reset => return self.transport.stream.reset(),
            }
        }
    }
}

/// A stream of which each operation is tried once, and dropped if it has to wait.
#[derive(Debug)]
struct Tried<T: Split, const N: usize> {
    stream: T,
    input: Input<N>,
    /// What broke the connection while it was waited for.
    failure: Option<T::Error>,
}

impl<T: Split, const N: usize> Transport for Tried<T, N> {
    type Error = T::Error;

    fn receive(&mut self) -> nb::Result<&[u8], T::Error> {
        if let Some(error) = self.failure.take() {
            return Err(nb::Error::Other(error));
        }
        let stream = &mut self.stream;
        self.input.receive(|buffer| attempt(stream.split().0.read(buffer)))
    }

    fn consume(&mut self, count: usize) {
        self.input.consume(count);
    }

    fn send(&mut self, head: &[u8], _tail: &[u8], _more: bool) -> nb::Result<usize, T::Error> {
        attempt(self.stream.split().1.write(head))
    }

    fn shut_down(&mut self) -> nb::Result<(), T::Error> {
        Ok(self.stream.shut_down()?)
    }
}

/// Polls once. Whoever waits, afterwards, polls with a waker of its own.
fn attempt<V, E>(operation: impl Future<Output = Result<V, E>>) -> nb::Result<V, E> {
    match pin!(operation).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.map_err(nb::Error::Other),
        Poll::Pending => Err(nb::Error::WouldBlock),
    }
}

/// Reads into `buffer` and writes `bytes`, if there are such. Gives what was done as soon as
/// anything was; nothing, if the time came first.
async fn exchange<T: Split>(
    stream: &mut T,
    buffer: Option<&mut [u8]>,
    bytes: Option<&[u8]>,
    until: Option<Instant>,
    timer: &mut impl Timer,
) -> (Option<Result<usize, T::Error>>, Option<Result<usize, T::Error>>) {
    let (mut reader, mut writer) = stream.split();
    let mut read = pin!(async {
        match buffer {
            Some(buffer) => reader.read(buffer).await,
            None => pending().await,
        }
    });
    let mut write = pin!(async {
        match bytes {
            Some(bytes) => match writer.write(bytes).await {
                // It is full, but does not wait until it is not.
                Ok(0) => pending().await,
                written => written,
            },
            None => pending().await,
        }
    });
    let mut timeout = pin!(async {
        match until {
            Some(at) => timer.wait_until(at).await,
            None => pending().await,
        }
    });
    poll_fn(|context| match (read.as_mut().poll(context), write.as_mut().poll(context)) {
        (Poll::Pending, Poll::Pending) => timeout.as_mut().poll(context).map(|()| (None, None)),
        (read, written) => Poll::Ready((ready(read), ready(written))),
    })
    .await
}

fn ready<V>(poll: Poll<V>) -> Option<V> {
    match poll {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[cfg(all(test, feature = "hello", feature = "file", feature = "chat"))]
mod tests;

//! The driver for asynchronous streams.

use core::future::{Future, pending, poll_fn};
use core::pin::pin;
use core::task::Poll;

use embedded_io_async::{Read, Write};

use super::{HalfClose, Pump};
use crate::driver::DriveError;
use crate::session::{Event, Output, Session};
use crate::time::Instant;

/// The time, for [`Pump::turn`] and [`Pump::run`].
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
pub trait Split: HalfClose {
    /// The two directions. A `read` or a `write` of theirs that is dropped before it is ready has
    /// moved no byte.
    fn split(&mut self) -> (impl Read<Error = Self::Error>, impl Write<Error = Self::Error>);
}

impl<T: Split> Split for &mut T {
    fn split(&mut self) -> (impl Read<Error = Self::Error>, impl Write<Error = Self::Error>) {
        T::split(self)
    }
}

impl<const N: usize> Pump<N> {
    /// Runs the conversation to its end, for an owner that only listens. Then close the stream; or,
    /// after a [`DriveError`] before it was [half-closed](HalfClose), reset it.
    ///
    /// The future may be dropped at any time, and a new one goes on where it was.
    ///
    /// # Errors
    /// [`DriveError`], if the conversation failed.
    pub async fn run<S: Session, T: Split>(
        &mut self,
        stream: &mut T,
        session: &mut S,
        timer: &mut impl Timer,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> Result<(), DriveError<S::Error, T::Error>> {
        while self.turn(stream, session, timer, &mut on_event).await? {}
        Ok(())
    }

    /// Takes one turn of the conversation, for an owner that has a part in it: either the session
    /// handles what has come or what time it is, or it is waited until something can be read or
    /// written or the deadline is reached. Tells whether the conversation goes on; ends as
    /// [`run`](Self::run) does.
    ///
    /// Between two turns the session is the owner's, to look at and to give commands to. A file
    /// server answers what its sender [demands](crate::file::Sender::demand):
    ///
    /// ```
    /// use barewire_core::file::{RequestEvent, TransferConfig, Pending, Digester, Refusal, SenderError, Sender};
    /// use barewire_core::io::{Pump, Split, Timer};
    /// use barewire_core::driver::DriveError;
    /// use barewire_core::session::InMemory;
    ///
    /// /// Serves one file, which lies in flash, to one client.
    /// async fn serve<T: Split>(
    ///     stream: &mut T,
    ///     timer: &mut impl Timer,
    ///     file: &[u8],
    /// ) -> Result<(), DriveError<SenderError, T::Error>> {
    ///     let mut sender = Sender::<64>::new(timer.now(), TransferConfig::default());
    ///     let mut pump = Pump::<256>::new();
    ///     let mut is_there = false;
    ///     loop {
    ///         let mut session = InMemory { session: &mut sender, contents: file };
    ///         let hear = |asked: RequestEvent<'_>| {
    ///             is_there = matches!(asked, RequestEvent::Request(request) if request.name == b"file");
    ///         };
    ///         if !pump.turn(stream, &mut session, timer, hear).await? {
    ///             return Ok(());
    ///         }
    ///         let now = timer.now();
    ///         match sender.pending() {
    ///             Some(Pending::Response) if is_there => {
    ///                 sender.offer(now, file.len() as u64, 1);
    ///             }
    ///             Some(Pending::Response) => sender.refuse(now, Refusal::NotFound),
    ///             Some(Pending::Digest { offset, length }) => {
    ///                 let segment = &file[offset as usize..][..length as usize];
    ///                 let mut digester = Digester::new();
    ///                 digester.update(segment);
    ///                 sender.provide_digest(now, digester.finish());
    ///             }
    ///             // What is in flash does not change.
    ///             Some(Pending::Confirm) => sender.confirm(now),
    ///             _ => {}
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// An owner that must not wait, since somebody has typed a line, say, drops the turn, gives its
    /// command, and takes another: no byte is held outside the stream, the pump and the session, and
    /// a failure that the session has told is never lost.
    ///
    /// Members of a chat share their room, so none can keep it while it waits. There the server takes
    /// turns for all of its members each time that it is polled, and drops those that wait: that
    /// needs a stream that wakes whom a dropped `read` or `write` was polled for, as those of
    /// embassy-net do.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn turn<S: Session, T: Split>(
        &mut self,
        stream: &mut T,
        session: &mut S,
        timer: &mut impl Timer,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> Result<bool, DriveError<S::Error, T::Error>> {
        match self.handle(session, timer.now(), &mut on_event) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(error) => {
                if let Output::Bytes { head, .. } = session.poll_transmit() {
                    // A last word to the peer, if the stream takes it at once: the error is told
                    // once only, so there is nothing to be waited for with it in hand.
                    let (_, mut writer) = stream.split();
                    let mut write = pin!(writer.write(head));
                    poll_fn(|context| Poll::Ready(write.as_mut().poll(context).is_ready())).await;
                }
                return Err(DriveError::Session(error));
            }
        }
        let bytes = match session.poll_transmit() {
            Output::Close => return Ok(false),
            Output::Contents { .. } => return Err(DriveError::Contents),
            Output::Shutdown => {
                stream.half_close().map_err(DriveError::Connection)?;
                session.transmitted(timer.now(), 0);
                return Ok(true);
            }
            Output::Bytes { head, .. } => Some(head),
            Output::Nothing => None,
        };
        let buffer = if self.wants_input() { Some(&mut self.buffer[..]) } else { None };
        let deadline = session.poll_deadline();
        let (read, written) = exchange(stream, buffer, bytes, deadline, timer).await;
        if let Some(count) = written.transpose().map_err(DriveError::Connection)? {
            session.transmitted(timer.now(), count);
        }
        if let Some(count) = read.transpose().map_err(DriveError::Connection)? {
            self.filled(count);
        }
        Ok(true)
    }
}

/// Reads into `buffer` and writes `bytes`, if there are such. Gives what was done as soon as
/// anything was; nothing, if the deadline came first.
async fn exchange<T: Split>(
    stream: &mut T,
    buffer: Option<&mut [u8]>,
    bytes: Option<&[u8]>,
    deadline: Option<Instant>,
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
            Some(bytes) => writer.write(bytes).await,
            None => pending().await,
        }
    });
    let mut timeout = pin!(async {
        match deadline {
            Some(deadline) => timer.wait_until(deadline).await,
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

#[cfg(test)]
mod tests;

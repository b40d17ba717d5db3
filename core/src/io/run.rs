//! The driver for asynchronous streams.

use core::future::{Future, pending, poll_fn};
use core::pin::pin;
use core::task::Poll;

use embedded_io_async::{Read, Write};

use super::{HalfClose, Pump};
use crate::session::{Event, Fault, Output, Session};
use crate::time::Instant;

/// The time, for [`Pump::run`].
pub trait Timer {
    /// The time now.
    fn now(&self) -> Instant;

    /// Waits until `at`, or a little longer.
    fn wait_until(&mut self, at: Instant) -> impl Future<Output = ()>;
}

impl<const N: usize> Pump<N> {
    /// Runs the conversation to its end. Then close the stream; or, after a [`Fault`] before it was
    /// [half-closed](HalfClose), reset it.
    ///
    /// The stream must send what it is given without a `flush`, as sockets do. While it takes no
    /// more, nothing is read; the session's deadline ends that too.
    ///
    /// The future can be dropped at any await, and a new one goes on where it was, as far as the
    /// stream's own `read` and `write` lose nothing when they are dropped: no byte is held outside
    /// the stream, the pump and the session.
    ///
    /// # Errors
    /// [`Fault`], if the conversation failed.
    pub async fn run<S: Session, T: Read + Write + HalfClose>(
        &mut self,
        stream: &mut T,
        session: &mut S,
        timer: &mut impl Timer,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> Result<(), Fault<S::Error, T::Error>> {
        loop {
            if let Err(error) = self.handle(session, timer.now(), &mut on_event) {
                // A last word to the peer, if the stream takes it at once.
                if let Output::Bytes { head, .. } = session.poll_transmit() {
                    let now = timer.now();
                    before(Some(now), timer, stream.write(head)).await;
                }
                return Err(Fault::Session(error));
            }
            let deadline = session.poll_deadline();
            match session.poll_transmit() {
                Output::Close => return Ok(()),
                Output::Contents { .. } => return Err(Fault::Contents),
                Output::Shut => {
                    stream.half_close().map_err(Fault::Connection)?;
                    session.transmitted(timer.now(), 0);
                }
                Output::Bytes { head, .. } => {
                    if let Some(written) = before(deadline, timer, stream.write(head)).await {
                        let count = written.map_err(Fault::Connection)?;
                        session.transmitted(timer.now(), count);
                    }
                }
                Output::Nothing if self.wants_input() => {
                    let reading = stream.read(&mut self.buffer);
                    if let Some(read) = before(deadline, timer, reading).await {
                        let count = read.map_err(Fault::Connection)?;
                        self.filled(count);
                    }
                }
                Output::Nothing => match deadline {
                    Some(deadline) => timer.wait_until(deadline).await,
                    None => pending().await,
                },
            }
        }
    }
}

/// The output of `future`, unless `deadline` comes first. The future is polled at least once.
async fn before<F: Future>(
    deadline: Option<Instant>,
    timer: &mut impl Timer,
    future: F,
) -> Option<F::Output> {
    let mut future = pin!(future);
    let Some(deadline) = deadline else {
        return Some(future.await);
    };
    let mut timeout = pin!(timer.wait_until(deadline));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timeout.as_mut().poll(context).map(|()| None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hello;
    use crate::io::tests::{Wire, config};
    use crate::text::Text;
    use core::cell::Cell;
    use core::convert::Infallible;
    use core::task::{Context, Waker};
    use std::string::ToString;
    use std::vec::Vec;
    extern crate std;

    impl Read for Wire<'_> {
        async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
            poll_fn(|_| {
                if self.readable() { Poll::Ready(Ok(self.take(buffer))) } else { Poll::Pending }
            })
            .await
        }
    }

    impl Write for Wire<'_> {
        async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
            poll_fn(
                |_| if self.writable() { Poll::Ready(Ok(self.put(bytes))) } else { Poll::Pending },
            )
            .await
        }

        async fn flush(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }

    /// A timer on a clock that the test sets.
    struct Set<'c>(&'c Cell<Instant>);

    impl Timer for Set<'_> {
        fn now(&self) -> Instant {
            self.0.get()
        }

        async fn wait_until(&mut self, at: Instant) {
            poll_fn(|_| if self.0.get() < at { Poll::Pending } else { Poll::Ready(()) }).await;
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
        let (mut left, mut right) = (Wire::new(&there, &back), Wire::new(&back, &there));
        let (greeting, answer) = (Text::new("你好").unwrap(), Text::new("Hello").unwrap());
        let mut server = hello::Server::<64>::new(Instant::ZERO, greeting, config());
        let mut client = hello::Client::<64>::new(Instant::ZERO, answer, config());
        let (mut server_pump, mut client_pump) = (Pump::<3>::new(), Pump::<3>::new());
        let mut heard = Vec::new();
        let mut over = (false, false);
        for _ in 0..99 {
            let timer = &mut Set(&clock);
            if !over.0 {
                let run = server_pump
                    .run(&mut left, &mut server, timer, |text| heard.push(text.to_string()));
                over.0 = poll_once(run).map(Result::unwrap).is_ready();
            }
            if !over.1 {
                let run = client_pump
                    .run(&mut right, &mut client, timer, |text| heard.push(text.to_string()));
                over.1 = poll_once(run).map(Result::unwrap).is_ready();
            }
        }
        assert_eq!(over, (true, true));
        assert_eq!(heard, ["你好", "Hello"]);
    }

    #[test]
    fn the_deadline_ends_a_wait_for_a_silent_peer() {
        let clock = Cell::new(Instant::ZERO);
        let (there, back) = Default::default();
        let mut wire = Wire::new(&there, &back);
        let mut client = hello::Client::<64>::new(Instant::ZERO, Text::new("").unwrap(), config());
        let mut pump = Pump::<64>::new();
        let timer = &mut Set(&clock);
        let mut run = pin!(pump.run(&mut wire, &mut client, timer, |_| panic!("nobody spoke")));
        assert!(poll_once(run.as_mut()).is_pending());
        clock.set(Instant::ZERO + config().timeout);
        let failed = Err(Fault::Session(hello::Error::TimedOut));
        assert_eq!(poll_once(run), Poll::Ready(failed));
    }
}

//! The task that accepts connections.

use core::fmt;
use core::task::Poll;
use std::io;

use nix::errno::Errno;

use super::semaphore::{Permit, Semaphore};
use super::socket::Listener;
use crate::address::PeerAddress;
use crate::error_pause::ErrorPause;
use crate::executor::{Context, EventSource, Readiness, Task};
use crate::stream::StreamSocket;
use crate::sys::errno;

/// How many connections one turn accepts at most before everybody else's turn comes.
const BUDGET: usize = 64;

/// A connection that an [`Acceptor`] hands on.
#[derive(Debug)]
pub struct Accepted {
    /// The connection, not registered yet.
    pub stream: StreamSocket,
    /// Whose it is.
    pub peer: PeerAddress,
    /// The client's place, if the acceptor has a [`Semaphore`]; to be kept as long as it is served.
    pub permit: Option<Permit>,
}

/// Accepts connections until the executor stops, and hands each to a closure, which usually spawns
/// a task for it.
///
/// When descriptors or memory run out (`EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`) it pauses and tries
/// again every 100 ms: those already served go on, and those who wait are not lost. When its semaphore is
/// full it accepts nobody, at no cost, until a permit is released.
pub struct Acceptor<F, R> {
    listener: Listener,
    semaphore: Option<Semaphore>,
    on_accept: F,
    on_pause: R,
    source: Option<EventSource>,
    pause: ErrorPause,
}

impl<F, R> Acceptor<F, R> {
    /// Accepts from `listener`. `on_accept` gets each connection; if it asks for another turn
    /// ([`Context::yield_now`]), the next is accepted in that. `on_pause` gets the reason when
    /// accepting pauses, once until a connection is accepted again.
    pub fn new<W>(
        listener: Listener,
        semaphore: Option<Semaphore>,
        on_accept: F,
        on_pause: R,
    ) -> Self
    where
        F: FnMut(&mut W, &mut Context<'_, W>, Accepted),
        R: FnMut(&mut W, io::Error),
    {
        Self {
            listener,
            semaphore,
            on_accept,
            on_pause,
            source: None,
            pause: ErrorPause::default(),
        }
    }

    fn accept<W>(&mut self, state: &mut W, cx: &mut Context<'_, W>) -> io::Result<()>
    where
        F: FnMut(&mut W, &mut Context<'_, W>, Accepted),
        R: FnMut(&mut W, io::Error),
    {
        let source = match self.source {
            Some(source) => source,
            None => *self.source.insert(cx.register(&self.listener, Readiness::READABLE)?),
        };
        for _ in 0..BUDGET {
            if cx.has_next_turn() || !cx.readiness(source).intersects(Readiness::READABLE) {
                return Ok(());
            }
            let permit = match &self.semaphore {
                None => None,
                Some(semaphore) => match semaphore.acquire_or_wake(|| cx.waker()) {
                    None => return Ok(()),
                    permit => permit,
                },
            };
            match self.listener.accept() {
                Ok((stream, peer)) => {
                    self.pause.forget();
                    (self.on_accept)(state, cx, Accepted { stream, peer, permit });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    cx.clear(source, Readiness::READABLE);
                }
                Err(error) if is_the_connections(&error) => {}
                Err(error) => return Err(error),
            }
        }
        cx.yield_now();
        Ok(())
    }
}

impl<W, F, R> Task<W> for Acceptor<F, R>
where
    F: FnMut(&mut W, &mut Context<'_, W>, Accepted),
    R: FnMut(&mut W, io::Error),
{
    fn turn(&mut self, state: &mut W, cx: &mut Context<'_, W>) -> Poll<()> {
        if cx.stopping() {
            return Poll::Ready(());
        }
        if self.pause.lasts(cx.now()) {
            return Poll::Pending;
        }
        if let Err(error) = self.accept(state, cx) {
            if let Some(error) = self.pause.begin(cx.now(), error) {
                (self.on_pause)(state, error);
            }
            cx.set_deadline(self.pause.until());
        }
        Poll::Pending
    }
}

/// Whether an error of `accept(2)` concerns only the connection that would have been accepted, so
/// that the next may be tried at once: one that is gone already, one that a firewall forbids, and
/// the network errors that Linux passes on, as `accept(2)`, "Error handling", lists them.
fn is_the_connections(error: &io::Error) -> bool {
    matches!(
        errno(error),
        Errno::ECONNABORTED
            | Errno::EPERM
            | Errno::EINTR
            | Errno::ENETDOWN
            | Errno::EPROTO
            | Errno::ENOPROTOOPT
            | Errno::EHOSTDOWN
            | Errno::ENONET
            | Errno::EHOSTUNREACH
            | Errno::EOPNOTSUPP
            | Errno::ENETUNREACH
            | Errno::ETIMEDOUT
    )
}

impl<F, R> fmt::Debug for Acceptor<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor")
            .field("listener", &self.listener)
            .field("semaphore", &self.semaphore)
            .field("pause", &self.pause)
            .finish_non_exhaustive()
    }
}

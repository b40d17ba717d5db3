//! Accepts clients, and gives each a task.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use barewire_core::time::{Duration, Instant};
use barewire_linux::address::PeerAddress;
use barewire_linux::executor::{Context, Executor, Task};
use barewire_linux::listener::{Accepted, Acceptor, Listener};
use barewire_linux::stream::StreamSocket;
use barewire_linux::threads;

use crate::cli::exit::Failure;
use crate::output::printer::Printer;
use crate::output::system_error::describe;

use super::admission::{Admission, Admitted, Obstacle, Standing, in_seconds};
use super::capacity::{Capacity, ClientLimits};
use super::context::{FlushTask, ServedPeer, ServerContext};
use super::penalties::Pause;
use super::repeats::Repeats;
use super::service::Service;

#[derive(Clone, Copy, Debug)]
pub(crate) struct AcceptLimits {
    /// Serve one client, and end: the first whose conversation begins.
    pub(crate) once: bool,
    /// How many at a time.
    pub(crate) clients: ClientLimits,
    /// What becomes of the others.
    pub(crate) others: Others,
    /// How long nobody is let in from a source whose conversations keep failing, at most.
    pub(crate) max_pause: Duration,
    /// How long a stop waits for them.
    pub(crate) grace: Duration,
    /// How long one whose conversation is over is waited for.
    pub(crate) linger: Duration,
}

impl AcceptLimits {
    /// The same for a server that has keys, if it has any: then no plain byte leaves it.
    pub(crate) fn under_keys(self, is_keyed: bool) -> Self {
        let others = match self.others {
            Others::AreClosed { .. } if is_keyed => Others::AreClosed { words: |_| b"" },
            others => others,
        };
        Self { others, ..self }
    }
}

/// What becomes of those who have no place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Others {
    /// A task of theirs tells them, if there are not too many.
    AreTold,
    /// The connection is closed at once, behind words that tell why, if there are any.
    AreClosed { words: fn(Obstacle) -> &'static [u8] },
}

/// Serves until a signal, or with `once` one client: one thread for each of the shares of `listeners` and
/// its own of `states`, one task of `make_session` for each client, and the tasks that `start` adds.
pub(crate) fn serve<S: Send + 'static, T: Task<ServerContext<S>> + 'static>(
    listeners: Vec<Vec<Listener>>,
    states: impl IntoIterator<Item = S>,
    service: Service,
    limits: AcceptLimits,
    printer: &Printer,
    start: impl Fn(&mut Executor<'_, ServerContext<S>>, &mut S) + Sync,
    make_session: impl Fn(&S, Instant, ServedPeer, StreamSocket) -> io::Result<T>
    + Copy
    + Sync
    + 'static,
) -> Result<(), Failure> {
    let once = limits.once;
    let capacity =
        Capacity::new(limits.clients, listeners.len(), listeners.iter().map(Vec::len).sum());
    let admission = Arc::new(Admission::new(capacity, limits.max_pause));
    let any_failed = Arc::new(AtomicBool::new(false));
    let shares = service.share(listeners)?.into_iter().zip(states).collect();
    threads::run(shares, |executor, _, ((listeners, service), mut state)| {
        executor.set_grace(limits.grace);
        executor.set_linger(limits.linger);
        executor.set_max_lingering(capacity.lingering);
        service.spawn(executor);
        let flush_task = executor.spawn(Box::new(FlushTask));
        for listener in listeners {
            let admission = Arc::clone(&admission);
            executor.spawn(Box::new(Acceptor::new(
                listener,
                None,
                move |context: &mut ServerContext<S>,
                      cx: &mut Context<'_, _>,
                      accepted: Accepted| {
                    let Accepted { stream, peer: address, .. } = accepted;
                    if context.is_taken {
                        return stream.abort();
                    }
                    let admitted = admission.admit(address, cx.now());
                    tell(address, &admitted);
                    if admission.is_full() {
                        cx.yield_now();
                    }
                    // At once, as each has a descriptor.
                    match (limits.others, admitted.obstacle) {
                        (Others::AreClosed { words }, Some(obstacle)) => {
                            return close_behind(&stream, words(obstacle));
                        }
                        (Others::AreTold, _) if admitted.standing() == Standing::Ignored => {
                            return stream.abort();
                        }
                        _ => {}
                    }
                    let peer = ServedPeer { address, admitted, is_the_one: false };
                    match make_session(&context.state, cx.now(), peer, stream) {
                        Ok(session) => {
                            cx.spawn(Box::new(session));
                        }
                        Err(error) => context.peer_refused(cx, address, &error),
                    }
                },
                |_: &mut ServerContext<S>, error| {
                    log::warn!("accepting paused, trying again: {}", describe(&error));
                },
            )));
        }
        start(executor, &mut state);
        let (printer, failed) = (printer.for_thread(), Arc::clone(&any_failed));
        let repeats = Repeats::default();
        Ok(ServerContext { state, printer, flush_task, once, is_taken: false, failed, repeats })
    })
    .map_err(Failure::system)?;
    if once && any_failed.load(Ordering::Relaxed) { Err(Failure::Reported) } else { Ok(()) }
}

/// Tells the operator who wants to know of whoever is turned away, or let in in spite of a pause.
fn tell(address: PeerAddress, admitted: &Admitted) {
    match (admitted.obstacle, admitted.pause) {
        (None, None) => {}
        (None, Some(Pause { left, .. })) => {
            let left = in_seconds(left);
            log::debug!(
                "{address}: let in, as one a second is while its source is paused for {left}"
            );
        }
        (Some(obstacle), _) => log::debug!("{address}: turned away, as {obstacle}"),
    }
}

/// Says `words` to who is turned away. If it does not take this at once, it sees the close at least.
pub(crate) fn close_behind(stream: &StreamSocket, words: &[u8]) {
    if !words.is_empty() {
        let _ = stream.send(words, &[], false);
    }
}

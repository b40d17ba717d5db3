//! What the tasks of one thread of a stream server share.

use core::task::Poll;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use barewire_core::time::Instant;
use barewire_linux::address::{self, PeerAddress};
use barewire_linux::executor::{Context, Task, TaskId, Waker};

use crate::output::printer::Printer;
use crate::output::system_error::describe;

use super::admission::{Admitted, Obstacle, Standing};
use super::penalties::Penalty;
use super::places::Place;
use super::repeats::{More, Repeats, Subject};

/// `S` is what the server itself keeps on the thread.
#[derive(Debug)]
pub(crate) struct ServerContext<S> {
    pub(crate) state: S,
    pub(crate) printer: Printer,
    pub(super) flush_task: TaskId,
    pub(super) once: bool,
    /// With `once`, that somebody is served, and so nobody else.
    pub(super) is_taken: bool,
    /// With `once`, whether the one who was served failed; one for all threads.
    pub(super) failed: Arc<AtomicBool>,
    /// What is told of clients that failed.
    pub(super) repeats: Repeats,
}

/// Whom a task serves.
pub(crate) struct ServedPeer {
    pub(crate) address: PeerAddress,
    /// Counts it among the clients until this is dropped.
    pub(super) admitted: Admitted,
    /// With `once`, that it is served.
    pub(super) is_the_one: bool,
}

impl ServedPeer {
    pub(crate) fn standing(&self) -> Standing {
        self.admitted.standing()
    }

    /// Why it has no place, if it has none.
    pub(crate) const fn obstacle(&self) -> Option<Obstacle> {
        self.admitted.obstacle
    }

    /// As long as it does nothing, as it has since `idle_since`, another may have its place; then `waker` is
    /// woken.
    pub(crate) fn offer_place(&mut self, idle_since: Instant, waker: impl FnOnce() -> Waker) {
        if let Some(place) = &mut self.admitted.place {
            place.offer(idle_since, waker);
        }
    }

    /// Whether it still has its place, if it had one; then that is offered no more.
    pub(crate) fn keep_place(&mut self) -> bool {
        self.admitted.place.as_mut().is_none_or(Place::keep)
    }

    /// The conversation went wrong, by the client's doing.
    pub(crate) fn penalize(&self, penalty: Penalty, now: Instant) {
        if let Some(pause) = self.admitted.penalize(penalty, now) {
            let source = address::Shown(self.address.source());
            log::debug!("{source}: paused for {pause}, as its conversations keep failing");
        }
    }

    /// It is served. With `once`, so is the server.
    pub(crate) fn served<W>(&self, cx: &Context<'_, W>) {
        if self.is_the_one {
            cx.stop();
        }
    }

    /// The conversation goes well: what others from its source have done wrong is forgotten.
    pub(crate) fn clear_penalties(&self) {
        self.admitted.clear_penalties();
    }
}

impl<S> ServerContext<S> {
    /// Has what was collected in this round printed at its end.
    pub(crate) fn flush_later(&self, cx: &mut Context<'_, Self>) {
        if self.printer.has_pending() || !self.repeats.is_empty() {
            cx.wake(self.flush_task);
        }
    }

    /// Notes that a client failed, which is no failure of the server's; `reason` stands behind
    /// its address.
    pub(crate) fn peer_failed(
        &mut self,
        cx: &mut Context<'_, Self>,
        peer: &ServedPeer,
        reason: &str,
    ) {
        self.peer_abandoned(peer, reason);
        cx.wake(self.flush_task);
    }

    /// The system does not give what it takes to serve a client. With `once`, that was the one.
    pub(super) fn peer_refused(
        &mut self,
        cx: &mut Context<'_, Self>,
        address: PeerAddress,
        error: &io::Error,
    ) {
        if self.once {
            self.is_taken = true;
            self.failed.store(true, Ordering::Relaxed);
            cx.stop();
        }
        let reason = format!("cannot be served: {}", describe(error));
        self.tell(address, Subject::Source(address.source()), &reason);
        cx.wake(self.flush_task);
    }

    /// As [`peer_failed`](Self::peer_failed), for one that has none of the server's keys.
    pub(crate) fn peer_without_key(
        &mut self,
        cx: &mut Context<'_, Self>,
        peer: &ServedPeer,
        reason: &str,
    ) {
        self.tell_of(peer, Subject::Keyless, reason);
        cx.wake(self.flush_task);
    }

    /// As [`peer_failed`](Self::peer_failed), once there are no more turns.
    pub(crate) fn peer_abandoned(&mut self, peer: &ServedPeer, reason: &str) {
        self.tell_of(peer, Subject::Source(peer.address.source()), reason);
    }

    fn tell_of(&mut self, peer: &ServedPeer, subject: Subject, reason: &str) {
        self.failed.fetch_or(peer.is_the_one, Ordering::Relaxed);
        self.tell(peer.address, subject, reason);
    }

    fn tell(&mut self, address: PeerAddress, subject: Subject, reason: &str) {
        // With more diagnostics each is told.
        if log::log_enabled!(log::Level::Debug) || self.repeats.tells(subject) {
            self.printer.client_failed(&format!("{address}: {reason}"));
        }
    }

    fn tell_more(&mut self, more: impl IntoIterator<Item = More>) {
        for more in more {
            self.printer.client_failed(&more.to_string());
        }
    }

    /// The client's conversation has begun, under a key if there are any. With `once`, the first is the one that
    /// is served.
    pub(crate) fn peer_begun(&mut self, peer: &mut ServedPeer) {
        if self.once && !self.is_taken && peer.standing() == Standing::Served {
            (self.is_taken, peer.is_the_one) = (true, true);
        }
    }

    /// Whether, with `once`, another is served.
    pub(crate) fn serves_another(&self, peer: &ServedPeer) -> bool {
        self.is_taken && !peer.is_the_one
    }
}

impl<S> Drop for ServerContext<S> {
    fn drop(&mut self) {
        let more = self.repeats.finish();
        self.tell_more(more);
    }
}

/// Writes what the other tasks have collected, after them in the round in which they wake it: so a
/// crowd that speaks at once costs one system call.
#[derive(Debug)]
pub(super) struct FlushTask;

impl<S> Task<ServerContext<S>> for FlushTask {
    fn turn(
        &mut self,
        context: &mut ServerContext<S>,
        cx: &mut Context<'_, ServerContext<S>>,
    ) -> Poll<()> {
        cx.set_background();
        let more = context.repeats.poll(cx.now());
        context.tell_more(more);
        context.printer.flush();
        cx.set_deadline(context.repeats.poll_deadline());
        Poll::Pending
    }
}

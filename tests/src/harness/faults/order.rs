//! What a injector is to do, and what it has done.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::libc::c_long;

use super::call::Call;
use super::own_filter::OwnFilter;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails, and has done nothing; save that a `connect(2)` that was interrupted goes on.
    ///
    /// After `EAGAIN`, what the descriptor is ready for is reported once more, as if it had become
    /// ready only then: that is what the error promises (`epoll(7)`).
    Fails(Errno),
    /// It moves a part: one byte of what has come, or half of what it is to send, to write, or to read
    /// from a place in a file. The rest seems to have come, or to have found room, a moment later.
    Short,
    /// Its connection is reset, in both directions, just before it.
    Reset,
    /// It gives 0, and has done nothing: a wait that was over before anything happened.
    Zero,
    /// It never returns, as one that waits for a disk that does not answer. The process can be killed, and
    /// its other threads go on.
    Hangs,
}

/// Which of the calls are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The nth, counted from 1.
    Nth(u32),
    /// So many, from the first.
    First(u32),
    /// The first, and from there every other: each succeeds when it is made again.
    EveryOther,
    /// All of them.
    Always,
}

#[derive(Debug)]
pub(super) struct Inner {
    /// What it is to do; without it, it counts what calls there are.
    pub(super) order: Option<Order>,
    pub(super) state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct Order {
    /// Any of these.
    pub(super) calls: Vec<Call>,
    /// What the call must be about: a part of its [description](call).
    pub(super) about: String,
    pub(super) fault: Fault,
    pub(super) when: When,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) supervisor: Option<JoinHandle<()>>,
    pub(super) tally: Tally,
}

/// What has been seen and done.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How many calls were of that kind, and about that.
    pub(super) seen: u32,
    /// What the calls that failed were about, in their order.
    pub(super) struck: Vec<String>,
    /// The numbers of all calls that were made, if all are asked about.
    pub(super) made: BTreeSet<c_long>,
    /// The filters that the process has given itself, and the numbers of the calls made since that one of
    /// them refuses.
    pub(super) own: Vec<OwnFilter>,
    /// Of the processor.
    pub(super) architecture: u32,
    pub(super) refused: BTreeSet<c_long>,
}

impl Inner {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Order {
    /// Counts a call about `object`: what becomes of it, unless it goes through.
    pub(super) fn judge(&self, object: &str, tally: &mut Tally) -> Option<Fault> {
        if !object.contains(&self.about) {
            return None;
        }
        tally.seen += 1;
        let meant = match self.when {
            When::Nth(number) => tally.seen == number,
            When::First(number) => tally.seen <= number,
            When::EveryOther => tally.seen % 2 == 1,
            When::Always => true,
        };
        meant.then(|| {
            tally.struck.push(object.to_owned());
            self.fault
        })
    }
}

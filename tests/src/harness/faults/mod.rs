//! A system whose calls fail: the programs as they are, on a kernel that says no.
//!
//! A filter that the new process inherits (`seccomp(2)`) sends each call of one kind to the test
//! instead of carrying it out. A thread of the test then decides what becomes of it
//! (`seccomp_unotify(2)`): it goes through, it fails with an error of the test's choice, or it
//! moves fewer bytes than it was asked to. Nothing in the program is replaced, so it makes no
//! difference how it makes its calls, or from which thread. No privilege is needed.
//!
//! The calls are counted from the start of `main`: what the dynamic loader and the language's
//! run-time did before is not the program's to survive.
//!
//! | module | what it does |
//! |---|---|
//! | [`call`] | the system calls, and what each is about |
//! | `filter` | has the kernel ask |
//! | `notices` | what the kernel asks, and the answers |
//! | `supervisor` | decides |
//! | `target` | the other process's memory and descriptors |
//! | `transfer` | makes a call in the other's place, for a part |
//! | `edges` | what `epoll(7)` would say once more |

pub mod call;
mod edges;
mod filter;
mod notices;
mod supervisor;
mod target;
mod transfer;

use std::collections::BTreeSet;
use std::fmt;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use nix::errno::Errno;
use nix::libc::c_long;
use nix::unistd::Pid;

pub use call::Call;
use filter::Filter;

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

/// Makes system calls of one process fail.
///
/// Its clones are the same: one goes to [`Launch::with_faults`](super::Launch::with_faults), another
/// tells afterwards what it has [done](Self::struck).
#[derive(Clone, Debug)]
pub struct Saboteur(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// What it is to do; without it, it counts what calls there are.
    order: Option<Order>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct Order {
    call: Call,
    /// What the call must be about: a part of its [description](call).
    about: String,
    fault: Fault,
    when: When,
}

#[derive(Debug, Default)]
struct State {
    supervisor: Option<JoinHandle<()>>,
    tally: Tally,
}

/// What has been seen and done.
#[derive(Debug, Default)]
struct Tally {
    /// How many calls were of that kind, and about that.
    seen: u32,
    /// What the calls that failed were about, in their order.
    struck: Vec<String>,
    /// The numbers of all calls that were made, if all are asked about.
    made: BTreeSet<c_long>,
}

impl Saboteur {
    /// Gives `fault` to those of the calls `call` that are about something whose description holds
    /// `about` (an empty one means all), and that `when` picks.
    pub fn new(call: Call, about: &str, fault: Fault, when: When) -> Self {
        Self::obeying(Some(Order { call, about: about.to_owned(), fault, when }))
    }

    /// Lets every call through, and [takes note](Self::made) of it.
    pub fn census() -> Self {
        Self::obeying(None)
    }

    fn obeying(order: Option<Order>) -> Self {
        Self(Arc::new(Inner { order, state: Mutex::default() }))
    }

    /// The numbers of the calls that a [census](Self::census) has counted. Waits until the process
    /// has ended.
    ///
    /// # Panics
    /// If the supervising thread has.
    pub fn made(&self) -> BTreeSet<c_long> {
        self.wait();
        self.state().tally.made.clone()
    }

    /// What the calls that failed were about, in their order. Waits until the process has ended.
    ///
    /// # Panics
    /// If the supervising thread has.
    pub fn struck(&self) -> Vec<String> {
        self.wait();
        self.state().tally.struck.clone()
    }

    fn wait(&self) {
        let supervisor = self.state().supervisor.take();
        if let Some(supervisor) = supervisor {
            supervisor.join().expect("the supervisor has done its work");
        }
    }

    /// The error that calls are given, if it is one.
    pub fn errno(&self) -> Option<Errno> {
        match self.0.order.as_ref()?.fault {
            Fault::Fails(errno) => Some(errno),
            Fault::Short | Fault::Reset | Fault::Zero => None,
        }
    }

    /// Has the process that `command` starts inherit the filter.
    pub(super) fn prepare(&self, command: &mut Command) {
        filter::assert_available();
        let filter = match &self.0.order {
            Some(order) => Filter::asking(&[order.call.number(), Call::SIGALTSTACK.number()]),
            None => Filter::asking_all(),
        };
        // SAFETY: in the new process, which has one thread, it makes a few system calls and touches
        // no memory but what was made before (`signal-safety(7)`).
        unsafe { command.pre_exec(move || filter.install()) };
    }

    /// Begins to supervise the process, which was started with the filter.
    pub(super) fn attach(&self, process: Pid) {
        let inner = Arc::clone(&self.0);
        let supervisor = thread::spawn(move || supervisor::supervise(process, &inner));
        self.state().supervisor = Some(supervisor);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Order {
    /// Counts a call about `object`: what becomes of it, unless it goes through.
    fn judge(&self, object: &str, tally: &mut Tally) -> Option<Fault> {
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

impl fmt::Display for Saboteur {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.order {
            Some(Order { call, about, fault, when }) => {
                write!(f, "{fault:?}, {when:?} {} about {about:?}", call.name)
            }
            None => f.write_str("census"),
        }
    }
}

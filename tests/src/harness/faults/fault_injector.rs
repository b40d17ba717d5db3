//! Makes system calls of one process fail.

use std::collections::BTreeSet;
use std::fmt;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use nix::errno::Errno;
use nix::libc::c_long;
use nix::unistd::Pid;

use super::call::Call;
use super::filter::{self, Filter};
use super::order::{Fault, Inner, Order, State, When};
use super::supervisor;

/// Makes system calls of one process fail.
///
/// Its clones are the same: one goes to [`Launch::with_faults`](crate::harness::Launch::with_faults), another
/// tells afterwards what it has [done](Self::struck).
#[derive(Clone, Debug)]
pub struct FaultInjector(Arc<Inner>);

impl FaultInjector {
    /// Gives `fault` to those of the calls `call` that are about something whose description holds
    /// `about` (an empty one means all), and that `when` picks.
    pub fn new(call: Call, about: &str, fault: Fault, when: When) -> Self {
        let mut calls = vec![call];
        if call == Call::CLONE {
            // What takes its place for who has forbidden itself the other.
            calls.push(Call::CLONE_BEFORE);
        }
        Self::obeying(Some(Order { calls, about: about.to_owned(), fault, when }))
    }

    /// A system that refuses these calls, about [this](Self::new), for good: as one does that is older than
    /// they are, or a filter that does not know them.
    pub fn refusing(calls: &[Call], about: &str, errno: Errno) -> Self {
        let (calls, about) = (calls.to_vec(), about.to_owned());
        Self::obeying(Some(Order { calls, about, fault: Fault::Fails(errno), when: When::Always }))
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

    /// The numbers of the calls that a [census](Self::census) has seen and the process has forbidden itself
    /// before, and whether it has forbidden itself any. Waits until the process has ended.
    ///
    /// # Panics
    /// If the supervising thread has.
    pub fn refused(&self) -> (BTreeSet<c_long>, bool) {
        self.wait();
        let tally = &self.state().tally;
        (tally.refused.clone(), !tally.own.is_empty())
    }

    /// Whether the process would have been let do this call by the filters that it has given itself, which a
    /// [census](Self::census) has seen. Waits until the process has ended.
    ///
    /// # Panics
    /// If the supervising thread has.
    pub fn allows(&self, call: c_long, arguments: [u64; 6]) -> bool {
        self.wait();
        let tally = &self.state().tally;
        tally.own.iter().all(|own| own.allows(call, tally.architecture, arguments))
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
            Fault::Short | Fault::Reset | Fault::Zero | Fault::Hangs => None,
        }
    }

    /// Has the process that `command` starts inherit the filter.
    pub(in crate::harness) fn prepare(&self, command: &mut Command) {
        filter::assert_available();
        let filter = match &self.0.order {
            Some(order) => {
                let asked = order.calls.iter().chain([&Call::SIGALTSTACK]);
                Filter::asking(&asked.map(|call| call.number()).collect::<Vec<_>>())
            }
            None => Filter::asking_all(),
        };
        // SAFETY: in the new process, which has one thread, it makes a few system calls and touches
        // no memory but what was made before (`signal-safety(7)`).
        unsafe { command.pre_exec(move || filter.install()) };
    }

    /// Begins to supervise the process, which was started with the filter.
    pub(in crate::harness) fn attach(&self, process: Pid) {
        let inner = Arc::clone(&self.0);
        let supervisor = thread::spawn(move || supervisor::supervise(process, &inner));
        self.state().supervisor = Some(supervisor);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }
}

impl fmt::Display for FaultInjector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.order {
            Some(Order { calls, about, fault, when }) => {
                let names: Vec<_> = calls.iter().map(|call| call.name).collect();
                write!(f, "{fault:?}, {when:?} {} about {about:?}", names.join(" "))
            }
            None => f.write_str("census"),
        }
    }
}

//! A process held still, so that it is known what comes before it sees any of it.

use std::fs;
use std::thread;
use std::time::Instant;

use barewire_tests::harness::{Program, TIMEOUT};
use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};

/// Stops a process, all its threads included, as a busy machine or a debugger does.
#[track_caller]
pub(crate) fn freeze(program: &Program) {
    program.signal(Signal::SIGSTOP);
    wait_until_stopped(program);
}

/// Waits until a signal has stopped a process.
#[track_caller]
pub(crate) fn wait_until_stopped(program: &Program) {
    // Without WEXITED a process that is gone would be waited for without a bound.
    let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    loop {
        match waitid(Id::Pid(program.process()), flags) {
            Ok(WaitStatus::Stopped(..)) => return,
            Err(Errno::EINTR) => {}
            other => panic!("it does not stop: {other:?}"),
        }
    }
}

/// Lets a process go on.
pub(crate) fn thaw(program: &Program) {
    program.signal(Signal::SIGCONT);
}

/// Waits until a process has dealt with all that was sent to it before: the loopback delivers, and
/// wakes the receiver, in the call that sends. Each look is a few system calls that give way.
#[track_caller]
pub(crate) fn wait_until_idle(program: &Program) {
    let deadline = Instant::now() + TIMEOUT;
    let mut before = None;
    loop {
        // One thread may wake another that was seen asleep: none has if nothing is different a look later.
        let found = asleep(program);
        if found.is_some() && found == before {
            return;
        }
        before = found;
        assert!(Instant::now() < deadline, "it goes on without a rest");
        thread::yield_now();
    }
}

/// How often each thread of a process has gone to sleep (`proc_pid_status(5)`), if all of them are asleep.
fn asleep(program: &Program) -> Option<Vec<String>> {
    let threads = fs::read_dir(format!("/proc/{}/task", program.process())).expect("it runs");
    let counts = threads.map(|thread| {
        let status = fs::read_to_string(thread.expect("a thread").path().join("status")).ok()?;
        let mut lines = status.lines();
        let state = lines.find_map(|line| line.strip_prefix("State:"))?;
        let count = lines.find(|line| line.starts_with("voluntary_ctxt_switches:"))?;
        state.trim_start().starts_with('S').then(|| count.to_owned())
    });
    counts.collect()
}

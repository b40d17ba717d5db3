//! Every call in turn.

use std::panic::{self, AssertUnwindSafe};
use std::sync::LazyLock;

use barewire_tests::harness::faults::{Call, Fault, FaultInjector, When};
use barewire_tests::harness::not_tried::not_tried;
use barewire_tests::harness::{Finished, Launch};
use nix::errno::Errno;
use nix::libc::{self, c_long};

use Expect::{Noted, Orderly, Told, Unseen};

/// No program here makes so many calls of one kind: a sweep that gets there has no end.
const ENDLESS: u32 = 500;

/// What is to fail, how, and what may come of it.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    call: Call,
    about: &'static str,
    faults: &'static [Fault],
    expect: Expect,
}

/// What comes of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Nothing: the same results, and no word about it.
    Unseen,
    /// The same results, but the user is told.
    Noted,
    /// Failure: exit code 1, and one line that gives the system's words and this one.
    Told(&'static str),
    /// One or the other, depending on which of the calls it was. Whatever it is, it is in order.
    Orderly,
}

/// `faults` of `call` about `about`.
pub(crate) const fn row(
    call: Call,
    about: &'static str,
    faults: &'static [Fault],
    expect: Expect,
) -> Row {
    Row { call, about, faults, expect }
}

/// Makes the first of the calls fail, in the next run the second, and so on, until a run in which
/// it never comes to that. One that goes wrong does not keep the others.
pub(crate) fn sweep(rows: &[&[Row]], run: impl Fn(&FaultInjector, Expect)) {
    let (mut runs, mut wrong) = (0, 0);
    for Row { call, about, faults, expect } in rows.iter().copied().flatten() {
        if call.name.starts_with("landlock") && !has_landlock() {
            not_tried(&format!("a failing {}: this kernel has no Landlock", call.name));
            continue;
        }
        for fault in *faults {
            for number in 1.. {
                let injector = FaultInjector::new(*call, about, *fault, When::Nth(number));
                let passed = panic::catch_unwind(AssertUnwindSafe(|| run(&injector, *expect)));
                runs += 1;
                let struck = !injector.struck().is_empty();
                if passed.is_err() {
                    println!("^ {injector}: {expect:?} was expected\n");
                    wrong += 1;
                }
                if !struck {
                    assert!(number > 1, "there is no such call: {injector}");
                    break;
                }
                assert!(number < ENDLESS, "there is no end of such calls: {injector}");
            }
        }
    }
    println!("{runs} runs");
    assert_eq!(wrong, 0, "of {runs} runs went wrong");
}

/// Whether this kernel has Landlock, and it is switched on.
pub(crate) fn has_landlock() -> bool {
    static HAS: LazyLock<bool> = LazyLock::new(|| {
        let client = Launch::new("tcp-client").args(["127.0.0.1:9", "--require-sandbox"]).run();
        !client.error().contains("this kernel has no Landlock")
    });
    *HAS
}

/// What is not to be seen is not seen if it happens again and again in one run, either.
pub(crate) fn storm(rows: &[&[Row]], run: impl Fn(&FaultInjector, Expect)) {
    let rows = rows.iter().copied().flatten();
    for Row { call, about, faults, .. } in rows.filter(|row| row.expect == Unseen) {
        for fault in *faults {
            // All transfers may be short; an error must go away.
            let when = if *fault == Fault::Short { When::Always } else { When::EveryOther };
            let injector = FaultInjector::new(*call, about, *fault, when);
            println!("{injector}");
            run(&injector, Unseen);
            assert!(!injector.struck().is_empty(), "there is no such call: {injector}");
        }
    }
}

/// Demands that every call that is made in a run has its row, or is one of [`EXEMPT`]: a program that
/// begins to make another is to be tried on what that call may come to. And that the program is not in the
/// way of itself: what it calls once it is confined is what its filter lets through.
pub(crate) fn census(rows: &[&[Row]], run: impl Fn(&FaultInjector, Expect)) {
    let census = FaultInjector::census();
    run(&census, Unseen);
    let has_row = |number| rows.iter().copied().flatten().any(|row| row.call.number() == number);
    let mut missing = census.made();
    missing.retain(|number| !has_row(*number) && !EXEMPT.contains(number));
    assert!(missing.is_empty(), "system calls without a row, by their numbers: {missing:?}");
    assert_was_not_in_its_own_way(&census);
}

/// Holds a program that has ended to the filter that it gave itself, if it has: it has made no call since that
/// this refuses. Gives whether there was one.
#[track_caller]
pub(crate) fn assert_was_not_in_its_own_way(census: &FaultInjector) -> bool {
    let (mut refused, is_confined) = census.refused();
    // For want of it, C libraries make the call that was before it.
    refused.remove(&Call::CLONE.number());
    // The GNU C library's allocator looks whether memory is overcommitted, and goes on if it cannot.
    refused.remove(&Call::OPEN.number());
    assert!(
        refused.is_empty(),
        "system calls that the program's own filter refuses it, by their numbers: {refused:?} \
         (barewire_linux::sandbox)"
    );
    is_confined
}

/// Calls without rows: they fail for nothing but a fault in the program, or for want of memory, of
/// which no program in Rust survives the lack; or what they ask is of no consequence.
const EXEMPT: &[c_long] = &[
    libc::SYS_brk,
    // What a server may not need, it drops; if it cannot, it has it still.
    libc::SYS_capget,
    libc::SYS_capset,
    libc::SYS_close,
    libc::SYS_exit_group,
    // A debug build looks at a descriptor before it closes it. (Copies have rows.)
    libc::SYS_fcntl,
    // The C library looks at what it opens as a folder, by one of these two.
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_futex,
    libc::SYS_geteuid,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    // Is it a terminal?
    libc::SYS_ioctl,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_munmap,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_umask,
    // An executor waits so for less than a millisecond, or else for a whole one.
    libc::SYS_ppoll,
    libc::SYS_sched_getaffinity,
    libc::SYS_sigaltstack,
    // What the C library does at the beginning and the end of a thread.
    libc::SYS_exit,
    libc::SYS_madvise,
    libc::SYS_prctl,
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
];

/// Holds a process that met a fault, or never came to it, to what is expected. What has succeeded
/// must have had `success`.
pub(crate) fn judge(
    injector: &FaultInjector,
    expect: Expect,
    finished: &Finished,
    success: impl Fn(&Finished),
) {
    let struck = injector.struck();
    let shown = || format!("{injector}, which was about {struck:?}\n{finished:?}");
    let expect = if struck.is_empty() { Unseen } else { expect };
    let succeeded = match finished.code() {
        Some(0) => true,
        Some(1) => false,
        _ => panic!("neither success nor failure: {}", shown()),
    };
    // What a server says whenever it starts is no word about it.
    let is_about_it = |line: &str| !line.starts_with("file-server: serving ");
    let is_told = finished.diagnostics().any(is_about_it);
    match expect {
        Unseen => assert!(succeeded && !is_told, "it is seen: {}", shown()),
        Noted => assert!(succeeded && is_told, "no success with a note: {}", shown()),
        Told(_) => assert!(!succeeded, "no failure: {}", shown()),
        Orderly => {}
    }
    if succeeded {
        success(finished);
        return;
    }
    let errors: Vec<_> =
        finished.error().lines().filter(|line| line.contains(" error: ")).collect();
    let [error] = errors[..] else { panic!("it is not told in one line: {}", shown()) };
    let words = match injector.errno() {
        // Where room is reserved, more is said of what there is.
        Some(Errno::ENOSPC) => "no space left".to_owned(),
        errno => errno.map_or("", Errno::desc).to_lowercase(),
    };
    assert!(error.to_lowercase().contains(&words), "{words:?} is not said: {}", shown());
    if let Told(what) = expect {
        assert!(error.contains(what), "{what:?} is not said: {}", shown());
    }
}

// What a signal, a shortage, a peer or a broken disk makes of a call.
pub(crate) const INTERRUPTED: &[Fault] = &[Fault::Fails(Errno::EINTR)];
pub(crate) const NOT_READY: &[Fault] = &[Fault::Fails(Errno::EINTR), Fault::Fails(Errno::EAGAIN)];
pub(crate) const TRANSFER: &[Fault] =
    &[Fault::Fails(Errno::EINTR), Fault::Fails(Errno::EAGAIN), Fault::Short];
pub(crate) const PARTLY: &[Fault] = &[Fault::Fails(Errno::EINTR), Fault::Short];
pub(crate) const EARLY: &[Fault] = &[Fault::Fails(Errno::EINTR), Fault::Zero];
pub(crate) const RESET: &[Fault] = &[Fault::Fails(Errno::ECONNRESET), Fault::Reset];
pub(crate) const BROKEN: &[Fault] = &[Fault::Fails(Errno::ETIMEDOUT), Fault::Fails(Errno::ENOBUFS)];
pub(crate) const UNREACHABLE: &[Fault] =
    &[Fault::Fails(Errno::ENETUNREACH), Fault::Fails(Errno::EADDRNOTAVAIL)];
pub(crate) const IO: &[Fault] = &[Fault::Fails(Errno::EIO)];
pub(crate) const NO_ROOM: &[Fault] = &[Fault::Fails(Errno::ENOSPC)];
pub(crate) const DISK: &[Fault] = &[Fault::Fails(Errno::EIO), Fault::Fails(Errno::ENOSPC)];
pub(crate) const MEMORY: &[Fault] = &[Fault::Fails(Errno::ENOMEM)];
pub(crate) const DESCRIPTORS: &[Fault] = &[Fault::Fails(Errno::EMFILE)];

/// What all programs do that run an executor.
pub(crate) const EXECUTOR: &[Row] = &[
    row(Call::SIGNALFD, "", DESCRIPTORS, Told("system")),
    row(Call::EPOLL_CREATE, "", DESCRIPTORS, Told("system")),
    row(Call::EVENTFD, "", DESCRIPTORS, Told("system")),
    row(Call::EPOLL_CTL, "eventfd", MEMORY, Told("system")),
    row(Call::EPOLL_CTL, "signalfd", MEMORY, Told("system")),
    row(Call::EPOLL_WAIT, "", EARLY, Unseen),
    row(Call::READ, "signalfd", INTERRUPTED, Unseen),
    row(Call::POLL, "", INTERRUPTED, Unseen),
    row(Call::WRITE, "pipe:", PARTLY, Unseen),
];

/// Who says something on standard output, and nothing on standard error unless it fails.
pub(crate) const PRINTING: &[Row] = &[row(Call::WRITE, "fd 1 pipe:", IO, Told("standard output"))];

/// How a program is confined: if that fails, it is told, and all else goes on.
pub(crate) const CONFINING: &[Row] = &[
    row(Call::LANDLOCK_CREATE, "", MEMORY, Orderly),
    row(Call::LANDLOCK_RESTRICT, "", MEMORY, Noted),
    // As a filter around it would have it: with `-v` it is told.
    row(Call::SECCOMP, "", &[Fault::Fails(Errno::EPERM), Fault::Fails(Errno::EINVAL)], Unseen),
];

/// What stays allowed to one that looks names up. What cannot be looked at is not.
pub(crate) const ALLOWING: &[Row] = &[
    row(Call::LANDLOCK_ADD, "", MEMORY, Noted),
    row(Call::OPEN, "/etc", INTERRUPTED, Unseen),
    row(Call::OPEN, "/etc", DESCRIPTORS, Unseen),
    row(Call::READLINK, "/etc", IO, Unseen),
];

//! What several unit tests share.

use core::task::Poll;
use std::env;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write as _};
use std::net::{Ipv6Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use nix::sys::signal::{SigHandler, Signal, signal};
use tempfile::TempDir;

use crate::executor::{Context, Task};

/// Says that something was not tried on this machine, where nobody overlooks it: on standard error past the capture
/// of a test's output, and in the list that CI ends with (`NOT_TRIED`). Where nothing may be left out
/// (`NOTHING_LEFT_OUT`), the test fails.
pub(crate) fn not_tried(what: &str) {
    assert!(env::var_os("NOTHING_LEFT_OUT").is_none(), "not tried: {what}");
    if let Some(list) = env::var_os("NOT_TRIED") {
        let mut list = File::options().append(true).create(true).open(list).expect("the list");
        writeln!(list, "{what}").expect("there is room");
    }
    let _ = writeln!(io::stderr(), "not tried: {what}");
}

/// A task made of a closure.
pub(crate) fn task<W, F>(turn: F) -> Box<dyn Task<W>>
where
    F: FnMut(&mut W, &mut Context<'_, W>) -> Poll<()> + 'static,
{
    struct Turn<F>(F);

    impl<W, F: FnMut(&mut W, &mut Context<'_, W>) -> Poll<()>> Task<W> for Turn<F> {
        fn turn(&mut self, state: &mut W, cx: &mut Context<'_, W>) -> Poll<()> {
            (self.0)(state, cx)
        }
    }

    Box::new(Turn(turn))
}

/// Runs the rest of the calling test in a process of its own, whose limits and environment it may
/// change: true in that process. It is started behind the shell words `setup`, which may be assignments of
/// variables, with `stdin` as its standard input, and with the default for `SIGHUP`, whatever the tests were
/// told to ignore.
pub(crate) fn in_child(test: &str, stdin: Stdio, setup: &str) -> bool {
    const MARK: &str = "BAREWIRE_TEST_CHILD";
    if env::var_os(MARK).is_some() {
        return true;
    }
    // The shell knows the number of the process that it will become.
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{setup} exec \"$0\" \"$@\"")])
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(MARK, "1")
        .stdin(stdin);
    heed_hangup(&mut command);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "there is no test {test}: {said}");
    false
}

#[expect(unsafe_code, reason = "no safe call changes what is done at a signal")]
fn heed_hangup(command: &mut Command) {
    let heed = || {
        // SAFETY: there is no handler, and what was done before nobody relies on.
        unsafe { signal(Signal::SIGHUP, SigHandler::SigDfl) }?;
        Ok(())
    };
    // SAFETY: in the new process, which has one thread, it only makes a system call (`signal-safety(7)`).
    unsafe { command.pre_exec(heed) };
}

/// Fails a test where it cannot be what it says.
pub(crate) fn needs_ipv6() {
    let loopback = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).map(drop);
    let hint =
        "this test needs IPv6 on the loopback device (sysctl net.ipv6.conf.lo.disable_ipv6=0)";
    loopback.expect(hint);
}

/// An empty folder on a file system that has files without names, as one in memory has; where there is none, the
/// usual one may have them too.
pub(crate) fn folder_in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A small pseudo-random generator (`xorshift64*`). It prints its seed, which a failing test then
/// shows; `BAREWIRE_SEED` repeats it.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn seeded() -> Self {
        let seed = env::var("BAREWIRE_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or_else(|| RandomState::new().hash_one(0))
            .max(1);
        println!("BAREWIRE_SEED={seed}");
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        u32::try_from((high * u64::from(bound)) >> 32).expect("below a u32")
    }
}

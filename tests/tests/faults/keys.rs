//! Keys, on a system that refuses what they need.

use std::fs;
use std::thread;
use std::time::Instant;

use barewire_tests::harness::faults::{Call, Fault, FaultInjector, When};
use barewire_tests::harness::{Folder, KeyFile, Launch, TIMEOUT};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};

/// Whatever the error is called, no folder is to blame, and no file is left.
#[test]
fn a_key_that_cannot_be_made_for_want_of_randomness_says_so() {
    for errno in [Errno::EACCES, Errno::EPERM, Errno::ENOSYS] {
        let folder = Folder::new();
        let (call, fault) = (Call::GETRANDOM, Fault::Fails(errno));
        let injector = FaultInjector::new(call, "32 bytes", fault, When::Always);
        let launch = Launch::new("tcp-client").args(["--new-key", "ben.key"]).within(&folder);
        let refused = launch.with_faults(&injector).run().exits(1).omits("folder");
        let why = format!("the system gives no randomness: getrandom fails with {errno:?}");
        refused.says(&[&format!("--new-key: cannot make ben.key: {why}")]);
        assert!(folder.names().is_empty(), "{:?}", folder.names());
        assert!(!injector.struck().is_empty(), "{injector}");
    }
}

/// A crash while it is read finds no core file allowed.
#[test]
fn no_core_file_may_be_written_when_a_key_is_opened() {
    let (_, most) = getrlimit(Resource::RLIMIT_CORE).unwrap();
    assert!(most > 0, "this test needs to be allowed core files (ulimit -H -c)");
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    for (program, address) in [("udp-server", "127.0.0.1:0"), ("udp-client", "127.0.0.1:9")] {
        let injector = FaultInjector::new(Call::OPEN, "/ben.key", Fault::Hangs, When::Always);
        let cores = "ulimit -S -c \"$(ulimit -H -c)\"; exec \"$0\" \"$@\"";
        let launch = Launch::through_shell(cores, program);
        let hanging = launch.args([address, "--key", key.arg()]).with_faults(&injector).spawn();
        let limits = format!("/proc/{}/limits", hanging.process());
        // Not the soft limit alone, which is 0 until the shell has raised it.
        let may_dump = || {
            let limits = fs::read_to_string(&limits).expect("it runs");
            let core = limits.lines().find_map(|it| it.strip_prefix("Max core file size"));
            let core = core.expect("there is such a limit").split_whitespace();
            core.take(2).any(|limit| limit != "0")
        };
        let begun = Instant::now();
        while may_dump() {
            assert!(begun.elapsed() < TIMEOUT, "{program} opens the key before");
            thread::yield_now();
        }
    }
}

/// A process that is not dumpable writes no core file, whatever its limit is.
#[test]
fn a_limit_on_core_files_that_cannot_be_set_is_not_warned_of() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let injector = FaultInjector::refusing(&[Call::PRLIMIT], "", Errno::EPERM);
    // Nobody is at home there, and it has read its key before it finds that out.
    let launch = Launch::new("tcp-client").args(["unix:nowhere", "--key", key.arg()]);
    let client = launch.within(&folder).with_faults(&injector).run().exits(1);
    assert_eq!(client.diagnostics().count(), 1, "{client:?}");
    assert!(!injector.struck().is_empty(), "{injector}");
}

#[test]
fn core_files_that_cannot_be_forbidden_are_warned_of() {
    let folder = Folder::new();
    let injector = FaultInjector::refusing(&[Call::PRCTL], "", Errno::EPERM);
    let launch = Launch::new("udp-client").args(["--new-key", "ben.key"]).within(&folder);
    let made = launch.with_faults(&injector).run().exits(0);
    made.says(&["a core file may have the key: operation not permitted"]);
    assert!(!injector.struck().is_empty(), "{injector}");
}

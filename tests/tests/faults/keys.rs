//! Keys, on a system that refuses what they need.

use barewire_tests::harness::faults::{Call, Fault, FaultInjector, When};
use barewire_tests::harness::{Folder, KeyFile, Launch};
use nix::errno::Errno;

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

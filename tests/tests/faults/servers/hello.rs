//! Handshakes, and what belongs to no protocol.

use barewire_tests::harness::faults::{Call, Fault, FaultInjector, When};
use barewire_tests::harness::{Folder, KeyFile, Launch, Server, run};
use nix::errno::Errno;

use super::super::sweep::Expect::{Orderly, Told, Unseen};
use super::super::sweep::*;
use super::{ACCEPTING, ADDRESSES, OPENING, SERVING, converse, serve};

/// What is said through one call a message.
const SPEAKING: &[Row] = &[
    row(Call::SEND, "socket:", TRANSFER, Unseen),
    row(Call::SEND, "socket:", RESET, Orderly),
    row(Call::SEND, "socket:", BROKEN, Orderly),
];

#[test]
fn handshakes() {
    let run = |injector: &FaultInjector, expect| {
        let launch = Launch::new("tcp-server").arg("127.0.0.1:0");
        serve(launch, injector, expect, |address| {
            // Cut short, it was reset.
            assert_eq!(converse(address, b"Hello")?, "你好\n".as_bytes());
            Ok(())
        });
    };
    sweep(&[EXECUTOR, PRINTING, CONFINING, OPENING, ADDRESSES, ACCEPTING, SERVING, SPEAKING], run);
    storm(&[EXECUTOR, OPENING, ADDRESSES, ACCEPTING, SERVING, SPEAKING], run);
    census(&[EXECUTOR, CONFINING, OPENING, ADDRESSES, ACCEPTING, SERVING, SPEAKING], run);
}

/// A server whose threads cannot all be had does not serve with fewer.
#[test]
fn no_thread() {
    let injector = FaultInjector::new(Call::CLONE, "", Fault::Fails(Errno::EAGAIN), When::Nth(2));
    let launch = Launch::new("tcp-server").args(["127.0.0.1:0", "--threads", "3"]);
    let finished = launch.with_faults(&injector).run();
    judge(&injector, Told("system"), &finished, |_| {});
    assert_eq!(injector.struck().len(), 1, "{injector}");
}

/// For a channel there is randomness, or no conversation.
#[test]
fn no_randomness_for_the_only_client() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    // As much as only a channel draws.
    let (call, fault) = (Call::GETRANDOM, Fault::Fails(Errno::EPERM));
    let injector = FaultInjector::new(call, "32 bytes", fault, When::Nth(1));
    let options = ["127.0.0.1:0", "--once", "--key", key.arg()];
    let server = Server::start(Launch::new("tcp-server").args(options).with_faults(&injector));
    run("tcp-client", &[&server.at(), "--key", key.arg()]).exits(1);
    let told = "cannot be served: the system gives no randomness: getrandom fails with EPERM";
    server.program.finish().exits(1).says(&[told]);
    assert_eq!(injector.struck().len(), 1, "{injector}");
}

//! Systems that cannot confine a program.

use barewire_tests::harness::faults::{Call, Fault, FaultInjector, When};
use barewire_tests::harness::{Folder, Launch, Server};
use nix::errno::Errno;

use super::servers::converse;

/// Each program, with arguments that would have it run.
const PROGRAMS: [(&str, &[&str]); 8] = [
    ("udp-server", &["127.0.0.1:0"]),
    ("udp-client", &["127.0.0.1:9"]),
    ("tcp-server", &["127.0.0.1:0"]),
    ("tcp-client", &["127.0.0.1:9"]),
    ("file-server", &["127.0.0.1:0"]),
    ("file-client", &["127.0.0.1:9", "x", "-o", "-"]),
    ("chat-server", &["127.0.0.1:0"]),
    ("chat-client", &["127.0.0.1:9"]),
];

/// A server that cannot be confined says so, and serves.
#[test]
fn no_landlock() {
    let source = Folder::in_memory().with("x", "contents");
    for (call, number) in [(Call::LANDLOCK_CREATE, 2), (Call::LANDLOCK_RESTRICT, 1)] {
        let injector = FaultInjector::new(call, "", Fault::Fails(Errno::E2BIG), When::Nth(number));
        let launch = Launch::new("file-server").args(["127.0.0.1:0", source.arg()]);
        let mut server = Server::start(launch.with_faults(&injector));
        server.program.diagnostic_with(&["not confined: landlock failed: argument list too long"]);
        assert_eq!(converse(server.address(), b"x\n").expect("it serves"), b"contents");
        server.stop();
        assert_eq!(injector.struck().len(), 1, "{injector}");

        let injector = FaultInjector::new(call, "", Fault::Fails(Errno::E2BIG), When::Nth(number));
        let launch = Launch::new("file-server").args(["127.0.0.1:0", source.arg()]);
        let server = launch.arg("--require-sandbox").with_faults(&injector).run().exits(1);
        server
            .says(&["--require-sandbox wants it: not confined: landlock failed"])
            .omits("listening");
    }
}

/// A kernel without Landlock, or one where it is switched off, or a filter that does not know it.
#[test]
fn a_program_that_is_to_be_confined_refuses_to_run_where_it_cannot_be() {
    let source = Folder::in_memory().with("x", "contents");
    for errno in [Errno::ENOSYS, Errno::EOPNOTSUPP, Errno::EPERM] {
        for (name, arguments) in PROGRAMS {
            let fault = Fault::Fails(errno);
            let injector = FaultInjector::new(Call::LANDLOCK_CREATE, "", fault, When::Always);
            let launch = Launch::new(name).args(arguments).arg("--require-sandbox");
            let refused = launch.with_faults(&injector).run().exits(1).omits("listening");
            refused.says(&["--require-sandbox wants it: not confined: this kernel"]);
        }
        let fault = Fault::Fails(errno);
        let injector = FaultInjector::new(Call::LANDLOCK_CREATE, "", fault, When::Always);
        let launch = Launch::new("file-server").args(["127.0.0.1:0", source.arg()]);
        let server = Server::start(launch.with_faults(&injector));
        assert_eq!(converse(server.address(), b"x\n").expect("it serves"), b"contents");
        server.stop().says(&["not confined: this kernel"]);
    }
}

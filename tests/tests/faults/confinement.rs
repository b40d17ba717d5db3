//! Systems that cannot confine a program.

use std::io::{self, Write as _};

use barewire_tests::harness::faults::{Call, Fault, FaultInjector, When};
use barewire_tests::harness::not_tried::not_tried;
use barewire_tests::harness::{Folder, Launch, PATIENTLY, Server};
use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;

use super::servers::converse;
use super::sweep::{assert_was_not_in_its_own_way, has_landlock};

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
    if !has_landlock() {
        not_tried("a Landlock that fails: this kernel has none");
        return;
    }
    let source = Folder::in_memory().with("x", "contents");
    for (call, number) in [(Call::LANDLOCK_CREATE, 2), (Call::LANDLOCK_RESTRICT, 1)] {
        let injector = FaultInjector::new(call, "", Fault::Fails(Errno::E2BIG), When::Nth(number));
        let launch = Launch::new("file-server").args(["127.0.0.1:0", source.arg()]);
        let mut server = Server::start(launch.with_faults(&injector));
        server.program.diagnostic_with(&["; landlock failed: argument list too long"]);
        assert_eq!(converse(server.address(), b"x\n").expect("it serves"), b"contents");
        server.stop();
        assert_eq!(injector.struck().len(), 1, "{injector}");

        let injector = FaultInjector::new(call, "", Fault::Fails(Errno::E2BIG), When::Nth(number));
        let launch = Launch::new("file-server").args(["127.0.0.1:0", source.arg()]);
        let server = launch.arg("--require-sandbox").with_faults(&injector).run().exits(1);
        server
            .says(&[
                "--require-sandbox demands: confined by a filter of system calls; landlock failed",
            ])
            .omits("listening");
    }
}

/// By the filter that it gives itself, whatever Landlock does.
#[test]
fn a_server_makes_no_socket_and_no_program_and_writes_no_file_unless_it_has_to() {
    let folder = Folder::in_memory();
    let log = folder.path("log");
    let log = ["--log", log.to_str().expect("a plain name")];
    for (name, options, reads, writes) in [
        ("udp-server", &[][..], false, false),
        ("tcp-server", &[], false, false),
        ("file-server", &[folder.arg()], true, false),
        ("chat-server", &log, true, true),
    ] {
        let census = FaultInjector::census();
        let launch = Launch::new(name).arg("127.0.0.1:0").args(options).with_faults(&census);
        Server::start(launch).stop();
        let number = |argument: libc::c_int| u64::from(argument.cast_unsigned());
        let allows = |call, argument: usize, value| {
            let mut arguments = [0; 6];
            arguments[argument] = number(value);
            census.allows(call, arguments)
        };
        let data = libc::PROT_READ | libc::PROT_WRITE;
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            assert!(allows(call, 2, data) && !allows(call, 2, data | libc::PROT_EXEC), "{name}");
        }
        for family in [libc::AF_INET, libc::AF_UNIX, libc::AF_NETLINK, libc::AF_PACKET] {
            assert!(!allows(libc::SYS_socket, 0, family), "{name}: {family}");
        }
        assert_eq!(allows(libc::SYS_openat, 2, libc::O_RDONLY), reads, "{name}");
        for changing in [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC] {
            assert_eq!(allows(libc::SYS_openat, 2, changing), writes, "{name}: {changing}");
        }
        for call in [libc::SYS_execve, libc::SYS_ptrace, libc::SYS_clone, libc::SYS_mount] {
            assert!(!allows(call, 0, 0), "{name}: {call}");
        }
        // The process of number 1 is another.
        assert!(!allows(libc::SYS_kill, 0, 1) && !allows(libc::SYS_kill, 0, -1), "{name}");
    }
}

/// Before Linux 4.17 there is one flag less.
#[test]
fn an_older_filter_of_system_calls_is_one_too() {
    let (fault, when) = (Fault::Fails(Errno::EINVAL), When::EveryOther);
    let injector = FaultInjector::new(Call::SECCOMP, "", fault, when);
    let launch = Launch::new("tcp-server").args(["127.0.0.1:0", "-v"]);
    let server = Server::start(launch.with_faults(&injector)).stop();
    assert_eq!(injector.struck().len(), 2, "{injector}");
    assert!(!server.error().contains("no filter of system calls"), "{server:?}");
    server.says(&["a filter of system calls"]);
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
            refused.says(&[
                "demands: confined by a filter of system calls; this kernel has no landlock",
            ]);
            let injector = FaultInjector::new(Call::SECCOMP, "", fault, When::Always);
            let launch = Launch::new(name).args(arguments).arg("--require-sandbox");
            let refused = launch.with_faults(&injector).run().exits(1).omits("listening");
            refused.says(&["no filter of system calls"]);
        }
        let fault = Fault::Fails(errno);
        let injector = FaultInjector::new(Call::LANDLOCK_CREATE, "", fault, When::Always);
        let launch = Launch::new("file-server").args(["127.0.0.1:0", source.arg()]);
        let server = Server::start(launch.with_faults(&injector));
        assert_eq!(converse(server.address(), b"x\n").expect("it serves"), b"contents");
        server.stop().says(&["confined by a filter of system calls; this kernel has no landlock"]);
    }
}

#[test]
fn a_file_server_and_its_client_are_not_in_their_own_way() {
    let source = Folder::new().with("x", "text\n".repeat(600_000)).with("tree/a", "first");
    let census = FaultInjector::census();
    let launch = Launch::new("file-server").args(["127.0.0.1:0", source.arg(), "--threads", "2"]);
    let server = Server::start(launch.with_faults(&census));
    let name = format!("localhost:{}", server.port());
    let target = Folder::new();
    for arguments in [
        &["x"][..],
        &["x", "-o", "-"],
        &["x", "--plain", "--force"],
        &["-r", "."],
        &["-r", ".", "--checksum"],
        &["--list", "."],
        &["x", "--force", "--mirror", &name],
    ] {
        let census = FaultInjector::census();
        let launch = Launch::new("file-client").arg(&name).args(arguments).within(&target);
        launch.with_faults(&census).run().exits(0);
        assert!(assert_was_not_in_its_own_way(&census));
    }
    server.stop();
    assert!(assert_was_not_in_its_own_way(&census));
}

#[test]
fn a_room_and_its_member_are_not_in_their_own_way() {
    let folder = Folder::new().with("motd", "welcome");
    let census = FaultInjector::census();
    let launch = Launch::new("chat-server").args(["127.0.0.1:0", "--log"]).arg(folder.path("log"));
    let launch = launch.arg("--bans").arg(folder.path("bans"));
    let (input, mut typed) = io::pipe().expect("a pipe");
    let launch = launch.arg("--motd").arg(folder.path("motd")).stdin(input).as_a_job();
    let mut server = Server::start(launch.with_faults(&census));
    let member = FaultInjector::census();
    let client = Launch::new("chat-client").arg(format!("localhost:{}", server.port()));
    client.with_faults(&member).run().exits(0).prints("* motd: welcome");
    assert!(assert_was_not_in_its_own_way(&member));
    for command in ["/ban 192.0.2.7", "/unban 192.0.2.7"] {
        writeln!(typed, "{command}").expect("room");
        server.program.line_with("192.0.2.7");
    }
    server.program.signal(Signal::SIGHUP);
    server.stop();
    assert!(assert_was_not_in_its_own_way(&census));
}

#[test]
fn small_servers_and_their_clients_are_not_in_their_own_way() {
    for (server, client) in [("udp-server", "udp-client"), ("tcp-server", "tcp-client")] {
        for address in ["127.0.0.1:0", "[::]:0"] {
            let census = FaultInjector::census();
            let launch = Launch::new(server).args([address, "--threads", "2"]);
            let server = Server::start(launch.with_faults(&census));
            let asked = FaultInjector::census();
            let launch = Launch::new(client).arg(format!("localhost:{}", server.port()));
            let launch = launch.args(["-c", "2", "-i", "1ms"]).args(PATIENTLY);
            launch.with_faults(&asked).run().exits(0);
            assert!(assert_was_not_in_its_own_way(&asked));
            server.stop();
            assert!(assert_was_not_in_its_own_way(&census));
        }
    }
}

//! What programs give up that their work does not need.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::process;
use std::thread;
use std::time::Instant;

use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::{Folder, Launch, Program, Server, TIMEOUT, run, serve, share};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, geteuid};

use super::{PROGRAMS, SERVERS, is_root};
use crate::chat::Member;

/// A user without a name, and without a process.
const SOMEBODY: u32 = 65432;

/// What the kernel says of a process (`proc_pid_status(5)`).
fn status(process: Pid, field: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {field} in {status}")).trim().to_owned()
}

/// Starts `program`, and gives it when it is at its work, with what keeps it there.
fn at_work(program: &str, options: &[&str]) -> (Program, Option<Box<dyn Send>>) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, heard) = (silent.local_addr().unwrap().to_string(), move || silent.accept());
    let launch = |address: &str| Launch::new(program).arg(address).args(options);
    match program {
        "udp-client" => {
            let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
            let client = launch(&silent.local_addr().unwrap().to_string()).spawn();
            silent.recv(&mut [0; 100]).unwrap();
            (client, Some(Box::new(silent)))
        }
        name if SERVERS.contains(&name) => (Server::start(launch("127.0.0.1:0")).program, None),
        name => {
            let names: &[_] = if name == "file-client" { &["x", "-o", "/dev/null"] } else { &[] };
            let client = launch(&address).args(names).spawn();
            (client, Some(Box::new(heard().unwrap())))
        }
    }
}

#[test]
fn no_program_gains_privileges_and_each_tells_what_confines_it() {
    for name in PROGRAMS {
        for (options, told) in [
            (&["-v"][..], &["confined by Landlock", "kernel has no Landlock"][..]),
            (&["-v", "--no-sandbox"], &["not confined (--no-sandbox)"]),
        ] {
            let (mut program, peer) = at_work(name, options);
            program.diagnostic_with(told);
            assert_eq!(status(program.process(), "NoNewPrivs"), "1", "{name} {options:?}");
            program.signal(Signal::SIGKILL);
            let _ = program.finish();
            drop(peer);
        }
        let both = [&["127.0.0.1:9", "--no-sandbox", "--require-sandbox"][..], &[]].concat();
        run(name, &both).exits(2).says(&["--require-sandbox"]);
    }
}

#[test]
fn a_server_of_root_keeps_none_of_its_privileges_but_those_on_files_and_says_how_to_lose_it() {
    for name in SERVERS {
        let server = serve(name, &[]);
        let process = server.program.process();
        // CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH and CAP_FOWNER (capabilities(7)).
        let most: u64 = if ["file-server", "chat-server"].contains(&name) { 0b1110 } else { 0 };
        for field in ["CapPrm", "CapEff", "CapInh", "CapAmb"] {
            let held = u64::from_str_radix(&status(process, field), 16).unwrap();
            assert_eq!(held & !most, 0, "{name} {field}: {held:b}");
        }
        let is_root = geteuid().is_root();
        let server = server.stop();
        let told = server.error().matches("running as root (--user NAME").count();
        assert_eq!(told, usize::from(is_root), "{server:?}");
    }
}

/// What binds a port below 1024, or reaches another user's socket or files, is what it was called for.
#[test]
fn a_client_of_root_keeps_none_of_its_privileges_but_what_its_arguments_need() {
    for (name, options, most) in [
        ("udp-client", &[][..], 0),
        ("udp-client", &["--bind", "127.0.0.1:0"], 0),
        ("udp-client", &["--bind", "127.0.0.1:1023"], 1_u64 << 10),
        ("tcp-client", &[], 0),
        ("file-client", &[], 0b1110),
        ("chat-client", &[], 0),
    ] {
        if options.contains(&"127.0.0.1:1023") && !is_root() {
            continue;
        }
        let (mut program, peer) = at_work(name, &[&["-v"], options].concat());
        program.diagnostic_with(&["confined by", "not confined"]);
        for field in ["CapPrm", "CapEff", "CapInh", "CapAmb"] {
            let held = u64::from_str_radix(&status(program.process(), field), 16).unwrap();
            assert_eq!(held & !most, 0, "{name} {options:?} {field}: {held:b}");
        }
        program.signal(Signal::SIGKILL);
        let _ = program.finish();
        drop(peer);
    }
}

/// As another's.
#[test]
fn root_reaches_a_unix_socket_of_anybody() {
    if !is_root() {
        return;
    }
    let folder = private(SOMEBODY);
    let socket = folder.path("socket");
    let at = format!("unix:{}", socket.display());
    let mut server = Launch::new("tcp-server").args([&at, "--socket-mode", "600"]).spawn();
    server.line_with("listening on");
    chown(&socket, Some(SOMEBODY), Some(SOMEBODY)).unwrap();
    run("tcp-client", &[&at]).exits(0).prints("你好");
    server.signal(Signal::SIGTERM);
    server.finish().exits(0);
}

#[test]
fn a_user_that_does_not_exist_is_wrong_usage() {
    for name in SERVERS {
        let refused = run(name, &["127.0.0.1:0", "--user", "no-such-user"]).exits(2);
        refused.says(&["'no-such-user' for '--user <NAME>': there is no such user"]);
    }
}

/// Holds a server to what is promised of who is not root: nothing is served in another's name.
#[track_caller]
fn assert_refused(launch: Launch) {
    let refused = launch.run().exits(1).omits("listening");
    refused.says(&["--user: cannot become '65432': operation not permitted (only root can"]);
}

/// An address that only this process uses, so that a port of it is free.
fn own_address() -> Ipv4Addr {
    let [_, high, middle, low] = process::id().to_be_bytes();
    Ipv4Addr::new(127, 128 | high, middle, low)
}

#[test]
fn a_server_becomes_the_user_for_good_once_it_is_bound() {
    // Only root may bind it.
    for (port, name) in (901..).zip(SERVERS) {
        let address = SocketAddr::from((own_address(), port));
        let launch = Launch::new(name).arg(address.to_string()).args(["--user", "65432"]);
        if !is_root() {
            assert_refused(Launch::new(name).args(["127.0.0.1:0", "--user", "65432"]));
            continue;
        }
        let server = Server::start(launch);
        assert_eq!(server.address(), address);
        let process = server.program.process();
        let four = [SOMEBODY; 4].map(|id| id.to_string()).join("\t");
        assert_eq!((status(process, "Uid"), status(process, "Gid")), (four.clone(), four));
        assert_eq!(status(process, "Groups"), SOMEBODY.to_string());
        for field in ["CapPrm", "CapEff", "CapInh", "CapAmb"] {
            assert_eq!(u64::from_str_radix(&status(process, field), 16), Ok(0), "{name} {field}");
        }
        let server = server.stop();
        assert!(!server.error().contains("as root"), "{server:?}");
    }
}

/// A folder that only `owner` can look into.
fn private(owner: u32) -> Folder {
    let folder = Folder::new().with("x", "contents");
    for name in ["x", ""] {
        chown(folder.path(name), Some(owner), Some(owner)).unwrap();
    }
    fs::set_permissions(folder.path(""), Permissions::from_mode(0o700)).unwrap();
    folder
}

#[test]
fn files_are_opened_as_the_user() {
    if !is_root() {
        return assert_refused(Launch::new("chat-server").args(["127.0.0.1:0", "--user", "65432"]));
    }
    let (own, roots) = (private(SOMEBODY), private(0));
    let server = share(&own, &["--user", "65432"]);
    assert_eq!(
        Ask::get("x").fetch(&mut TcpStream::connect(server.address()).unwrap()).1,
        b"contents"
    );
    server.stop();
    let inner = roots.path("inner");
    fs::create_dir(&inner).unwrap();
    let refused = Launch::new("file-server").arg("127.0.0.1:0").arg(inner);
    let refused = refused.args(["--user", "65432"]).run().exits(1).omits("listening");
    refused.says(&["inner: permission denied"]);
    // Nor is a folder served of which the user could have nothing.
    let launch = Launch::new("file-server").args(["127.0.0.1:0", roots.arg(), "--user", "65432"]);
    let why = format!("cannot serve {}: permission denied", roots.arg());
    launch.run().exits(1).omits("listening").says(&[&why]);
    fs::set_permissions(own.path(""), Permissions::from_mode(0o300)).unwrap();
    let mut server = share(&own, &["--user", "65432"]);
    server.program.diagnostic_with(&["cannot be listed (permission denied): its files are served"]);
    assert_eq!(Ask::get("x").status(server.address()), 0);
    server.stop();
    let (log, bans) = (roots.path("log"), roots.path("bans"));
    for (option, file) in [("--log", log), ("--bans", bans), ("--motd", roots.path("x"))] {
        let options = ["127.0.0.1:0", "--user", "65432", option];
        let refused = Launch::new("chat-server").args(options).arg(file).run().exits(1);
        refused.omits("listening").says(&["permission denied"]);
    }
}

/// It was made before; and only where the user may, it is removed.
#[test]
fn the_file_of_a_unix_socket_is_of_who_starts_the_server() {
    if !is_root() {
        return assert_refused(Launch::new("tcp-server").args(["127.0.0.1:0", "--user", "65432"]));
    }
    for (owner, is_removed) in [(SOMEBODY, true), (0, false)] {
        let folder = private(owner);
        let socket = folder.path("socket");
        let at = format!("unix:{}", socket.display());
        let mut server = Launch::new("tcp-server").args([&at, "--user", "65432"]).spawn();
        assert_eq!(server.line(), format!("listening on {at}"));
        assert_eq!(fs::metadata(&socket).unwrap().uid(), 0);
        server.signal(Signal::SIGTERM);
        server.finish().exits(0);
        assert_eq!(socket.exists(), !is_removed);
    }
}

/// What a link leads to is replaced and not the link, which is sought from the working folder; were there
/// nothing yet.
#[test]
fn bans_may_be_kept_behind_a_link() {
    for is_dangling in [false, true] {
        let folder = Folder::new().with("kept/other", "");
        if !is_dangling {
            folder.write("kept/bans", "");
        }
        symlink("kept/bans", folder.path("bans")).unwrap();
        let launch = Launch::new("chat-server").args(["127.0.0.1:0", "--bans", "bans"]);
        Server::start(launch.within(&folder)).stop();
        assert!(folder.path("bans").is_symlink());
        assert!(fs::read_to_string(folder.path("kept/bans")).unwrap().starts_with("# Who may not"));
    }
}

/// What it has opened as the user it can open again.
#[test]
fn a_hangup_reopens_files_as_the_user() {
    if !is_root() {
        return assert_refused(Launch::new("chat-server").args(["127.0.0.1:0", "--user", "65432"]));
    }
    let folder = private(SOMEBODY);
    let (log, motd, bans) = (folder.path("log"), folder.path("x"), folder.path("bans"));
    let launch = Launch::new("chat-server").args(["127.0.0.1:0", "--user", "65432"]);
    let launch = launch.arg("--log").arg(&log).arg("--motd").arg(&motd).arg("--bans").arg(&bans);
    let server = Server::start(launch.as_a_job());
    let anna = Member::join(server.address());
    fs::rename(&log, folder.path("log.1")).unwrap();
    // Another file has the name then.
    fs::write(folder.path("new"), "changed").unwrap();
    fs::rename(folder.path("new"), &motd).unwrap();
    server.program.signal(Signal::SIGHUP);
    let deadline = Instant::now() + TIMEOUT;
    while !log.exists() {
        assert!(Instant::now() < deadline, "the log is not reopened");
        thread::yield_now();
    }
    assert_eq!(fs::metadata(&log).unwrap().uid(), SOMEBODY);
    drop(anna);
    let server = server.stop();
    assert!(!server.error().contains("cannot"), "{server:?}");
}

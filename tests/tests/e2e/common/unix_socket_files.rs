//! The files of Unix sockets: what becomes of them, and who may connect.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};

use barewire_tests::harness::{Folder, Launch, run};
use nix::sys::signal::Signal;

use super::unix_sockets::{STREAM_SERVERS, at, connect, line, serve, start, stop};

#[test]
fn the_socket_is_gone_when_its_server_has_ended() {
    let folder = Folder::new();
    let path = folder.path("socket");
    for program in STREAM_SERVERS {
        let server = serve(program, &folder, &[]);
        assert!(fs::symlink_metadata(&path).expect("it is there").file_type().is_socket());
        stop(server);
        assert!(!path.exists(), "{program}");
    }
    let server = serve("tcp-server", &folder, &["--once"]);
    run("tcp-client", &[&at(&folder)]).exits(0);
    server.finish().exits(0);
    assert!(!path.exists());
    let server = serve("file-server", &folder, &["--threads", "3", "--no-sandbox"]);
    stop(server);
    assert!(!path.exists());
    // One that cannot begin.
    let folder_of_bans = folder.arg();
    run("chat-server", &[&at(&folder), "--bans", folder_of_bans]).exits(1).omits("listening");
    assert!(!path.exists());
    // What has taken its place is another's.
    let server = serve("tcp-server", &folder, &[]);
    fs::remove_file(&path).expect("it is there");
    fs::write(&path, "mine").expect("a file");
    stop(server);
    assert_eq!(fs::read_to_string(&path).expect("it stays"), "mine");
}

#[test]
fn what_a_killed_server_has_left_is_replaced() {
    let folder = Folder::new();
    for program in STREAM_SERVERS {
        let server = serve(program, &folder, &[]);
        server.signal(Signal::SIGKILL);
        assert_eq!(server.finish().signal(), Some(Signal::SIGKILL as i32));
        let client = program.replace("server", "client");
        let name: &[&str] = if program == "file-server" { &["x"] } else { &[] };
        let refused = "connection refused (is a server listening there?)";
        run(&client, &[&[&*at(&folder)], name].concat())
            .exits(1)
            .says(&[&format!("cannot connect to {}: {refused}", at(&folder))]);
        stop(serve(program, &folder, &[]));
        run(&client, &[&[&*at(&folder)], name].concat())
            .exits(1)
            .says(&[&format!("cannot connect to {}: no such file or directory", at(&folder))]);
    }
}

/// Nobody in the room notices: looking whether it is served is no visit.
#[test]
fn a_socket_that_is_served_is_left_to_its_server() {
    let folder = Folder::new();
    let server = serve("chat-server", &folder, &[]);
    let mut member = connect(&folder);
    assert!(line(&mut member).starts_with("* welcome"));
    for program in STREAM_SERVERS {
        let why = "address already in use: a running process has this socket open";
        run(program, &[&at(&folder)])
            .exits(1)
            .omits("listening")
            .says(&[&format!("cannot bind {}: {why}", at(&folder))]);
    }
    member.get_mut().write_all(b"/nick anna\n").expect("a member");
    assert_eq!(line(&mut member), "* guest1 is now anna\n");
    stop(server);
}

#[test]
fn where_no_socket_can_be_made_it_is_told_what_lacks() {
    let folder = Folder::new();
    let missing = format!("unix:{}", folder.path("none/socket").display());
    for (at, advice) in [
        (&*missing, "(make its folder first)"),
        ("unix:/proc/socket", "(no such file can be made in this folder: choose another)"),
    ] {
        let told = format!("cannot bind {at}: no such file or directory {advice}");
        run("tcp-server", &[at]).exits(1).says(&[&told]).omits("listening");
    }
}

#[test]
fn what_is_no_socket_stays_as_it_is() {
    let folder = Folder::new().with("socket", "mine");
    for program in STREAM_SERVERS {
        run(program, &[&at(&folder)]).exits(1).omits("listening").says(&[&format!(
            "cannot bind {}: what is there is not a socket, and stays",
            at(&folder)
        )]);
    }
    assert_eq!(fs::read(folder.path("socket")).expect("a file"), b"mine");
    let nowhere = format!("unix:{}", folder.path("missing/socket").display());
    run("tcp-server", &[&nowhere])
        .exits(1)
        .says(&[&format!("cannot bind {nowhere}: no such file or directory")]);
}

/// Without a mapping of users (`user_namespaces(7)`) nobody has privileges over files, root neither.
#[test]
fn the_owner_and_the_group_may_connect_unless_it_is_said_otherwise() {
    let folder = Folder::new();
    let mode = || {
        let metadata = fs::metadata(folder.path("socket")).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    for (umask, options, expected) in [
        ("000", &[][..], 0o660),
        ("077", &[], 0o660),
        ("077", &["--socket-mode", "666"], 0o666),
        ("022", &["--socket-mode", "000"], 0),
    ] {
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let launch = Launch::through_shell(&script, "tcp-server").arg(at(&folder)).args(options);
        let server = start(launch, &at(&folder));
        assert_eq!(mode(), expected);
        let client = Launch::through_shell("exec unshare --user \"$0\" \"$@\"", "tcp-client");
        let client = client.arg(at(&folder)).run();
        if expected == 0 {
            client.exits(1).says(&["permission denied"]).says(&["--socket-mode"]);
        } else {
            client.exits(0).prints("你好");
        }
        stop(server);
    }
}

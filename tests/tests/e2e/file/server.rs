//! Every option of `file-server`, and its end.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{Ask, SEGMENT};
use barewire_tests::harness::sockets::{End, connect, connect_narrow, is_ended_by_peer, read_out};
use barewire_tests::harness::{Folder, Launch, Server, TIMEOUT, run, share};
use nix::sys::signal::Signal;

use super::fetch;

#[test]
fn the_current_folder_is_served_unless_told() {
    let folder = Folder::new().with("x", "contents");
    for words in [&["127.0.0.1:0"][..], &["127.0.0.1", "0"], &["127.0.0.1", "0", "."]] {
        let launch = Launch::new("file-server").args(words).within(&folder);
        let server = Server::start(launch);
        assert_eq!(Ask::get("x").fetch(&mut connect(server.address())).1, b"contents");
        server.stop();
    }
}

#[test]
fn a_folder_that_is_none_is_told() {
    let folder = Folder::new().with("x", "contents");
    for name in ["x", "nowhere"] {
        let path = folder.path(name);
        let path = path.to_str().unwrap();
        let server = run("file-server", &["127.0.0.1:0", path]).exits(1).says(&[path]);
        assert_eq!(server.output(), "");
    }
    run("file-server", &["127.0.0.1:0", folder.arg(), "surplus"]).exits(2);
}

#[test]
fn a_folder_without_an_address_is_told_where_it_belongs() {
    let folder = Folder::new();
    run("file-server", &[folder.arg()]).exits(2).says(&["the folder comes behind the address"]);
}

#[test]
fn who_takes_nothing_for_the_stall_is_cut_off() {
    let folder = Folder::new().with("x", contents(16 * SEGMENT, 5));
    let mut server = share(&folder, &["--stall", "200ms"]);
    let mut stream = connect_narrow(server.address());
    stream.write_all(&Ask::get("x").bytes()).unwrap();
    server.program.diagnostic_with(&["took too little for"]);
    assert_eq!(read_out(&mut stream).1, End::Reset);
    server.stop();
}

/// One connection, with all its requests.
#[test]
fn once_ends_the_server_after_one_connection() {
    let folder = Folder::new().with("x", "contents").with("y", "more");
    let server = share(&folder, &["--once"]);
    fetch(&server.at(), &Folder::new(), &["x", "y"]).exits(0);
    server.program.finish().exits(0).prints("x: 8 bytes").prints("y: 4 bytes");

    let server = share(&folder, &["--once"]);
    fetch(&server.at(), &Folder::new(), &["x", "--plain"]).exits(0);
    server.program.finish().exits(0).prints("x: 8 bytes");
}

/// On standard output, as all that is served; of more diagnostics there is nothing that says less.
#[test]
fn what_is_refused_is_told_in_words_and_of_whom() {
    let folder = Folder::new().with("x", "contents");
    let mut server = share(&folder, &["-v"]);
    assert_eq!(Ask::get("y").status(server.address()), 1);
    assert_eq!(Ask::get("../x").status(server.address()), 2);
    let told = server.program.line_with("y: not found");
    assert!(told.starts_with("127.0.0.1:"), "{told}");
    server.program.line_with("../x: refused");
    let server = server.stop();
    assert!(server.diagnostics().all(|line| !line.contains("refused")), "{server:?}");
}

#[test]
fn quiet_says_nothing_of_what_is_served() {
    let folder = Folder::new().with("x", "contents");
    let server = share(&folder, &["-q"]);
    assert_eq!(Ask::get("x").status(server.address()), 0);
    assert_eq!(Ask::get("y").status(server.address()), 1);
    let server = server.stop().is_silent();
    assert_eq!(server.output().lines().count(), 1, "{server:?}");
}

/// One client asks for large lists without end; the other is served in between.
#[test]
fn lists_without_end_keep_nobody_waiting() {
    let names = (0..4000).map(|number| format!("file-{number}"));
    let folder = names.fold(Folder::in_memory(), |folder, name| folder.with(&name, ""));
    let server = share(&folder, &["--threads", "1", "--grace", "100ms"]);
    let greedy = connect(server.address());
    let ends = [greedy.try_clone().unwrap(), greedy.try_clone().unwrap()];
    let [mut writer, mut reader] = ends;
    let requests = Ask::list("").bytes().repeat(500);
    let writer = thread::spawn(move || while writer.write_all(&requests).is_ok() {});
    let (begun, begins) = mpsc::channel();
    let reader = thread::spawn(move || {
        reader.read_exact(&mut [0]).unwrap();
        begun.send(()).unwrap();
        read_out(&mut reader)
    });
    begins.recv_timeout(TIMEOUT).expect("a list");
    assert_eq!(Ask::get("file-7").status(server.address()), 0);
    server.program.signal(Signal::SIGTERM);
    let _ = server.program.finish().exits(0);
    let _ = greedy.shutdown(Shutdown::Both);
    let _ = reader.join();
    writer.join().unwrap();
}

/// A hostile name reaches no screen raw, whatever the route.
#[test]
fn names_are_shown_harmlessly() {
    use barewire_tests::harness::printable::{HOSTILE, printable};
    let folder = Folder::new();
    for options in [&[][..], &["--json", "-v"]] {
        let server = share(&folder, options);
        let status = Ask::get(HOSTILE).status(server.address());
        assert!(matches!(status, 1 | 2), "{status}");
        let server = server.stop();
        if options.is_empty() {
            server.prints(&printable(HOSTILE));
        } else {
            assert_eq!(server.event("served")["name"], printable(HOSTILE));
        }
    }
    let server = share(&folder, &[]);
    let name = "esc\x1b]0;title\x07\u{202e}";
    let client = fetch(&server.at(), &folder, &[name, "--json"]).exits(1);
    let message = client.event("error")["message"].to_string();
    assert!(message.contains("title") && !message.contains('\u{202e}'), "{message}");
    server.stop();
}

#[test]
fn the_running_server_is_confined_and_says_so() {
    let folder = Folder::new().with("x", "contents");
    let server = share(&folder, &[]);
    // Nobody is served before that is done.
    assert_eq!(Ask::get("x").status(server.address()), 0);
    let status = format!("/proc/{}/status", server.program.process());
    let status = std::fs::read_to_string(status).expect("it runs");
    let server = server.stop().says(&["confined by Landlock", "no Landlock"]);
    let server = server.says(&["names resolved by the kernel (openat2)"]);
    if server.error().contains(", confined by") {
        // Landlock takes no process that could still gain privileges (landlock(7)).
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    }
    let server = share(&folder, &["--no-sandbox"]);
    assert_eq!(Ask::get("x").status(server.address()), 0);
    let server = server.stop().says(&["not confined (--no-sandbox); names resolved by"]);
    assert!(!server.error().contains("Landlock"), "{server:?}");
    run("file-server", &["--no-sandbox", "--require-sandbox"])
        .exits(2)
        .says(&["--require-sandbox"]);
}

/// Where there is Landlock, it runs as ever; where there is none, not at all.
#[test]
fn a_server_may_be_told_to_run_confined_only() {
    let folder = Folder::new().with("x", "contents");
    let launch = Launch::new("file-server").args(["127.0.0.1:0", folder.arg()]);
    let mut server = launch.arg("--require-sandbox").spawn();
    if let Some(line) = server.line_or_end() {
        let address = line.strip_prefix("listening on ").unwrap().parse().unwrap();
        server.diagnostic_with(&[", confined by Landlock"]);
        assert_eq!(Ask::get("x").status(address), 0);
        server.signal(Signal::SIGTERM);
        server.finish().exits(0);
    } else {
        server.finish().exits(1).says(&["--require-sandbox demands"]);
    }
}

/// What has begun is sent to its end, and nobody new is let in.
#[test]
fn a_stopping_server_finishes_what_it_sends() {
    let whole = contents(8 * SEGMENT, 5);
    let folder = Folder::new().with("x", &whole);
    for (signal, form) in
        [(Signal::SIGINT, Ask::get("x").bytes()), (Signal::SIGTERM, b"x\n".to_vec())]
    {
        let server = share(&folder, &["--grace", "1h"]);
        let mut stream = connect_narrow(server.address());
        stream.write_all(&form).unwrap();
        stream.read_exact(&mut [0]).unwrap();
        server.program.signal(signal);
        let (rest, end) = read_out(&mut stream);
        assert_eq!(end, End::Closed);
        assert!(rest.len() >= whole.len() - 1, "{} bytes", rest.len());
        drop(stream);
        server.program.finish().exits(0).prints("x: 8388608 bytes");
    }
}

/// Who takes nothing is waited for as long as the grace is, then cut off by a reset, and that is told; whoever
/// asks twice does not want to wait.
#[test]
fn a_stopping_server_cuts_off_who_takes_nothing() {
    let folder = Folder::new().with("x", contents(16 * SEGMENT, 5));
    for (patient, grace) in [(true, "200ms"), (false, "1m")] {
        // Else what is told of a source is cut short, and it is the same for all who try to get in.
        let server = share(&folder, &["--grace", grace, "-v"]);
        let mut stream = connect_narrow(server.address());
        stream.write_all(&Ask::get("x").bytes()).unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
        let begun = Instant::now();
        server.program.signal(Signal::SIGTERM);
        if !patient {
            while std::net::TcpStream::connect(server.address()).is_ok() {
                assert!(begun.elapsed() < Duration::from_secs(20), "it lets clients in");
            }
            server.program.signal(Signal::SIGTERM);
        }
        let server = server.program.finish().exits(0).says(&["aborted by the shutdown in x"]);
        // By a clock that is not the server's.
        let least = Duration::from_millis(if patient { 150 } else { 0 });
        assert!(begun.elapsed() >= least, "{:?}", begun.elapsed());
        assert!(!server.output().contains("x: 16"), "{server:?}");
        assert_eq!(read_out(&mut stream).1, End::Reset);
    }
}

/// A client that is only connected does not keep the server from stopping, if it closes in turn.
#[test]
fn a_stopping_server_says_good_bye_to_who_rests() {
    let folder = Folder::new().with("x", "contents");
    let server = share(&folder, &[]);
    let mut resting = connect(server.address());
    assert_eq!(Ask::get("x").fetch(&mut resting).1, b"contents");
    server.program.signal(Signal::SIGTERM);
    assert!(is_ended_by_peer(&mut resting));
    resting.shutdown(Shutdown::Write).unwrap();
    server.program.finish().exits(0);
}

/// An end in order would tell it that the server knows the plain form only.
#[test]
fn a_stopping_server_resets_who_has_asked_for_nothing_yet() {
    let folder = Folder::new().with("x", "contents");
    let server = share(&folder, &[]);
    let mut silent = connect(server.address());
    // They are let in one after another.
    assert_eq!(Ask::get("x").status(server.address()), 0);
    server.program.signal(Signal::SIGTERM);
    assert_eq!(read_out(&mut silent).1, End::Reset);
    server.program.finish().exits(0);
}

/// The client is gone in the middle: that is told, and the server lives.
#[test]
fn a_client_that_is_gone_is_told_and_harms_nobody() {
    let folder = Folder::new().with("x", contents(16 * SEGMENT, 5)).with("y", "more");
    let mut server = share(&folder, &[]);
    for request in [Ask::get("x").bytes(), b"x\n".to_vec()] {
        let mut stream = connect_narrow(server.address());
        stream.write_all(&request).unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
        drop(stream);
        server.program.diagnostic_with(&["connection lost in x"]);
        assert_eq!(Ask::get("y").status(server.address()), 0);
    }
    server.stop().omits("x: 16777216 bytes");
}

//! Out of descriptors a server pauses accepting: those it holds are served, and accepting
//! resumes as they leave (darkhttpd).

use std::io::Write;
use std::net::Ipv4Addr;

use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::sockets::{
    assert_nothing_arrives, connect, connect_from, handshake, read_line, read_out, read_to_end,
};
use barewire_tests::harness::{Folder, Launch, Server};

/// Some of these the server needs for itself.
const FEW_DESCRIPTORS: &str = r#"ulimit -n 24 && exec "$0" "$@""#;

const CLIENTS: usize = 30;

/// What makes them run out.
const MORE_THAN_THERE_ARE: [&str; 4] = ["--max-clients", "1000", "--max-per-source", "1000"];

/// Enough for some clients.
const SOME_DESCRIPTORS: &str = r#"ulimit -n 64 && exec "$0" "$@""#;

/// Unless it is told to, a server lets in no more than it has descriptors for, and what it cannot serve is
/// told so at once. Two sources that take all they can leave places for a third.
#[test]
fn descriptors_do_not_run_out_and_nobody_waits_for_a_place() {
    let folder = Folder::new().with("x", "contents");
    for program in ["tcp-server", "file-server", "chat-server"] {
        let launch = Launch::through_shell(SOME_DESCRIPTORS, program).arg("127.0.0.1:0");
        let server = Server::start(match program {
            "file-server" => launch.arg(folder.as_ref()).args(["--threads", "1"]),
            _ => launch,
        });
        let greedy = |last| connect_from(Ipv4Addr::new(127, 0, 0, last), server.address());
        let mut crowd: Vec<_> = (0..120_u8).map(|number| greedy(2 + number % 2)).collect();
        match program {
            "tcp-server" => assert_eq!(read_line(&mut connect(server.address())), "你好"),
            "file-server" => assert_eq!(Ask::get("x").status(server.address()), 0),
            // All who are silent come to listen, and stay.
            _ => {
                let is_refused = |it: &mut _| !read_line(it).starts_with("* welcome");
                assert!(
                    crowd.iter_mut().filter_map(|it| is_refused(it).then_some(())).count() > 20
                );
            }
        }
        drop(crowd);
        let server = server.stop();
        assert!(!server.error().contains("accepting paused"), "{server:?}");
    }
}

/// Whoever is neither served nor gone has a descriptor, too: who has lost its place to another, who was turned away,
/// and whose conversation is over, if they do not close. So has each thread.
#[test]
fn descriptors_do_not_run_out_as_places_change_hands() {
    let folder = Folder::new().with("x", "contents");
    for (program, limit, threads) in [
        ("tcp-server", 20, 1),
        ("file-server", 24, 2),
        ("tcp-server", 64, 1),
        ("file-server", 64, 1),
        ("chat-server", 64, 1),
        ("tcp-server", 64, 8),
        ("file-server", 64, 6),
        ("tcp-server", 256, 32),
    ] {
        // Before the end of what the first say, a server has nobody to answer; behind that of the second it waits for
        // nothing.
        let (begun, whole, answer) = match program {
            "tcp-server" => ("", "hello\n", "你好"),
            "file-server" => ("", "x\n", "contents"),
            _ => ("GET", "hello\n/quit\n", "* welcome"),
        };
        let few = format!(r#"ulimit -n {limit} && exec "$0" "$@""#);
        let launch = Launch::through_shell(&few, program).arg("127.0.0.1:0");
        let threads = threads.to_string();
        let server = Server::start(match program {
            "file-server" => launch.arg(folder.as_ref()).args(["--threads", &threads]),
            "tcp-server" => launch.args(["--threads", &threads]),
            _ => launch,
        });
        let from = |last| connect_from(Ipv4Addr::new(127, 0, 0, last), server.address());
        let mut crowd = Vec::new();
        for number in 0..240_u8 {
            let mut stream = from(2 + number % 8);
            let said = if number % 3 == 0 { whole } else { begun };
            // Who is turned away may find the connection closed already.
            let _ = stream.write_all(said.as_bytes());
            crowd.push(stream);
        }
        // While many are on their way out on other threads, a place may be nobody's for a moment.
        let is_served = || {
            let mut stream = from(99);
            let _ = stream.write_all(whole.as_bytes());
            read_out(&mut stream).0.starts_with(answer.as_bytes())
        };
        assert!((0..1000).any(|_| is_served()), "{program}, {limit} descriptors");
        drop(crowd);
        let server = server.stop();
        assert!(!server.error().contains("accepting paused"), "{limit} {threads}: {server:?}");
    }
}

/// Who has lost its place is told so before the connection ends, and it does end.
#[test]
fn who_loses_its_place_in_a_room_reads_why() {
    let launch = Launch::through_shell(SOME_DESCRIPTORS, "chat-server").arg("127.0.0.1:0");
    let server = Server::start(launch);
    let from = |last| connect_from(Ipv4Addr::new(127, 0, 0, last), server.address());
    // What may become a request is waited for.
    let mut first = from(2);
    first.write_all(b"GET").expect("it has a place");
    let _crowd: Vec<_> = (0..200).map(|number| from(3 + number % 8)).collect();
    assert_eq!(read_to_end(&mut first), "* the room is full: come back later\n");
    server.stop();
}

#[test]
fn out_of_descriptors_the_held_are_served_and_accepting_resumes() {
    let launch = Launch::through_shell(FEW_DESCRIPTORS, "tcp-server").arg("127.0.0.1:0");
    let mut server = Server::start(launch.args(MORE_THAN_THERE_ARE).args(["--timeout", "1h"]));
    // The system completes all of these connections; the server cannot accept all of them.
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| connect(server.address())).collect();
    server.program.diagnostic_with(&["too many open files", "descriptors"]);
    assert_nothing_arrives(clients.last().expect("there are some"));

    // Accepted in the order they came: each that leaves makes room for the next.
    for (number, mut stream) in clients.drain(..).enumerate() {
        assert_eq!(read_line(&mut stream), "你好", "client {number}");
        stream.write_all(format!("client {number}.\n").as_bytes()).expect("it is held");
        drop(stream);
        server.program.line_with(&format!("client {number}."));
    }
    assert_eq!(handshake(server.address(), "after the rush"), "你好");
    server.stop().prints("after the rush");
}

/// Files need descriptors too: who is inside is told that the server is busy, and may ask again.
#[test]
fn out_of_descriptors_a_file_server_is_busy_for_a_while() {
    let folder = Folder::new().with("x", "contents");
    let launch = Launch::through_shell(FEW_DESCRIPTORS, "file-server").arg("127.0.0.1:0");
    let launch = launch.arg(folder.as_ref()).args(MORE_THAN_THERE_ARE);
    let mut server = Server::start(launch.args(["--threads", "1"]));
    let mut inside = connect(server.address());
    assert_eq!(Ask::get("x").fetch(&mut inside).1, b"contents");
    let crowd: Vec<_> = (0..CLIENTS).map(|_| connect(server.address())).collect();
    server.program.diagnostic_with(&["too many open files", "descriptors"]);
    for ask in [Ask::get("x"), Ask::list("")] {
        let status = ask.fetch(&mut inside).0.status;
        assert!(matches!(status, 0 | 5), "{ask:?}: {status}");
    }
    drop(crowd);
    // Those of the crowd have been let in and out before this one, by the one thread that there is.
    assert_eq!(Ask::get("x").fetch(&mut connect(server.address())).1, b"contents");
    assert_eq!(Ask::get("x").fetch(&mut inside).1, b"contents");
    drop(inside);
    server.stop();
}

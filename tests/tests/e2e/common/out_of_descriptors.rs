//! Out of descriptors a server pauses accepting: those it holds are served, and accepting
//! resumes as they leave (darkhttpd).

use std::io::Write;
use std::net::Ipv4Addr;

use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::sockets::{
    assert_nothing_arrives, connect, connect_from, handshake, read_line,
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
        let mut crowd: Vec<_> = (0..60_u8).map(|number| greedy(2 + number % 2)).collect();
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
/// and whose conversation is over, if they do not close.
#[test]
fn descriptors_do_not_run_out_as_places_change_hands() {
    let folder = Folder::new().with("x", "contents");
    // Before the end of what these say a server has nobody to answer; behind the end it waits for nothing.
    for (program, begun, whole) in [
        ("tcp-server", "", "hello\n"),
        ("file-server", "", "x\n"),
        ("chat-server", "GET", "/quit\n"),
    ] {
        let launch = Launch::through_shell(SOME_DESCRIPTORS, program).arg("127.0.0.1:0");
        let server = Server::start(match program {
            "file-server" => launch.arg(folder.as_ref()).args(["--threads", "1"]),
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
        let mut last = from(99);
        match program {
            "tcp-server" => assert_eq!(read_line(&mut last), "你好"),
            "file-server" => assert_eq!(Ask::get("x").fetch(&mut last).1, b"contents"),
            _ => {
                last.write_all(b"hello\n").expect("it has a place");
                assert!(read_line(&mut last).starts_with("* welcome"));
            }
        }
        drop(crowd);
        let server = server.stop();
        assert!(!server.error().contains("accepting paused"), "{server:?}");
    }
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

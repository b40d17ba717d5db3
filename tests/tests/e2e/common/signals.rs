//! Ends asked for from outside.

use std::fs;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use barewire_tests::harness::sockets::{
    End, connect, connect_narrow, datagram_socket, handshake, is_ended_by_peer, read_line,
    read_out, read_to_end, receive,
};
use barewire_tests::harness::{Launch, PATIENTLY, Peer, Program, TIMEOUT, serve};
use nix::sys::signal::Signal;

use super::{SERVERS, THREADED};
use crate::chat::Member;

/// The signals that ask a program to end, and what a client then exits with: 128 and the number.
pub(super) const ENDS: [(Signal, i32); 2] = [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)];

#[test]
fn a_signal_ends_an_idle_server_in_order() {
    for program in SERVERS {
        for (signal, _) in ENDS {
            for options in [&[][..], &["--threads", "2"], &["--json", "-q"]] {
                if options.contains(&"--threads") && !THREADED.contains(&program) {
                    continue;
                }
                let server = serve(program, options);
                server.program.signal(signal);
                let server = server.program.finish().exits(0);
                // What it serves, and how it is confined, is all that it may have said.
                if program != "file-server" || options.contains(&"-q") {
                    server.is_silent();
                }
            }
        }
    }
}

/// The orderly stop: nobody new is let in, but who has been greeted is heard to the end.
#[test]
fn a_stopping_server_finishes_the_conversations_it_has_begun() {
    for (signal, _) in ENDS {
        let server = serve("tcp-server", &["--grace", "1h"]);
        let mut greeted = connect(server.address());
        assert_eq!(read_line(&mut greeted), "你好");
        server.program.signal(signal);
        wait_until_refused(server.address());
        greeted.write_all(b"my last words").unwrap();
        greeted.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_end(&mut greeted), "", "an orderly end");
        server.program.finish().exits(0).prints("my last words");
    }
}

/// Connecting is the only way to see that a server has stopped to listen; each try is a whole
/// system call that gives way to the server.
pub(super) fn wait_until_refused(server: SocketAddr) {
    let deadline = Instant::now() + TIMEOUT;
    while TcpStream::connect(server).is_ok() {
        assert!(Instant::now() < deadline, "it still lets clients in");
    }
}

/// The orderly stop waits for who stays silent; whoever asks twice does not want to. The threads that held nobody are gone by then, and the second signal is heard all the same. It
/// is chance which thread holds the client, hence several rounds.
#[test]
fn a_second_signal_ends_a_server_at_once_whichever_thread_holds_a_client() {
    for (signal, _) in ENDS.iter().cycle().take(6) {
        let options = ["--threads", "4", "--timeout", "1h", "--grace", "1h"];
        let server = serve("tcp-server", &options);
        let mut silent = connect(server.address());
        read_line(&mut silent);
        server.program.signal(*signal);
        wait_until_refused(server.address());
        wait_until_threads_are_gone(&server.program);
        server.program.signal(*signal);
        server.program.finish().exits(0);
        assert!(is_ended_by_peer(&mut silent));
    }
}

/// So does a room, which would wait for a member that does not take its last lines.
#[test]
fn a_second_signal_ends_a_room_at_once() {
    const LINES: usize = 600;

    for (signal, _) in ENDS {
        let server = serve("chat-server", &["--rate", "0", "-q", "--grace", "1h"]);
        let mut stalled = connect_narrow(server.address());
        assert!(read_line(&mut stalled).starts_with("* welcome"));
        let mut listener = Member::join(server.address());
        let mut speaker = Member::join(server.address());
        listener.hears(&format!("* {} joined", speaker.nick));
        // More than the system holds for one who does not read, and less than the room does.
        let text = "x".repeat(1000);
        for _ in 0..LINES {
            speaker.say(&text);
            listener.hears(&format!("{}: {text}", speaker.nick));
        }
        server.program.signal(signal);
        wait_until_refused(server.address());
        server.program.signal(signal);
        server.program.finish().exits(0);
        assert_eq!(read_out(&mut stalled).1, End::Reset, "the last lines are missing");
    }
}

/// Two may be left: one that holds the client, and the one that waits for it; and who writes what was said.
fn wait_until_threads_are_gone(server: &Program) {
    let deadline = Instant::now() + TIMEOUT;
    let threads = format!("/proc/{}/task", server.process());
    let writes = |name: &str| name.trim_end() == "writer";
    let count = || {
        let threads = fs::read_dir(&threads).expect("it runs");
        let names = threads.filter_map(|it| fs::read_to_string(it.ok()?.path().join("comm")).ok());
        names.filter(|name| !writes(name)).count()
    };
    while count() > 2 {
        assert!(Instant::now() < deadline, "threads without a client go on");
        thread::yield_now();
    }
}

#[test]
fn a_signal_ends_a_waiting_udp_client() {
    for (signal, code) in ENDS {
        let silent = datagram_socket("127.0.0.1");
        let at = silent.local_addr().unwrap().to_string();
        let client = Launch::new("udp-client").arg(&at).args(["--timeout", "1h"]).spawn();
        receive(&silent);
        client.signal(signal);
        client.finish().exits(code);
    }
}

#[test]
fn a_signal_ends_a_waiting_tcp_client() {
    for (signal, code) in ENDS {
        let (called, call) = mpsc::channel();
        let peer = Peer::tcp(move |mut stream| {
            called.send(()).unwrap();
            is_ended_by_peer(&mut stream)
        });
        let client = Launch::new("tcp-client").arg(peer.at()).args(["--timeout", "1h"]).spawn();
        call.recv_timeout(TIMEOUT).expect("a call");
        client.signal(signal);
        client.finish().exits(code);
        assert!(peer.finish());
    }
}

/// Between two questions a client waits as well.
#[test]
fn a_signal_ends_a_client_between_two_questions() {
    for (server, client) in [("udp-server", "udp-client"), ("tcp-server", "tcp-client")] {
        for (signal, code) in ENDS {
            let server = serve(server, &[]);
            let mut client = Launch::new(client)
                .arg(server.at())
                .args(["--count", "1000", "--interval", "1h", "--json"])
                .args(PATIENTLY)
                .spawn();
            client.event("received");
            client.signal(signal);
            client.finish().exits(code);
            server.stop();
        }
    }
}

#[test]
fn a_client_that_is_ended_leaves_the_server_serving() {
    let server = serve("tcp-server", &[]);
    let mut client = Launch::new("tcp-client")
        .arg(server.at())
        .args(["--count", "1000", "--interval", "1ms", "--json"])
        .spawn();
    client.event("received");
    client.signal(Signal::SIGKILL);
    client.finish();
    assert_eq!(handshake(server.address(), "still here?"), "你好");
    server.stop().prints("still here?");
}

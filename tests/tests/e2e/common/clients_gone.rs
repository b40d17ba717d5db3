//! A client that is gone before its reply is the client's loss alone (bun#35922, bun#36249): the
//! server lives, and the next client is served.

use std::io::Write;

use barewire_tests::harness::sockets::{
    catch_up, connect, datagram_socket, handshake, read_line, reset,
};
use barewire_tests::harness::{serve, tutorial};

/// The reply meets a closed port, and the system tells the server's socket so by an ICMP error.
#[test]
fn a_udp_client_gone_before_the_reply_harms_nobody() {
    for options in [&[][..], &["--threads", "2"]] {
        let server = serve("udp-server", options);
        for _ in 0..50 {
            let socket = datagram_socket("127.0.0.1");
            socket.send_to(b"farewell", server.address()).unwrap();
            drop(socket);
            catch_up(server.address());
        }
        assert_eq!(tutorial::udp_client(server.address(), "still here?"), "nice to meet you");
        server.stop().prints("still here?");
    }
}

#[test]
fn a_tcp_client_gone_at_any_stage_harms_nobody() {
    let server = serve("tcp-server", &[]);
    for _ in 0..20 {
        let before_the_greeting = connect(server.address());
        reset(before_the_greeting);

        let mut after_the_greeting = connect(server.address());
        read_line(&mut after_the_greeting);
        reset(after_the_greeting);

        let mut inside_its_answer = connect(server.address());
        read_line(&mut inside_its_answer);
        inside_its_answer.write_all("你".as_bytes().split_at(2).0).unwrap();
        reset(inside_its_answer);

        let without_a_word = connect(server.address());
        drop(without_a_word);
    }
    assert_eq!(handshake(server.address(), "still here?"), "你好");
    server.stop().prints("still here?");
}

/// A flood of failures makes no flood of words.
#[test]
fn who_fails_again_and_again_is_told_of_now_and_then_and_counted() {
    const FAILED: usize = 300;

    let server = serve("tcp-server", &[]);
    for _ in 0..FAILED {
        let mut greeted = connect(server.address());
        read_line(&mut greeted);
        reset(greeted);
    }
    // The server has seen them all before this one.
    assert_eq!(handshake(server.address(), "Hello").trim_end(), "你好");
    let server = server.stop();
    let mut told = 0;
    let mut more = 0;
    for line in server.diagnostics() {
        let line = line.strip_prefix("tcp-server: ").expect(line);
        if let Some(count) = line.strip_prefix("… ") {
            let count = count.strip_suffix(" more from 127.0.0.1").expect(line);
            more += count.parse::<usize>().expect(line);
        } else {
            told += 1;
        }
    }
    assert_eq!(told + more, FAILED, "{server:?}");
    assert!(told >= 10 && more > 0, "{server:?}");
}

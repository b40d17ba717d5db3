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

//! Standard streams that are closed when a program starts (rust-lang/rust#83904): what needs them says so,
//! and nothing else is written to what is opened in their place.

use barewire_tests::harness::sockets::handshake;
use barewire_tests::harness::{Folder, Launch, PATIENTLY, Server, serve, share};

use super::{CLIENTS, PROGRAMS, SERVERS};
use crate::chat::Member;

fn without(stream: &str, program: &str) -> Launch {
    Launch::through_shell(&format!(r#"exec "$0" "$@" {stream}"#), program)
}

#[test]
fn without_an_output_no_server_listens() {
    for program in SERVERS {
        for options in [&[][..], &["-q"], &["--json"]] {
            let run = without(">&-", program).arg("127.0.0.1:0").args(options).run();
            run.exits(1).says(&["cannot write to standard output: it is closed"]);
        }
    }
    for program in PROGRAMS {
        let run = without(">&-", program).arg("--help").run();
        run.exits(1).says(&["cannot write to standard output: it is closed"]);
    }
}

#[test]
fn without_an_output_no_client_has_a_result() {
    for (server, client) in [("udp-server", "udp-client"), ("tcp-server", "tcp-client")] {
        let server = serve(server, &[]);
        for options in [&[][..], &["--json"]] {
            let run = without(">&-", client).arg(server.at()).args(options).run();
            run.exits(1).says(&["cannot write to standard output: it is closed"]);
        }
        server.stop();
    }
    let server = serve("chat-server", &[]);
    let run = without(">&-", "chat-client").arg(server.at()).run();
    run.exits(1).says(&["cannot write to standard output: it is closed"]);
    server.stop();
}

#[test]
fn without_an_input_whoever_wants_to_read_it_says_so() {
    let mut server = Server::start(without("<&-", "chat-server").arg("127.0.0.1:0"));
    server.program.diagnostic_with(&["standard input is closed"]);
    let mut anna = Member::join(server.address());
    anna.say("/who");
    anna.hears(&format!("* here: server, {}", anna.nick));
    let run = without("<&-", "chat-client").arg(server.at()).run();
    run.exits(1).says(&["cannot read standard input: it is closed"]);
    server.stop();

    let server = share(Folder::new(), &[]);
    let run = without("<&-", "file-client").arg(server.at()).run();
    run.exits(1).says(&["cannot read a file name from standard input: it is closed"]);
    server.stop();

    for (server, client) in ["udp-server", "tcp-server"].into_iter().zip(CLIENTS) {
        let server = Server::start(without("<&-", server).arg("127.0.0.1:0"));
        without("<&-", client).arg(server.at()).args(PATIENTLY).run().exits(0).is_silent();
        server.stop().is_silent();
    }
}

#[test]
fn without_an_error_stream_the_exit_code_tells() {
    let folder = Folder::new().with("x", "contents");
    let launch = without("2>&-", "file-server").arg("127.0.0.1:0").arg(folder.as_ref());
    let server = Server::start(launch);
    let target = Folder::new();
    let fetch = |name: &str| {
        without("2>&-", "file-client").args([&server.at(), name]).within(&target).run()
    };
    fetch("x").exits(0).is_silent();
    target.assert_holds("x", b"contents");
    fetch("nothing").exits(1).is_silent();
    assert_eq!(target.names(), ["x"]);
    server.stop().is_silent();

    let server = Server::start(without("2>&-", "tcp-server").arg("127.0.0.1:0"));
    assert_eq!(handshake(server.address(), "Hello").trim_end(), "你好");
    let run = without("2>&-", "tcp-client").args([&server.at(), "--json"]).run().exits(0);
    assert_eq!(run.event("received")["text"], "你好");
    server.stop().is_silent();
}

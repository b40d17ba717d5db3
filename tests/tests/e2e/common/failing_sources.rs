//! A source whose conversations fail one after another is turned away for a while, and no other is.

use std::array;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use barewire_tests::harness::framed::{Ask, Reply};
use barewire_tests::harness::sockets::{
    connect_from, is_ended_by_peer, read_to_end, reset, uninterrupted,
};
use barewire_tests::harness::{Folder, Launch, Server, TIMEOUT, run};

use super::unix_sockets;

/// So many may fail one after another, at once.
const FREE: usize = 12;

/// So many are too many, also where they take a while.
const TOO_MANY: usize = 2 * FREE;

/// Who fails, and somebody else.
const FAILING: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 2);

/// The status of a file server that has too much to do.
const BUSY: u8 = 5;

/// A server that takes streams, and how its clients speak.
struct Kind {
    program: &'static str,
    options: &'static [&'static str],
    /// What breaks its protocol.
    garbage: &'static [u8],
    /// What it says at the door to who is paused.
    refusal: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind { program: "tcp-server", options: &[], garbage: &[b'x'; 2000], refusal: "" },
    Kind { program: "file-server", options: &["--threads", "1"], garbage: b"../x\n", refusal: "" },
    Kind {
        program: "chat-server",
        options: &["--max-per-source", "1000"],
        garbage: b"GET / HTTP/1.1\r\n\r\n",
        refusal: "* connections from this address keep failing: come back later\n",
    },
];

impl Kind {
    fn serve(&self, folder: &Folder, options: &[&str]) -> Server {
        let launch = Launch::new(self.program).arg("127.0.0.1:0");
        let launch =
            if self.program == "file-server" { launch.arg(folder.as_ref()) } else { launch };
        Server::start(launch.args(self.options).args(options))
    }

    /// So many conversations that break the protocol, at once: what they cost runs down with time.
    #[track_caller]
    fn fail(&self, count: usize, source: Ipv4Addr, server: SocketAddr) {
        let fail = |_| {
            let mut stream = connect_from(source, server);
            // It may be closed before all of it is taken.
            let _ = stream.write_all(self.garbage);
            let _ = stream.shutdown(Shutdown::Write);
            stream
        };
        let failed: Vec<_> = (0..count).map(fail).collect();
        for mut stream in failed {
            assert!(is_ended_by_peer(&mut stream));
        }
    }

    /// Whether a conversation goes well, which the server has noted then; or else who comes is turned away as
    /// documented.
    #[track_caller]
    fn succeeds(&self, source: Ipv4Addr, server: &mut Server) -> bool {
        let mut stream = connect_from(source, server.address());
        if self.program == "file-server" {
            let ask = Ask::get("x");
            ask.send(&mut stream);
            let status = Reply::read(&mut stream, &ask).status;
            assert!([0, BUSY].contains(&status), "{status}");
            server.program.line_with("x: ");
            return status == 0;
        }
        let mut first = Vec::new();
        let mut byte = [0];
        while !first.ends_with(b"\n")
            && uninterrupted(|| stream.read(&mut byte)).expect("no reset") == 1
        {
            first.extend(byte);
        }
        if first == self.refusal.as_bytes() {
            assert_eq!(read_to_end(&mut stream), "");
            return false;
        }
        stream.write_all(b"hello\n").expect("it is connected");
        server.program.line_with("hello");
        true
    }
}

fn shared() -> Folder {
    Folder::new().with("x", "contents")
}

#[test]
fn who_keeps_failing_is_paused_and_nobody_else() {
    let folder = shared();
    for kind in KINDS {
        let mut server = kind.serve(&folder, &["-v"]);
        loop {
            kind.fail(TOO_MANY, FAILING, server.address());
            server
                .program
                .diagnostic_with(&["127.0.2.1: paused for 5 s, as its conversations keep failing"]);
            // One a second is let in.
            if !kind.succeeds(FAILING, &mut server) {
                break;
            }
        }
        assert!(kind.succeeds(OTHER, &mut server), "{}", kind.program);
        server.program.diagnostic_with(&["turned away, as its source is paused for"]);
        server.stop();
    }
}

/// However long it is paused by then.
#[test]
fn who_shares_an_address_with_one_that_never_stops_failing_gets_in() {
    let folder = shared();
    for kind in &KINDS {
        let mut server = kind.serve(&folder, &["-v"]);
        let address = server.address();
        thread::scope(|scope| {
            let (goes_on, ends) = mpsc::channel::<()>();
            scope.spawn(move || {
                // Fifty times a second.
                while ends.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Timeout)
                {
                    kind.fail(1, FAILING, address);
                }
            });
            let told = ["let in, as one a second is while its source is paused for"];
            server.program.diagnostic_with(&told);
            drop(goes_on);
        });
        let deadline = Instant::now() + TIMEOUT;
        while !kind.succeeds(FAILING, &mut server) {
            assert!(Instant::now() < deadline, "{}", kind.program);
        }
        server.stop();
    }
}

/// It does not take the server for one that knows the plain form only.
#[test]
fn file_client_hears_that_the_server_is_busy_and_comes_back() {
    let folder = shared();
    let kind = &KINDS[1];
    let mut server = kind.serve(&folder, &[]);
    loop {
        kind.fail(TOO_MANY, Ipv4Addr::LOCALHOST, server.address());
        let client = run("file-client", &[&server.at(), "x", "-o", "-"]).exits(0);
        assert_eq!(client.output(), "contents");
        // Unless it was the one of its second.
        if client.error().contains("trying again in 0.5 s (1 of 5)") {
            client.says(&[
                "is busy, or has paused this address because too many of its requests failed",
            ]);
            server.program.line_with("x: turned away, as its source is paused for ");
            break;
        }
        client.omits("plain");
    }
    server.stop();
}

/// Its protocol has no word for it.
#[test]
fn tcp_client_tells_what_a_close_without_a_greeting_may_mean() {
    let (folder, kind) = (shared(), &KINDS[0]);
    let server = kind.serve(&folder, &["-q"]);
    loop {
        kind.fail(TOO_MANY, Ipv4Addr::LOCALHOST, server.address());
        let client = run("tcp-client", &[&server.at()]);
        // Unless it was the one of its second.
        if client.code() == Some(1) {
            client.says(&[
                "without a greeting (it may have too many clients, or have paused this address",
            ]);
            break;
        }
    }
    server.stop();
}

/// Through a proxy, all clients are one.
#[test]
fn users_of_this_machine_are_not_paused() {
    let files = shared();
    for Kind { program, garbage, .. } in KINDS {
        let folder = Folder::new();
        let options: &[_] = if program == "file-server" { &[files.arg()] } else { &[] };
        let server = unix_sockets::serve(program, &folder, options);
        for _ in 0..3 * FREE {
            let mut stream = unix_sockets::connect(&folder).into_inner();
            let _ = stream.write_all(garbage);
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
        let client = program.replace("server", "client");
        let arguments: &[_] = if program == "file-server" { &["--list"] } else { &[] };
        let launch = Launch::new(&client).arg(unix_sockets::at(&folder)).args(arguments);
        launch.run().exits(0);
        unix_sockets::stop(server);
    }
}

#[test]
fn a_pause_ends_and_one_that_goes_well_clears_the_account() {
    let folder = shared();
    for kind in KINDS {
        let mut server = kind.serve(&folder, &["-v", "--max-pause", "50ms"]);
        for _ in 0..2 {
            kind.fail(TOO_MANY, FAILING, server.address());
            server.program.diagnostic_with(&["127.0.2.1: paused for 0.05 s"]);
            let deadline = Instant::now() + TIMEOUT;
            while !kind.succeeds(FAILING, &mut server) {
                assert!(Instant::now() < deadline, "{} is paused for ever", kind.program);
            }
        }
        server.stop();
    }
}

/// As with a class behind one address, one of whom has a program that fails all the time.
#[test]
fn who_shares_an_address_with_one_that_fails_is_let_in() {
    let folder = shared();
    for kind in KINDS {
        let mut server = kind.serve(&folder, &[]);
        for _ in 0..8 {
            // Some may be noted only after the one that goes well.
            kind.fail(FREE / 2, FAILING, server.address());
            assert!(kind.succeeds(FAILING, &mut server), "{}", kind.program);
        }
        server.stop();
    }
}

/// Nor does it matter how a health check closes.
#[test]
fn who_only_looks_whether_the_port_is_open_is_not_paused() {
    let folder = shared();
    for kind in KINDS {
        let mut server = kind.serve(&folder, &[]);
        for number in 0..100 {
            let stream = connect_from(FAILING, server.address());
            if number % 2 == 0 {
                reset(stream);
            }
        }
        assert!(kind.succeeds(FAILING, &mut server), "{}", kind.program);
        server.stop();
    }
}

#[test]
fn without_a_longest_pause_nobody_is_paused() {
    let folder = shared();
    for kind in KINDS {
        let mut server = kind.serve(&folder, &["--max-pause", "0"]);
        kind.fail(3 * FREE, FAILING, server.address());
        assert!(kind.succeeds(FAILING, &mut server), "{}", kind.program);
        server.stop();
    }
}

/// Who holds connections without a word fails with each; and who loses a download does not.
#[test]
fn silence_is_a_failure_and_a_lost_link_is_none() {
    let folder = Folder::new().with("x", "contents").with_sparse("big", 64 << 20, &[]);
    for kind in &KINDS[..2] {
        let mut server = kind.serve(&folder, &["-v", "--timeout", "20ms"]);
        let silent: [TcpStream; TOO_MANY] =
            array::from_fn(|_| connect_from(FAILING, server.address()));
        server.program.diagnostic_with(&["127.0.2.1: paused for 5 s"]);
        drop(silent);
        server.stop();
    }
    let mut server = KINDS[1].serve(&folder, &[]);
    for _ in 0..3 * FREE {
        let mut stream = connect_from(FAILING, server.address());
        Ask::get("big").send(&mut stream);
        stream.read_exact(&mut [0; 1000]).expect("it begins");
        reset(stream);
    }
    assert!(KINDS[1].succeeds(FAILING, &mut server));
    server.stop();
}

//! A source whose conversations fail one after another is turned away for a while, and no other is.

use std::array;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::Instant;

use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::sockets::{
    connect_from, is_ended_by_peer, read_to_end, reset, uninterrupted,
};
use barewire_tests::harness::{Folder, Launch, Server, TIMEOUT};

/// So many may fail one after another, at once.
const FREE: usize = 12;

/// Who fails, and somebody else.
const FAILING: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 2);

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
        refusal: "* members from this address join too often: come back later\n",
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
            // Who is paused may be reset, as nobody reads what it has said.
            let mut first = [0];
            if stream.write_all(&Ask::get("x").bytes()).is_err()
                || !matches!(uninterrupted(|| stream.read(&mut first)), Ok(1))
            {
                return false;
            }
            server.program.line_with("x: ");
            return true;
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
        kind.fail(FREE + 1, FAILING, server.address());
        server
            .program
            .diagnostic_with(&["127.0.2.1: paused for 5 s, as its conversations keep failing"]);
        assert!(!kind.succeeds(FAILING, &mut server), "{}", kind.program);
        assert!(kind.succeeds(OTHER, &mut server), "{}", kind.program);
        server.program.diagnostic_with(&["turned away, as its source is paused for"]);
        server.stop();
    }
}

#[test]
fn a_pause_ends_and_one_that_goes_well_clears_the_account() {
    let folder = shared();
    for kind in KINDS {
        let mut server = kind.serve(&folder, &["-v", "--max-pause", "50ms"]);
        for _ in 0..2 {
            kind.fail(FREE + 1, FAILING, server.address());
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
        let silent: [TcpStream; FREE + 1] =
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

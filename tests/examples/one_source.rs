//! How long others wait for the servers of streams while one source takes all that it can get:
//!
//! ```sh
//! cargo run --release -p barewire-tests --example one_source
//! ```
//!
//! It opens connections and says nothing, or half of a request, or opens and closes them as fast as it can.
//! Meanwhile another source has one conversation after another, each on a connection of its own.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::sockets::{connect_from, read_line, read_to_end};
use barewire_tests::harness::{Folder, Launch, Server};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

const GREEDY: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 2);

/// So many conversations are measured.
const TRIES: usize = 100;

/// So many connections the source tries to hold.
const HELD: usize = 2000;

/// What the one source does.
#[derive(Clone, Copy)]
enum Deed {
    Nothing,
    Idle,
    Slow,
    Flood,
}

const DEEDS: [(Deed, &str); 4] = [
    (Deed::Nothing, "nobody else"),
    (Deed::Idle, "idle connections"),
    (Deed::Slow, "half requests"),
    (Deed::Flood, "opens and closes"),
];

fn main() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("no more than is allowed");
    let folder = Folder::new().with("x", vec![b'x'; 100_000]);
    let places = ["--max-clients", "1000"];
    let servers = [
        ("tcp-server", places.to_vec()),
        ("file-server", [&[folder.arg()], &places[..]].concat()),
        ("chat-server", vec!["--max-members", "4000", "--max-per-source", "750"]),
    ];
    println!("{:<12} {:<18} {:>9} {:>9} {:>7}", "", "one source", "median", "most", "open");
    for (program, options) in servers {
        for (deed, what) in DEEDS {
            let launch = Launch::new(program).args(["127.0.0.1:0", "-q"]).args(&options);
            let server = Server::start(launch);
            let (waits, held) = waits(program, &server, deed);
            let milliseconds = |wait: Duration| format!("{:.2} ms", 1000.0 * wait.as_secs_f64());
            let [median, worst] = [waits[TRIES / 2], waits[TRIES - 1]].map(milliseconds);
            println!("{program:<12} {what:<18} {median:>9} {worst:>9} {held:>7}");
            server.stop();
        }
    }
}

/// How long each conversation of the other source took, the shortest first; and how many descriptors the server
/// had open in the end.
fn waits(program: &str, running: &Server, deed: Deed) -> (Vec<Duration>, usize) {
    let server = running.address();
    let mut held: Vec<_> = match deed {
        Deed::Idle | Deed::Slow => (0..HELD).map(|_| connect_from(GREEDY, server)).collect(),
        Deed::Nothing | Deed::Flood => Vec::new(),
    };
    if let Deed::Slow = deed {
        for stream in &mut held {
            // Some were turned away.
            let _ = stream.write_all(&Ask::get("x").bytes()[..20]);
        }
    }
    let ended = AtomicBool::new(false);
    let mut waits: Vec<_> = thread::scope(|scope| {
        if let Deed::Flood = deed {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    drop(connect_from(GREEDY, server));
                }
            });
        }
        let converse = |_| {
            let begun = Instant::now();
            converse(program, server);
            begun.elapsed()
        };
        let waits = (0..TRIES).map(converse).collect();
        ended.store(true, Ordering::Relaxed);
        waits
    });
    waits.sort();
    let descriptors = format!("/proc/{}/fd", running.program.process());
    (waits, fs::read_dir(descriptors).expect("it runs").count())
}

/// From the connection to the end of the answer.
fn converse(program: &str, server: SocketAddr) {
    let mut stream = connect_from(OTHER, server);
    match program {
        "tcp-server" => {
            read_line(&mut stream);
            stream.write_all(b"hello\n").expect("the server reads");
            stream.shutdown(Shutdown::Write).expect("it is connected");
            read_to_end(&mut stream);
        }
        "file-server" => assert_eq!(Ask::get("x").fetch(&mut stream).1.len(), 100_000),
        _ => {
            assert!(read_line(&mut stream).starts_with("* welcome"));
            stream.write_all(b"/quit\n").expect("the server reads");
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).expect("an end in order");
        }
    }
}

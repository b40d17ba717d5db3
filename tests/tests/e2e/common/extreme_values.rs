//! Numbers at and beyond the edge (smoltcp#489, hardy#459): an option either works or is refused
//! as wrong usage. It never makes a program panic, and never means something else than it says.

use std::net::SocketAddr;

use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::sockets::{catch_up, handshake};
use barewire_tests::harness::{
    Finished, Folder, Launch, PATIENTLY, ask_patiently, run, serve, share,
};
use nix::sys::signal::Signal;

use crate::common::words::TIMED_OUT;

/// The edges of the integer types, a little beyond, and far beyond.
const NUMBERS: [&str; 9] = [
    "0",
    "1",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "999999999999999999999999999999999999999999",
];

/// The edges of the ways to count time: nothing, less than a clock tick, 49.7 days in
/// milliseconds, 292 and 584 years in nanoseconds, and longer than a `Duration`.
const DURATIONS: [&str; 8] = [
    "0s",
    "1ns",
    "4294967296ms",
    "9223372037s",
    "18446744074s",
    "9223372036854775808s",
    "18446744073709551615s",
    "99999999999999999999999999s",
];

/// A server with the option listens, serves and stops, or says that it is wrong usage.
fn try_server(program: &str, option: &str, value: &str, talk: impl FnOnce(SocketAddr)) {
    let launch = Launch::new(program).args(["127.0.0.1:0", option, value]);
    let mut server = launch.spawn();
    if let Some(line) = server.line_or_end() {
        let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok());
        talk(address.unwrap_or_else(|| panic!("{line:?}")));
        server.signal(Signal::SIGTERM);
        server.finish().exits(0);
    } else {
        assert_refused(server.finish());
    }
}

fn assert_refused(finished: Finished) {
    assert!(!finished.error().is_empty(), "refused without a word: {finished:?}");
    finished.exits(2);
}

#[test]
fn extreme_numbers_of_the_udp_server() {
    for option in ["--capacity", "--rate", "--threads"] {
        for value in NUMBERS {
            try_server("udp-server", option, value, catch_up);
        }
    }
}

#[test]
fn extreme_numbers_of_the_tcp_server() {
    for option in ["--max-clients", "--max-per-source", "--threads"] {
        for value in NUMBERS {
            try_server("tcp-server", option, value, |address| {
                handshake(address, "Hello");
            });
        }
    }
}

#[test]
fn extreme_numbers_and_durations_of_the_file_server() {
    let ask = |address| assert_eq!(Ask::get("Cargo.toml").status(address), 0);
    for option in ["--max-clients", "--threads"] {
        for value in NUMBERS {
            try_server("file-server", option, value, ask);
        }
    }
    for value in DURATIONS {
        try_server("file-server", "--quiet-period", value, ask);
        try_server("file-server", "--timeout", value, |address| {
            if value != "0s" && value != "1ns" {
                ask(address);
            }
        });
    }
}

#[test]
fn extreme_numbers_and_durations_of_the_file_client() {
    let folder = Folder::new().with("x", "contents");
    let server = share(&folder, &["-q"]);
    for (option, value) in NUMBERS
        .map(|value| ("--retries", value))
        .into_iter()
        .chain(DURATIONS.map(|value| ("--timeout", value)))
    {
        // What times out need not be tried again.
        let once: &[_] = if option == "--retries" { &[] } else { &["--retries", "0"] };
        let options = [&*server.at(), "x", "-o", "-", option, value];
        let client = run("file-client", &[&options, once].concat());
        match client.code() {
            Some(2) => assert_refused(client),
            Some(1) if ["0s", "1ns"].contains(&value) => drop(client.says(&TIMED_OUT)),
            _ => drop(client.exits(0).prints("contents")),
        }
    }
    server.stop();
}

/// A deadline or a quiet period of next to nothing may well end a conversation; it must not end
/// the server.
#[test]
fn extreme_durations_of_the_tcp_server() {
    for value in DURATIONS {
        try_server("tcp-server", "--quiet-period", value, |address| {
            handshake(address, "Hello");
        });
        try_server("tcp-server", "--timeout", value, |address| {
            if value != "0s" && value != "1ns" {
                handshake(address, "Hello");
            }
        });
    }
}

#[test]
fn extreme_numbers_of_the_clients() {
    let udp = serve("udp-server", &["-q", "--rate", "0"]);
    let tcp = serve("tcp-server", &["-q"]);
    for value in NUMBERS {
        for option in ["--capacity", "--retries"] {
            let client = ask_patiently("udp-client", &[&udp.at(), option, value]);
            if client.code() == Some(2) {
                assert_refused(client);
            } else {
                // A capacity below the reply's sixteen bytes truncates it.
                let truncates = option == "--capacity" && ["0", "1"].contains(&value);
                client.exits(i32::from(truncates));
            }
        }
        count("udp-client", &udp.at(), value);
        count("tcp-client", &tcp.at(), value);
    }
    udp.stop();
    tcp.stop();
}

/// More rounds than a test can wait for are ended by a signal; none at all have no reply.
fn count(client: &str, server: &str, value: &str) {
    let options = [server, "--count", value, "--interval", "1h"];
    let mut client = Launch::new(client).args(PATIENTLY).args(options).spawn();
    if value == "0" {
        let client = client.finish();
        assert!(matches!(client.code(), Some(1 | 2)), "{client:?}");
    } else if client.line_or_end().is_none() {
        assert_refused(client.finish());
    } else if value == "1" {
        client.finish().exits(0);
    } else {
        client.signal(Signal::SIGINT);
        client.finish().exits(130);
    }
}

#[test]
fn extreme_durations_of_the_clients() {
    let udp = serve("udp-server", &["-q", "--rate", "0"]);
    let tcp = serve("tcp-server", &["-q"]);
    for value in DURATIONS {
        for (client, option, server) in [
            ("udp-client", "--timeout", &udp),
            ("tcp-client", "--timeout", &tcp),
            ("tcp-client", "--quiet-period", &tcp),
        ] {
            let client = run(client, &[&server.at(), option, value]);
            match client.code() {
                Some(2) => assert_refused(client),
                // Next to no time may be too little.
                Some(1) if option == "--timeout" && ["0s", "1ns"].contains(&value) => {
                    client.says(&TIMED_OUT);
                }
                _ => drop(client.exits(0)),
            }
        }
        // One round has no interval to wait for.
        for (client, server) in [("udp-client", &udp), ("tcp-client", &tcp)] {
            let options = [&*server.at(), "--count", "1", "--interval", value];
            let client = ask_patiently(client, &options);
            if client.code() == Some(2) {
                assert_refused(client);
            } else {
                client.exits(0);
            }
        }
    }
    udp.stop();
    tcp.stop();
}

/// Each try is twice as patient as the one before: that must not overflow before the retries,
/// or the patience, run out.
#[test]
fn doubling_the_patience_does_not_overflow() {
    let udp = serve("udp-server", &["-q"]);
    for retries in ["64", "4294967295", "18446744073709551615"] {
        for timeout in ["1h", "18446744073709551615s", "9223372036s"] {
            let options = [&udp.at(), "--retries", retries, "--timeout", timeout];
            let client = run("udp-client", &options);
            if client.code() == Some(2) {
                assert_refused(client);
            } else {
                client.exits(0);
            }
        }
    }
    udp.stop();
}

//! `--count`: several exchanges, and what they came to.

use std::time::{Duration, Instant};

use barewire_tests::harness::sockets::{RefusedUdp, datagram_socket, receive};
use barewire_tests::harness::{Peer, ask_patiently, run, serve};

use crate::common::summary::{assert_counts, assert_no_latencies, assert_ordered_latencies};
use crate::common::time_enough::with_time_enough;

#[test]
fn a_summary_counts_and_times_what_was_sent() {
    let server = serve("udp-server", &[]);
    let options = ["--count", "5", "--interval", "5ms", "--json"];
    let client = ask_patiently("udp-client", &[&[&*server.at()], &options[..]].concat());
    let client = client.exits(0).is_silent();
    let summary = client.event("summary");
    assert_counts(&summary, 5, 5);
    assert_ordered_latencies(&summary);
    let replies = client.events().iter().filter(|event| event["event"] == "received").count();
    assert_eq!(replies, 5);
    server.stop();
}

#[test]
fn in_text_a_summary_names_each_figure() {
    let server = serve("udp-server", &[]);
    let options = [&*server.at(), "--count", "2", "--interval", "5ms"];
    let client = ask_patiently("udp-client", &options).exits(0);
    ["sent", "received", "lost", "min", "mean", "p50", "p99", "max"]
        .iter()
        .fold(client, |client, figure| client.prints(figure));
    server.stop();
}

#[test]
fn quiet_keeps_the_summary() {
    let server = serve("udp-server", &[]);
    ask_patiently("udp-client", &[&server.at(), "--count", "2", "--interval", "5ms", "-q"])
        .exits(0)
        .prints("p99");
    server.stop();
}

#[test]
fn the_interval_is_kept_between_two_questions() {
    let server = serve("udp-server", &[]);
    let started = Instant::now();
    ask_patiently("udp-client", &[&server.at(), "--count", "3", "--interval", "100ms"]).exits(0);
    assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
    server.stop();
}

#[test]
fn one_reply_of_three_is_a_success_with_losses() {
    with_time_enough(|timeout| {
        let peer = Peer::udp(|socket| {
            let (_, from) = receive(&socket);
            socket.send_to(b"just once", from).unwrap();
            receive(&socket);
            receive(&socket);
        });
        let options = ["--count", "3", "--interval", "5ms", "--timeout", timeout, "--json"];
        let client = run("udp-client", &[&[&*peer.at()], &options[..]].concat());
        peer.finish();
        let summary = client.event("summary");
        // Else it was late.
        (summary["received"] != 0).then(|| {
            assert_counts(&summary, 3, 1);
            assert_ordered_latencies(&summary);
            client.exits(0)
        })
    });
}

/// The peer answered, which is what is counted; of a single reply the user wants the text.
#[test]
fn truncated_replies_are_received() {
    const ROOM: [&str; 3] = ["--capacity", "16", "--json"];
    let server = serve("udp-server", &["--reply", "sixteen bytes 16+"]);
    let at = server.at();
    let several = [&[&*at, "--count", "2", "--interval", "5ms"], &ROOM[..]].concat();
    let client = ask_patiently("udp-client", &several).exits(0).says(&["--capacity"]);
    let summary = client.event("summary");
    assert_counts(&summary, 2, 2);
    assert_ordered_latencies(&summary);
    let truncated = client.events().iter().filter(|event| event["truncated"] == true).count();
    assert_eq!(truncated, 2, "{client:?}");

    let client = ask_patiently("udp-client", &[&[&*at], &ROOM[..]].concat()).exits(1);
    assert_eq!(client.event("received")["truncated"], true);
    server.stop();
}

#[test]
fn no_reply_at_all_is_a_failure_with_a_summary() {
    let silent = datagram_socket("127.0.0.1");
    let at = silent.local_addr().unwrap().to_string();
    let options = [&at, "--count", "2", "--interval", "5ms", "--timeout", "20ms"];
    run("udp-client", &options).exits(1).prints("lost");

    let client = run("udp-client", &[&options[..], &["--json"]].concat()).exits(1);
    let summary = client.event("summary");
    assert_counts(&summary, 2, 0);
    assert_no_latencies(&summary);
}

#[test]
fn refusals_are_losses_and_are_summed_up_too() {
    let nobody = RefusedUdp::hold();
    let options = [&nobody.at(), "--count", "2", "--interval", "5ms", "--json"];
    let client = run("udp-client", &options).exits(1).says(&["refused"]);
    assert_counts(&client.event("summary"), 2, 0);
}

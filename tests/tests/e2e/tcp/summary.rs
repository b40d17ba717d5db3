//! `--count`: several handshakes, and what they came to.

use std::time::{Duration, Instant};

use barewire_tests::harness::sockets::RefusedTcp;
use barewire_tests::harness::{run, serve, tutorial};

use crate::common::summary::{assert_counts, assert_no_latencies, assert_ordered_latencies};

#[test]
fn a_summary_counts_and_times_the_handshakes() {
    let server = serve("tcp-server", &[]);
    let client = run("tcp-client", &[&server.at(), "--count", "5", "--interval", "5ms", "--json"]);
    let client = client.exits(0).is_silent();
    let summary = client.event("summary");
    assert_counts(&summary, 5, 5);
    assert_ordered_latencies(&summary);
    let greetings = client.events().iter().filter(|event| event["event"] == "received").count();
    assert_eq!(greetings, 5);
    server.stop();
}

#[test]
fn in_text_a_summary_names_each_figure() {
    let server = serve("tcp-server", &[]);
    let client = run("tcp-client", &[&server.at(), "--count", "2", "--interval", "5ms"]).exits(0);
    ["sent", "received", "lost", "min", "mean", "p50", "p99", "max"]
        .iter()
        .fold(client, |client, figure| client.prints(figure));
    server.stop();
}

#[test]
fn the_interval_is_kept_between_two_handshakes() {
    let server = serve("tcp-server", &[]);
    let started = Instant::now();
    run("tcp-client", &[&server.at(), "--count", "3", "--interval", "100ms"]).exits(0);
    assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
    server.stop();
}

/// A one-shot tutorial server refuses all but the first.
#[test]
fn one_handshake_of_three_is_a_success_with_losses() {
    let peer = tutorial::tcp_server("just once");
    let options = [&peer.at(), "--count", "3", "--interval", "5ms", "--json"];
    let summary = run("tcp-client", &options).exits(0).event("summary");
    assert_counts(&summary, 3, 1);
    assert_ordered_latencies(&summary);
    assert_eq!(peer.finish(), "Hello");
}

#[test]
fn no_handshake_at_all_is_a_failure_with_a_summary() {
    let nobody = RefusedTcp::hold();
    let options = [&nobody.at(), "--count", "2", "--interval", "5ms"];
    run("tcp-client", &options).exits(1).prints("lost").says(&["refused"]);

    let client = run("tcp-client", &[&options[..], &["--json"]].concat()).exits(1);
    let summary = client.event("summary");
    assert_counts(&summary, 2, 0);
    assert_no_latencies(&summary);
}

//! A reset is never success, even when the byte count fits (smoltcp#351): only a digest proves a whole,
//! or an orderly end.

use std::io::Write;

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{Ask, Reply, hear};
use barewire_tests::harness::sockets::{is_ended_by_peer, reset};
use barewire_tests::harness::tutorial::recv;
use barewire_tests::harness::{Folder, Peer};

use crate::file::fetch;

/// All of the contents, then a reset once the client has said its last.
#[test]
fn unverified_contents_that_end_in_a_reset_fail() {
    for option in ["--no-verify", "--plain"] {
        let whole = contents(5000, 9);
        let server = Peer::tcp(move |mut stream| {
            if option == "--plain" {
                recv(&mut stream);
                stream.write_all(&whole).unwrap();
            } else {
                let ask = hear(&mut stream).expect("a request");
                let reply = Reply { verified: false, ..Reply::ok(whole.len(), 9) };
                stream.write_all(&reply.with(&ask, &whole)).unwrap();
            }
            is_ended_by_peer(&mut stream);
            reset(stream);
        });
        let target = Folder::new();
        let options = ["x", option, "--retries", "0"];
        fetch(&server.at(), &target, &options).exits(1).says(&["reset"]);
        assert!(target.names().is_empty(), "{:?}", target.names());
        server.finish();
    }
}

/// A byte too many, and then a reset: the byte looks like the next response, which nobody asked for.
#[test]
fn a_reset_behind_a_zero_byte_fails_too() {
    let whole = contents(5000, 9);
    let server = Peer::tcp(move |mut stream| {
        let ask = hear(&mut stream).expect("a request");
        let reply = Reply { verified: false, ..Reply::ok(whole.len(), 9) };
        stream.write_all(&[reply.with(&ask, &whole), vec![0]].concat()).unwrap();
        is_ended_by_peer(&mut stream);
        reset(stream);
    });
    let target = Folder::new();
    let options = ["x", "--no-verify", "--retries", "0"];
    fetch(&server.at(), &target, &options).exits(1).says(&["makes no sense", "reset"]);
    assert!(target.names().is_empty(), "{:?}", target.names());
    server.finish();
}

/// What a digest has proven is whole, whatever comes after.
#[test]
fn a_reset_behind_the_last_digest_harms_nothing() {
    let whole = contents(5000, 9);
    let right = Reply::ok(whole.len(), 9).with(&Ask::get("x"), &whole);
    let server = Peer::tcp(move |mut stream| {
        hear(&mut stream).expect("a request");
        stream.write_all(&right).unwrap();
        is_ended_by_peer(&mut stream);
        reset(stream);
    });
    let target = Folder::new();
    fetch(&server.at(), &target, &["x", "--retries", "0"]).exits(0);
    target.assert_holds("x", &whole);
    server.finish();
}

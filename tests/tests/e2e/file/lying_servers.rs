//! Servers that lie, or fall silent: the client says so, fails, and leaves nothing under the file's
//! name. Each is played by hand.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{Ask, DIGEST, RESPONSE, Reply, SEGMENT, hear};
use barewire_tests::harness::sockets::{is_ended_by_peer, reset};
use barewire_tests::harness::{Finished, Folder, Peer, TIMEOUT};

use super::{begin, fetch};
use crate::common::memory::peak_memory;
use crate::common::time_enough::with_time_enough;
use crate::common::words::TIMED_OUT;

/// A version that every test is free to lie about.
const TAG: u64 = 0x1234_5678_9abc_def0;

/// What the client asks without digests.
fn plainly() -> Ask {
    Ask::get("x").unverified()
}

/// A server that hears one request and then says `answer`, and ends in order once the client has.
fn say(answer: Vec<u8>) -> Peer<()> {
    Peer::tcp(move |mut stream| {
        hear(&mut stream).expect("a request");
        // The client may have heard enough.
        let _ = stream.write_all(&answer);
        let _ = stream.shutdown(Shutdown::Write);
        is_ended_by_peer(&mut stream);
    })
}

/// Has the client believe it or not, without a second try.
#[track_caller]
fn believe(answer: Vec<u8>, options: &[&str]) -> (Finished, Folder) {
    let target = Folder::in_memory();
    let server = say(answer);
    let client = fetch(&server.at(), &target, &[&["x", "--retries", "0"], options].concat());
    server.finish();
    (client, target)
}

#[track_caller]
fn assert_disbelieved(answer: Vec<u8>, options: &[&str], words: &[&str]) {
    let (client, target) = believe(answer, options);
    client.exits(1).says(words);
    assert!(target.names().is_empty(), "{:?}", target.names());
}

#[test]
fn what_is_true_is_believed() {
    let whole = contents(SEGMENT + 9, 1);
    let (client, target) = believe(Reply::ok(whole.len(), TAG).with(&Ask::get("x"), &whole), &[]);
    client.exits(0).is_silent();
    target.assert_holds("x", &whole);

    let reply = Reply { verified: false, ..Reply::ok(whole.len(), TAG) };
    let (client, target) = believe(reply.with(&plainly(), &whole), &["--no-verify"]);
    client.exits(0).is_silent();
    target.assert_holds("x", &whole);
}

#[test]
fn a_wrong_digest_is_found() {
    let whole = contents(5000, 1);
    let right = Reply::ok(whole.len(), TAG).with(&Ask::get("x"), &whole);
    for place in [RESPONSE, RESPONSE + 4999, RESPONSE + 5000, RESPONSE + 5000 + DIGEST - 1] {
        let mut wrong = right.clone();
        wrong[place] ^= 1;
        assert_disbelieved(wrong, &[], &["do not match their digest"]);
    }
}

/// At every stage: in the header, before the contents, in them, before the digest, in it.
#[test]
fn an_end_before_the_end_is_found() {
    let whole = contents(5000, 1);
    let right = Reply::ok(whole.len(), TAG).with(&Ask::get("x"), &whole);
    let digest = RESPONSE + whole.len();
    for length in [1, 4, RESPONSE - 1, RESPONSE, RESPONSE + 1, digest - 1, digest, right.len() - 1]
    {
        assert_disbelieved(right[..length].to_vec(), &[], &["before all was sent"]);
    }
    let reply = Reply { verified: false, ..Reply::ok(whole.len(), TAG) };
    let right = reply.with(&plainly(), &whole);
    for length in [RESPONSE, RESPONSE + 1, right.len() - 1] {
        let cut = right[..length].to_vec();
        assert_disbelieved(cut, &["--no-verify"], &["before all was sent"]);
    }
}

#[test]
fn more_than_was_told_is_found() {
    let whole = contents(5000, 1);
    let reply = Reply { verified: false, ..Reply::ok(whole.len() - 1, TAG) };
    // Zero is also how the next response would begin.
    for extra in [whole[4999], 0] {
        let more = [reply.with(&plainly(), &whole[..4999]), vec![extra]].concat();
        assert_disbelieved(more, &["--no-verify"], &["makes no sense", "before all was sent"]);
    }
}

#[test]
fn a_size_that_was_never_there_is_not_waited_for() {
    let whole = contents(5000, 1);
    for size in [5001, SEGMENT as u64, 1 << 40, u64::MAX - 1, u64::MAX] {
        let told = Reply { size, length: size, ..Reply::ok(0, TAG) };
        let answer = [told.bytes(&Ask::get("x")), whole.clone()].concat();
        let (client, target) = believe(answer, &[]);
        client.exits(1).says(&["before all was sent", "no room", "--max-size allows"]);
        assert!(!target.has("x"), "{size}: {:?}", target.names());
    }
}

#[test]
fn what_does_not_fit_the_request_makes_no_sense() {
    let ok = Reply::ok(10, TAG);
    let lies = [
        // From somewhere that was not asked for.
        ok.from(5),
        ok.from(10),
        // Less or more than was asked for.
        Reply { length: 9, ..ok },
        Reply { length: 0, ..ok },
        // Of no version.
        Reply { tag: 0, ..ok },
        // Beyond its own end.
        Reply { offset: 11, ..ok },
        Reply { offset: u64::MAX, ..ok },
        // Refusals that no one knows, or that say more than that.
        Reply::refusal(8),
        Reply::refusal(255),
        Reply { size: 1, ..Reply::refusal(1) },
        Reply { modified: 1, ..Reply::refusal(1) },
        Reply { verified: true, ..Reply::refusal(1) },
    ];
    for lie in lies {
        let answer = [lie.bytes(&Ask::get("x")), contents(100, 1)].concat();
        let (client, target) = believe(answer, &[]);
        assert_eq!(client.code(), Some(1), "{lie:?}: {client:?}");
        client.says(&["makes no sense"]);
        assert!(target.names().is_empty(), "{:?}", target.names());
    }
}

/// Whatever is damaged on its way: none of it passes, not even what would mean nothing.
#[test]
fn every_flipped_byte_of_a_header_is_found() {
    let right = Reply::ok(10, TAG).with(&Ask::get("x"), &contents(10, 1));
    for place in 0..RESPONSE {
        let mut answer = right.clone();
        answer[place] ^= 0x10;
        let word = if place == 3 { "another version" } else { "was damaged" };
        assert_disbelieved(answer, &[], &[word]);
    }
}

/// Who asked for proof does not do with less.
#[test]
fn contents_without_the_digests_asked_for_are_refused() {
    let whole = contents(5000, 1);
    let reply = Reply { verified: false, ..Reply::ok(whole.len(), TAG) };
    assert_disbelieved(reply.with(&Ask::get("x"), &whole), &[], &["has no digests"]);
}

#[test]
fn every_refusal_has_its_words() {
    for (status, words) in [
        (1, "no such"),
        (2, "permission denied"),
        (3, "does not understand"),
        (4, "does not support"),
        (5, "busy"),
        (6, "cannot read"),
        (7, "less of it"),
    ] {
        assert_disbelieved(Reply::refusal(status).bytes(&Ask::get("x")), &[], &[words]);
    }
}

/// It accepts, and says nothing: at the beginning, and between two answers.
#[test]
fn silence_is_not_waited_for_long() {
    for answers in [0, 1] {
        with_time_enough(|timeout| {
            let server = Peer::tcp(move |mut stream| {
                hear(&mut stream).expect("a request");
                for _ in 0..answers {
                    // On a busy machine it may be too late.
                    let _ = stream.write_all(&Reply::ok(3, TAG).with(&Ask::get("x"), b"abc"));
                }
                stream
            });
            let target = Folder::in_memory();
            let options = ["x", "y", "--timeout", timeout, "--retries", "0"];
            fetch(&server.at(), &target, &options).exits(1).says(&TIMED_OUT).says(&[&server.at()]);
            is_ended_by_peer(&mut server.finish());
            (target.names() == ["x"][..answers]).then_some(())
        });
    }
}

/// Garbage that begins as an answer does.
#[test]
fn an_endless_answer_to_a_small_question_ends() {
    let server = Peer::tcp(|mut stream| {
        hear(&mut stream).expect("a request");
        let mut answer = Reply::ok(3, TAG).with(&Ask::get("x"), b"abc");
        answer.extend(vec![0xff; 1 << 20]);
        while stream.write_all(&answer).is_ok() {}
    });
    let target = Folder::in_memory();
    // Its own file was proven by then; the question is only whether it ends.
    fetch(&server.at(), &target, &["x"]).exits(0);
    assert_eq!(target.read("x"), b"abc");
    server.finish();
}

/// A list of far more than there is: it costs its own length, and the names that must be kept free,
/// as the parts of others could have them.
#[test]
fn a_long_list_costs_little_more_than_its_length() {
    for ending in ["", ".part"] {
        let (_, little) = peak_with(1, ending);
        let (length, much) = peak_with(30_000, ending);
        let grown = much.saturating_sub(little);
        assert!(grown < (1 << 20) + 4 * length, "{grown} bytes for a list of {length}");
    }
}

/// How long a list of so many names is, and the most memory that the client has had when it goes by it.
#[track_caller]
fn peak_with(names: usize, ending: &str) -> (usize, usize) {
    let line = |number: usize| format!("1\t0\t{number:07}{ending}\n");
    let list: Vec<u8> = (0..names).flat_map(|number| line(number).into_bytes()).collect();
    let length = list.len();
    let (asked, ask) = mpsc::channel();
    let server = Peer::tcp(move |mut stream| {
        let ask = hear(&mut stream).expect("a request for the list");
        stream.write_all(&Reply::ok(list.len(), TAG).with(&ask, &list)).unwrap();
        hear(&mut stream).expect("a request for the first file");
        asked.send(()).unwrap();
        // The rest goes unread until the client ends.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let target = Folder::in_memory();
    let client = begin(&server.at(), &target, &["-r", "."]).spawn();
    ask.recv_timeout(TIMEOUT).expect("it goes by the list");
    let peak = peak_memory(&client);
    client.signal(nix::sys::signal::Signal::SIGTERM);
    client.finish().exits(143).says(&["interrupted"]);
    server.finish();
    (length, peak)
}

/// Both ways of asking: what is interrupted is told of, and has no file's name.
#[test]
fn a_signal_ends_the_wait() {
    use nix::sys::signal::Signal;
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        for options in [&["x"][..], &["x", "--plain"]] {
            let (called, call) = mpsc::channel();
            let server = Peer::tcp(move |stream: TcpStream| {
                called.send(()).unwrap();
                stream
            });
            let target = Folder::in_memory();
            let client = begin(&server.at(), &target, options).spawn();
            call.recv_timeout(TIMEOUT).expect("a call");
            client.signal(signal);
            client.finish().exits(code).says(&["interrupted"]);
            assert!(target.names().is_empty(), "{:?}", target.names());
            is_ended_by_peer(&mut server.finish());
        }
    }
}

/// All that was told has come, and yet it is no success (smoltcp#351); see also `resets`.
#[test]
fn a_reset_in_the_middle_fails() {
    let whole = contents(5000, 1);
    let answer = Reply::ok(whole.len(), TAG).with(&Ask::get("x"), &whole)[..3000].to_vec();
    let server = Peer::tcp(move |mut stream| {
        hear(&mut stream).expect("a request");
        stream.write_all(&answer).unwrap();
        reset(stream);
    });
    let target = Folder::in_memory();
    fetch(&server.at(), &target, &["x", "--retries", "0"]).exits(1).says(&["reset"]);
    assert!(target.names().is_empty());
    server.finish();
}

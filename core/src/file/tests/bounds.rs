//! Numbers at their extremes (these tests run with overflow checks).

use super::*;
use crate::session::{Output, Session};

const EXTREMES: [u64; 9] = [
    0,
    1,
    SEGMENT - 1,
    SEGMENT,
    SEGMENT + 1,
    u64::MAX / 2,
    u64::MAX - SEGMENT,
    u64::MAX - 1,
    u64::MAX,
];

fn everything() -> impl Iterator<Item = (u64, u64, u64, u64)> {
    EXTREMES.into_iter().flat_map(|offset| {
        EXTREMES.into_iter().flat_map(move |size| {
            [0, 1, u64::MAX - 1, u64::MAX].into_iter().flat_map(move |held| {
                [1, u64::MAX - 1, u64::MAX].map(move |tag| (offset, size, held, tag))
            })
        })
    })
}

/// Moves whole segments by saying so, as `sendfile` does: nothing of it is in memory.
#[test]
fn a_sender_moves_ranges_of_any_size() {
    for (offset, size, held, tag) in everything() {
        for flags in [0, 1] {
            let mut sender = Sender::<64>::new(NOW, TransferConfig::default());
            let asked = request(1, flags, offset, held, b"a");
            let Ok(RequestEvent::Request(request)) = sender.handle_input(NOW, &mut &asked[..])
            else {
                panic!("{offset} {held}")
            };
            assert_eq!((request.offset, request.tag), (offset, held));
            let start = if held != 0 && held != tag { 0 } else { offset };
            let range = sender.offer(NOW, size, tag);
            assert_eq!(range, (start <= size).then_some(start..size));
            let Output::Bytes { head, .. } = sender.poll_transmit() else { panic!() };
            if range.is_none() {
                assert_eq!(head, refused(Refusal::PastEnd));
                continue;
            }
            assert_eq!(head, response(0, flags, start, size, tag));
            sender.transmitted(NOW, 32);
            // The first few segments, and so up to the end where it is near.
            let mut position = start;
            for _ in 0..4 {
                if let Some(Pending::Digest { offset, length }) = sender.pending() {
                    assert!(length > 0 && length <= SEGMENT && offset == position);
                    assert!((offset + length).is_multiple_of(SEGMENT) || offset + length == size);
                    sender.provide_digest(NOW, [0; 32]);
                }
                if let Output::Contents { offset, length } = sender.poll_transmit() {
                    assert_eq!(offset, position);
                    assert!(offset.checked_add(length).is_some_and(|end| end <= size));
                    position += length;
                    while let Output::Contents { .. } = sender.poll_transmit() {
                        sender.transmitted(NOW, usize::MAX);
                    }
                    sender.transmitted(NOW, 32);
                }
            }
            let is_out = sender.pending() == Some(Pending::Confirm);
            assert_eq!(is_out, position == size, "from {start} of {size}");
        }
    }
}

#[test]
fn a_receiver_takes_numbers_of_any_size() {
    for (offset, size, held, tag) in everything() {
        for verify in [false, true] {
            let request = Request { offset, tag: held, verify, ..Request::get(b"a") };
            let mut client = Client::asking(&[request]);
            let start = if held != 0 && held != tag { 0 } else { offset };
            client.hear(NOW, &response(0, u8::from(verify), start, size, tag));
            if start > size {
                assert_eq!(client.seen, [Seen::Failed(ReceiverError::Malformed)]);
                continue;
            }
            let answer = ResponseHeader { offset: start, size, tag, verified: verify };
            assert_eq!(client.seen[0], Seen::Answered(answer));
            assert_eq!(client.seen.contains(&Seen::Complete), start == size);
            if start < size {
                client.hear(NOW, b"x");
                assert_eq!(client.seen[1], Seen::Contents(b"x".to_vec()));
                client.hear_end(NOW);
                let is_all = start + 1 == size && !verify;
                let end = Seen::Failed(ReceiverError::CutShort);
                assert_eq!(client.seen.last() == Some(&Seen::Complete), is_all);
                assert_eq!(client.seen.last() == Some(&end), !is_all);
            }
        }
    }
}

/// The last byte that a file could have, with its digest.
#[test]
fn the_last_byte_of_the_longest_file_is_verified() {
    let offset = u64::MAX - 1;
    let mut client = Client::asking(&[Request { offset, tag: TAG, ..Request::get(b"a") }]);
    let header = response(0, 1, offset, u64::MAX, TAG);
    client.hear(NOW, &[&header[..], b"x", &digest(b"x")].concat());
    assert_eq!(client.seen[2..], [Seen::Verified(u64::MAX), Seen::Complete]);
}

/// What a sender with room for 8 bytes makes of a name, sent whole and cut.
fn named(length: usize) -> [Server<8>; 2] {
    let bytes = request(1, 1, 0, 0, &std::vec![b'x'; length]);
    [bytes.len(), 24].map(|first| {
        let mut server = Server::new();
        server.hear(NOW, &bytes[..first]);
        server.hear(NOW, &bytes[first..]);
        server
    })
}

#[test]
fn names_may_be_as_long_as_there_is_room_for() {
    for length in [1, 7, 8] {
        for server in named(length) {
            assert_eq!(server.sent, refused(Refusal::NotFound), "{length}");
            assert!(!server.is_shut);
        }
    }
    for server in named(0) {
        assert_eq!(server.sent, refused(Refusal::Refused));
    }
    for length in [9, MAX_NAME, MAX_NAME + 1, 65_535] {
        for server in named(length) {
            assert_eq!(server.sent, refused(Refusal::Malformed), "{length}");
            assert!(server.is_shut);
        }
    }
    for (length, refusal) in [(MAX_NAME, Refusal::NotFound), (MAX_NAME + 1, Refusal::Malformed)] {
        let mut server = Server::<MAX_NAME>::new();
        server.hear(NOW, &get(&std::vec![b'x'; length]));
        assert_eq!(server.sent, refused(refusal));
    }
}

#[test]
fn plain_names_may_be_as_long_as_there_is_room_for() {
    for (length, text) in [(8, "Get \"xxxxxxxx\""), (9, "malformed request"), (9_999, "malformed")]
    {
        for terminator in [&b"\n"[..], b"\r\n", b""] {
            let mut server = Server::<8>::new();
            server.hear(NOW, &std::vec![b'x'; length]);
            server.hear(NOW, terminator);
            server.hear_end(NOW);
            assert!(server.asked[0].starts_with(text), "{length}: {:?}", server.asked);
            assert_eq!((server.asked.len(), server.sent.len(), server.is_closed), (1, 0, true));
        }
    }
}

#[test]
fn the_longest_name_may_be_asked_for() {
    let name = [b'x'; MAX_NAME + 1];
    let mut receiver = Receiver::<2048, 1>::new(NOW, TransferConfig::default());
    let too_long = receiver.request(NOW, &Request::get(&name));
    assert_eq!(too_long, Err(RequestError::TooLong));
    receiver.request(NOW, &Request::get(&name[1..])).unwrap();
    assert_eq!(Client::new(receiver).sent, get(&name[1..]));
}

/// Hazard 10: what an earlier request has left in the buffer is never part of a later one.
#[test]
fn no_stale_byte_is_shown_or_sent() {
    let mut server = Server::<8>::new();
    for name in [&b"longname"[..], b"a", b"", b"bc", b"longer"] {
        let whole = get(name);
        let (first, last) = whole.split_at(whole.len() - 1);
        server.hear(NOW, first);
        server.hear(NOW, last);
    }
    let names = ["longname", "a", "", "bc", "longer"];
    for (asked, name) in server.asked.iter().zip(names) {
        assert!(asked.contains(&std::format!("\"{name}\"")), "{asked}");
    }
    assert_eq!(server.asked.len(), names.len());
    let gone = refused(Refusal::NotFound);
    let empty = refused(Refusal::Refused);
    let expected = [gone.clone(), verified(b"alpha"), empty, gone.clone(), gone];
    assert_eq!(server.sent, expected.concat());
}

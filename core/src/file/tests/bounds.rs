//! Numbers at their extremes (these tests run with overflow checks).

use super::*;
use crate::session::{Output, Session};

const EXTREMES: [u64; 12] = [
    0,
    1,
    SEGMENT - 1,
    SEGMENT,
    SEGMENT + 1,
    (1 << 62) - 1,
    1 << 62,
    u64::MAX / 2,
    u64::MAX - SEGMENT,
    u64::MAX - SEGMENT + 1,
    u64::MAX - 1,
    u64::MAX,
];

/// A request and a file.
#[derive(Clone, Copy, Debug)]
struct Case {
    offset: u64,
    length: u64,
    held: u64,
    verify: bool,
    size: u64,
    tag: u64,
}

impl Case {
    fn all() -> impl Iterator<Item = Self> {
        EXTREMES.into_iter().flat_map(|offset| {
            EXTREMES.into_iter().flat_map(move |size| {
                EXTREMES.into_iter().flat_map(move |length| {
                    [0, 1, u64::MAX - 1, u64::MAX].into_iter().flat_map(move |held| {
                        [(1, false), (u64::MAX, false), (1, true), (u64::MAX, true)].map(
                            move |(tag, verify)| Self { offset, length, held, verify, size, tag },
                        )
                    })
                })
            })
        })
    }

    fn request(&self) -> Request<'static> {
        let request = PLAINLY.with_offset(self.offset).with_length(self.length);
        request.with_tag(self.held).with_verify(self.verify)
    }

    /// The range that answers it, by numbers that cannot overflow.
    fn range(&self) -> Result<[u64; 2], Refusal> {
        let is_inside = |offset: u64| self.verify && !offset.is_multiple_of(SEGMENT);
        if is_inside(self.offset) {
            return Err(Refusal::Malformed);
        }
        let (start, length) = match (self.held == 0 || self.held == self.tag, self.length) {
            (true, length) if length >= 1 << 62 => (self.offset, u64::MAX),
            (true, length) => (self.offset, length),
            (false, length) if length >= 1 << 62 => (0, u64::MAX),
            (false, _) => (0, 0),
        };
        if start > self.size {
            return Err(Refusal::PastEnd);
        }
        let end = (u128::from(start) + u128::from(length)).min(u128::from(self.size));
        let end = u64::try_from(end).unwrap();
        if is_inside(end) && end != self.size {
            return Err(Refusal::Malformed);
        }
        Ok([start, end])
    }
}

/// Moves whole segments by saying so, as `sendfile` does: nothing of it is in memory.
#[test]
fn a_sender_moves_ranges_of_any_size() {
    for case in Case::all() {
        let mut sender = Sender::<64>::new(NOW, TransferConfig::default());
        let asked = bytes_of(&case.request());
        match sender.handle_input(NOW, &mut &asked[..]) {
            Ok(RequestEvent::Request(request)) => assert_eq!(request, case.request()),
            other => assert!(case.verify && !case.offset.is_multiple_of(SEGMENT), "{other:?}"),
        }
        let offer = Offer { size: case.size, tag: case.tag, modified: MODIFIED };
        let offered = sender.offer(NOW, offer);
        let range = case.range();
        assert_eq!(offered, range.ok().map(|[start, end]| start..end), "{case:?}");
        let Output::Bytes { head, .. } = sender.poll_transmit() else { panic!() };
        let [start, end] = match range {
            Ok(range) => range,
            Err(refusal) => {
                assert_eq!(head, refused(&asked, refusal), "{case:?}");
                continue;
            }
        };
        let numbers = [start, end - start, case.size];
        assert_eq!(head, range_response(&asked, u8::from(case.verify), numbers, case.tag));
        sender.transmitted(NOW, 64);
        // The first few segments, and so up to the end where it is near.
        let mut position = start;
        for _ in 0..4 {
            if let Some(Pending::Digest(segment)) = sender.pending() {
                let length = segment.end() - segment.start();
                assert!(length > 0 && length <= SEGMENT && segment.start() == position);
                assert!(segment.end().is_multiple_of(SEGMENT) || segment.end() == case.size);
                assert_eq!(segment.is_whole(), length == case.size);
                sender.provide_digest(NOW, [0; 32]);
            }
            if let Output::Contents { offset, length } = sender.poll_transmit() {
                assert_eq!(offset, position);
                assert!(offset.checked_add(length).is_some_and(|last| last <= end));
                position += length;
                while let Output::Contents { .. } = sender.poll_transmit() {
                    sender.transmitted(NOW, usize::MAX);
                }
                sender.transmitted(NOW, 32);
            }
        }
        let is_out = sender.pending() == Some(Pending::Confirm);
        assert_eq!(is_out, position == end, "{case:?}");
    }
}

#[test]
fn a_receiver_takes_numbers_of_any_size() {
    for case in Case::all() {
        let request = case.request();
        let is_cut = case.verify && !case.offset.is_multiple_of(SEGMENT);
        let mut receiver = Receiver::<64>::new(NOW, TransferConfig::default());
        let asked = receiver.request(NOW, &request);
        assert_eq!(asked, if is_cut { Err(RequestError::CutsSegment) } else { Ok(()) });
        if is_cut {
            continue;
        }
        // What a server says that keeps no rule: all that follows the offset.
        let wrong = [case.offset, case.size.saturating_sub(case.offset), case.size];
        let (numbers, is_right) = match case.range() {
            Ok([start, end]) => ([start, end - start, case.size], true),
            Err(_) => (wrong, false),
        };
        let mut client = Client::asking(&[request]);
        let flags = u8::from(case.verify);
        client.hear(NOW, &range_response(&bytes_of(&request), flags, numbers, case.tag));
        if !is_right {
            assert_eq!(client.seen, [Seen::Failed(ReceiverError::Malformed)], "{case:?}");
            continue;
        }
        let [offset, length, size] = numbers;
        let header = answer([offset, length, size], case.verify);
        assert_eq!(client.seen[0], Seen::Answered(ResponseHeader { tag: case.tag, ..header }));
        assert_eq!(client.seen.contains(&Seen::Complete), length == 0);
        if length > 0 {
            client.hear(NOW, b"x");
            assert_eq!(client.seen[1], Seen::Contents(b"x".to_vec()));
            client.hear_end(NOW);
            let is_all = length == 1 && !case.verify;
            let end = Seen::Failed(ReceiverError::CutShort);
            assert_eq!(client.seen.last() == Some(&Seen::Complete), is_all);
            assert_eq!(client.seen.last() == Some(&end), !is_all);
        }
    }
}

/// The last bytes that a file could have, with their digest.
#[test]
fn the_last_segment_of_the_longest_file_is_verified() {
    let (start, end, contents) = (u64::MAX - 1_023, u64::MAX, [b'x'; 1_023]);
    let request = Request::get(b"a").with_offset(start).with_segment(SegmentSize::MIN);
    let mut client = Client::asking(&[request]);
    let header = response(&bytes_of(&request), 1, start, end, TAG);
    let digest = subtree(start, &contents);
    client.hear(NOW, &[&header[..], &contents, &digest].concat());
    assert_eq!(client.seen[2..], [Seen::Verified { start, end, digest }, Seen::Complete]);
}

/// What a sender with room for 8 bytes makes of a name, sent whole and cut.
fn named(length: usize) -> [Server<8>; 2] {
    let bytes = request(1, 1, 0, 0, &std::vec![b'x'; length]);
    [bytes.len(), 40].map(|first| {
        let mut server = Server::new();
        server.hear(NOW, &bytes[..first]);
        server.hear(NOW, &bytes[first..]);
        server
    })
}

#[test]
fn names_may_be_as_long_as_there_is_room_for() {
    for length in [1, 7, 8] {
        let asked = get(&std::vec![b'x'; length]);
        for server in named(length) {
            assert_eq!(server.sent, refused(&asked, Refusal::NotFound), "{length}");
            assert!(!server.is_shut);
        }
    }
    for server in named(0) {
        assert_eq!(server.sent, refused(&get(b""), Refusal::Refused));
    }
    for length in [9, MAX_NAME, MAX_NAME + 1, 65_535] {
        for server in named(length) {
            assert_eq!(server.sent, refused(b"unread", Refusal::Malformed), "{length}");
            assert!(server.is_shut);
        }
    }
    for (length, refusal) in [(MAX_NAME, Refusal::NotFound), (MAX_NAME + 1, Refusal::Malformed)] {
        let mut server = Server::<MAX_NAME>::new();
        let asked = get(&std::vec![b'x'; length]);
        server.hear(NOW, &asked);
        assert_eq!(server.sent, refused(&asked, refusal));
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
    let mut receiver = Receiver::<2048>::new(NOW, TransferConfig::default());
    let too_long = receiver.request(NOW, &Request::get(&name));
    assert_eq!(too_long, Err(RequestError::TooLong));
    receiver.request(NOW, &Request::get(&name[1..])).unwrap();
    let mut client = Client::new(receiver);
    assert_eq!(client.sent, get(&name[1..]));
    client.hear(NOW, &verified(&get(&name[1..]), b"alpha"));
    assert_eq!(client.seen.last(), Some(&Seen::Complete));
}

/// The check's input is longer than a chunk of the hash.
#[test]
fn a_check_is_right_whatever_the_length_of_the_name() {
    for length in (1..=MAX_NAME).step_by(61).chain(930..=940).chain([MAX_NAME]) {
        let name = std::vec![b'x'; length];
        let mut server = Server::<MAX_NAME>::new();
        server.hear(NOW, &get(&name));
        assert_eq!(server.sent, refused(&get(&name), Refusal::NotFound), "{length}");
    }
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
    let answer = |name: &[u8]| match name {
        b"a" => verified(&get(name), b"alpha"),
        b"" => refused(&get(name), Refusal::Refused),
        _ => refused(&get(name), Refusal::NotFound),
    };
    let expected: Vec<_> = names.iter().map(|name| answer(name.as_bytes())).collect();
    assert_eq!(server.sent, expected.concat());
}

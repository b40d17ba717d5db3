//! What goes out when: what is pending, back-pressure, and commands at the wrong time.

use super::*;
use crate::session::{Output, Session};

fn asked(bytes: &[u8]) -> Sender<64> {
    let mut sender = Sender::new(NOW, TransferConfig::default());
    assert!(matches!(sender.handle_input(NOW, &mut &bytes[..]), Ok(RequestEvent::Request(_))));
    sender
}

const fn offer(size: u64) -> Offer {
    Offer { size, tag: TAG, modified: MODIFIED }
}

fn contents(sender: &Sender<64>) -> (u64, u64) {
    match sender.poll_transmit() {
        Output::Contents { offset, length } => (offset, length),
        other => panic!("{other:?}"),
    }
}

fn bytes(sender: &Sender<64>) -> (&[u8], bool) {
    match sender.poll_transmit() {
        Output::Bytes { head, tail: [], more } => (head, more),
        other => panic!("{other:?}"),
    }
}

/// A file of a segment and three bytes, as the owner sees it.
#[test]
fn what_is_pending_comes_in_the_order_of_the_stream() {
    let size = SEGMENT + 3;
    let mut sender = asked(&get(b"a"));
    assert_eq!(
        (sender.pending(), sender.poll_transmit()),
        (Some(Pending::Response), Output::Nothing)
    );
    assert_eq!(sender.offer(NOW, offer(size)), Some(0..size));
    let first = Some(Pending::Digest(SegmentSize::MAX.segment(0, size)));
    assert_eq!(sender.pending(), first, "as soon as the segment begins");
    assert_eq!(bytes(&sender), (&response(&get(b"a"), 1, 0, size, TAG)[..], true));
    sender.transmitted(NOW, 64);
    assert_eq!(contents(&sender), (0, SEGMENT));
    sender.transmitted(NOW, 10);
    assert_eq!(contents(&sender), (10, SEGMENT - 10));
    sender.transmitted(NOW, usize::MAX);
    // Late: nothing goes out before it is supplied.
    assert_eq!((sender.pending(), sender.poll_transmit()), (first, Output::Nothing));
    sender.provide_digest(NOW, [1; 32]);
    assert_eq!(sender.pending(), None);
    assert_eq!(bytes(&sender), (&[1; 32][..], true));
    sender.transmitted(NOW, 31);
    assert_eq!(bytes(&sender), (&[1][..], true));
    sender.transmitted(NOW, 1);
    let second = Some(Pending::Digest(SegmentSize::MAX.segment(SEGMENT, size)));
    assert_eq!((sender.pending(), contents(&sender)), (second, (SEGMENT, 3)));
    // Early.
    sender.provide_digest(NOW, [2; 32]);
    assert_eq!((sender.pending(), contents(&sender)), (None, (SEGMENT, 3)));
    sender.provide_digest(NOW, [9; 32]);
    sender.transmitted(NOW, 3);
    assert_eq!(bytes(&sender), (&[2; 32][..], false), "the first supplied");
    sender.transmitted(NOW, 32);
    let confirm = Some(Pending::Confirm);
    assert_eq!((sender.pending(), sender.poll_transmit()), (confirm, Output::Nothing));
    sender.confirm(NOW);
    assert_eq!((sender.pending(), sender.poll_transmit()), (None, Output::Nothing));
}

#[test]
fn segments_are_as_long_as_was_wanted_and_end_with_the_file() {
    let asked_from = |offset| {
        let request = Request::get(b"a").with_offset(offset).with_tag(TAG);
        asked(&bytes_of(&request.with_segment(SegmentSize::MIN)))
    };
    for (offset, size, expected, is_whole) in [
        (0, 1_024, 0..1_024, true),
        (0, 1_025, 0..1_024, false),
        (1_024, 1_025, 1_024..1_025, false),
        (2_048, 9_999, 2_048..3_072, false),
        (0, 1, 0..1, true),
    ] {
        let mut sender = asked_from(offset);
        assert_eq!(sender.offer(NOW, offer(size)), Some(offset..size));
        let Some(Pending::Digest(segment)) = sender.pending() else { panic!() };
        assert_eq!(segment.start()..segment.end(), expected);
        assert_eq!(segment.is_whole(), is_whole, "{expected:?} of {size}");
    }
}

#[test]
fn contents_without_digests_go_out_in_one_range() {
    let mut sender = asked(&request(1, 0, 5, 0, b"a"));
    sender.offer(NOW, offer(3 * SEGMENT));
    sender.transmitted(NOW, 64);
    assert_eq!((sender.pending(), contents(&sender)), (None, (5, 3 * SEGMENT - 5)));
    sender.transmitted(NOW, usize::MAX);
    assert_eq!(sender.pending(), Some(Pending::Confirm));
}

/// Only a confirmed answer may look whole: until then no end, and no further answer.
#[test]
fn nothing_follows_an_answer_before_it_is_confirmed() {
    for (stream, size) in [(&b"a\n"[..], 1), (b"a\n", 0), (&get(b"a"), 0)] {
        let mut sender = asked(stream);
        sender.offer(NOW, offer(size));
        while sender.poll_transmit() != Output::Nothing {
            sender.transmitted(NOW, 64);
        }
        assert_eq!(sender.pending(), Some(Pending::Confirm));
        assert_eq!(sender.handle_end(at(1)), Err(nb::Error::WouldBlock));
        sender.stop(at(1));
        assert_eq!(sender.handle_timeout(at(999_999)), Err(nb::Error::WouldBlock));
        assert_eq!((sender.poll_transmit(), sender.poll_deadline()), (Output::Nothing, None));
        sender.confirm(at(2));
        assert_eq!(sender.poll_transmit(), Output::Shutdown);
        sender.transmitted(at(2), 0);
        assert_eq!(sender.poll_transmit(), Output::Close);
    }
}

/// A driver need not tell of the end twice.
#[test]
fn the_end_of_the_requests_is_remembered() {
    let mut sender = asked(&get(b"a"));
    sender.offer(NOW, offer(0));
    assert_eq!(sender.handle_end(NOW), Err(nb::Error::WouldBlock));
    sender.transmitted(NOW, 64);
    sender.confirm(NOW);
    assert_eq!(sender.poll_transmit(), Output::Shutdown);
    sender.transmitted(NOW, 0);
    assert_eq!(sender.poll_transmit(), Output::Close);
}

#[test]
fn the_next_request_waits_in_the_input() {
    let stream = [get(b"a"), get(b"b"), get(b"gone")].concat();
    let mut input = &stream[..];
    let mut sender = Sender::<64>::new(NOW, TransferConfig::default());
    let blocked = Err(nb::Error::WouldBlock);
    assert!(matches!(sender.handle_input(NOW, &mut input), Ok(RequestEvent::Request(_))));
    assert_eq!((sender.handle_input(NOW, &mut input), input.len()), (blocked, 44 + 41));
    sender.offer(NOW, offer(0));
    assert_eq!((sender.handle_input(NOW, &mut input), input.len()), (blocked, 44 + 41));
    sender.transmitted(NOW, 64);
    assert_eq!((sender.handle_input(NOW, &mut input), input.len()), (blocked, 44 + 41));
    sender.confirm(NOW);
    let Ok(RequestEvent::Request(second)) = sender.handle_input(NOW, &mut input) else { panic!() };
    assert_eq!((second.name, input.len()), (&b"b"[..], 44));
    sender.refuse(NOW, Refusal::Busy);
    // A refusal counts as long as its header is not out.
    sender.transmitted(NOW, 63);
    assert_eq!((sender.handle_input(NOW, &mut input), input.len()), (blocked, 44));
    sender.transmitted(NOW, 1);
    assert!(matches!(sender.handle_input(NOW, &mut input), Ok(RequestEvent::Request(_))));
    assert_eq!(input.len(), 0);
}

#[test]
fn commands_that_nothing_waits_for_do_nothing() {
    let mut sender = Sender::<64>::new(NOW, TransferConfig::default());
    let nudge = |sender: &mut Sender<64>, is_asked: bool| {
        let before = std::format!("{sender:?}");
        if !is_asked {
            assert_eq!(sender.offer(at(1), offer(5)), None);
            sender.refuse(at(1), Refusal::Busy);
        }
        if !matches!(sender.pending(), Some(Pending::Digest(_))) {
            sender.provide_digest(at(1), [0; 32]);
        }
        if sender.pending() != Some(Pending::Confirm) {
            sender.confirm(at(1));
        }
        assert_eq!(std::format!("{sender:?}"), before);
    };
    nudge(&mut sender, false);
    sender.handle_input(NOW, &mut &get(b"a")[..]).unwrap();
    nudge(&mut sender, true);
    sender.offer(NOW, offer(5));
    nudge(&mut sender, false);
    sender.transmitted(NOW, 64);
    nudge(&mut sender, false);
    sender.provide_digest(NOW, [1; 32]);
    nudge(&mut sender, false);
    sender.transmitted(NOW, 5);
    nudge(&mut sender, false);
    sender.transmitted(NOW, 32);
    nudge(&mut sender, false);
    sender.confirm(NOW);
    nudge(&mut sender, false);
    sender.stop(NOW);
    nudge(&mut sender, false);
    sender.transmitted(NOW, 0);
    nudge(&mut sender, false);
}

#[test]
fn an_early_digest_of_one_answer_is_never_that_of_the_next() {
    let mut server = Server::<64>::new();
    server.digests = Digests::Early;
    let list = request(2, 1, 0, 0, b"");
    server.hear(NOW, &[get(b"a"), list.clone(), get(b"empty")].concat());
    let entries = drivers::lookup(b"").unwrap();
    let expected =
        [verified(&get(b"a"), b"alpha"), verified(&list, &entries), verified(&get(b"empty"), b"")];
    assert_eq!(server.sent, expected.concat());
    assert_eq!(server.hashed, 5 + entries.len() as u64, "what went out, and nothing else");
}

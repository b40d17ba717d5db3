//! What a sender answers, and how it ends.

use super::*;
use crate::session::{Output, Session};

/// A server that has heard `bytes`.
fn after(bytes: &[u8]) -> Server {
    let mut server = Server::new();
    server.hear(NOW, bytes);
    server
}

#[track_caller]
fn answers(bytes: &[u8], expected: &[u8]) {
    let mut server = after(bytes);
    assert_eq!(server.sent, expected);
    assert!(!server.is_shut, "a framed connection goes on");
    server.hear(NOW, &get(b"a"));
    assert_eq!(server.sent[expected.len()..], verified(&get(b"a"), b"alpha"), "as it was before");
    server.hear_end(NOW);
    assert!(server.is_shut && server.is_closed);
}

#[test]
fn contents_start_where_they_were_wanted() {
    answers(&get(b"a"), &verified(&get(b"a"), b"alpha"));
    let plainly = request(1, 0, 0, 0, b"a");
    answers(&plainly, &unverified(&plainly, b"alpha"));
    for tag in [TAG, 0] {
        let asked = request(1, 0, 2, tag, b"a");
        let from_two = [&response(&asked, 0, 2, 5, TAG)[..], b"pha"].concat();
        answers(&asked, &from_two);
    }
}

#[test]
fn another_version_is_sent_from_its_start() {
    let plainly = request(1, 0, 2, TAG + 1, b"a");
    answers(&plainly, &unverified(&plainly, b"alpha"));
    let asked = request(1, 1, 99 * SEGMENT, TAG + 1, b"a");
    answers(&asked, &verified(&asked, b"alpha"));
}

#[test]
fn an_empty_range_has_no_digest() {
    answers(&get(b"empty"), &response(&get(b"empty"), 1, 0, 0, TAG));
    let at_its_end = request(1, 0, 5, 0, b"a");
    answers(&at_its_end, &response(&at_its_end, 0, 5, 5, TAG));
}

#[test]
fn an_offset_past_the_end_is_refused() {
    for asked in [
        request(1, 1, SEGMENT, TAG, b"a"),
        request(1, 0, 6, TAG, b"a"),
        request(1, 0, 1, 0, b"empty"),
        request(3, 0, SEGMENT, 0, b"a"),
    ] {
        answers(&asked, &refused(&asked, Refusal::PastEnd));
    }
    let mut sender = Sender::<64>::new(NOW, TransferConfig::default());
    sender.handle_input(NOW, &mut &request(1, 0, 6, TAG, b"a")[..]).unwrap();
    assert_eq!(sender.offer(NOW, FIVE), None);
    assert_eq!(sender.pending(), None);
}

#[test]
fn a_list_is_contents_like_any_other() {
    let list = drivers::lookup(b"").unwrap();
    let [plainly, proven] = [0, 1].map(|flags| request(2, flags, 0, 0, b""));
    answers(&proven, &verified(&proven, &list));
    answers(&plainly, &unverified(&plainly, &list));
}

#[test]
fn refusals_of_the_owner_keep_the_connection() {
    for (name, refusal) in [
        (&b"gone"[..], Refusal::NotFound),
        (b"device", Refusal::Refused),
        (b"busy", Refusal::Busy),
        (b"failed", Refusal::Failed),
    ] {
        answers(&get(name), &refused(&get(name), refusal));
    }
    // The owner may say any of them, and the machine knows which of them end the conversation.
    for (refusal, closes) in [(Refusal::Failed, false), (Refusal::NotSupported, true)] {
        let mut sender = Sender::<64>::new(NOW, TransferConfig::default());
        sender.handle_input(NOW, &mut &get(b"a")[..]).unwrap();
        sender.refuse(NOW, refusal);
        sender.transmitted(NOW, usize::MAX);
        assert_eq!(sender.poll_transmit() == Output::Shutdown, closes);
    }
}

/// Hazard 1: no owner ever sees such a name.
#[test]
fn names_that_nobody_may_ask_for_are_refused() {
    for name in [&b""[..], b"/", b"/a", b"..", b"../a", b"a/../..", b"a\0b", b"./../a"] {
        let server = after(&get(name));
        assert_eq!(server.sent, refused(&get(name), Refusal::Refused), "{}", name.escape_ascii());
        answers(&get(name), &refused(&get(name), Refusal::Refused));
    }
    for operation in [2, 3] {
        let asked = request(operation, 1, 0, 0, b"..");
        answers(&asked, &refused(&asked, Refusal::Refused));
    }
    let unnamed = request(3, 0, 0, 0, b"");
    answers(&unnamed, &refused(&unnamed, Refusal::Refused));
    let backslash = get(b"..\\a");
    answers(&backslash, &refused(&backslash, Refusal::NotFound));
}

#[test]
fn what_makes_no_sense_ends_the_conversation_in_order() {
    let changed = |place: usize, value| {
        let mut bytes = get(b"a");
        bytes[place] = value;
        bytes
    };
    for (bytes, refusal) in [
        (&request(9, 1, 0, 0, b"a")[..], Refusal::NotSupported),
        (&request(0, 1, 0, 0, b"a"), Refusal::NotSupported),
        (&changed(3, 1), Refusal::NotSupported),
        (&changed(3, 3), Refusal::NotSupported),
        (&changed(5, 0x81), Refusal::Malformed),
        (&changed(5, 2), Refusal::Malformed),
        (&changed(32, 11), Refusal::Malformed),
        (&changed(33, 1), Refusal::Malformed),
        (&changed(39, 0x80), Refusal::Malformed),
        (&request(1, 1, 1, 0, b"a"), Refusal::Malformed),
        (&request(3, 0, SEGMENT - 1, 0, b"a"), Refusal::Malformed),
        (&request(1, 1, 0, 0, &[b'x'; 65]), Refusal::Malformed),
        (&[0; 2], Refusal::Malformed),
        (&[1], Refusal::Malformed),
        (b"\x01name\n", Refusal::Malformed),
    ] {
        let mut server = after(bytes);
        assert_eq!(server.sent, refused(b"unread", refusal), "{}", bytes.escape_ascii());
        assert!(server.is_shut && !server.is_closed);
        // It lingers for as long as the client speaks, and makes nothing of it.
        server.hear(NOW, &get(b"a"));
        assert_eq!((server.asked.len(), server.held.len()), (1, 0));
        assert!(!server.is_closed);
        server.hear_end(NOW);
        assert!(server.is_closed);
        assert_eq!(server.sent.len(), 64);
    }
}

/// A later version may mean anything by what follows its number, and be of any length.
#[test]
fn of_another_version_four_bytes_are_enough() {
    for version in (0..=255).filter(|version| *version != 2) {
        let server = after(&[0, b'B', b'W', version]);
        assert_eq!(server.sent, refused(b"unread", Refusal::NotSupported));
        assert_eq!(server.asked, ["not supported: \"\""]);
    }
    assert_eq!(after(b"\0BW").sent, b"");
}

#[test]
fn a_plain_refusal_is_a_close_without_a_byte() {
    let long = [&[b'x'; 65][..], b"\n"].concat();
    for name in [&b"gone\n"[..], b"../a\n", b"\n", b"busy\n", &long] {
        let mut server = after(name);
        assert_eq!((server.sent.len(), server.is_shut, server.is_closed), (0, true, false));
        server.hear_end(NOW);
        assert!(server.is_closed);
    }
}

#[test]
fn a_plain_answer_is_the_contents_and_a_close() {
    let mut server = after(b"a\n");
    assert!(!server.sender.is_framed());
    assert_eq!((&server.sent[..], server.is_shut), (&b"alpha"[..], true));
    server.hear_end(NOW);
    assert!(server.is_closed);
    assert_eq!(server.hashed, 0);

    let mut empty = after(b"empty\n");
    assert_eq!((empty.sent.len(), empty.is_shut), (0, true));
    empty.hear_end(NOW);
    assert!(empty.is_closed);
}

/// Bytes that were never read would turn the close into a reset.
#[test]
fn what_follows_a_plain_name_is_taken_and_ignored() {
    let mut server = Server::<64>::new();
    server.step = 1;
    server.hear(NOW, b"a\njunk");
    server.hear(NOW, &get(b"a"));
    assert_eq!((server.asked.len(), server.held.len()), (1, 0));
    assert_eq!(server.sent, b"alpha");
    // While it waits for its owner, too.
    let mut sender = Sender::<64>::new(NOW, TransferConfig::default());
    let mut input = &b"a\njunk"[..];
    assert!(matches!(sender.handle_input(NOW, &mut input), Ok(RequestEvent::Request(_))));
    assert_eq!(input, b"junk");
    assert_eq!(sender.handle_input(NOW, &mut input), Err(nb::Error::WouldBlock));
    assert_eq!(input, b"");
}

#[test]
fn a_plain_name_ends_by_silence_or_by_the_end() {
    let mut silent = after(b"a");
    assert_eq!(silent.asked.len(), 0);
    silent.expire(at(199));
    assert_eq!(silent.asked.len(), 0);
    silent.expire(at(200));
    assert_eq!((&silent.sent[..], silent.is_shut), (&b"alpha"[..], true));

    let mut ended = after(b"a");
    ended.hear_end(NOW);
    assert_eq!((&ended.sent[..], ended.is_closed), (&b"alpha"[..], true));
}

#[test]
fn the_form_is_known_from_the_first_request_on() {
    let mut server = Server::<64>::new();
    assert!(!server.sender.is_framed());
    server.hear(NOW, &get(b"gone"));
    assert!(server.sender.is_framed());
    assert!(after(&[0; 40]).sender.is_framed());
}

#[test]
fn a_client_that_ends_after_its_last_request_gets_all_answers() {
    let mut server = Server::<64>::new();
    server.step = 3;
    server.held = [get(b"a"), get(b"gone"), request(1, 0, 1, 0, b"a")].concat();
    server.hear_end(NOW);
    let last = [&response(&request(1, 0, 1, 0, b"a"), 0, 1, 5, TAG)[..], b"lpha"].concat();
    let gone = refused(&get(b"gone"), Refusal::NotFound);
    assert_eq!(server.sent, [verified(&get(b"a"), b"alpha"), gone, last].concat());
    assert!(server.is_closed);
}

#[test]
fn a_request_that_breaks_off_is_an_error() {
    let whole = get(b"a");
    for length in 1..whole.len() {
        let mut server = after(&[&get(b"gone"), &whole[..length]].concat());
        server.hear_end(NOW);
        assert_eq!(server.failed, Some(SenderError::CutShort), "{length} bytes");
        assert!(!server.is_shut, "so that the driver resets it");
    }
    let mut server = after(b"");
    server.hear_end(NOW);
    assert_eq!((server.failed, server.is_closed), (None, true));
}

#[test]
fn stop_ends_at_once_between_requests_and_else_after_the_one_at_work() {
    let mut idle = after(&get(b"a"));
    idle.sender.stop(NOW);
    idle.turn(NOW);
    assert!(idle.is_shut && !idle.is_closed);
    idle.hear(NOW, &get(b"a"));
    assert_eq!((idle.asked.len(), idle.held.len()), (1, 0));
    idle.hear_end(NOW);
    assert!(idle.is_closed);

    // A request that has begun is served, the next is not.
    let whole = get(b"a");
    let mut begun = after(&whole[..9]);
    begun.sender.stop(NOW);
    begun.turn(NOW);
    assert!(!begun.is_shut);
    begun.hear(NOW, &[&whole[9..], &whole].concat());
    assert_eq!((begun.sent.clone(), begun.is_shut), (verified(&get(b"a"), b"alpha"), true));
    assert_eq!((begun.asked.len(), begun.held.len()), (1, 0));

    // Neither is one that is refused.
    let mut refused_last = after(&get(b"gone")[..9]);
    refused_last.sender.stop(NOW);
    refused_last.hear(NOW, &get(b"gone")[9..]);
    assert_eq!(
        (refused_last.sent.clone(), refused_last.is_shut),
        (refused(&get(b"gone"), Refusal::NotFound), true)
    );

    let mut new = Server::<64>::new();
    new.sender.stop(NOW);
    new.turn(NOW);
    assert!(new.is_shut);
}

#[test]
fn what_was_asked_is_no_longer_unasked() {
    assert!(after(b"").sender.is_unasked());
    for stream in [&get(b"a")[..], &get(b"a")[..1], b"a", b"a\n", &get(b"gone")] {
        assert!(!after(stream).sender.is_unasked(), "{stream:?}");
    }
}

/// Where there are few places, one of these gives up its own first.
#[test]
fn idle_is_who_asks_nothing_also_once_all_is_said() {
    for (stream, is_idle) in [
        (&b""[..], true),
        (&get(b"a"), true),
        (b"a\n", true),
        (&get(b"a")[..1], false),
        (b"a", false),
    ] {
        assert_eq!(after(stream).sender.is_idle(), is_idle, "{stream:?}");
    }
}

#[test]
fn events_are_shown_without_control_characters() {
    let server = after(&[get(b"\x1b[2J"), get(b"/\x1b")].concat());
    let request = "Get \"\\x1b[2J\" from 0, all, of 0x0, verify: true, segments of 1048576 bytes";
    assert_eq!(server.asked, [request, "refused: \"/\\x1b\""]);
}

/// The check of the answer needs it.
#[test]
fn the_request_at_work_is_known_until_the_next_begins() {
    let mut sender = Sender::<64>::new(NOW, TransferConfig::default());
    assert_eq!(sender.request(), None);
    let (first, second) = (get(b"first"), get(b"second"));
    sender.handle_input(NOW, &mut &first[..]).unwrap();
    assert_eq!(sender.request(), Some(Request::get(b"first")));
    sender.refuse(NOW, Refusal::Busy);
    sender.transmitted(NOW, 64);
    assert_eq!(sender.handle_input(NOW, &mut &b""[..]), Err(nb::Error::WouldBlock));
    assert_eq!(sender.request(), Some(Request::get(b"first")));
    let _ = sender.handle_input(NOW, &mut &second[..1]);
    assert_eq!(sender.request(), None);
    sender.handle_input(NOW, &mut &second[1..]).unwrap();
    assert_eq!(sender.request(), Some(Request::get(b"second")));
    let mut plain = Sender::<64>::new(NOW, TransferConfig::default());
    plain.handle_input(NOW, &mut &b"a\n"[..]).unwrap();
    assert_eq!(plain.request(), None);
}

/// The system may hold a part of a segment back for what follows, but not for nothing.
#[test]
fn a_header_is_followed_by_more_unless_it_is_all() {
    for (contents, flags, expected) in
        [(&b"alpha"[..], 0, true), (b"alpha", 1, true), (b"", 0, false), (b"", 1, false)]
    {
        let mut sender = Sender::<64>::new(NOW, TransferConfig::default());
        sender.handle_input(NOW, &mut &request(1, flags, 0, 0, b"a")[..]).unwrap();
        sender.offer(NOW, Offer { size: contents.len() as u64, ..FIVE });
        let Output::Bytes { head, more, .. } = sender.poll_transmit() else { panic!() };
        assert_eq!((head.len(), more), (64, expected), "{contents:?} {flags}");
    }
}

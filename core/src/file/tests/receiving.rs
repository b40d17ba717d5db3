//! What a receiver takes for whole, and what may be asked.

use super::*;
use crate::session::{Output, Session};

fn once() -> Client<Receiver<1024>> {
    Client::asking(&[Request::get(b"a")])
}

fn is_whole<const N: usize>(client: &Client<Receiver<N>>) -> bool {
    client.seen.contains(&Seen::Complete)
}

#[test]
fn requests_go_out_as_documented() {
    let ranged = PLAINLY.with_offset(3).with_length(2).with_tag(TAG);
    let four = SegmentSize::new(2).unwrap();
    let hashes = Request::hashes(b"a").with_offset(4_096).with_length(8_192).with_segment(four);
    let requests = [Request::get(b"a"), ranged, Request::list(b""), hashes];
    let client = Client::asking(&requests);
    let expected = [
        get(b"a"),
        request_of(1, 0, [3, 2, TAG, 10 << 56], b"a"),
        request(2, 1, 0, 0, b""),
        request_of(3, 0, [4_096, 8_192, 0, 2 << 56], b"a"),
    ];
    assert_eq!((client.sent, client.is_shut), (expected.concat(), true));
}

#[test]
fn a_verified_answer_is_whole_at_once() {
    let mut client = once();
    client.hear(NOW, &verified(&get(b"a"), b"alpha"));
    let answered = Seen::Answered(answer([0, 5, 5], true));
    let contents = Seen::Contents(b"alpha".to_vec());
    let expected = [answered, contents, Seen::verified(b"alpha"), Seen::Complete];
    assert_eq!(client.seen, expected);
    assert_eq!(client.receiver.unanswered(), 0);
    // Whatever comes after: more bytes, and the end in order.
    client.hear(NOW, b"junk \0BW");
    client.hear_end(NOW);
    assert_eq!((client.seen.len(), client.is_closed), (4, true));
}

#[test]
fn an_unverified_answer_is_whole_when_the_server_goes_on_or_closes() {
    let mut ended = Client::asking(&[PLAINLY]);
    ended.hear(NOW, &unverified(&bytes_of(&PLAINLY), b"alpha"));
    assert!(!is_whole(&ended));
    ended.hear_end(NOW);
    assert!(is_whole(&ended) && ended.is_closed);

    let mut goes_on = Client::asking(&[PLAINLY, PLAINLY]);
    goes_on.hear(NOW, &unverified(&bytes_of(&PLAINLY), b"alpha"));
    assert!(!is_whole(&goes_on));
    goes_on.hear(NOW, &[0]);
    assert!(is_whole(&goes_on));
    assert_eq!(goes_on.receiver.unanswered(), 1);
}

#[test]
fn an_answer_without_the_digests_that_were_asked_for_is_an_error() {
    for contents in [&b"alpha"[..], b""] {
        let mut client = once();
        client.hear(NOW, &unverified(&get(b"a"), contents));
        assert_eq!(client.seen, [Seen::Failed(ReceiverError::Unverified)]);
    }
}

#[test]
fn an_empty_range_is_whole_with_its_header() {
    let beyond = u64::MAX << 20;
    for (request, numbers) in [
        (Request::get(b"a"), [0; 3]),
        (Request::get(b"a").with_length(0), [0, 0, 5]),
        (Request::get(b"a").with_offset(SEGMENT), [SEGMENT, 0, SEGMENT]),
        (Request::get(b"a").with_offset(beyond), [beyond, 0, beyond]),
        (Request::hashes(b"a"), [0; 3]),
        (Request::hashes(b"a").with_length(0), [0, 0, 5]),
        (PLAINLY, [0; 3]),
        (PLAINLY.with_offset(5), [5, 0, 5]),
        (PLAINLY.with_offset(2).with_length(0), [2, 0, 5]),
        (PLAINLY.with_offset(u64::MAX), [u64::MAX, 0, u64::MAX]),
    ] {
        let mut client = Client::asking(&[request]);
        let (asked, verify) = (bytes_of(&request), request.verify);
        client.hear(NOW, &range_response(&asked, u8::from(verify), numbers, TAG));
        let answered = Seen::Answered(answer(numbers, verify));
        assert_eq!(client.seen, [answered, Seen::Complete]);
    }
}

#[test]
fn a_refusal_is_followed_by_the_next_answer() {
    let mut client = Client::asking(&[Request::get(b"gone"), Request::get(b"a"), PLAINLY]);
    client.hear(NOW, &refused(&get(b"gone"), Refusal::NotFound));
    assert_eq!(client.seen, [Seen::Refused(Refusal::NotFound)]);
    assert_eq!(client.receiver.unanswered(), 2);
    let busy = refused(&bytes_of(&PLAINLY), Refusal::Busy);
    client.hear(NOW, &[verified(&get(b"a"), b"alpha"), busy].concat());
    assert!(is_whole(&client));
    assert_eq!(client.seen.last(), Some(&Seen::Refused(Refusal::Busy)));
    client.hear_end(NOW);
    assert!(client.is_closed && !client.has_failed());
}

#[test]
fn another_version_comes_from_its_start() {
    let held = Request::get(b"a").with_offset(SEGMENT).with_tag(TAG + 1);
    let mut client = Client::asking(&[held]);
    client.hear(NOW, &verified(&bytes_of(&held), b"alpha"));
    assert!(is_whole(&client));
}

#[test]
fn the_server_is_known_to_be_framed_from_its_first_header_on() {
    let mut client = once();
    let stream = refused(&get(b"a"), Refusal::NotFound);
    client.hear(NOW, &stream[..63]);
    assert!(!client.receiver.is_framed());
    client.hear(NOW, &stream[63..]);
    assert!(client.receiver.is_framed());
    let mut damaged = once();
    damaged.hear(NOW, &refused(b"another request", Refusal::NotFound));
    assert!(damaged.has_failed() && !damaged.receiver.is_framed());
}

#[test]
fn a_request_that_does_not_fit_is_refused_and_not_asked() {
    let mut receiver = Receiver::<104>::new(NOW, TransferConfig::default());
    let name = [b'x'; 99];
    let ask = |receiver: &mut Receiver<104>, length: usize| {
        receiver.request(NOW, &Request::get(&name[..length]))
    };
    assert_eq!(ask(&mut receiver, 65), Err(RequestError::TooLong));
    assert_eq!(ask(&mut receiver, 12), Ok(()));
    assert_eq!(ask(&mut receiver, 13), Err(RequestError::Full));
    assert_eq!(ask(&mut receiver, 12), Ok(()));
    assert_eq!(ask(&mut receiver, 1), Err(RequestError::Full));
    // What has gone out is not answered.
    receiver.transmitted(NOW, usize::MAX);
    assert_eq!(receiver.poll_transmit(), Output::Nothing);
    assert_eq!((ask(&mut receiver, 1), receiver.unanswered()), (Err(RequestError::Full), 2));
    let busy = refused(&get(&name[..12]), Refusal::Busy);
    let step = receiver.handle_input(NOW, &mut &busy[..]);
    assert_eq!(step, Ok(ReceiverEvent::Refused(Refusal::Busy)));
    assert_eq!((ask(&mut receiver, 13), receiver.unanswered()), (Err(RequestError::Full), 1));
    assert_eq!((ask(&mut receiver, 12), receiver.unanswered()), (Ok(()), 2));
    receiver.finish();
    assert_eq!(ask(&mut receiver, 1), Err(RequestError::Finished));
    receiver.finish();
    receiver.transmitted(NOW, 52);
    assert_eq!(receiver.poll_transmit(), Output::Shutdown);
    receiver.transmitted(NOW, 0);
    receiver.finish();
    assert_eq!(receiver.poll_transmit(), Output::Nothing, "the direction ends once");
}

#[test]
fn a_request_that_cuts_a_segment_is_not_asked() {
    let mut receiver = Receiver::<256>::new(NOW, TransferConfig::default());
    for request in [Request::get(b"a"), Request::list(b""), Request::hashes(b"a")] {
        for offset in [1, 1_023, SEGMENT - 1, u64::MAX] {
            let step = receiver.request(NOW, &request.with_offset(offset));
            assert_eq!(step, Err(RequestError::CutsSegment));
        }
    }
    assert_eq!((receiver.unanswered(), receiver.poll_transmit()), (0, Output::Nothing));
    assert_eq!(receiver.request(NOW, &PLAINLY.with_offset(1)), Ok(()));
}

#[test]
fn a_server_that_ends_between_answers_ends_the_conversation() {
    let mut client = Client::new(Receiver::<64>::new(NOW, TransferConfig::default()));
    client.receiver.request(NOW, &Request::get(b"a")).unwrap();
    client.transmit(NOW);
    client.hear(NOW, &verified(&get(b"a"), b"alpha"));
    assert!(!client.is_shut && !client.is_closed);
    client.hear_end(NOW);
    assert!(client.is_shut && client.is_closed && !client.has_failed());
    let again = client.receiver.request(NOW, &Request::get(b"a"));
    assert_eq!(again, Err(RequestError::Finished));
}

#[test]
fn requests_without_end_go_through_a_small_machine() {
    let mut client = Client::new(Receiver::<60>::new(NOW, TransferConfig::default()));
    for _ in 0..50 {
        client.sent.clear();
        client.receiver.request(NOW, &Request::get(b"name")).unwrap();
        client.transmit(NOW);
        assert_eq!(client.sent, get(b"name"), "the answered make room");
        client.hear(NOW, &refused(&get(b"name"), Refusal::NotFound));
    }
    assert_eq!(client.seen.len(), 50);
}

/// A server that speaks another version reads no more than its number.
#[test]
fn a_server_that_answers_before_it_has_read_all_is_left() {
    let mut receiver = Receiver::<64>::new(NOW, TransferConfig::default());
    receiver.request(NOW, &Request::get(b"a")).unwrap();
    receiver.finish();
    // The link takes a part only, and no more of it ever.
    receiver.transmitted(NOW, 9);
    let unknown = refused(b"unread", Refusal::NotSupported);
    let step = receiver.handle_input(NOW, &mut &unknown[..]);
    assert_eq!(step, Ok(ReceiverEvent::Refused(Refusal::NotSupported)));
    assert_eq!(receiver.poll_transmit(), Output::Shutdown, "the rest is not sent");
    for deadline in [at(10_000), at(20_000)] {
        assert_eq!(receiver.poll_deadline(), Some(deadline));
        assert_eq!(receiver.handle_timeout(deadline), Err(nb::Error::WouldBlock));
    }
    assert_eq!((receiver.poll_transmit(), receiver.poll_deadline()), (Output::Close, None));
}

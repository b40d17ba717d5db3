//! What a receiver takes for whole, and what may be asked.

use super::*;
use crate::session::{Output, Session};

const PLAINLY: Request<'_> = Request { verify: false, ..Request::get(b"a") };

fn once() -> Client<Receiver<256, 4>> {
    Client::asking(&[Request::get(b"a")])
}

fn is_whole<const N: usize, const D: usize>(client: &Client<Receiver<N, D>>) -> bool {
    client.seen.contains(&Seen::Complete)
}

#[test]
fn requests_go_out_as_documented() {
    let resumed = Request { offset: 3, tag: TAG, ..PLAINLY };
    let client = Client::asking(&[Request::get(b"a"), resumed, Request::list(b"")]);
    let expected = [get(b"a"), request(1, 0, 3, TAG, b"a"), request(2, 1, 0, 0, b"")].concat();
    assert_eq!((client.sent, client.is_shut), (expected, true));
}

#[test]
fn a_verified_answer_is_whole_at_once() {
    let mut client = once();
    client.hear(NOW, &verified(b"alpha"));
    let answer = ResponseHeader { offset: 0, size: 5, tag: TAG, verified: true };
    let contents = Seen::Contents(b"alpha".to_vec());
    let expected = [Seen::Answered(answer), contents, Seen::Verified(5), Seen::Complete];
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
    ended.hear(NOW, &unverified(b"alpha"));
    assert!(!is_whole(&ended));
    ended.hear_end(NOW);
    assert!(is_whole(&ended) && ended.is_closed);

    let mut goes_on = Client::asking(&[PLAINLY, PLAINLY]);
    goes_on.hear(NOW, &unverified(b"alpha"));
    assert!(!is_whole(&goes_on));
    goes_on.hear(NOW, &[0]);
    assert!(is_whole(&goes_on));
    assert_eq!(goes_on.receiver.unanswered(), 1);
}

/// A server may have no digests to give.
#[test]
fn an_answer_without_digests_is_unverified_whatever_was_asked() {
    let mut client = once();
    client.hear(NOW, &unverified(b"alpha"));
    assert!(!is_whole(&client));
    client.hear_end(NOW);
    assert!(is_whole(&client));
    assert!(!client.seen.iter().any(|seen| matches!(seen, Seen::Verified(_))));
}

#[test]
fn an_empty_range_is_whole_with_its_header() {
    for (offset, size) in [(0, 0), (5, 5), (u64::MAX, u64::MAX)] {
        for flags in [0, 1] {
            let mut client = Client::asking(&[Request { offset, tag: TAG, ..Request::get(b"a") }]);
            client.hear(NOW, &response(0, flags, offset, size, TAG));
            assert_eq!(client.seen.len(), 2);
            assert!(is_whole(&client));
        }
    }
}

#[test]
fn a_refusal_is_followed_by_the_next_answer() {
    let mut client = Client::asking(&[Request::get(b"gone"), Request::get(b"a"), PLAINLY]);
    client.hear(NOW, &refused(Refusal::NotFound));
    assert_eq!(client.seen, [Seen::Refused(Refusal::NotFound)]);
    assert_eq!(client.receiver.unanswered(), 2);
    client.hear(NOW, &[verified(b"alpha"), refused(Refusal::Busy)].concat());
    assert!(is_whole(&client));
    assert_eq!(client.seen.last(), Some(&Seen::Refused(Refusal::Busy)));
    client.hear_end(NOW);
    assert!(client.is_closed && !client.has_failed());
}

#[test]
fn another_version_comes_from_its_start() {
    let held = Request { offset: 3, tag: TAG + 1, ..Request::get(b"a") };
    let mut client = Client::asking(&[held]);
    client.hear(NOW, &verified(b"alpha"));
    assert!(is_whole(&client));
}

#[test]
fn the_server_is_known_to_be_framed_from_its_first_header_on() {
    let mut client = once();
    let stream = refused(Refusal::NotFound);
    client.hear(NOW, &stream[..31]);
    assert!(!client.receiver.is_framed());
    client.hear(NOW, &stream[31..]);
    assert!(client.receiver.is_framed());
    let mut malformed = once();
    malformed.hear(NOW, &[0; 32]);
    assert!(!malformed.receiver.is_framed());
}

#[test]
fn a_request_that_does_not_fit_is_refused_and_not_asked() {
    let mut receiver = Receiver::<64, 3>::new(NOW, TransferConfig::default());
    let ask = |receiver: &mut Receiver<64, 3>, length: usize| {
        receiver.request(NOW, &Request::get(&[b'x'; 99][..length]))
    };
    assert_eq!(ask(&mut receiver, 41), Err(RequestError::TooLong));
    assert_eq!(ask(&mut receiver, 40), Ok(()));
    assert_eq!(ask(&mut receiver, 1), Err(RequestError::Full), "no room for bytes");
    receiver.transmitted(NOW, 25);
    assert_eq!(ask(&mut receiver, 1), Ok(()));
    assert_eq!(ask(&mut receiver, 1), Err(RequestError::Full));
    receiver.transmitted(NOW, usize::MAX);
    assert_eq!(receiver.poll_transmit(), Output::Nothing);
    assert_eq!(ask(&mut receiver, 1), Ok(()));
    receiver.transmitted(NOW, usize::MAX);
    assert_eq!((ask(&mut receiver, 1), receiver.unanswered()), (Err(RequestError::Full), 3));
    let busy = refused(Refusal::Busy);
    let step = receiver.handle_input(NOW, &mut &busy[..]);
    assert_eq!(step, Ok(ReceiverEvent::Refused(Refusal::Busy)));
    assert_eq!((ask(&mut receiver, 41), receiver.unanswered()), (Err(RequestError::TooLong), 2));
    assert_eq!(ask(&mut receiver, 1), Ok(()));
    receiver.finish();
    assert_eq!(ask(&mut receiver, 1), Err(RequestError::Finished));
    receiver.finish();
    receiver.transmitted(NOW, 25);
    assert_eq!(receiver.poll_transmit(), Output::Shutdown);
    receiver.transmitted(NOW, 0);
    receiver.finish();
    assert_eq!(receiver.poll_transmit(), Output::Nothing, "the direction ends once");
}

#[test]
fn a_server_that_ends_between_answers_ends_the_conversation() {
    let mut client = Client::new(Receiver::<64, 4>::new(NOW, TransferConfig::default()));
    client.receiver.request(NOW, &Request::get(b"a")).unwrap();
    client.transmit(NOW);
    client.hear(NOW, &verified(b"alpha"));
    assert!(!client.is_shut && !client.is_closed);
    client.hear_end(NOW);
    assert!(client.is_shut && client.is_closed && !client.has_failed());
    let again = client.receiver.request(NOW, &Request::get(b"a"));
    assert_eq!(again, Err(RequestError::Finished));
}

#[test]
fn requests_without_end_go_through_a_small_machine() {
    let mut client = Client::new(Receiver::<40, 1>::new(NOW, TransferConfig::default()));
    for _ in 0..50 {
        client.sent.clear();
        client.receiver.request(NOW, &Request::get(b"name")).unwrap();
        client.transmit(NOW);
        assert_eq!(client.sent, get(b"name"), "across the end of the ring");
        client.hear(NOW, &refused(Refusal::NotFound));
    }
    assert_eq!(client.seen.len(), 50);
}

/// What it was not to know yet: that must neither hang nor fail.
#[test]
fn a_server_that_answers_before_it_reads_is_left() {
    let mut receiver = Receiver::<64, 4>::new(NOW, TransferConfig::default());
    receiver.request(NOW, &Request::get(b"a")).unwrap();
    receiver.finish();
    // The link takes a part only, and no more of it ever.
    receiver.transmitted(NOW, 9);
    let busy = refused(Refusal::Busy);
    let step = receiver.handle_input(NOW, &mut &busy[..]);
    assert_eq!(step, Ok(ReceiverEvent::Refused(Refusal::Busy)));
    assert!(matches!(receiver.poll_transmit(), Output::Bytes { .. }));
    assert_eq!(receiver.poll_deadline(), Some(at(10_000)));
    assert_eq!(receiver.handle_timeout(at(10_000)), Err(nb::Error::WouldBlock));
    assert_eq!((receiver.poll_transmit(), receiver.poll_deadline()), (Output::Close, None));
}

//! How long each side waits, and for what.

use super::*;
use crate::session::{Output, Session};
use crate::text::Text;
use deadlines::{asked, fails, gives_up};

fn sender() -> Sender<64> {
    Sender::new(NOW, TransferConfig::default())
}

#[test]
fn a_request_must_be_complete_in_time_however_slowly_it_comes() {
    gives_up(&mut sender(), at(10_000), Some(SenderError::TimedOut));
    for stream in
        [&get(b"a name")[..], b"\0BW\x02\x01\0\0\x01\0", b"\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4"]
    {
        let mut dripping = sender();
        for (second, byte) in stream.iter().take(9).enumerate() {
            let now = Instant::ZERO + Duration::from_secs(second as u64 + 1);
            let step = dripping.handle_input(now, &mut core::slice::from_ref(byte));
            assert_eq!(step, Err(nb::Error::WouldBlock));
        }
        gives_up(&mut dripping, at(10_000), Some(SenderError::TimedOut));
    }
}

/// The quiet period of a name would end later than its time.
#[test]
fn a_plain_name_that_drips_is_too_late() {
    let mut dripping = sender();
    for tick in 0..100 {
        let _ = dripping.handle_input(at(tick * 100), &mut &b"x"[..0]);
    }
    assert_eq!(dripping.handle_input(at(9_900), &mut &b"nam"[..]), Err(nb::Error::WouldBlock));
    gives_up(&mut dripping, at(10_000), Some(SenderError::TimedOut));
    // A driver that was late itself still takes what silence had ended in time.
    let mut late = sender();
    let _ = late.handle_input(at(9_000), &mut &b"nam"[..]);
    assert!(matches!(late.handle_timeout(at(20_000)), Ok(RequestEvent::Request(_))));
}

#[test]
fn the_owner_may_take_its_time() {
    let never = Instant::from_micros(u64::MAX);
    let patient = |sender: &mut Sender<64>| {
        assert_eq!((sender.poll_transmit(), sender.poll_deadline()), (Output::Nothing, None));
        assert_eq!(sender.handle_timeout(never), Err(nb::Error::WouldBlock));
    };
    let mut sender = sender();
    sender.handle_input(NOW, &mut &get(b"a")[..]).unwrap();
    patient(&mut sender);
    sender.offer(at(50_000), FIVE);
    sender.transmitted(at(50_000), 64);
    sender.transmitted(at(50_000), 5);
    patient(&mut sender);
    // And the client's time begins when the owner has taken its own.
    sender.provide_digest(at(100_000), [0; 32]);
    assert_eq!(sender.poll_deadline(), Some(at(130_000)));
    sender.transmitted(at(100_000), 32);
    patient(&mut sender);
    sender.confirm(at(150_000));
    assert_eq!(sender.poll_deadline(), Some(at(160_000)));
}

/// Contents that the owner keeps back are not what the client does not take.
#[test]
fn the_owner_may_keep_contents_back() {
    let mut sender = sender();
    sender.excuse(at(9_000));
    assert_eq!(sender.poll_deadline(), Some(at(10_000)), "a request is not excused");
    sender.handle_input(NOW, &mut &get(b"a")[..]).unwrap();
    sender.offer(NOW, FIVE);
    sender.transmitted(NOW, 64);
    for minute in 1..5 {
        sender.excuse(at(minute * 60_000));
        assert_eq!(sender.handle_timeout(at(minute * 60_000)), Err(nb::Error::WouldBlock));
    }
    gives_up(&mut sender, at(270_000), Some(SenderError::Stalled));
}

#[test]
fn a_client_that_takes_nothing_is_given_up() {
    let stalled = Some(SenderError::Stalled);
    let mut refused = asked(TransferConfig::new());
    refused.refuse(at(1_000), Refusal::Busy);
    gives_up(&mut refused, at(31_000), stalled);

    // With any progress, the time begins anew.
    let mut offered = asked(TransferConfig::new().with_least_rate(0));
    offered.offer(at(1_000), FIVE);
    gives_up(&mut offered, at(31_000), stalled);
    for (taken, count) in [(2_000, 1), (3_000, 63), (4_000, 4)] {
        offered.transmitted(at(taken), count);
        gives_up(&mut offered, at(taken + 30_000), stalled);
    }
    // What the owner does meanwhile is not the client's progress.
    offered.provide_digest(at(20_000), [0; 32]);
    gives_up(&mut offered, at(34_000), stalled);
    offered.transmitted(at(5_000), 1);
    gives_up(&mut offered, at(35_000), stalled);
}

#[test]
fn an_idle_connection_ends_in_order() {
    let mut server = Server::<64>::new();
    server.hear(at(3_000), &get(b"a"));
    gives_up(&mut server.sender, at(13_000), None);
    server.turn(at(13_000));
    assert!(server.is_shut && server.failed.is_none());

    // A request that has begun is no idleness.
    let mut begun = Server::<64>::new();
    begun.hear(at(3_000), &[&get(b"a"), &[0][..]].concat());
    gives_up(&mut begun.sender, at(13_000), Some(SenderError::TimedOut));
}

#[test]
fn lingering_is_bounded_whatever_comes() {
    for stream in [&b"gone\n"[..], b"a\n", b"\0bw"] {
        let mut server = Server::<64>::new();
        server.hear(at(1_000), stream);
        assert!(server.is_shut && !server.is_closed);
        for second in 2..31 {
            server.hear(at(second * 1_000), b"more and more");
        }
        assert_eq!(server.sender.poll_deadline(), Some(at(31_000)));
        server.expire(at(31_000));
        assert!(server.is_closed && server.failed.is_none());
        assert_eq!(server.sender.poll_deadline(), None);
    }
}

#[test]
fn an_answer_must_begin_in_time_and_go_on() {
    let answer = verified(&get(b"a"), b"alpha");
    let once = || Client::asking(&[Request::get(b"a")]);
    fails(&mut once(), at(10_000), ReceiverError::TimedOut);
    for length in 1..answer.len() {
        let mut client = once();
        client.hear(at(1_000), &answer[..length]);
        let deadline = client.receiver.poll_deadline();
        // Complete headers are followed by contents, and they by digests.
        assert_eq!(deadline, Some(at(31_000)), "{length} bytes");
        fails(&mut client, at(31_000), ReceiverError::Stalled);
    }
    let mut second = Client::asking(&[Request::get(b"a"), Request::get(b"b")]);
    second.hear(at(1_000), &answer);
    fails(&mut second, at(11_000), ReceiverError::TimedOut);
}

#[test]
fn a_server_that_does_not_close_proves_nothing() {
    let mut client = Client::asking(&[PLAINLY]);
    client.hear(at(1_000), &unverified(&bytes_of(&PLAINLY), b"alpha"));
    assert!(!client.seen.contains(&Seen::Complete));
    fails(&mut client, at(31_000), ReceiverError::Unclosed);
}

#[test]
fn a_verified_download_is_whole_though_the_server_stays() {
    let mut client = Client::asking(&[Request::get(b"a")]);
    client.hear(at(1_000), &verified(&get(b"a"), b"alpha"));
    assert_eq!(client.seen.last(), Some(&Seen::Complete));
    assert!(client.is_shut && !client.is_closed);
    assert_eq!(client.receiver.poll_deadline(), Some(at(11_000)));
    client.expire(at(11_000));
    assert!(client.is_closed && !client.has_failed());
    assert_eq!(client.receiver.poll_deadline(), None);
}

#[test]
fn a_connection_without_requests_waits_for_nothing() {
    let mut client = Client::new(Receiver::<64>::new(NOW, TransferConfig::default()));
    assert_eq!(client.receiver.poll_deadline(), None);
    client.expire(at(60_000));
    assert!(!client.is_closed && !client.has_failed());
    // The time for an answer begins with its request, and that for the close with the half-close.
    client.receiver.request(at(60_000), &Request::get(b"a")).unwrap();
    assert_eq!(client.receiver.poll_deadline(), Some(at(70_000)));
    client.transmit(at(60_001));
    assert_eq!(client.receiver.poll_deadline(), Some(at(70_001)));
    client.hear(at(60_002), &verified(&get(b"a"), b"alpha"));
    assert_eq!(client.receiver.poll_deadline(), None);
    client.receiver.finish();
    client.transmit(at(99_000));
    assert!(client.is_shut && !client.is_closed);
    assert_eq!(client.receiver.poll_deadline(), Some(at(109_000)));
    client.expire(at(109_000));
    assert!(client.is_closed);
}

/// A server that ends its stream owes nothing more, but its stack may take nothing either.
#[test]
fn a_half_close_that_nobody_takes_is_not_waited_for() {
    let asked = || {
        let mut receiver = Receiver::<64>::new(NOW, TransferConfig::default());
        receiver.request(NOW, &Request::get(b"a")).unwrap();
        receiver.transmitted(NOW, 64);
        receiver
    };
    let answer = verified(&get(b"a"), b"alpha");
    let mut ended = asked();
    let mut input = &answer[..];
    while ended.handle_input(at(1_000), &mut input).is_ok() {}
    assert_eq!(ended.poll_deadline(), None, "the owner may ask for more");
    assert_eq!(ended.handle_end(at(2_000)), Err(nb::Error::WouldBlock));
    // The end may be told again, which changes nothing.
    assert_eq!(ended.handle_end(at(3_000)), Err(nb::Error::WouldBlock));
    assert_eq!(
        (ended.poll_transmit(), ended.poll_deadline()),
        (Output::Shutdown, Some(at(12_000)))
    );
    assert_eq!(ended.handle_timeout(at(12_000)), Err(nb::Error::WouldBlock));
    assert_eq!((ended.poll_transmit(), ended.poll_deadline()), (Output::Close, None));

    // Nor is its end, when there is no more to ask.
    let mut finished = asked();
    let mut input = &answer[..];
    while finished.handle_input(at(1_000), &mut input).is_ok() {}
    finished.finish();
    for deadline in [at(11_000), at(21_000)] {
        assert_eq!(finished.poll_transmit(), Output::Shutdown);
        assert_eq!(finished.poll_deadline(), Some(deadline));
        assert_eq!(finished.handle_timeout(deadline), Err(nb::Error::WouldBlock));
    }
    assert_eq!((finished.poll_transmit(), finished.poll_deadline()), (Output::Close, None));
}

#[test]
fn a_time_out_of_never_is_no_deadline() {
    let never = Duration::MAX;
    let config = TransferConfig::new().with_quiet(never).with_timeout(never).with_stall(never);
    let last = Instant::from_micros(u64::MAX);

    let mut sender = Sender::<64>::new(at(1), config);
    assert_eq!(sender.poll_deadline(), None);
    assert_eq!(sender.handle_timeout(last), Err(nb::Error::WouldBlock));
    let _ = sender.handle_input(at(2), &mut &b"name"[..]);
    assert_eq!(sender.poll_deadline(), None);
    sender.handle_end(at(3)).unwrap();
    sender.offer(at(4), FIVE);
    assert_eq!(sender.poll_deadline(), None);
    // What ends a name in time still does, though there is no other time.
    let mut quiet = Sender::<64>::new(at(1), config.with_quiet(Duration::from_secs(1)));
    let _ = quiet.handle_input(at(2), &mut &b"name"[..]);
    assert_eq!(quiet.poll_deadline(), Some(at(1_002)));
    assert!(matches!(quiet.handle_timeout(at(1_002)), Ok(RequestEvent::Request(_))));

    let mut receiver = Receiver::<64>::new(at(1), config);
    receiver.request(at(1), &Request::get(b"a")).unwrap();
    assert_eq!(receiver.poll_deadline(), None);
    receiver.handle_input(at(2), &mut &response(&get(b"a"), 1, 0, 5, TAG)[..]).unwrap();
    assert_eq!(receiver.poll_deadline(), None);
    assert_eq!(receiver.handle_timeout(last), Err(nb::Error::WouldBlock));

    let mut plain = PlainReceiver::new(at(1), Text::new("name").unwrap(), config);
    assert_eq!(plain.poll_deadline(), None);
    plain.handle_input(at(2), &mut &b"x"[..]).unwrap();
    assert_eq!(plain.poll_deadline(), None);
    assert_eq!(plain.handle_timeout(last), Err(nb::Error::WouldBlock));
}

#[test]
fn a_plain_server_must_speak_in_time_and_go_on() {
    let mut silent = Client::plain("a");
    silent.expire(at(9_999));
    assert!(!silent.has_failed());
    silent.expire(at(10_000));
    assert_eq!(silent.seen, [Seen::Failed(ReceiverError::TimedOut)]);
    let mut stalled = Client::plain("a");
    stalled.hear(at(1_000), b"x");
    assert_eq!(stalled.receiver.poll_deadline(), Some(at(31_000)));
    stalled.hear(at(2_000), &[0; 4_000]);
    stalled.expire(at(31_999));
    assert!(!stalled.has_failed());
    stalled.expire(at(32_000));
    assert_eq!(stalled.seen.last(), Some(&Seen::Failed(ReceiverError::Stalled)));
}

/// The time for an answer begins when the name has gone out, and what goes out later changes nothing.
#[test]
fn a_plain_receiver_waits_from_when_it_has_asked() {
    let name = Text::new("name").unwrap();
    let mut receiver = PlainReceiver::new(NOW, name, TransferConfig::default());
    assert_eq!(receiver.poll_deadline(), Some(at(10_000)));
    receiver.transmitted(at(5_000), 4);
    assert_eq!(receiver.poll_deadline(), Some(at(15_000)));
    receiver.handle_input(at(6_000), &mut &b"contents"[..]).unwrap();
    assert_eq!(receiver.poll_deadline(), Some(at(36_000)));
    receiver.transmitted(at(7_000), 0);
    assert_eq!(receiver.poll_deadline(), Some(at(36_000)));
}

//! Contents must come and go fast enough.

use super::*;
use crate::session::Session;
use deadlines::{asked, fails, gives_up};

/// How much must go through within a stall by default: a little less than 16 bytes a second make.
const QUOTA: usize = 457;

#[test]
fn a_client_that_takes_a_byte_now_and_then_is_given_up() {
    let large = Offer { size: 1 << 40, ..FIVE };
    let mut dripping = asked(TransferConfig::new());
    dripping.offer(at(1_000), large);
    dripping.transmitted(at(1_000), 64);
    for second in 2..31 {
        dripping.transmitted(at(second * 1_000), 13);
    }
    gives_up(&mut dripping, at(31_000), Some(SenderError::Stalled));

    // A little more each second, or the smallest full segment of TCP in each stall, and it goes on for hours.
    for (seconds, count) in [(1, 16), (29, 536)] {
        let mut slow = asked(TransferConfig::new());
        slow.offer(NOW, large);
        for now in (1..7_200).step_by(seconds).map(|second| at(second * 1_000)) {
            assert!(slow.poll_deadline() > Some(now), "at {now:?}");
            slow.transmitted(now, count);
        }
    }
    let mut fast = asked(TransferConfig::new().with_least_rate(1_000));
    fast.offer(NOW, large);
    for second in 1..30 {
        fast.transmitted(at(second * 1_000), 900);
    }
    gives_up(&mut fast, at(30_000), Some(SenderError::Stalled));
    // Each stall is by itself: what went through in the last is worth nothing.
    let mut once = asked(TransferConfig::new());
    once.offer(NOW, large);
    once.transmitted(NOW, 64);
    once.transmitted(at(10_000), QUOTA - 65);
    assert_eq!(once.poll_deadline(), Some(at(30_000)));
    once.transmitted(at(20_000), 1_000_000);
    gives_up(&mut once, at(50_000), Some(SenderError::Stalled));
}

/// With a least rate of 0, a byte now and then is progress, and the header of the next answer too.
#[test]
fn contents_may_take_as_long_as_they_go_on_where_any_rate_will_do() {
    let mut receiver = Receiver::<128>::new(NOW, TransferConfig::new().with_least_rate(0));
    receiver.request(NOW, &Request::get(b"a")).unwrap();
    receiver.request(NOW, &Request::get(b"b")).unwrap();
    let mut client = Client::new(receiver);
    let (first, second) = (verified(&get(b"a"), b"alpha"), verified(&get(b"b"), b"beta"));
    // The header is no contents: it must be there within a stall of its first byte.
    let mut now = at(1_000);
    for answer in [first, second] {
        let (header, contents) = answer.split_at(64);
        client.hear(now, header);
        for (number, byte) in contents.iter().enumerate() {
            now += Duration::from_secs(29);
            client.expire(now);
            client.hear(now, core::slice::from_ref(byte));
            if number + 1 < contents.len() {
                let deadline = now + Duration::from_secs(30);
                assert_eq!(client.receiver.poll_deadline(), Some(deadline), "byte {number}");
            }
        }
        now += Duration::from_secs(9);
    }
    assert_eq!(client.seen.iter().filter(|seen| **seen == Seen::Complete).count(), 2);
}

#[test]
fn contents_that_come_too_slowly_are_given_up() {
    let asked = || Client::asking(&[PLAINLY]);
    let header = response(&bytes_of(&PLAINLY), 0, 0, 1 << 40, TAG);
    let mut dripping = asked();
    for (second, byte) in (1..).zip(&header).take(30) {
        dripping.hear(at(second * 1_000), core::slice::from_ref(byte));
    }
    fails(&mut dripping, at(31_000), ReceiverError::Stalled);

    let mut slow = asked();
    // The header counts, too.
    slow.hear(at(1_000), &header);
    for second in 2..=30 {
        slow.hear(at(second * 1_000), &[0; 13]);
    }
    fails(&mut slow, at(31_000), ReceiverError::Stalled);

    let mut fast_enough = asked();
    fast_enough.hear(NOW, &header);
    for second in 1..=7_200 {
        fast_enough.expire(at(second * 1_000));
        fast_enough.hear(at(second * 1_000), &[0; 16]);
    }
    assert!(!fast_enough.has_failed());

    let mut once = asked();
    once.hear(NOW, &header);
    once.hear(at(10_000), &[0; QUOTA - 64 - 1]);
    assert_eq!(once.receiver.poll_deadline(), Some(at(30_000)));
    once.hear(at(20_000), &[0; 9_999]);
    fails(&mut once, at(50_000), ReceiverError::Stalled);

    let mut plain = Client::plain("a");
    plain.hear(at(1_000), b"x");
    for second in 2..=30 {
        plain.hear(at(second * 1_000), &[0; 15]);
    }
    plain.expire(at(31_000));
    assert_eq!(plain.seen.last(), Some(&Seen::Failed(ReceiverError::Stalled)));
}

/// Digests are contents too, where they are all that comes.
#[test]
fn hashes_must_come_fast_enough() {
    let request = Request::hashes(b"a").with_segment(SegmentSize::MIN);
    let mut client = Client::asking(&[request]);
    client.hear(NOW, &response(&bytes_of(&request), 0, 0, 1 << 40, TAG));
    client.hear(at(10_000), &[0; QUOTA - 64 - 1]);
    assert_eq!(client.receiver.poll_deadline(), Some(at(30_000)));
    client.hear(at(20_000), &[0; 1]);
    fails(&mut client, at(50_000), ReceiverError::Stalled);
}

//! Sealed datagrams.

extern crate std;
use core::slice;
use std::vec::Vec;

use super::harness::{dice, key};
use crate::secure::{DatagramKey, REPLY_OVERHEAD, REQUEST_OVERHEAD, RequestId, open_request};

fn request(key: &DatagramKey, start: u8, text: &[u8]) -> (RequestId, Vec<u8>) {
    let mut buffer = std::vec![0; text.len() + REQUEST_OVERHEAD];
    let (id, sealed) = key.seal_request(&mut dice(start), text, &mut buffer).unwrap();
    (id, sealed.to_vec())
}

fn reply(key: &DatagramKey, to: RequestId, text: &[u8]) -> Vec<u8> {
    let mut buffer = std::vec![0; text.len() + REPLY_OVERHEAD];
    key.seal_reply(&mut dice(99), to, text, &mut buffer).unwrap().to_vec()
}

#[test]
fn a_request_is_opened_with_whichever_key_it_was_sealed_with() {
    let keys = [1, 2, 3].map(|number| DatagramKey::new(&key(number)));
    for (place, key) in keys.iter().enumerate() {
        let (id, sealed) = request(key, 5, b"who is there");
        assert!(!sealed.windows(3).any(|part| part == b"who"), "plain text is on the wire");
        let mut received = sealed.clone();
        let (which, opened) = open_request(&keys, &mut received).unwrap();
        assert_eq!((which, opened.id, opened.bytes), (place, id, &b"who is there"[..]));
        let others: Vec<_> = (0..3).filter(|at| *at != place).map(|at| keys[at].clone()).collect();
        let mut received = sealed.clone();
        assert_eq!(open_request(&others, &mut received), None);
        assert_eq!(received, sealed, "it is as it was");
    }
}

#[test]
fn a_reply_belongs_to_one_request() {
    let key = DatagramKey::new(&key(1));
    let ((first, _), (second, _)) = (request(&key, 5, b"a"), request(&key, 6, b"a"));
    let sealed = reply(&key, first, b"answer");
    assert_eq!(key.open_reply(first, &mut sealed.clone()), Some(&b"answer"[..]));
    assert_eq!(key.open_reply(second, &mut sealed.clone()), None);
}

#[test]
fn no_bit_can_be_changed_and_nothing_is_taken_for_the_other_direction() {
    let key = DatagramKey::new(&key(1));
    let (id, sealed) = request(&key, 5, b"");
    let answer = reply(&key, id, b"");
    assert_eq!((sealed.len(), answer.len()), (REQUEST_OVERHEAD, REPLY_OVERHEAD));
    assert_eq!(open_request(slice::from_ref(&key), &mut answer.clone()), None);
    assert_eq!(key.open_reply(id, &mut sealed.clone()), None);
    for bit in 0..8 * sealed.len() {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open_request(slice::from_ref(&key), &mut changed), None, "bit {bit}");
    }
    for length in 0..answer.len() {
        assert_eq!(key.open_reply(id, &mut answer[..length].to_vec()), None);
    }
}

#[test]
fn a_buffer_without_room_gets_nothing() {
    let key = DatagramKey::new(&key(1));
    let mut buffer = [0; REQUEST_OVERHEAD + 3];
    assert!(key.seal_request(&mut dice(0), b"four", &mut buffer).is_none());
    assert_eq!(buffer, [0; REQUEST_OVERHEAD + 3]);
}

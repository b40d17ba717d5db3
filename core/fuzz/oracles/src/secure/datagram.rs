//! Sealed datagrams: nothing is opened but what was sealed, with that key, in that direction, for that
//! request.

use arbitrary::Arbitrary;
use barewire_core::secure::{
    DatagramKey, Key, REPLY_OVERHEAD, REQUEST_OVERHEAD, RequestId, open_request,
};

use super::dice::dice;

/// Requests and replies, and what is made of them.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    seed: u8,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Request {
        key: u8,
        text: &'a [u8],
    },
    Reply {
        key: u8,
        to: u8,
        text: &'a [u8],
    },
    /// One of those that were sealed comes, with a bit changed, or cut.
    Come {
        which: u8,
        for_: u8,
        flip: Option<(u8, u8)>,
        length: Option<u8>,
    },
    Garbage {
        bytes: &'a [u8],
        for_: u8,
    },
}

/// What was sealed.
struct Sealed {
    key: usize,
    to: Option<RequestId>,
    id: Option<RequestId>,
    text: Vec<u8>,
    bytes: Vec<u8>,
}

/// Opens what comes as everybody would who has the keys, and compares.
fn come(keys: &[DatagramKey; 3], sealed: Option<&Sealed>, bytes: &[u8], for_: Option<RequestId>) {
    let sealed = sealed.filter(|sealed| sealed.bytes == bytes);
    let mut received = bytes.to_vec();
    let opened = open_request(keys, &mut received);
    let opened = opened.map(|(key, opened)| (key, Some(opened.id), opened.bytes.to_vec()));
    let request = sealed.filter(|sealed| sealed.to.is_none());
    assert_eq!(opened, request.map(|sealed| (sealed.key, sealed.id, sealed.text.clone())));
    let Some(id) = for_ else { return };
    for (place, key) in keys.iter().enumerate() {
        let mut received = bytes.to_vec();
        let reply = sealed.filter(|sealed| sealed.to == Some(id) && sealed.key == place);
        assert_eq!(key.open_reply(id, &mut received), reply.map(|sealed| &sealed.text[..]));
    }
}

/// What is opened was sealed so.
pub fn check(input: &Input<'_>) {
    let keys = [1, 2, 3].map(|number| DatagramKey::new(&Key::new([number; 32])));
    // With which nothing is ever sealed, so that no fuzzer can learn what they open.
    let unused = [4, 5, 6].map(|number| DatagramKey::new(&Key::new([number; 32])));
    let mut random = dice(input.seed.into());
    let (mut sealed, mut ids): (Vec<Sealed>, Vec<RequestId>) = (Vec::new(), Vec::new());
    for step in &input.steps {
        match *step {
            Step::Request { key, text } => {
                let key = usize::from(key) % keys.len();
                let mut buffer = vec![0; text.len() + REQUEST_OVERHEAD];
                let (id, _) =
                    keys[key].seal_request(&mut random, text, &mut buffer).expect("there is room");
                ids.push(id);
                let text = text.to_vec();
                sealed.push(Sealed { key, to: None, id: Some(id), text, bytes: buffer });
            }
            Step::Reply { key, to, text } => {
                let key = usize::from(key) % keys.len();
                let Some(to) = ids.get(usize::from(to)).copied() else { continue };
                let mut buffer = vec![0; text.len() + REPLY_OVERHEAD];
                keys[key].seal_reply(&mut random, to, text, &mut buffer).expect("there is room");
                sealed.push(Sealed {
                    key,
                    to: Some(to),
                    id: None,
                    text: text.to_vec(),
                    bytes: buffer,
                });
            }
            Step::Come { which, for_, flip, length } => {
                let Some(which) = sealed.get(usize::from(which)) else { continue };
                let mut bytes = which.bytes.clone();
                bytes.truncate(length.map_or(bytes.len(), usize::from));
                if let Some((at, bit)) = flip
                    && let Some(byte) = bytes.get_mut(usize::from(at))
                {
                    *byte ^= 1 << (bit % 8);
                }
                come(&keys, Some(which), &bytes, ids.get(usize::from(for_)).copied());
            }
            Step::Garbage { bytes, for_ } => {
                come(&unused, None, bytes, ids.get(usize::from(for_)).copied());
            }
        }
    }
}

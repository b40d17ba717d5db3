//! A request and the header of its answer: written, read and written again.

use arbitrary::Arbitrary;
use barewire_core::file::{Receiver, ReceiverEvent, Request, RequestEvent, Sender, TransferConfig};
use barewire_core::session::{Output, Session};

use super::wire::{self, Asking, Place, Read, Response};
use crate::script::START;

const LONGEST: usize = 1_024;

/// What is asked for and answered, or bytes for the same.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    asking: Asking<'a>,
    size: Place,
    tag: u8,
    /// What is changed in the header of the request or of the answer.
    change: Option<(bool, u8, u8)>,
}

/// What a receiver sends for a request.
fn written(request: &Request<'_>) -> Vec<u8> {
    let mut receiver = Receiver::<{ 24 + LONGEST }, 1>::new(START, TransferConfig::default());
    receiver.request(START, request).expect("it fits");
    match receiver.poll_transmit() {
        Output::Bytes { head, tail, .. } => [head, tail].concat(),
        other => panic!("{other:?} for a request"),
    }
}

/// What is asked is what is heard, and what is answered is what is received.
pub fn check(input: &Input<'_>) {
    let request = input.asking.request();
    if request.name.len() > LONGEST {
        return;
    }
    let mut bytes = written(&request);
    assert_eq!(bytes, wire::request(&request));
    if let Some((false, at, value)) = input.change {
        bytes[usize::from(at) % 24] = value;
    }
    let mut sender = Sender::<LONGEST>::new(START, TransferConfig::default());
    let is_plain = bytes[0] != 0;
    let (name, request) = match sender.handle_input(START, &mut &bytes[..]) {
        Ok(RequestEvent::Request(request)) if !is_plain => {
            // Nothing in it is lost: written again, it is the same, as far as it goes.
            assert!(bytes.starts_with(&written(&request)), "{request:?}");
            assert!(wire::is_acceptable(&request));
            (request.name.to_vec(), Request { name: &[], ..request })
        }
        Ok(RequestEvent::Refused { refusal, .. }) if !is_plain => {
            let expected = match wire::read_request(&bytes, LONGEST) {
                Read::Wrong(status) => status,
                Read::Whole(request, _) if !wire::is_acceptable(&request) => 2,
                other => panic!("{refusal:?} for {other:?}"),
            };
            return assert_eq!(refusal.status(), expected);
        }
        Err(nb::Error::WouldBlock) if !is_plain => {
            return assert_eq!(wire::read_request(&bytes, LONGEST), Read::Part);
        }
        _ => return assert!(is_plain),
    };
    let request = Request { name: &name, ..request };
    answer(input, sender, &request);
}

/// The header that a sender answers with, and what a receiver makes of it.
fn answer(input: &Input<'_>, mut sender: Sender<LONGEST>, request: &Request<'_>) {
    let range = sender.offer(START, input.size.offset(), input.tag.into());
    let Output::Bytes { head, tail: [], .. } = sender.poll_transmit() else {
        panic!("no header");
    };
    let mut header = head.to_vec();
    if let Some((true, at, value)) = input.change {
        header[usize::from(at) % 32] = value;
    } else {
        assert_eq!(range.is_some(), header[4] == 0);
    }
    let mut receiver = Receiver::<{ 24 + LONGEST }, 1>::new(START, TransferConfig::default());
    receiver.request(START, request).expect("it fits");
    let read = wire::read_response(&header);
    match (receiver.handle_input(START, &mut &header[..]), read) {
        (
            Ok(ReceiverEvent::Response(answer)),
            Read::Whole(Response::Offer { offset, size, tag, verified }, _),
        ) => {
            assert_eq!(
                (answer.offset, answer.size, answer.tag, answer.verified),
                (offset, size, tag, verified)
            );
            assert_eq!(wire::response(0, verified, [offset, size, tag]), header);
            let held = request.tag;
            let expected = if held != 0 && held != tag { 0 } else { request.offset };
            assert_eq!(offset, expected, "not what was asked for");
        }
        (Ok(ReceiverEvent::Refused(refusal)), Read::Whole(Response::Refusal(status), _)) => {
            assert_eq!(refusal.status(), status);
            assert_eq!(wire::response(status, false, [0; 3]), header);
        }
        // What makes no sense, or is no answer to this.
        (Err(nb::Error::Other(_)), _) => assert!(input.change.is_some(), "a true answer"),
        other => panic!("{other:?}"),
    }
}

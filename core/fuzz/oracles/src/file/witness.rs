//! The witness of what a receiver tells of a stream, whoever sent it.

use barewire_core::file::{Digest, Operation, ReceiverEvent, Request, ResponseHeader};

use super::wire;

/// It accounts for each byte of the stream: what an event tells is what the stream says there, with the
/// check that it must have, and nothing is skipped or told twice. What is called verified is whole
/// segments, inside what was asked for, with the digests that BLAKE3 has for them.
#[derive(Debug)]
pub struct Witness<'a> {
    /// Not answered in full.
    requests: &'a [Request<'a>],
    /// What no event has told of.
    rest: &'a [u8],
    /// The stream ends in order.
    ends: bool,
    answer: Option<ResponseHeader>,
    position: u64,
    /// What has come since the last digest.
    piece: Vec<u8>,
}

impl<'a> Witness<'a> {
    /// Of what is told of `stream`, which is to answer the requests.
    pub fn new(requests: &'a [Request<'a>], stream: &'a [u8], ends: bool) -> Self {
        Self { requests, rest: stream, ends, answer: None, position: 0, piece: Vec::new() }
    }

    /// How many requests are not answered, and how many bytes no event has told of.
    pub const fn left(&self) -> (usize, usize) {
        (self.requests.len(), self.rest.len())
    }

    /// The receiver tells something.
    pub fn see(&mut self, event: &ReceiverEvent<'_>) {
        let request = self.requests.first().expect("an answer to nothing");
        match *event {
            ReceiverEvent::Refused(refusal) => {
                assert_eq!(self.answer, None, "refused, and in the middle of an answer");
                self.tells(&wire::response(request, refusal.status(), 0, [0; 5]));
                self.requests = &self.requests[1..];
            }
            ReceiverEvent::Response(answer) => {
                assert_eq!(self.answer, None, "two headers of one answer");
                self.tells(&wire::good(request, &answer));
                let range = answer.offset..answer.offset + answer.length;
                assert_eq!(Ok(range), wire::range(request, answer.size, answer.tag));
                assert!(answer.tag != 0 && answer.verified == request.verify, "{answer:?}");
                (self.answer, self.position) = (Some(answer), answer.offset);
            }
            ReceiverEvent::Contents(bytes) => {
                assert!(!bytes.is_empty() && request.operation != Operation::Hashes);
                self.tells(bytes);
                self.position += bytes.len() as u64;
                assert!(self.position <= self.end(), "more than was announced");
                self.piece.extend_from_slice(bytes);
            }
            ReceiverEvent::Verified { start, end, digest } => {
                assert!(request.verify && request.operation != Operation::Hashes);
                assert_eq!((start + self.piece.len() as u64, end), (self.position, self.position));
                assert_eq!(
                    digest,
                    wire::digest(start, &self.piece, start == 0 && end == self.size())
                );
                self.is_segment(start, end, &digest);
                self.piece.clear();
            }
            ReceiverEvent::Digest { start, end, digest } => {
                assert_eq!((request.operation, start), (Operation::Hashes, self.position));
                self.position = end;
                self.is_segment(start, end, &digest);
            }
            ReceiverEvent::Complete => {
                assert_eq!(self.position, self.end(), "complete, and a part only");
                // Without digests, what comes next shows that the count was right.
                let is_proven = self.piece.is_empty();
                assert!(is_proven || !request.verify, "complete, and not verified");
                let goes_on = self.rest.first() == Some(&0) && self.requests.len() > 1;
                assert!(is_proven || goes_on || (self.rest.is_empty() && self.ends), "too early");
                self.piece.clear();
                (self.answer, self.requests) = (None, &self.requests[1..]);
            }
            other => unreachable!("{other:?}"),
        }
    }

    /// The stream goes on with `bytes`.
    fn tells(&mut self, bytes: &[u8]) {
        self.rest = self.rest.strip_prefix(bytes).expect("that is not what came");
    }

    fn answer(&self) -> &ResponseHeader {
        self.answer.as_ref().expect("a header comes first")
    }

    fn size(&self) -> u64 {
        self.answer().size
    }

    /// Where the range ends that was announced.
    fn end(&self) -> u64 {
        self.answer().offset + self.answer().length
    }

    fn is_segment(&mut self, start: u64, end: u64, digest: &Digest) {
        let segment = self.requests[0].segment.bytes();
        assert!(start < end && start.is_multiple_of(segment));
        assert_eq!(end, start.saturating_add(segment).min(self.size()), "no whole segment");
        assert!(end <= self.end(), "more than was announced");
        self.tells(digest);
    }
}

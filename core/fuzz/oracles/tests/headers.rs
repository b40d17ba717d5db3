//! Each bit of a header that is damaged on its way, and each byte that a server may lie in.

use barewire_core::file::{
    Offer, Receiver, ReceiverError, ReceiverEvent, Refusal, Request, SegmentSize, TransferConfig,
};
use barewire_oracles::file::server::Server;
use barewire_oracles::file::wire::{self, CHECKED, RESPONSE};
use barewire_oracles::file::witness::Witness;
use barewire_oracles::manual_driver::ManualDriver;
use barewire_oracles::script::START;

const SOURCE: u8 = 7;
const TAG: u64 = 0x0123_4567_89ab_cdef;

/// What is asked for: all of a file and a part, with proof and without, of this version and another;
/// nothing of it; its digests; a list; and what gets a refusal.
fn requests() -> Vec<Request<'static>> {
    let file = Request::get(b"file").with_segment(SegmentSize::MIN);
    let part = file.with_offset(1024).with_length(1024);
    vec![
        file,
        file.with_verify(false),
        file.with_segment(SegmentSize::MAX),
        part,
        part.with_tag(TAG).with_verify(false),
        file.with_offset(2048).with_tag(1),
        file.with_length(0),
        Request::hashes(b"file").with_segment(SegmentSize::MIN),
        Request::list(b"").with_segment(SegmentSize::MIN),
        Request::get(b"empty"),
        Request::get(b"none"),
        file.with_offset(4096),
    ]
}

/// What a server says, with the end of its stream, to what a client says with the end of its own.
fn serve(request: &[u8]) -> Vec<u8> {
    let files = |_: usize, request: &Request<'_>| match request.name {
        b"file" | b"" => Ok(Offer { size: 2_500, tag: TAG, modified: 3 }),
        b"empty" => Ok(Offer { size: 0, tag: TAG, modified: 3 }),
        // What a name that was damaged may name as well.
        b"bile" | b"fild" => Ok(Offer { size: 1_024, tag: TAG, modified: 4 }),
        _ => Err(Refusal::NotFound),
    };
    let mut server = Server::<16, _>::new(SOURCE, files);
    server.turn(START, request, false);
    server.end(START);
    server.driver.sent
}

/// What a client makes of a server's stream.
#[derive(Debug, Default)]
struct Course {
    has_answer: bool,
    refused: Option<Refusal>,
    is_complete: bool,
    contents: Vec<u8>,
    failed: Option<ReceiverError>,
    events: usize,
}

fn receive(request: &Request<'_>, stream: &[u8]) -> Course {
    let mut receiver = Receiver::<64>::new(START, TransferConfig::default());
    receiver.request(START, request).unwrap();
    receiver.finish();
    let mut driver = ManualDriver { ended: true, held: stream.to_vec(), ..ManualDriver::default() };
    driver.transmit(START, &mut receiver, u64::MAX);
    assert_eq!(driver.sent, wire::request(request));
    let asked = [*request];
    let (mut witness, mut course) = (Witness::new(&asked, stream, true), Course::default());
    let failed = driver.listen(START, &mut receiver, |event| {
        witness.see(&event);
        course.events += 1;
        match event {
            ReceiverEvent::Response(_) => course.has_answer = true,
            ReceiverEvent::Refused(refusal) => course.refused = Some(refusal),
            ReceiverEvent::Contents(bytes) => course.contents.extend_from_slice(bytes),
            ReceiverEvent::Complete => course.is_complete = true,
            _ => {}
        }
    });
    course.failed = failed;
    assert!(driver.is_over() || course.failed.is_none());
    course
}

/// No bit of a response can be damaged, and no bit of a request, without an end in error: neither a
/// short file nor another one, nor one that was not there.
#[test]
fn a_damaged_header_is_an_error_whichever_bit_it_is() {
    for request in requests() {
        let sent = wire::request(&request);
        let answer = serve(&sent);
        let course = receive(&request, &answer);
        assert!(course.failed.is_none() && course.is_complete != course.refused.is_some());
        for bit in 0..RESPONSE * 8 {
            let mut damaged = answer.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let course = receive(&request, &damaged);
            assert!(!course.has_answer && course.refused.is_none(), "bit {bit}: {course:?}");
            assert!(course.failed.is_some(), "bit {bit}");
        }
        for bit in 0..sent.len() * 8 {
            let mut damaged = sent.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // Behind a name that has become longer there may be more of it.
            for more in [vec![], vec![b'x'; 1 << 15]] {
                let course = receive(&request, &serve(&[&damaged[..], &more].concat()));
                let closes = course.refused.is_some_and(Refusal::closes);
                assert!(!course.has_answer && !course.is_complete, "bit {bit}: {course:?}");
                assert!(closes || (course.refused.is_none() && course.failed.is_some()));
            }
        }
    }
}

/// Each byte of a header with each value, and each of its numbers at its ends.
fn lies(answer: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let with = |at: usize, bytes: &[u8]| {
        let mut lie = answer.to_vec();
        lie[at..at + bytes.len()].copy_from_slice(bytes);
        (at, lie)
    };
    let bytes = (0..CHECKED).flat_map(move |at| (0..=u8::MAX).map(move |value| with(at, &[value])));
    let ends = [0_u64, 1, 1_023, 1_024, 2_048, 2_499, 2_501, u64::MAX / 2, u64::MAX - 1, u64::MAX];
    let number = move |at| ends.into_iter().map(move |end| with(at, &end.to_be_bytes()));
    bytes.chain((8..CHECKED).step_by(8).flat_map(number))
}

/// A server that lies in any part of a header, whose check it makes right, and sends what would follow
/// the true one: what is told of it is what it says and what it proves (see the witness), and it costs
/// no more than its bytes.
#[test]
fn a_server_that_lies_in_a_header_gets_no_other_contents_called_complete() {
    let (mut believed, mut disbelieved) = (0, 0);
    for request in requests() {
        let answer = serve(&wire::request(&request));
        let contents = receive(&request, &answer).contents;
        for (at, mut lie) in lies(&answer) {
            let check = wire::check(&request, &lie[..CHECKED]);
            lie[CHECKED..RESPONSE].copy_from_slice(&check);
            let course = receive(&request, &lie);
            assert!(course.events <= 2 + lie.len() / 32, "{course:?}");
            assert!(!course.is_complete || course.contents == contents, "{at}: {course:?}");
            let is_believed = course.is_complete && lie != answer;
            // Of its own file it may tell another size, as long as the range is the same, another
            // mark and another time.
            assert!(!is_believed || at >= 24, "{at}: {course:?}");
            believed += usize::from(is_believed);
            disbelieved += usize::from(course.failed.is_some());
        }
    }
    assert!(believed > 0 && disbelieved > believed, "{believed} and {disbelieved}");
}

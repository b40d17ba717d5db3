//! Downloads with the programs that a socket tutorial has people write, and with worse ones.

use barewire_core::file::{
    PlainReceiver, Receiver, ReceiverError, ReceiverEvent, Request, TransferConfig,
};
use barewire_core::session::{Events, Session};
use barewire_core::text::Text;
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;
use barewire_tests::simulator::stream::{
    Calamity, Direction, End, Fault, Moment, Outcome, Streams,
};

use super::ending::Ending;
use super::progress_tracker::ProgressTracker;
use super::responder::Responder;
use super::store::Store;
use super::{some_config, some_directions};
use crate::peers::{Script, Tutorial};

/// So slow that two bytes of a name never have the quiet period between them.
const BRISK: Duration = Duration::from_millis(90);

const NO_FAULT: Fault = Fault {
    what: Calamity::Stall { side: 0, lasting: Duration::ZERO },
    when: Moment::At(Instant::ZERO),
};

/// What a program received, in pieces, and its outcome; `None` if it waits for ever.
type Heard<E> = (Vec<Vec<u8>>, Option<Outcome<E>>);

/// Has a responder serve a peer, to the end of both or until nothing will ever happen again.
fn serve<P>(
    streams: &mut Streams,
    ends: [End; 2],
    (responder, store): (&mut Responder, &mut Store),
    peer: &mut P,
) -> Heard<P::Error>
where
    P: Session + for<'s> Events<'s, Event = &'s [u8]>,
{
    let (mut heard, mut outcome) = (Vec::new(), None);
    while let Some(end) = streams.advance() {
        if end == ends[0] {
            responder.turn(streams, end, store);
        } else {
            outcome = streams.drive(end, peer, |bytes| heard.push(bytes.to_vec()));
        }
    }
    (heard, outcome)
}

/// What a receiver sees and how it ends, at a peer that the core does not play.
fn receive<R, P>(
    streams: &mut Streams,
    ends: [End; 2],
    receiver: &mut R,
    peer: &mut P,
) -> (Vec<u8>, usize, Ending<ReceiverError>)
where
    R: Session<Error = ReceiverError> + for<'s> Events<'s, Event = ReceiverEvent<'s>>,
    P: Session + for<'s> Events<'s, Event = &'s [u8]>,
{
    let (mut contents, mut completions) = (Vec::new(), 0);
    let (mut moved_at, mut ending) = (streams.now(), None);
    while let Some(end) = streams.advance() {
        if end == ends[0] {
            streams.drive(end, peer, |_| ());
            continue;
        }
        let mut tracked = ProgressTracker { session: receiver, moved_at: &mut moved_at };
        let outcome = streams.drive(end, &mut tracked, |event| match event {
            ReceiverEvent::Contents(bytes) => contents.extend(bytes),
            ReceiverEvent::Complete => completions += 1,
            other => panic!("{other:?} of a server that knows no such thing"),
        });
        let at = streams.now();
        ending = outcome.map(|outcome| Ending { outcome, at, moved_at });
    }
    (contents, completions, ending.expect("a client that waits for ever"))
}

#[test]
fn a_client_that_says_a_name_gets_the_contents() {
    for_seeds(800, |seed, sometimes| {
        let mut random = Random::new(seed);
        let mut store = Store::new(&mut random);
        let file = random.count(0..=store.count() - 1);
        let config = some_config(&mut random);
        let [there, mut back] = some_directions(&mut random, store.bytes());
        back.delay = Duration::ZERO..=BRISK;
        let mut streams = Streams::new(random.fork());
        let ends = streams.connect([there, back], None);
        let mut responder = Responder::new(streams.now(), random.fork(), config);
        let terminator = random.pick(&["", "\n", "\r\n", "\nand more than was wanted"]);
        let mut peer = Script::new(format!("{file}{terminator}"));
        let served = (&mut responder, &mut store);
        let (heard, outcome) = serve(&mut streams, ends, served, &mut peer);
        assert!(!responder.sender.is_framed());
        let heard = heard.concat();
        if responder.has_given_up {
            // What was rewritten on its way is reset, and no part of it passes for the whole.
            assert_eq!(outcome, Some(Outcome::Broken));
        } else {
            assert_eq!(outcome, Some(Outcome::Closed));
            assert!(store.versions(file).any(|version| version == heard));
        }
        sometimes.note("given up", responder.has_given_up);
        sometimes.note("an empty file", heard.is_empty() && !responder.has_given_up);
    });
}

/// It receives once, whatever comes, and closes.
#[test]
fn a_tutorial_client_harms_no_server() {
    for_seeds(800, |seed, sometimes| {
        let mut random = Random::new(seed);
        let mut store = Store::new(&mut random);
        store.changes = 0;
        let name = random.pick(&["0", "none", "../0", "/", "\u{1b}[2J"]);
        let config = some_config(&mut random);
        let mut directions = some_directions(&mut random, store.bytes());
        directions[1].delay = Duration::ZERO..=BRISK;
        let mut streams = Streams::new(random.fork());
        let ends = streams.connect(directions, None);
        let mut responder = Responder::new(streams.now(), random.fork(), config);
        let mut peer = Tutorial::server(name);
        streams.close_abruptly(ends[1]);
        let served = (&mut responder, &mut store);
        let (heard, outcome) = serve(&mut streams, ends, served, &mut peer);
        let at_server = responder.ending.expect("a server that waits for ever");
        at_server.assert_in_time(config, &streams, (ends[0], 0), NO_FAULT);
        let expected = if name == "0" { store.had(0, 1).next().unwrap() } else { &[] };
        let heard = heard.concat();
        assert!(expected.starts_with(&heard) && heard.is_empty() == expected.is_empty());
        assert_eq!(outcome, Some(Outcome::Closed));
        sometimes.note("all of it", !heard.is_empty() && heard == expected);
        sometimes.note("a part", heard.len() < expected.len());
        sometimes.note("gone while it was served", at_server.outcome == Outcome::Broken);
    });
}

/// Hazard 15: nobody knows what it wants, and it may never end.
#[test]
fn random_bytes_end_in_time() {
    for_seeds(1_500, |seed, sometimes| {
        let mut random = Random::new(seed);
        let mut store = Store::new(&mut random);
        let config = some_config(&mut random);
        let directions = some_directions(&mut random, store.bytes());
        let mut streams = Streams::new(random.fork());
        let now = streams.now();
        let fault = Fault::draw(&mut random, now, Duration::from_secs(20), 400);
        let ends = streams.connect(directions, Some(fault));
        let mut responder = Responder::new(now, random.fork(), config);
        let count = random.count(0..=120);
        // Often a header to begin with, so that chance gets beyond it.
        let header = random.pick(&[&b""[..], b"\0BW\x02\x01\x01\0\x01", b"\0BW\x02\x02\0\0\x02"]);
        let noise = (0..count).map(|_| random.pick(b"\0\0\0\0\x01\x02BW0123/.\n\r\xe4\xff"));
        let speech: Vec<u8> = header.iter().copied().chain(noise).collect();
        let served = (&mut responder, &mut store);
        serve(&mut streams, ends, served, &mut Script::new(speech));
        let at_server = responder.ending.expect("a server that waits for ever");
        at_server.assert_in_time(config, &streams, (ends[0], 0), fault);
        sometimes.note("in order", at_server.outcome == Outcome::Closed);
        sometimes.note("in error", matches!(at_server.outcome, Outcome::Failed(_)));
        sometimes.note("framed", responder.sender.is_framed());
        sometimes.note("plain", !responder.sender.is_framed());
    });
}

/// A plain download from a server that takes what one `recv` gives for the name.
#[test]
fn a_plain_receiver_never_takes_a_part_for_the_whole() {
    for_seeds(1_500, |seed, sometimes| {
        let mut random = Random::new(seed);
        let contents: String = "contents ".repeat(random.count(0..=30));
        let config = some_config(&mut random);
        let [there, _] = some_directions(&mut random, contents.len());
        let mut streams = Streams::new(random.fork());
        let now = streams.now();
        let span = random.pick(&[Duration::from_millis(500), Duration::from_secs(40)]);
        let is_faulty = random.chance(70);
        let fault = Fault::draw(&mut random, now, span, contents.len() + 10);
        // Behind the name, the end of that direction, and all contents.
        let behind = Moment::AfterBytes(5 + contents.len());
        let fault = match random.count(0..=9) {
            0 => Fault { what: Calamity::Reset, when: behind },
            _ => fault,
        };
        let fault = if is_faulty { fault } else { NO_FAULT };
        let ends = streams.connect([there, Direction::SMOOTH], Some(fault));
        let mut receiver = PlainReceiver::new(now, Text::new("name").unwrap(), config);
        let mut server = Tutorial::client(&contents);
        streams.close_abruptly(ends[0]);
        let (heard, completions, ending) = receive(&mut streams, ends, &mut receiver, &mut server);
        ending.assert_in_time(config, &streams, (ends[1], 1), fault);
        assert!(contents.as_bytes().starts_with(&heard));
        let is_whole = heard.len() == contents.len() && !heard.is_empty();
        assert_eq!(completions, usize::from(ending.outcome == Outcome::Closed));
        assert!(completions == 0 || is_whole, "{ending:?}");
        if !is_faulty {
            let nothing = Outcome::Failed(ReceiverError::Nothing);
            assert_eq!(ending.outcome, if is_whole { Outcome::Closed } else { nothing });
        }
        let failed = |error| ending.outcome == Outcome::Failed(error);
        sometimes.note("whole", completions > 0);
        sometimes.note("nothing", failed(ReceiverError::Nothing));
        sometimes.note("too late", failed(ReceiverError::TimedOut));
        sometimes.note("stalled", failed(ReceiverError::Stalled));
        sometimes.note("all of it, and a reset", is_whole && ending.outcome == Outcome::Broken);
    });
}

/// What it takes for a name is none, so it closes; or it says so.
#[test]
fn a_framed_receiver_finds_out_that_the_server_is_plain() {
    for_seeds(1_000, |seed, sometimes| {
        let mut random = Random::new(seed);
        let answer = random.pick(&["", "no such file", "\u{1}BW"]);
        let config = TransferConfig::default();
        let [there, back] = some_directions(&mut random, 0);
        let is_smooth = random.chance(50);
        let back = if is_smooth { Direction::SMOOTH } else { back };
        let mut streams = Streams::new(random.fork());
        let ends = streams.connect([there, back], None);
        let mut receiver = Receiver::<256>::new(streams.now(), config);
        receiver.request(streams.now(), &Request::get(b"name")).unwrap();
        receiver.finish();
        let mut server = Tutorial::client(answer);
        streams.close_abruptly(ends[0]);
        let (heard, completions, ending) = receive(&mut streams, ends, &mut receiver, &mut server);
        assert_eq!((heard.len(), completions, receiver.is_framed()), (0, 0, false));
        ending.assert_in_time(config, &streams, (ends[1], 1), NO_FAULT);
        let is_told = ending.outcome == Outcome::Failed(ReceiverError::NotFramed);
        // Who closes with a part of the request unread resets the connection.
        assert!(is_told || (!is_smooth && ending.outcome == Outcome::Broken), "{ending:?}");
        sometimes.note("told by a close", is_told && answer.is_empty());
        sometimes.note("told by an answer", is_told && !answer.is_empty());
        sometimes.note("a reset", !is_told);
    });
}

//! Whatever is done to what goes by is noticed, and told.

use barewire_tests::harness::keyed::{Interceptor, Message, Recording, Side, Verdict};

use super::scene::{Kind, Scene};

/// What is said of a record that is not the next of the peer's.
pub(super) const FORGED: [&str; 1] = ["damaged, forged or out of order"];

/// What is said of a stream that ends too soon, were it before the first record.
pub(super) const CUT: [&str; 3] = ["was cut", "connection cut", "within the handshake"];

/// Something that is done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manipulation {
    /// It is told to be shorter than it is.
    Shorten,
    /// One of its bits is another.
    FlipFirst,
    FlipLast,
    /// It does not come.
    LeaveOut,
    /// It comes twice.
    Repeat,
    /// The next comes before it.
    Swap,
    /// Plain bytes come before it.
    SpeakPlainly,
    /// That of another conversation under the same key, by the same side, comes in its place.
    Splice,
    /// What its own receiver has said comes in its place.
    Reflect,
    /// The stream ends within it, or before it.
    CutWithin,
    CutBefore,
}

impl Manipulation {
    pub(super) const EACH: [Self; 11] = [
        Self::Shorten,
        Self::FlipFirst,
        Self::FlipLast,
        Self::LeaveOut,
        Self::Repeat,
        Self::Swap,
        Self::SpeakPlainly,
        Self::Splice,
        Self::Reflect,
        Self::CutWithin,
        Self::CutBefore,
    ];

    /// What its receiver says: of the last record of all, who has nothing behind it.
    pub(super) fn words(self, is_last: bool) -> &'static [&'static str] {
        match self {
            Self::CutWithin | Self::CutBefore => &CUT,
            Self::LeaveOut if is_last => &CUT,
            // They may pass for the length of a record that does not come.
            Self::SpeakPlainly => &[FORGED[0], CUT[0], CUT[1], CUT[2]],
            _ => &FORGED,
        }
    }

    /// Whether it is told at once: not if nothing more is said, as by a member before its nick is answered; nor
    /// without the first record of a client, before which the server says nothing. (What comes of that is told
    /// by `replay`.)
    pub(super) fn is_told(self, kind: Kind, from: Side, number: usize, is_last: bool) -> bool {
        let waits = from == Side::Client && (number == 1 || kind == Kind::Chat);
        match self {
            Self::Repeat => !is_last,
            Self::LeaveOut => !waits,
            Self::Swap => !is_last && !waits,
            _ => true,
        }
    }

    /// Does that to the record `number` of a side, in the first connection. `other` is another conversation
    /// under the same key.
    pub(super) fn of(
        self,
        from: Side,
        number: usize,
        other: &Recording,
    ) -> impl FnMut(Message) -> Verdict + Send + use<> {
        let other = Side::BOTH.map(|side| other.messages(side));
        let [of_client, of_server] = &other;
        let (own, peers) = match from {
            Side::Client => (of_client[number].clone(), of_server[1].clone()),
            Side::Server => (of_server[number].clone(), of_client[1].clone()),
        };
        let mut held = None;
        move |message| {
            let Message { connection, from: side, number: place, mut bytes } = message;
            if connection != 0 || side != from {
                return Verdict::Pass(bytes);
            }
            if place != number {
                bytes.extend(held.take().unwrap_or_default());
                return Verdict::Pass(bytes);
            }
            match self {
                Self::Shorten => {
                    let length = u16::from_be_bytes([bytes[0], bytes[1]]) - 1;
                    bytes[..2].copy_from_slice(&length.to_be_bytes());
                }
                Self::FlipFirst => bytes[2] ^= 0x80,
                Self::FlipLast => *bytes.last_mut().expect("not empty") ^= 1,
                Self::LeaveOut => bytes.clear(),
                Self::Repeat => bytes.extend(bytes.clone()),
                Self::Swap => held = Some(std::mem::take(&mut bytes)),
                Self::SpeakPlainly => drop(bytes.splice(..0, *b"* server: hello\n")),
                Self::Splice => bytes.clone_from(&own),
                Self::Reflect => bytes.clone_from(&peers),
                Self::CutWithin => {
                    bytes.truncate(bytes.len() / 2);
                    return Verdict::End(bytes);
                }
                Self::CutBefore => return Verdict::End(Vec::new()),
            }
            Verdict::Pass(bytes)
        }
    }
}

/// A conversation that nobody has tampered with.
pub(super) fn recorded(scene: &Scene) -> Recording {
    let server = scene.serve(&[]);
    let way = Interceptor::reading(server.address());
    scene.run_client(&way.at()).exits(0);
    scene.forget();
    server.stop();
    way.recordings().remove(0)
}

/// The records to tamper with of each conversation: how many a side has said for certain, and whether the
/// last of them is its last of all.
const RECORDS: [(Kind, Side, usize, bool); 6] = [
    // What proves that the client is no recording, the answer, and the end.
    (Kind::Hello, Side::Client, 3, true),
    // The greeting, and the end.
    (Kind::Hello, Side::Server, 2, true),
    // A request.
    (Kind::File, Side::Client, 1, false),
    (Kind::File, Side::Server, 1, false),
    (Kind::Chat, Side::Client, 2, false),
    // The welcome.
    (Kind::Chat, Side::Server, 1, false),
];

/// Also who does not ask for more.
#[test]
fn a_record_that_was_changed_is_told_by_every_server() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let other = recorded(&scene);
        let mut server = scene.serve(&[]);
        for number in 1..=if kind == Kind::File { 1 } else { 2 } {
            let flips = Manipulation::FlipLast.of(Side::Client, number, &other);
            let way = Interceptor::start(server.address(), flips);
            scene.run_client(&way.at());
            server.program.diagnostic_with(&FORGED);
        }
        server.stop();
    }
}

#[test]
fn whatever_is_done_to_a_record_is_told_and_nothing_of_it_is_delivered() {
    for (kind, from, count, ends) in RECORDS {
        let scene = Scene::new(kind);
        let other = recorded(&scene);
        // A room tells of a cut only who asks for more.
        let mut server = scene.serve(&["-v"]);
        for number in 1..=count {
            let is_last = ends && number == count;
            for manipulation in Manipulation::EACH {
                if !manipulation.is_told(kind, from, number, is_last) {
                    continue;
                }
                let manipulated = manipulation.of(from, number, &other);
                let way = Interceptor::start(server.address(), manipulated);
                let client = scene.run_client(&way.at());
                let words = manipulation.words(is_last);
                match from {
                    Side::Client => drop(server.program.diagnostic_with(words)),
                    Side::Server => {
                        let client = client.exits(1).says(words);
                        // What comes twice was said, once.
                        let was_said = manipulation == Manipulation::Repeat && kind != Kind::File;
                        assert_eq!(scene.was_served(&client), is_last || was_said, "{client:?}");
                    }
                }
            }
        }
        let server = server.stop();
        if from == Side::Client {
            let shown = server.output().matches(scene.shown()).count();
            // What a room was told twice, it was told.
            assert!(shown <= usize::from(kind == Kind::Chat), "{server:?}");
        }
    }
}

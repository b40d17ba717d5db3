//! What a stream begins with: of a request of HTTP, or a handshake of TLS, nothing is said, however its bytes
//! come; and all first words that are neither are said as they were.

use barewire_core::chat::{
    DEFAULT_MAX_TEXT, LogEntry, MemberId, MemberSlot, Opening, Protocol, Room, RoomConfig,
    SourceSlot, min_log_bytes,
};
use barewire_core::session::{Output, Session};
use barewire_core::source::Source;
use barewire_core::text::DEFAULT_QUIET;
use barewire_core::time::{Duration, Instant};
use barewire_oracles::chat::opening;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;

const WORD: &str = "* this is a chat room, which speaks neither HTTP nor TLS\n";

/// How long a line may take to come in whole.
const LINE_TIMEOUT: Duration = Duration::from_secs(10);

const REQUESTS: [&[u8]; 8] = [
    b"GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: say\r\n\r\n",
    b"POST /api HTTP/1.0\nContent-Length: 6\n\nspeak\n",
    b"OPTIONS * HTTP/1.1\r\n\r\n/who\n",
    b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"HEAD http://example.org/ HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hello\nagain\n",
    b"\r\n\r\nDELETE /all HTTP/1.1\r\n\r\n",
];

const FIRST_WORDS: [&str; 12] = [
    "hello",
    "GET it?",
    "POST",
    "GET",
    "GET well soon",
    "OPTIONS we have",
    "GET / HTTP/1.1 is what a browser says",
    "get / HTTP/1.1",
    "CONNECT me to anna",
    "SEE http://example.org/ for it",
    "GET /etc/motd",
    "/me waves",
];

struct Table<'m> {
    room: Room<'m>,
    now: Instant,
    newcomer: MemberId,
    listener: MemberId,
    /// Its begun line is in the way of others, if buffers are few.
    holder: MemberId,
    heard: Vec<u8>,
    told: Vec<u8>,
}

impl Table<'_> {
    fn read(room: &mut Room<'_>, now: Instant, id: MemberId, read: &mut Vec<u8>) {
        let mut member = room.member(id).expect("it is here");
        loop {
            let part = match member.poll_transmit() {
                Output::Bytes { head, tail, .. } => [head, tail].concat(),
                Output::Shutdown => Vec::new(),
                _ => break,
            };
            read.extend_from_slice(&part);
            member.transmitted(now, part.len());
        }
    }

    /// Everybody has a turn for as long as the room asks for it.
    fn settle(&mut self) {
        for _ in 0..100 {
            let operator = self.room.operator();
            for id in [self.newcomer, self.listener, self.holder, operator] {
                let mut member = self.room.member(id).expect("it is here");
                if member.poll_deadline().is_some_and(|due| due <= self.now) {
                    while member.handle_timeout(self.now).is_ok() {}
                }
                let mut ignored = Vec::new();
                let read = match id {
                    id if id == self.listener => &mut self.heard,
                    id if id == self.newcomer => &mut self.told,
                    _ => &mut ignored,
                };
                Self::read(&mut self.room, self.now, id, read);
            }
            if !self.room.needs_poll() {
                return;
            }
        }
        panic!("news without end");
    }

    /// Time passes, and each deadline is met.
    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        for _ in 0..10_000 {
            self.settle();
            let ids = [self.newcomer, self.listener, self.holder];
            let due = ids.into_iter().filter_map(|id| self.room.member(id)?.poll_deadline()).min();
            let Some(due) = due.filter(|due| *due <= until) else {
                self.now = until;
                return self.settle();
            };
            self.now = due.max(self.now);
        }
        panic!("deadlines without end");
    }

    fn hear(&mut self, id: MemberId, mut bytes: &[u8]) {
        for _ in 0..100 {
            let mut member = self.room.member(id).expect("it is here");
            while member.handle_input(self.now, &mut bytes).is_ok() {}
            if bytes.is_empty() {
                return;
            }
            self.pass(Duration::from_millis(50));
        }
        panic!("it waits for ever");
    }

    /// The newcomer's bytes come in pieces, with pauses of so long in all at most.
    fn bytes_come(&mut self, random: &mut Random, mut bytes: &[u8], pauses: Duration) {
        let mut left = pauses;
        let pieces = random.count(1..=5);
        for number in 1..=pieces {
            let count = if number == pieces { bytes.len() } else { random.count(0..=bytes.len()) };
            let (piece, rest) = bytes.split_at(count);
            self.hear(self.newcomer, piece);
            bytes = rest;
            if random.chance(20) {
                self.hear(self.holder, b"x");
            }
            let pause = random.span(Duration::ZERO..=left);
            left = left.saturating_sub(pause);
            self.pass(pause);
        }
    }

    fn ends(&mut self) {
        for _ in 0..100 {
            let mut member = self.room.member(self.newcomer).expect("it is here");
            while member.handle_end(self.now).is_ok() {}
            self.pass(Duration::from_millis(50));
        }
    }

    /// What the listener has heard of the newcomer.
    fn said(&self) -> Vec<&str> {
        let heard = std::str::from_utf8(&self.heard).expect("UTF-8");
        heard.lines().filter_map(|line| line.strip_prefix("guest1: ")).collect()
    }
}

/// Somebody comes, and says something in a room with few line buffers.
fn meet(random: &mut Random, quiet: Duration, body: impl FnOnce(&mut Table<'_>, &mut Random)) {
    let config = RoomConfig::new()
        .with_rate(0)
        .with_quiet(quiet)
        .with_line_buffers(random.pick(&[1, 2, 4]))
        .with_line_buffers_per_source(0);
    let mut slots: Vec<_> = (0..4).map(|_| MemberSlot::vacant()).collect();
    let mut sources: Vec<_> = (0..4).map(|_| SourceSlot::vacant()).collect();
    let log = 8 * min_log_bytes(DEFAULT_MAX_TEXT);
    let (mut entries, mut bytes) = (vec![LogEntry::EMPTY; 128], vec![0; config.bytes(log)]);
    let mut room = Room::new(&mut slots, &mut sources, &mut entries, &mut bytes, config)
        .expect("it is enough");
    let now = Instant::from_secs(1);
    let [newcomer, listener, holder] =
        [1, 2, 3].map(|source| room.join(now, Source(source)).expect("there is a slot"));
    let (heard, told) = (Vec::new(), Vec::new());
    let mut table = Table { room, now, newcomer, listener, holder, heard, told };
    table.settle();
    body(&mut table, random);
}

#[test]
fn nothing_is_said_of_a_request_however_it_comes() {
    for_seeds(400, |seed, sometimes| {
        let mut random = Random::new(seed);
        let request = random.pick(&REQUESTS);
        // Where silence ends lines, it comes in within the time that a line has.
        let (quiet, most) = random.pick(&[
            (DEFAULT_QUIET, LINE_TIMEOUT - DEFAULT_QUIET),
            (Duration::MAX, LINE_TIMEOUT * 3),
        ]);
        meet(&mut random, quiet, |table, random| {
            table.bytes_come(random, request, most);
            table.ends();
            let told = std::str::from_utf8(&table.told).expect("UTF-8");
            assert_eq!(table.said(), [""; 0], "{} ({told})", request.escape_ascii());
            assert!(told.ends_with(WORD), "{told}");
            sometimes.note("a line was late", told.contains("longer than 10 s"));
            sometimes.note("others waited", told.contains("while others waited"));
        });
    });
}

#[test]
fn first_words_are_said_as_they_were_however_they_come() {
    for_seeds(400, |seed, sometimes| {
        let mut random = Random::new(seed);
        let words = random.pick(&FIRST_WORDS);
        // Without a line feed, a pause is an end.
        let has_end = random.chance(50);
        let quiet = if has_end { Duration::MAX } else { DEFAULT_QUIET };
        meet(&mut random, quiet, |table, random| {
            if has_end {
                table.bytes_come(random, format!("{words}\n").as_bytes(), LINE_TIMEOUT);
            } else {
                table.hear(table.newcomer, words.as_bytes());
            }
            table.pass(LINE_TIMEOUT);
            let told = String::from_utf8_lossy(&table.told).into_owned();
            if !told.contains("it was refused") {
                assert_eq!(table.said(), [words], "{told}");
            }
            assert!(!told.contains(WORD), "{words}");
            sometimes.note("it had no end", !has_end);
            sometimes.note("others waited", told.contains("while others waited"));
        });
    });
}

/// Of all that may come, in pieces of any size.
#[test]
fn what_a_stream_is_depends_on_its_bytes_alone() {
    const PARTS: [&[u8]; 20] = [
        b"GET",
        b"POST",
        b"PRI",
        b"CONNECT",
        b"M-SEARCH",
        b" ",
        b"/",
        b"*",
        b"http",
        b"x",
        b"HTTP/1.1",
        b"HTTP/2.",
        b"0",
        b"\r",
        b"\n",
        b"\r\n",
        b"\x16",
        b"\x03",
        b"hello",
        b"xxxxxxxxxxxxxxxx",
    ];
    const MAX_TEXT: u16 = 40;
    for_seeds(20_000, |seed, sometimes| {
        let mut random = Random::new(seed);
        let stream =
            (0..random.count(0..=9)).map(|_| random.pick(&PARTS)).collect::<Vec<_>>().concat();
        let (mut opening, mut expected, mut is_other) =
            (Opening::new(), opening::Opening::default(), false);
        let mut rest = &stream[..];
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(random.count(1..=rest.len()));
            rest = behind;
            let before = &stream[..stream.len() - behind.len() - piece.len()];
            let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            opening.read(piece, line.len().try_into().expect("a few"), MAX_TEXT);
            for byte in piece {
                is_other |= !is_other && expected.hear(*byte, MAX_TEXT.into());
            }
            let tells = matches!(opening.protocol(), Some(Protocol::Http | Protocol::Tls));
            assert_eq!(tells, is_other, "{}", stream.escape_ascii());
            let may_be = !is_other && expected.may_be_request();
            assert_eq!(opening.may_be_request(), may_be, "{}", stream.escape_ascii());
        }
        opening.end();
        is_other = is_other || expected.end();
        let protocol = opening.protocol();
        assert_eq!(matches!(protocol, Some(Protocol::Http | Protocol::Tls)), is_other);
        for one in [Protocol::Lines, Protocol::Http, Protocol::Tls] {
            sometimes.note("each is met", protocol == Some(one));
        }
    });
}

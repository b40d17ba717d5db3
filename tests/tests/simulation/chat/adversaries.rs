//! Members with bad intent, and what must hold for the others all the same: nobody who reads at every turn is
//! dropped, nobody waits without a bound, and what is said is told once and in its order.
//!
//! The owner keeps to its part: whenever the room asks for it, or a deadline is reached, everybody has a turn. One
//! that leaves turns out makes others wait, and loses nothing.

use barewire_core::chat::{
    DEFAULT_PATIENCE, LeaveReason, LogEntry, MemberError, MemberId, MemberSlot, Room, RoomConfig,
    SourceSlot, min_log_bytes,
};
use barewire_core::session::{Output, Session};
use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;

const TEXT: u16 = 64;
const STEP: Duration = Duration::from_millis(10);

/// For so many steps everybody speaks; in the others, all of it arrives. Together they take so long.
const SPEAKING: u32 = 300;
const STEPS: u32 = 1_300;
const SECONDS: u32 = 13;

/// So many lines pass at once, where there is a rate.
const BURST: u32 = 10;

/// How long who dozes does not use its turns: less than the patience.
const DOZE: Duration = Duration::from_millis(100);

/// Where members come from who have one source together.
const SHARED: Source = Source(u64::MAX);

/// What a member does, beside what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// It reads all there is at every turn, and says a line now and then: nothing may happen to it.
    Honest,
    /// The same, but it says as much as it can.
    Flooding,
    /// It takes so many bytes, so often.
    Dripping(usize, Duration),
    /// It never reads.
    Stalled,
    /// It begins lines and does not end them.
    Holding,
    /// It joins and leaves at every turn.
    Coming,
    /// As an honest one, but most of its turns it does not use.
    Dozing,
}

struct Participant {
    id: MemberId,
    source: Source,
    manner: Manner,
    /// What it says and was not taken; since when a whole line has waited, and how many waited then.
    input: Vec<u8>,
    waits: Option<(Instant, u32)>,
    said: u32,
    received: Vec<u8>,
    read_at: Instant,
}

struct Table<'m> {
    room: Room<'m>,
    peers: Vec<Participant>,
    now: Instant,
    random: Random,
    /// The longest that an honest member has waited, in shares of what it may.
    longest: Duration,
    /// How many lines of each peer were told.
    told: Vec<u32>,
    dropped: u32,
    /// Of a hundred turns, the owner leaves out so many.
    skips: u8,
}

impl Table<'_> {
    fn join(&mut self, source: Source, manner: Manner) {
        let id = self.room.join(self.now, source).expect("there is a slot");
        self.peers.push(Participant {
            id,
            source,
            manner,
            input: Vec::new(),
            waits: None,
            said: 0,
            received: Vec::new(),
            read_at: self.now,
        });
        self.told.push(0);
    }

    /// Everybody has a turn for as long as the room asks for it.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            for number in 0..self.peers.len() {
                if !self.random.chance(self.skips) {
                    self.turn(number);
                }
            }
            let operator = self.room.operator();
            self.turn_of(operator, usize::MAX).expect("it stays");
            if !self.room.needs_poll() {
                return;
            }
        }
        panic!("news without end");
    }

    /// A turn of a session: it reads, and its deadline is told. Gives what it has read.
    fn turn_of(&mut self, id: MemberId, most: usize) -> Result<Vec<u8>, MemberError> {
        let mut member = self.room.member(id).expect("it is here");
        let mut read = Vec::new();
        while let Output::Bytes { head, tail, .. } = member.poll_transmit() {
            let mut part = [head, tail].concat();
            part.truncate(most - read.len());
            if part.is_empty() {
                break;
            }
            member.transmitted(self.now, part.len());
            read.extend(part);
        }
        if member.poll_deadline().is_some_and(|due| due <= self.now) {
            match member.handle_timeout(self.now) {
                Err(nb::Error::Other(error)) => return Err(error),
                Ok(event) => panic!("{event:?} without silence"),
                Err(nb::Error::WouldBlock) => {}
            }
        }
        Ok(read)
    }

    fn turn(&mut self, number: usize) {
        let (now, peer) = (self.now, &self.peers[number]);
        let (id, manner) = (peer.id, peer.manner);
        if manner == Manner::Dozing && now < peer.read_at + DOZE {
            self.room.member(id).expect("it is here");
            return;
        }
        let most = match manner {
            Manner::Dripping(bytes, pause) if peer.read_at + pause <= now => bytes,
            Manner::Dripping(..) | Manner::Stalled => 0,
            _ => usize::MAX,
        };
        match self.turn_of(id, most) {
            Ok(read) => {
                let peer = &mut self.peers[number];
                if !read.is_empty() || manner == Manner::Dozing {
                    peer.read_at = now;
                }
                if manner == Manner::Honest {
                    peer.received.extend(read);
                }
            }
            Err(error) => {
                assert_eq!(error, MemberError::FellBehind);
                assert!(
                    matches!(manner, Manner::Dripping(..) | Manner::Stalled),
                    "{number} reads at every turn: {manner:?}"
                );
                self.dropped += 1;
                self.come_again(number, LeaveReason::FellBehind);
                return;
            }
        }
        self.offer(number);
    }

    /// It leaves, and is back at once.
    fn come_again(&mut self, number: usize, why: LeaveReason) {
        self.room.leave(self.now, self.peers[number].id, why);
        let id = self.room.join(self.now, self.peers[number].source).expect("its slot is free");
        let peer = &mut self.peers[number];
        (peer.id, peer.read_at) = (id, self.now);
        peer.input.clear();
    }

    fn offer(&mut self, number: usize) {
        let peer = &mut self.peers[number];
        let mut rest = &peer.input[..];
        let mut member = self.room.member(peer.id).expect("it is here");
        let mut told = 0;
        while member.handle_input(self.now, &mut rest).is_ok() {
            told += 1;
        }
        let taken = peer.input.len() - rest.len();
        peer.input.drain(..taken);
        self.told[number] += told;
        let is_waiting = peer.input.ends_with(b"\n");
        if peer.waits.is_some() && (told > 0 || !is_waiting) {
            let (since, before) = peer.waits.take().expect("it waits");
            let share = self.now.duration_since(since) / (before + 1);
            if peer.manner == Manner::Honest {
                self.longest = self.longest.max(share);
            }
        }
        if is_waiting && self.peers[number].waits.is_none() {
            let before = self.peers.iter().filter(|peer| peer.waits.is_some()).count();
            self.peers[number].waits = Some((self.now, u32::try_from(before).expect("a few")));
        }
    }

    /// What everybody says in this step.
    fn speak(&mut self) {
        for number in 0..self.peers.len() {
            let peer = &mut self.peers[number];
            let says = match peer.manner {
                Manner::Honest | Manner::Dozing => peer.input.is_empty() && self.random.chance(10),
                Manner::Flooding => peer.input.len() < 500,
                Manner::Holding if peer.input.is_empty() => {
                    peer.input.push(b'x');
                    false
                }
                _ => false,
            };
            for _ in 0..if peer.manner == Manner::Flooding { 20 } else { u8::from(says) } {
                if says {
                    let text = "x".repeat(self.random.count(0..=40));
                    let line = format!("{number}-{} {text}\n", peer.said);
                    peer.said += 1;
                    peer.input.extend(line.bytes());
                }
            }
            if peer.manner == Manner::Coming {
                self.come_again(number, LeaveReason::Lost);
            }
        }
    }

    /// Each honest member has got the lines of each that were told, each once and in order; from a member that
    /// comes again and again, what it said when it was there.
    fn judge(&self) {
        for (own, peer) in self.peers.iter().enumerate() {
            let text = std::str::from_utf8(&peer.received).expect("UTF-8");
            for (number, told) in self.told.iter().enumerate() {
                let mark = format!(": {number}-");
                let marks = text.lines().filter_map(|line| line.split_once(&mark));
                let marks: Vec<u32> = marks
                    .map(|(_, rest)| rest.split(' ').next().unwrap_or_default())
                    .map(|number| number.parse().expect("a number"))
                    .collect();
                assert!(marks.is_sorted_by(|one, next| one < next), "{own} of {number}: {marks:?}");
                if peer.manner == Manner::Honest && own != number {
                    assert_eq!(marks.len(), *told as usize, "{own} of {number}");
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Setting<'s> {
    log: usize,
    entries: usize,
    line_buffers: u16,
    others: &'s [Manner],
    /// They come from one source.
    is_shared: bool,
    rate: u32,
    skips: u8,
}

impl<'s> Setting<'s> {
    fn draw(random: &mut Random, others: &'s [Manner]) -> Self {
        let least = min_log_bytes(TEXT);
        let (log, entries) = random.pick(&[(least, 16), (9_728, 64), (16 * least, 512)]);
        let (line_buffers, is_shared) = (random.pick(&[1, 2, 8]), random.chance(50));
        Self { log, entries, line_buffers, others, is_shared, rate: 0, skips: 0 }
    }
}

/// What came of it: how long at most the honest have waited for each that waited before them, how many lines
/// were told of those two and of the others, and how many members were dropped.
struct Outcome {
    longest: Duration,
    honest: u32,
    others: u32,
    dropped: u32,
}

/// Two honest members among others, for some seconds.
fn play(seed: u64, setting: Setting<'_>) -> Outcome {
    let Setting { log, entries, line_buffers, others, is_shared, rate, skips } = setting;
    let config = RoomConfig::new()
        .with_rate(rate)
        .with_burst(BURST)
        .with_joins(0, 0)
        .with_quiet(Duration::MAX)
        .with_max_text(TEXT)
        .with_line_buffers(line_buffers);
    let count = others.len() + 3;
    let mut slots: Vec<_> = (0..count).map(|_| MemberSlot::vacant()).collect();
    let mut sources: Vec<_> = (0..2 * count).map(|_| SourceSlot::vacant()).collect();
    let (mut entries, mut bytes) = (vec![LogEntry::EMPTY; entries], vec![0; config.bytes(log)]);
    let room = Room::new(&mut slots, &mut sources, &mut entries, &mut bytes, config);
    let mut table = Table {
        room: room.expect("it is enough"),
        peers: Vec::new(),
        now: Instant::from_secs(1),
        random: Random::new(seed),
        longest: Duration::ZERO,
        told: Vec::new(),
        dropped: 0,
        skips,
    };
    let manners = [Manner::Honest; 2].into_iter().chain(others.iter().copied());
    for (source, manner) in (0..).zip(manners) {
        let is_other = source >= 2;
        table.join(if is_shared && is_other { SHARED } else { Source(source) }, manner);
    }
    for _ in 0..SPEAKING {
        table.speak();
        table.settle();
        table.now += STEP;
    }
    // All of it arrives, once everybody has its turns.
    table.skips = 0;
    for _ in SPEAKING..STEPS {
        table.now += STEP;
        table.settle();
    }
    table.judge();
    for peer in &table.peers[..2] {
        assert!(peer.input.is_empty(), "it waits for ever");
    }
    let (honest, others) = table.told.split_at(2);
    Outcome {
        longest: table.longest,
        honest: honest.iter().sum(),
        others: others.iter().sum(),
        dropped: table.dropped,
    }
}

/// Each of them alone, and all together.
const ADVERSARIES: [&[Manner]; 8] = [
    &[Manner::Flooding; 4],
    &[Manner::Stalled; 4],
    &[Manner::Dripping(1, Duration::from_millis(200)), Manner::Flooding],
    &[Manner::Dripping(30, Duration::from_millis(240)), Manner::Flooding, Manner::Flooding],
    &[Manner::Holding; 4],
    &[Manner::Coming; 4],
    &[Manner::Dozing, Manner::Dozing, Manner::Flooding, Manner::Stalled],
    &[
        Manner::Flooding,
        Manner::Flooding,
        Manner::Dripping(30, Duration::from_millis(240)),
        Manner::Dripping(1, Duration::from_millis(10)),
        Manner::Stalled,
        Manner::Holding,
        Manner::Coming,
    ],
];

#[test]
fn who_reads_is_not_dropped_and_waits_no_longer_than_the_patience_for_each_before_it() {
    for_seeds(60, |seed, sometimes| {
        let mut random = Random::new(seed);
        let others = random.pick(&ADVERSARIES);
        let outcome = play(seed, Setting::draw(&mut random, others));
        // A step is as exact as time is told here; and who is before it may doze.
        let dozes = if others.contains(&Manner::Dozing) { DOZE } else { Duration::ZERO };
        let (longest, bound) = (outcome.longest, DEFAULT_PATIENCE + dozes + STEP + STEP);
        assert!(longest <= bound, "an honest member has waited {longest} for each before it");
        assert!(outcome.honest > 10, "{} lines in three seconds", outcome.honest);
        sometimes.note("somebody was dropped", outcome.dropped > 0);
        sometimes.note("somebody waited", longest > STEP);
    });
}

#[test]
fn an_owner_that_leaves_turns_out_drops_nobody_who_reads_and_loses_no_line() {
    for_seeds(40, |seed, sometimes| {
        let mut random = Random::new(seed);
        let others = random.pick(&ADVERSARIES);
        let skips = random.pick(&[20, 60, 90]);
        let outcome = play(seed, Setting { skips, ..Setting::draw(&mut random, others) });
        assert!(outcome.honest > 0, "nobody is heard");
        sometimes.note("somebody was dropped", outcome.dropped > 0);
        sometimes.note("somebody waited for long", outcome.longest > DEFAULT_PATIENCE);
    });
}

#[test]
fn who_floods_from_many_connections_says_no_more_than_its_source_may() {
    for_seeds(20, |seed, _| {
        let mut random = Random::new(seed);
        let others = [Manner::Flooding; 8];
        let setting = Setting { is_shared: true, rate: 5, ..Setting::draw(&mut random, &others) };
        let outcome = play(seed, setting);
        let most = 4 * (BURST + setting.rate * SECONDS);
        assert!(outcome.others <= most, "{} lines, where {most} pass", outcome.others);
        assert!(outcome.honest > 10, "{} lines of the others", outcome.honest);
    });
}

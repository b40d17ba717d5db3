//! The room driven without links: every choice is at random, and everything that anybody is to
//! receive is known, private lines and answers too.

use barewire_core::chat::{DEFAULT_PATIENCE, LeaveReason, MemberError, MemberId, Room, RoomConfig};
use barewire_core::session::{Output, Session};
use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};
use barewire_oracles::chat::public::Model;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::{Sometimes, for_seeds};

use super::network::Memory;

/// How many things happen.
const TURNS: usize = 160;

#[derive(Debug)]
struct Participant {
    id: MemberId,
    /// What it says; how much of it the room has taken.
    input: Vec<u8>,
    taken: usize,
    /// Its lines that have not been taken whole.
    lines: Vec<Said>,
    said: usize,
    received: Vec<u8>,
    /// When nothing waited for it last.
    drained_at: Instant,
    /// In how many of a hundred turns it reads.
    reads: u8,
    finishes: bool,
    /// `Some(true)`: it has received everything.
    over: Option<bool>,
}

#[derive(Debug)]
enum Said {
    Public(String),
    Nick(String),
    Private(usize, String),
}

struct Table<'m> {
    room: Room<'m>,
    model: Model,
    peers: Vec<Participant>,
    slots: usize,
    now: Instant,
    random: Random,
    dropped: usize,
    waited: usize,
}

impl Table<'_> {
    fn turn(&mut self) {
        match self.random.count(0..=99) {
            0..=3 => self.join(),
            4 => self.lose(),
            5..=13 => {
                self.now += self.random.span(Duration::ZERO..=Duration::from_millis(150));
            }
            _ if self.peers.is_empty() => self.join(),
            _ => {
                let number = self.random.count(0..=self.peers.len() - 1);
                if self.peers[number].over.is_none() {
                    self.serve(number);
                }
            }
        }
        self.sweep();
    }

    fn join(&mut self) {
        let present = self.peers.iter().filter(|peer| peer.over.is_none()).count();
        let joined = self.room.join(self.now, Source(self.peers.len() as u64));
        assert_eq!(joined.is_ok(), present < self.slots);
        let Ok(id) = joined else { return };
        self.model.join(self.peers.len(), self.room.nick(id).expect("it has just come"));
        self.peers.push(Participant {
            id,
            input: Vec::new(),
            taken: 0,
            lines: Vec::new(),
            said: 0,
            received: Vec::new(),
            drained_at: self.now,
            reads: self.random.pick(&[0, 20, 60, 100, 100]),
            finishes: false,
            over: None,
        });
        self.witness();
    }

    /// A connection is lost.
    fn lose(&mut self) {
        let present = (0..self.peers.len()).find(|&number| self.peers[number].over.is_none());
        if let Some(number) = present {
            self.leave(number, LeaveReason::Lost, " (connection lost)");
        }
    }

    fn leave(&mut self, number: usize, why: LeaveReason, reason: &str) {
        let peer = &mut self.peers[number];
        peer.over = Some(why == LeaveReason::Quit);
        self.room.leave(self.now, peer.id, why);
        self.model.leave(number, reason);
        self.witness();
    }

    fn serve(&mut self, number: usize) {
        self.speak(number);
        self.offer(number);
        self.expire(number);
        if self.peers[number].over.is_none() && self.random.chance(self.peers[number].reads) {
            let most = self.random.pick(&[1, 30, 4000]);
            self.read(number, most);
        }
    }

    /// Adds a line to what the peer says.
    fn speak(&mut self, number: usize) {
        let peer = &mut self.peers[number];
        if peer.finishes || peer.lines.len() > 3 || !self.random.chance(60) {
            peer.finishes |= self.random.chance(2);
            return;
        }
        let mark = format!("{number}-{}", peer.said);
        peer.said += 1;
        let (line, said) = match self.random.count(0..=9) {
            0 => (format!("/me {mark}"), Said::Public(format!("/me {mark}"))),
            1 if number % 2 == 1 => (format!("/nick n{mark}"), Said::Nick(format!("n{mark}"))),
            2 | 3 => {
                let to = 2 * self.random.count(0..=4);
                (format!("/msg guest{} {mark}", to + 1), Said::Private(to, mark))
            }
            _ => {
                let text = mark + &" é"[..].repeat(self.random.count(0..=6));
                (text.clone(), Said::Public(text))
            }
        };
        peer.input.extend(line.bytes().chain(*b"\n"));
        peer.lines.push(said);
    }

    /// Offers what has arrived, cut anywhere; and the end behind it.
    fn offer(&mut self, number: usize) -> usize {
        let peer = &mut self.peers[number];
        let waiting = &peer.input[peer.taken..];
        let count = self.random.count(0..=60).min(waiting.len());
        let mut rest = &waiting[..count];
        let mut heard = Vec::new();
        let mut member = self.room.member(peer.id).expect("it is here");
        while let Ok(event) = member.handle_input(self.now, &mut rest) {
            heard.push(event.to_string());
        }
        let taken = count - rest.len();
        self.waited += usize::from(!rest.is_empty());
        let lines = peer.input[peer.taken..peer.taken + taken].split(|&byte| byte == b'\n');
        let lines = lines.count() - 1;
        peer.taken += taken;
        if peer.finishes && peer.taken == peer.input.len() {
            assert!(matches!(member.handle_end(self.now), Err(nb::Error::WouldBlock)));
        }
        let done: Vec<_> = peer.lines.drain(..lines).collect();
        let mut heard = heard.into_iter();
        for said in done {
            let nick = self.model.members[&number].nick.clone();
            let line = match said {
                Said::Private(to, mark) => {
                    self.model.whisper(number, to, &mark);
                    continue;
                }
                Said::Public(text) => format!("{nick}: {text}"),
                Said::Nick(new) => {
                    self.model.members.get_mut(&number).expect("it is here").nick.clone_from(&new);
                    format!("* {nick} is now {new}")
                }
            };
            assert_eq!(heard.next().as_ref(), Some(&line));
            self.model.hear(number, &line, line.contains(" is now "));
        }
        assert_eq!(heard.next(), None);
        self.witness();
        let peer = &self.peers[number];
        if peer.finishes && peer.taken == peer.input.len() {
            self.model.members.get_mut(&number).expect("it is here").has_ended = true;
        }
        taken
    }

    fn expire(&mut self, number: usize) {
        let peer = &self.peers[number];
        let mut member = self.room.member(peer.id).expect("it is here");
        if member.poll_deadline().is_none_or(|due| due > self.now) {
            return;
        }
        match member.handle_timeout(self.now) {
            Ok(event) => panic!("{event:?} without silence"),
            Err(nb::Error::Other(MemberError::FellBehind)) => return self.fall(number),
            Err(nb::Error::Other(error)) => panic!("{error}: it has had no time for that"),
            Err(nb::Error::WouldBlock) => {}
        }
        let deadline = member.poll_deadline();
        assert!(deadline.is_none_or(|deadline| deadline > self.now), "a driver would spin");
        self.witness();
    }

    /// A member is told that it fell behind: it must have earned it.
    fn fall(&mut self, number: usize) {
        let stalled = self.now.duration_since(self.peers[number].drained_at);
        assert!(stalled >= DEFAULT_PATIENCE, "{number} had read all {stalled} before");
        self.dropped += 1;
        self.leave(number, LeaveReason::FellBehind, " (fell behind)");
    }

    fn read(&mut self, number: usize, most: usize) {
        let peer = &mut self.peers[number];
        let mut member = self.room.member(peer.id).expect("it is here");
        match member.poll_transmit() {
            Output::Nothing => {}
            Output::Bytes { head, tail, .. } => {
                let mut bytes = [head, tail].concat();
                bytes.truncate(most);
                member.transmitted(self.now, bytes.len());
                peer.received.extend(bytes);
            }
            Output::Shutdown => member.transmitted(self.now, 0),
            Output::Close => return self.leave(number, LeaveReason::Quit, ""),
            Output::Contents { .. } => panic!("a room has no contents"),
        }
        if member.poll_transmit() == Output::Nothing {
            peer.drained_at = self.now;
        }
    }

    /// If there are news, those who were dropped are told so.
    fn sweep(&mut self) {
        while self.room.needs_poll() {
            for number in 0..self.peers.len() {
                let peer = &self.peers[number];
                if peer.over.is_none() {
                    let mut member = self.room.member(peer.id).expect("it is here");
                    let failed = member.poll_deadline() == Some(Instant::ZERO)
                        && matches!(member.handle_timeout(self.now), Err(nb::Error::Other(_)));
                    self.witness();
                    if failed {
                        self.fall(number);
                    }
                }
            }
        }
    }

    /// The operator reads all there is, and so is never in the way.
    fn witness(&mut self) {
        let mut member = self.room.member(self.room.operator()).expect("the operator stays");
        let mut read = Vec::new();
        while let Output::Bytes { head, tail, .. } = member.poll_transmit() {
            let count = head.len() + tail.len();
            read.extend([head, tail].concat());
            member.transmitted(self.now, count);
        }
        self.model.witness(&read);
    }

    /// Everybody reads all there is, says what is left to say, and goes.
    fn close(&mut self) {
        for peer in &mut self.peers {
            peer.finishes = true;
        }
        for _ in 0..10_000 {
            let present = (0..self.peers.len()).find(|&number| self.peers[number].over.is_none());
            if present.is_none() {
                return;
            }
            for number in 0..self.peers.len() {
                if self.peers[number].over.is_none() {
                    self.read(number, usize::MAX);
                }
                if self.peers[number].over.is_none() {
                    self.offer(number);
                }
                self.sweep();
            }
            self.now += Duration::from_millis(10);
            for number in 0..self.peers.len() {
                if self.peers[number].over.is_none() {
                    self.expire(number);
                }
                self.sweep();
            }
        }
        panic!("somebody never comes to an end: {:#?}", self.peers);
    }
}

#[test]
fn everybody_receives_exactly_what_is_for_them() {
    for_seeds(2000, |seed, sometimes: &mut Sometimes| {
        let mut random = Random::new(seed);
        let slots = random.count(1..=6);
        let mut memory = Memory::draw(&mut random, slots);
        let config = RoomConfig::new().with_rate(0).with_quiet(Duration::MAX);
        let mut table = Table {
            room: memory.room(config),
            model: Model::default(),
            peers: Vec::new(),
            slots: slots + 1,
            now: Instant::from_millis(1),
            random,
            dropped: 0,
            waited: 0,
        };
        (0..TURNS).for_each(|_| table.turn());
        table.close();
        for (number, peer) in table.peers.iter().enumerate() {
            let is_whole = peer.over == Some(true);
            let text = String::from_utf8_lossy(&peer.received);
            // What was cut off may end anywhere.
            let whole =
                if is_whole { &text[..] } else { text.rsplit_once('\n').map_or("", |all| all.0) };
            let lines: Vec<_> = whole.lines().map(String::from).collect();
            let history = table.model.judge(number, &lines, is_whole);
            sometimes.note("a newcomer got history", history > 0);
            sometimes.note("much was received", is_whole && lines.len() > 40);
            let has = |what: &str| lines.iter().any(|line| line.starts_with(what));
            sometimes.note("a private line arrived", has("(private) "));
            sometimes.note("a private line had nobody to go to", has("* nobody here is called "));
        }
        sometimes.note("somebody was dropped", table.dropped > 0);
        sometimes.note(
            "somebody waited, and nobody was dropped",
            table.waited > 0 && table.dropped == 0,
        );
        sometimes.note("a slot was used again", table.peers.len() > slots + 1);
    });
}

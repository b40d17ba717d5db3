//! Many members over faulty links into one room.

use barewire_core::chat::{
    Client, ClientError, DEFAULT_END_TIMEOUT, DEFAULT_PATIENCE, LeaveReason, Line, LogEntry,
    MemberError, MemberEvent, MemberId, MemberSlot, Room, RoomConfig, SourceSlot, max_line_bytes,
    min_log_bytes,
};
use barewire_core::session::{Output, Session};
use barewire_core::source::Source;
use barewire_core::text::{Text, TextReaderError};
use barewire_core::time::{Duration, Instant};
use barewire_oracles::chat::public::Model;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::stream::{Direction, End, Fault, Outcome, Streams};

use super::member::{Service, Watched};
use super::script::{self, Step};

/// The longest text in these rooms, and the longest line.
const TEXT: u16 = 32;
pub(super) const LINE: usize = max_line_bytes(TEXT);

/// Where the witness comes from.
const WITNESS: Source = Source(u64::MAX);

/// A member and its client.
pub(super) struct Participant {
    pub(super) steps: Vec<Step>,
    /// How many steps the client has taken, and how many public ones the room has told of.
    said: usize,
    pub(super) told: usize,
    /// Public steps that were not told: lines that others had to wait for.
    pub(super) lost: usize,
    client: Client<64, LINE>,
    pub(super) received: Vec<String>,
    ends: [End; 2],
    id: Option<MemberId>,
    service: Service,
    pub(super) server: Option<Outcome<MemberError>>,
    pub(super) peer: Option<Outcome<ClientError>>,
    fault: Option<Fault>,
}

pub(super) struct Simulation<'m> {
    pub(super) streams: Streams,
    pub(super) room: Room<'m>,
    pub(super) model: Model,
    pub(super) peers: Vec<Participant>,
    /// When each peer joins, the next last, and what it is going to say.
    coming: Vec<(Instant, Vec<Step>, Option<Fault>)>,
    random: Random,
    /// An end whose turns are for those who come.
    door: End,
    /// A member that reads all there is whenever anything has happened: nothing may ever drop it.
    witness: MemberId,
    /// The operator reads nothing before the end.
    pub(super) operator_sleeps: bool,
    pub(super) operator: Vec<u8>,
    pub(super) dropped: usize,
    /// When the server is killed, if it is.
    killed_at: Option<Instant>,
    /// So many take part that their links had better not cut everything to bits.
    is_crowded: bool,
}

/// The memory of a room.
pub(super) struct Memory {
    slots: Vec<MemberSlot>,
    sources: Vec<SourceSlot>,
    bytes: Vec<u8>,
    entries: Vec<LogEntry>,
    line_buffers: u16,
}

impl Memory {
    /// Memory for a crowd, in which nobody has to wait long.
    pub(super) fn roomy(peers: usize) -> Self {
        Self::of(peers, 64 * min_log_bytes(TEXT), 4096, peers + 1)
    }

    pub(super) fn draw(random: &mut Random, peers: usize) -> Self {
        let least = min_log_bytes(TEXT);
        let log = random.pick(&[least, least + 100, 2 * least, 8 * least]);
        let (entries, line_buffers) = (random.count(16..=64), random.pick(&[1, 2, peers + 1]));
        Self::of(peers, log, entries, line_buffers)
    }

    fn of(peers: usize, log: usize, entries: usize, line_buffers: usize) -> Self {
        let line_buffers = u16::try_from(line_buffers).expect("a few");
        let bytes = rules(RoomConfig::new(), line_buffers).bytes(log);
        Self {
            slots: (0..peers + 2).map(|_| MemberSlot::vacant()).collect(),
            sources: (0..peers + 2).map(|_| SourceSlot::vacant()).collect(),
            bytes: vec![0; bytes],
            entries: vec![LogEntry::EMPTY; entries],
            line_buffers,
        }
    }
}

impl Memory {
    pub(super) fn room(&mut self, config: RoomConfig) -> Room<'_> {
        let Self { slots, sources, entries, bytes, line_buffers, .. } = self;
        let config = rules(config, *line_buffers);
        Room::new(slots, sources, entries, bytes, config).expect("it is enough")
    }
}

const fn rules(config: RoomConfig, line_buffers: u16) -> RoomConfig {
    config.with_max_text(TEXT).with_line_buffers(line_buffers)
}

impl<'m> Simulation<'m> {
    pub(super) fn new(mut random: Random, memory: &'m mut Memory, faults: u8) -> Self {
        let count = memory.slots.len() - 2;
        let config = RoomConfig::new().with_rate(0).with_quiet(Duration::MAX);
        let mut room = memory.room(config);
        let mut streams = Streams::new(random.fork());
        let now = streams.now();
        let witness = room.join(now, WITNESS).expect("it is the first");
        let [door, _] = streams.connect([Direction::SMOOTH, Direction::SMOOTH], None);
        let mut coming: Vec<_> = (0..count)
            .map(|_| now + random.span(Duration::ZERO..=Duration::from_millis(800)))
            .collect();
        coming.sort();
        for &at in &coming {
            streams.wake(door, at);
        }
        let mut coming: Vec<_> = coming
            .into_iter()
            .enumerate()
            .map(|(own, at)| {
                let steps = script::draw(&mut random, at, own, count);
                let fault = random
                    .chance(faults)
                    .then(|| Fault::draw(&mut random, at, Duration::from_secs(2), 900));
                (at, steps, fault)
            })
            .collect();
        coming.reverse();
        let mut simulation = Self {
            streams,
            room,
            witness,
            model: Model::default(),
            peers: Vec::new(),
            coming,
            operator_sleeps: random.chance(10),
            random,
            door,
            operator: Vec::new(),
            dropped: 0,
            killed_at: None,
            is_crowded: count > 8,
        };
        let welcome = simulation.read(witness);
        assert_eq!(welcome, b"* welcome to barewire chat, you are guest1 (/help)\n");
        simulation
    }

    /// The server is going to be killed so long after the beginning.
    pub(super) fn kill_after(&mut self, span: Duration) {
        let at = self.streams.now() + span;
        self.killed_at = Some(at);
        self.streams.wake(self.door, at);
    }

    /// Runs until nothing will ever happen again.
    pub(super) fn run(&mut self) {
        while let Some(end) = self.streams.advance() {
            if end == self.door {
                self.open();
                self.die();
                self.witness();
            }
            if let Some(number) = self.peers.iter().position(|peer| peer.ends.contains(&end)) {
                if self.peers[number].ends[0] == end {
                    self.serve(number);
                } else {
                    self.attend(number);
                }
            }
            if !self.operator_sleeps {
                self.operate();
            }
            if self.room.needs_poll() {
                let now = self.streams.now();
                for peer in self.peers.iter().filter(|peer| peer.id.is_some()) {
                    self.streams.wake(peer.ends[0], now);
                }
            }
        }
        self.operate();
    }

    /// Lets those in whose time has come.
    fn open(&mut self) {
        let now = self.streams.now();
        let least = if self.is_crowded { 200 } else { 7 };
        while let Some((_, steps, fault)) = self.coming.pop_if(|(at, ..)| *at <= now) {
            let slowest = self.random.pick(&[1, 20, 90].map(Duration::from_millis));
            let directions = [(); 2].map(|()| {
                let direction = Direction::cutting(&mut self.random, slowest, 40);
                // The smallest pieces take the longest to simulate.
                let piece = (*direction.piece.end()).max(least);
                Direction { piece: 1..=piece, ..direction }
            });
            let ends = self.streams.connect(directions, fault);
            for step in &steps {
                self.streams.wake(ends[1], step.at);
            }
            let source = Source(self.peers.len() as u64);
            let id = self.room.join(now, source).expect("there is a place for everybody");
            self.model.join(self.peers.len(), self.room.nick(id).expect("it has just come"));
            self.witness();
            self.peers.push(Participant {
                steps,
                said: 0,
                told: 0,
                lost: 0,
                client: Client::new(Duration::MAX),
                received: Vec::new(),
                ends,
                id: Some(id),
                service: Service { drained_at: now, end_told: false },
                server: None,
                peer: None,
                fault,
            });
        }
    }

    /// Ends the server's program, if its time has come.
    fn die(&mut self) {
        if self.killed_at.is_none_or(|at| self.streams.now() < at) {
            return;
        }
        for peer in &mut self.peers {
            if peer.id.take().is_some() {
                self.streams.kill(peer.ends[0]);
            }
        }
        self.coming.clear();
    }

    /// A member's turn.
    fn serve(&mut self, number: usize) {
        let peer = &mut self.peers[number];
        let Some(id) = peer.id else { return };
        let member = self.room.member(id).expect("it has not left");
        let now = self.streams.now();
        let mut session = Watched { session: member, service: &mut peer.service };
        let mut heard = Vec::new();
        let outcome = self.streams.drive(peer.ends[0], &mut session, |event| {
            heard.push((format!("{event:?}"), matches!(event, MemberEvent::Renamed { .. })));
        });
        let says_no_more =
            peer.service.end_told && self.room.member(id).is_some_and(|member| !member.is_active());
        for (line, is_rename) in heard {
            let rest = &peer.steps[peer.told..];
            let ends = |said: &String| line.ends_with(&format!(" {said}"));
            let step = rest.iter().position(|step| step.event.as_ref().is_some_and(ends));
            let step = step.expect("nothing is heard that was not said");
            peer.lost += rest[..step].iter().filter(|step| step.event.is_some()).count();
            peer.told += step + 1;
            self.model.hear(number, &line, is_rename);
        }
        self.witness();
        let peer = &mut self.peers[number];
        let member = self.model.members.get_mut(&number).expect("it has joined");
        member.nick = self.room.nick(id).unwrap_or_default().into();
        member.has_ended |= says_no_more;
        let why = match outcome {
            None => return,
            Some(Outcome::Closed) => LeaveReason::Quit,
            Some(Outcome::Broken) => LeaveReason::Lost,
            Some(Outcome::Failed(error)) => error.into(),
        };
        let reason = why.reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
        if why == LeaveReason::FellBehind {
            self.dropped += 1;
            let stalled = now.duration_since(peer.service.drained_at);
            assert!(stalled >= DEFAULT_PATIENCE, "dropped, and had read all {stalled} before");
        }
        peer.server = outcome;
        peer.id = None;
        self.room.leave(now, id, why);
        self.model.leave(number, &reason);
        self.witness();
    }

    /// A client's turn.
    fn attend(&mut self, number: usize) {
        let now = self.streams.now();
        let peer = &mut self.peers[number];
        while let Some(step) = peer.steps.get(peer.said) {
            if step.at > now || !peer.client.has_room(step.line.len()) {
                break;
            }
            if peer.client.command(Text::new(&step.line).expect("a line")).is_err() {
                break;
            }
            peer.said += 1;
        }
        if peer.said == peer.steps.len() {
            peer.client.finish(now, DEFAULT_END_TIMEOUT);
        }
        let received = &mut peer.received;
        let hear = |line: Result<Line<'_>, TextReaderError>| {
            received.push(line.expect("no line is too long").printable().to_string());
        };
        let outcome = self.streams.drive(peer.ends[1], &mut peer.client, hear);
        peer.peer = outcome;
        // What was sent has made room.
        if peer.said < peer.steps.len() && outcome.is_none() {
            let next = &peer.steps[peer.said];
            if next.at <= now && peer.client.has_room(next.line.len()) {
                self.streams.wake(peer.ends[1], now);
            }
        }
    }

    fn operate(&mut self) {
        let read = self.read(self.room.operator());
        self.operator.extend(read);
    }

    /// Reads all that waits for a member.
    fn read(&mut self, id: MemberId) -> Vec<u8> {
        let now = self.streams.now();
        let mut member = self.room.member(id).expect("it stays");
        let mut read = Vec::new();
        while let Output::Bytes { head, tail, .. } = member.poll_transmit() {
            read.extend([head, tail].concat());
            let count = head.len() + tail.len();
            member.transmitted(now, count);
        }
        read
    }

    fn witness(&mut self) {
        let now = self.streams.now();
        let mut member = self.room.member(self.witness).expect("it stays");
        if member.poll_deadline().is_some_and(|due| due <= now) {
            let outcome = member.handle_timeout(now).map(|event| event.to_string());
            assert_eq!(outcome, Err(nb::Error::WouldBlock), "it reads at every turn");
        }
        let read = self.read(self.witness);
        self.model.witness(&read);
        let member = self.room.member(self.witness).expect("it stays");
        if let Some(due) = member.poll_deadline() {
            self.streams.wake(self.door, due.max(now));
        }
    }

    /// Whether a peer's link lets its client and the room end in order.
    pub(super) fn is_whole(&self, number: usize) -> bool {
        let peer = &self.peers[number];
        peer.peer == Some(Outcome::Closed) && peer.server == Some(Outcome::Closed)
    }

    pub(super) fn has_fault(&self, number: usize) -> bool {
        self.peers[number].fault.is_some()
    }
}

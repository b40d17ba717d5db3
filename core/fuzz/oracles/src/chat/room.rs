//! A room with room for everything, against a model of it.

use arbitrary::Arbitrary;
use barewire_core::chat::{
    LeaveReason, LogEntry, MemberError, MemberEvent, MemberId, MemberSlot, Room, RoomConfig,
    SourceSlot, max_line_bytes,
};
use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};

use super::flood::{PASTED, Rate};
use super::forms;
use super::model::{self, OPERATOR};
use crate::manual_driver::ManualDriver;
use crate::script::{START, Span};
use crate::text::{Model as Texts, Said};

/// The longest text here.
const LONGEST: u16 = 32;

/// Places, the operator's among them.
const PLACES: usize = 5;

/// In a room whose [`Input::history`] is at least that, every other newcomer is known by a name.
const NAMES_FROM: u8 = 0xf0;
const NAME: &str = "ben";

/// With so many joins, and as many leaves, each is told by itself.
const JOINS: usize = 10;

/// One for each.
const LINE_BUFFERS: u16 = 5;

/// So much is said, pastes left aside.
const LINES: usize = 64;

/// How long a line may take to come in whole.
const LINE_TIMEOUT: Duration = Duration::from_secs(10);

/// What the members do.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    quiet: Span,
    history: u8,
    /// How much a member may say; `None`: there is no limit.
    rate: Option<Rate>,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Join,
    Leave(u8, bool),
    /// A whole line.
    Line(u8, Words<'a>),
    /// Bytes, which may be a part of a line or several.
    Bytes(u8, &'a [u8]),
    End(u8),
    Disconnect(u8),
    /// A member's link takes so many bytes.
    Read(u8, u8),
    Wait(Span),
    /// The same line again and again, all at once.
    Paste(u8, Words<'a>, u8),
}

#[derive(Debug, Arbitrary)]
enum Words<'a> {
    Say(&'a [u8]),
    Act(&'a [u8]),
    Nick(&'a [u8]),
    /// To the member who has that place.
    Whisper(u8, &'a [u8]),
    Who,
    Help,
    Quit,
}

impl Words<'_> {
    /// How many lines they are.
    fn lines(&self) -> usize {
        let (Self::Say(text) | Self::Act(text) | Self::Nick(text) | Self::Whisper(_, text)) = self
        else {
            return 1;
        };
        text.split(|byte| *byte == b'\n').count()
    }
}

/// A member: its connection, and how its bytes are to be read.
struct Peer {
    id: MemberId,
    driver: ManualDriver,
    texts: Texts,
}

struct Simulation<'m> {
    room: Room<'m>,
    model: model::Model,
    peers: Vec<Option<Peer>>,
    config: RoomConfig,
    /// How many lines may still be pasted.
    paste: usize,
    /// How many have come, and whether some of them are known by a name.
    joins: usize,
    has_names: bool,
    now: Instant,
    heard: Vec<String>,
}

impl Simulation<'_> {
    fn peer(&self, id: MemberId) -> Peer {
        let texts = Texts::new(LONGEST.into(), Some(self.config.quiet)).within(LINE_TIMEOUT);
        Peer { id, driver: ManualDriver::default(), texts }
    }

    fn join(&mut self) {
        if self.joins == JOINS {
            return;
        }
        self.joins += 1;
        let name = (self.has_names && self.joins.is_multiple_of(2)).then_some(NAME);
        let number = self.model.join(name);
        let source = Source(number.unwrap_or_default() as u64);
        let id = match name {
            Some(name) => self.room.join_named(self.now, source, name).ok(),
            None => self.room.join(self.now, source).ok(),
        };
        assert_eq!(id.is_some(), number.is_some(), "as many as there are places");
        if let (Some(number), Some(id)) = (number, id) {
            self.peers[number] = Some(self.peer(id));
        }
    }

    fn leave(&mut self, number: usize, why: LeaveReason) {
        let Some(peer) = self.peers[number].take_if(|_| number != OPERATOR) else { return };
        self.room.leave(self.now, peer.id, why);
        assert_eq!(self.room.nick(peer.id), None, "it has left");
        self.room.leave(self.now, peer.id, why);
        self.model.leave(number, self.now, why.reason());
    }

    /// Somebody, or a vacant place; the model's numbers and ours are those of the places.
    fn pick(&self, number: u8) -> usize {
        usize::from(number) % self.peers.len()
    }

    fn expect(&mut self, number: usize, said: Said) {
        if self.model.members[number].as_ref().is_none_or(|member| member.has_ended) {
            return;
        }
        match said {
            Said::Text(line) => self.heard.extend(self.model.hear(number, self.now, &line)),
            Said::TooLong => {
                let why = format!("a line has at most {LONGEST} bytes: yours was refused");
                self.model.refuse(number, self.now, &why);
            }
            Said::TooLate => {
                let why = "your line took longer than 10 s: it was refused";
                self.model.refuse(number, self.now, why);
            }
        }
    }

    /// A member's bytes arrive, or time passes for it, or its stream ends.
    fn turn(&mut self, number: usize, what: Turn<'_>) {
        let Some(mut peer) = self.peers[number].take() else { return };
        let (now, mut said) = (self.now, Vec::new());
        let member = self.room.member(peer.id);
        let mut member = member.expect("it has not left");
        let mut told = Vec::new();
        let on_event = |event: MemberEvent<'_>| told.push(event.to_string());
        let failed: Option<MemberError> = match what {
            Turn::Bytes(_) if peer.driver.ended => None,
            Turn::Bytes(bytes) => {
                for byte in bytes {
                    if self.model.opens_otherwise(number, *byte) {
                        break;
                    }
                    peer.texts.hear(now, &[*byte], |text| said.push(text));
                }
                peer.driver.hear(now, &mut member, bytes, on_event)
            }
            Turn::End => {
                peer.driver.ended = true;
                said.extend(peer.texts.end());
                peer.driver.listen(now, &mut member, on_event)
            }
            Turn::Wait => {
                peer.texts.hold(self.model.may_be_request(number));
                said.extend(peer.texts.wait(now));
                peer.driver.expire(now, &mut member, on_event)
            }
        };
        assert_eq!(failed, None, "nobody is in the way here");
        assert!(peer.driver.held.is_empty(), "nothing has to wait here");
        let is_end = matches!(what, Turn::End);
        self.peers[number] = Some(peer);
        for said in said {
            let is_unended = !matches!(what, Turn::Bytes(_)) && said != Said::TooLate;
            if is_unended && self.model.ends_otherwise(number) {
                continue;
            }
            self.expect(number, said);
        }
        if is_end {
            self.model.end(number);
        }
        assert_eq!(told, self.heard, "what the owner is told");
        self.heard.clear();
    }

    /// So many bytes go out to a member; what has is what the model says.
    fn read(&mut self, number: usize, room: u64) {
        let Some(peer) = &mut self.peers[number] else { return };
        let mut member = self.room.member(peer.id).expect("it has not left");
        peer.driver.transmit(self.now, &mut member, room);
        let model = self.model.members[number].as_ref().expect("it has not left");
        let (found, expected) = (&peer.driver.sent, model.expected.as_bytes());
        if room == u64::MAX {
            let is_nick = |nick: &str| self.model.nicks.contains(nick);
            let lines = str::from_utf8(found).expect("what a room says is UTF-8");
            lines.lines().for_each(|line| forms::judge(line, &is_nick));
        }
        assert!(
            expected.starts_with(found),
            "sent: {}\nexpected: {}",
            found.escape_ascii(),
            expected.escape_ascii()
        );
        if room == u64::MAX {
            assert_eq!(found.len(), expected.len(), "something is missing");
            assert_eq!(
                (peer.driver.has_shut_down(), peer.driver.closed),
                (model.has_ended, model.has_ended)
            );
        }
        if peer.driver.closed {
            self.leave(number, LeaveReason::Quit);
        }
    }

    fn disconnect(&mut self, number: usize) {
        if let Some(peer) = self.peers[number].as_ref().filter(|_| number != OPERATOR) {
            self.room.member(peer.id).expect("it has not left").disconnect(self.now);
            self.model.end(number);
        }
    }

    fn line(&self, words: &Words<'_>) -> Vec<u8> {
        let (start, text): (&[u8], &[u8]) = match words {
            Words::Say(text) => (b"", text),
            Words::Act(text) => (b"/me ", text),
            Words::Nick(name) => (b"/nick ", name),
            Words::Whisper(to, text) => {
                let member = self.model.members[self.pick(*to)].as_ref();
                let nick = member.map_or("nobody", |member| &member.nick);
                return [b"/msg ", nick.as_bytes(), b" ", text, b"\n"].concat();
            }
            Words::Who => (b"/who", b""),
            Words::Help => (b"/help", b""),
            Words::Quit => (b"/quit", b""),
        };
        [start, text, b"\n"].concat()
    }
}

#[derive(Clone, Copy)]
enum Turn<'b> {
    Bytes(&'b [u8]),
    End,
    Wait,
}

impl Step<'_> {
    /// How many lines it may bring about, answers among them; those of a paste left aside.
    fn lines(&self) -> usize {
        match self {
            Self::Bytes(_, bytes) => 1 + bytes.len(),
            Self::Join | Self::Line(..) => 2,
            Self::Wait(_) => PLACES,
            _ => 1,
        }
    }
}

/// The memory of a room, which is never empty.
struct Memory {
    members: Vec<MemberSlot>,
    sources: Vec<SourceSlot>,
    bytes: Vec<u8>,
    lines: Vec<LogEntry>,
}

/// Everybody receives all that is meant for it, once and in its order, and nothing else.
pub fn check(input: &Input<'_>) {
    let rate = input.rate.map_or(0, Rate::lines);
    let pastes = rate > 0 && input.steps.iter().any(|step| matches!(step, Step::Paste(..)));
    let paste = if pastes { PASTED } else { 0 };
    // All fits into the log, however long it is: nobody ever waits.
    let most = LINES + paste;
    let (quiet, history) = (input.quiet.duration(), u16::from(input.history % 32));
    // Nobody is hurried at its end, but in the room that is too small for all.
    let config = RoomConfig::new()
        .with_quiet(quiet)
        .with_history(history)
        .with_rate(rate)
        .with_end_timeout(Duration::MAX)
        .with_max_text(LONGEST)
        .with_line_buffers(LINE_BUFFERS);
    let mut memory = Memory {
        members: (0..PLACES).map(|_| MemberSlot::vacant()).collect(),
        sources: (0..PLACES).map(|_| SourceSlot::vacant()).collect(),
        bytes: vec![0xaa; config.bytes(2 * most * max_line_bytes(LONGEST))],
        lines: vec![LogEntry::EMPTY; 4 * most],
    };
    let Memory { members, sources, bytes, lines } = &mut memory;
    let room = Room::new(members, sources, lines, bytes, config).expect("it is enough");
    let model = model::Model::new(PLACES, history.into(), rate, LONGEST);
    let operator = room.operator();
    let peers = (0..PLACES).map(|_| None).collect();
    let mut simulation = Simulation {
        room,
        model,
        peers,
        config,
        paste,
        joins: 0,
        has_names: input.history >= NAMES_FROM,
        now: START,
        heard: Vec::new(),
    };
    simulation.peers[OPERATOR] = Some(simulation.peer(operator));
    let mut lines = 0;
    for step in &input.steps {
        lines += step.lines();
        if lines > LINES {
            break;
        }
        simulation.step(step);
        assert_eq!(simulation.room.count(), simulation.peers.iter().flatten().count() - 1);
    }
    for number in 0..PLACES {
        simulation.read(number, u64::MAX);
    }
}

impl Simulation<'_> {
    fn step(&mut self, step: &Step<'_>) {
        match step {
            Step::Join => self.join(),
            Step::Leave(number, is_lost) => {
                let why = if *is_lost { LeaveReason::Lost } else { LeaveReason::Quit };
                self.leave(self.pick(*number), why);
            }
            Step::Line(number, words) => {
                let line = self.line(words);
                self.turn(self.pick(*number), Turn::Bytes(&line));
            }
            Step::Bytes(number, bytes) => self.turn(self.pick(*number), Turn::Bytes(bytes)),
            Step::End(number) => self.turn(self.pick(*number), Turn::End),
            Step::Disconnect(number) => self.disconnect(self.pick(*number)),
            Step::Paste(number, words, count) => {
                let count = usize::from(*count).min(self.paste / words.lines());
                self.paste -= count * words.lines();
                let lines = self.line(words).repeat(count);
                self.turn(self.pick(*number), Turn::Bytes(&lines));
            }
            Step::Read(number, room) => self.read(self.pick(*number), (*room).into()),
            Step::Wait(span) => {
                self.now += span.duration();
                for number in 0..self.peers.len() {
                    self.turn(number, Turn::Wait);
                }
            }
        }
    }
}

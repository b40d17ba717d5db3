//! Clients in a room that is too small for them, over links that are slow or break.
//!
//! Where there is no flood control, there are fewer buffers than members: a line that has begun may be given up,
//! since others wait for its buffer, or since it waited for one for too long. When its sender is told so depends on
//! when there is room; so these notes are judged apart from what has its place among all lines.

mod simulation;

use arbitrary::Arbitrary;
use barewire_core::chat::{
    DEFAULT_END_TIMEOUT, DEFAULT_PATIENCE, LeaveReason, LogEntry, MemberSlot, Room, RoomConfig,
    SourceSlot, min_log_bytes,
};
use barewire_core::time::Duration;

use self::simulation::{LONGEST, REFUSALS, Simulation, What};
use super::flood::{PASTED, Rate};
use super::public::Model;
use crate::script::{START, Span};

/// Places, the operator's among them.
const PLACES: usize = 1 + MEMBERS as usize;
const MEMBERS: u16 = 4;

/// The memory of the room, and what happens in it.
#[derive(Debug, Arbitrary)]
pub struct Input {
    bytes: u8,
    lines: u8,
    parts: u8,
    /// How much a member may say; `None`: there is no limit.
    rate: Option<Rate>,
    steps: Vec<Step>,
}

#[derive(Debug, Arbitrary)]
enum Step {
    Join,
    Say(u8, What, u8),
    /// So many bytes go from a client to the room.
    Up(u8, u8),
    /// So many bytes go from the room to a client.
    Down(u8, u8),
    Finish(u8),
    Lose(u8),
    Wait(Span),
    /// So many lines, and the link takes them all.
    Paste(u8, What, u8),
}

impl Simulation<'_> {
    fn step(&mut self, step: &Step) {
        let pick = |number: u8, count: usize| usize::from(number) % count.max(1);
        let (Step::Say(number, ..)
        | Step::Paste(number, ..)
        | Step::Up(number, _)
        | Step::Down(number, _)
        | Step::Finish(number)
        | Step::Lose(number)) = step
        else {
            if let Step::Wait(span) = step {
                self.now += span.duration();
                (0..self.peers.len()).for_each(|number| self.attend(number));
            } else {
                self.join();
            }
            return;
        };
        if self.peers.is_empty() {
            return;
        }
        let number = pick(*number, self.peers.len());
        match step {
            Step::Say(_, what, length) => {
                let _ = self.say(number, *what, *length);
            }
            Step::Paste(_, what, count) => self.paste(number, *what, *count),
            Step::Up(_, count) => self.up(number, (*count).into()),
            Step::Down(_, count) => self.down(number, (*count).into()),
            Step::Finish(_) => {
                self.peers[number].client.finish(self.now, DEFAULT_END_TIMEOUT);
            }
            _ => self.leave(number, LeaveReason::Lost),
        }
    }

    /// Everybody has said what it wanted to, and links are fast again.
    fn end(&mut self) {
        for _ in 0..256 {
            for number in 0..self.peers.len() {
                self.peers[number].client.finish(self.now, DEFAULT_END_TIMEOUT);
                self.up(number, usize::MAX);
                self.attend_all();
                self.down(number, usize::MAX);
                self.attend_all();
            }
            if self.peers.iter().all(|peer| peer.id.is_none()) {
                return;
            }
            self.now += DEFAULT_PATIENCE;
        }
        panic!("somebody never comes to an end");
    }
}

/// Everybody who stays to the end receives everything that the others said, once and in one order;
/// who does not, the beginning of it.
pub fn check(input: &Input) {
    let mut members: [MemberSlot; PLACES] = std::array::from_fn(|_| MemberSlot::vacant());
    let mut sources: [SourceSlot; PLACES] = std::array::from_fn(|_| SourceSlot::vacant());
    let mut lines = vec![LogEntry::EMPTY; 16 + usize::from(input.lines % 32)];
    // Silence ends no line here: half of one is no line that was said.
    let rate = input.rate.map_or(0, Rate::lines);
    let config = RoomConfig::new()
        .with_rate(rate)
        .with_quiet(Duration::MAX)
        .with_max_text(LONGEST)
        // What is refused takes of what a member may say, and when that is, is not known for lines given up.
        .with_line_buffers(u16::from(input.parts % 4) + if rate == 0 { 1 } else { MEMBERS });
    let log = min_log_bytes(LONGEST) + 4 * usize::from(input.bytes);
    let mut bytes = vec![0xaa; config.bytes(log)];
    let room = Room::new(&mut members, &mut sources, &mut lines, &mut bytes, config)
        .expect("it is enough");
    let mut simulation = Simulation {
        room,
        model: Model::default(),
        rate,
        paste: if rate == 0 { 0 } else { PASTED },
        peers: Vec::new(),
        now: START,
    };
    for step in input.steps.iter().take(128) {
        simulation.step(step);
        simulation.attend_all();
    }
    simulation.end();
    for (number, peer) in simulation.peers.iter().enumerate() {
        let is_refusal = |line: &String| {
            line.strip_prefix("* ").is_some_and(|notice| REFUSALS.contains(&notice))
        };
        let (refusals, received): (Vec<_>, Vec<_>) =
            peer.received.iter().cloned().partition(|line| rate == 0 && is_refusal(line));
        simulation.model.judge(number, &received, peer.whole);
        let most = peer.given_up + usize::from(!peer.whole);
        assert!(refusals.len() <= most, "{number} has lost {} lines", peer.given_up);
        assert!(!peer.whole || refusals.len() == most, "{number} was not told of every line");
        assert!(!peer.whole || peer.pending.is_empty(), "{:?} was never heard", peer.pending);
    }
}

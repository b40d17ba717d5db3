//! Several members of one source, who come and go: whatever number of connections one has, it gets no
//! more than one share of what is limited, and others wait no longer for it.
//!
//! - **Safety**: in no window of time does a source say, or join, more than its rate and its burst let it;
//!   nor does it ever have more members, or more begun lines with a buffer, than its share.
//! - **Liveness**: a member who is the only one of its source waits for a buffer no longer than the
//!   patience for each that waited before it, and once for itself; nobody who reads at every turn is dropped.

mod accounts;
mod simulation;

use arbitrary::Arbitrary;
use barewire_core::chat::{LogEntry, MemberSlot, Room, RoomConfig, SourceSlot, max_line_bytes};
use barewire_core::time::{Duration, Instant};

use self::accounts::{Accounts, Limits, TALKERS};
use self::simulation::{JOINS, LONGEST, PLACES, SAID, Simulation};
use super::flood::Rate;
use crate::script::Span;

/// Where members come from: most from the first, and each of the others has few.
const SOURCES: u8 = 3;

/// So many operations.
const STEPS: usize = 96;

/// Each line that is said is told, or its sender is; and who comes and goes is.
const LINES: usize = SAID + 3 * JOINS;
const LOG_BYTES: usize = LINES * max_line_bytes(LONGEST);

/// The rules of the room, and what happens in it.
#[derive(Debug, Arbitrary)]
pub struct Input {
    rate: Option<Rate>,
    burst: u8,
    members: u8,
    joins: Option<Rate>,
    join_burst: u8,
    accounts: u8,
    line_buffers: u8,
    share: u8,
    steps: Vec<Step>,
}

#[derive(Debug, Arbitrary)]
enum Step {
    /// Somebody comes, from that source.
    Join(u8),
    Leave(u8),
    /// A line, so long and with so many controls in it, of which so many bytes arrive at once.
    Say(u8, u8, u8, u8),
    /// The rest of a line arrives.
    GoOn(u8),
    /// All members of a source say so many lines.
    Chorus(u8, u8),
    Wait(Span),
}

impl Input {
    fn limits(&self) -> Limits {
        Limits {
            rate: self.rate.map_or(0, Rate::lines),
            burst: 1 + u32::from(self.burst % 4),
            members: [0, 1, 3, 6][usize::from(self.members % 4)],
            join_rate: self.joins.map_or(0, Rate::lines),
            join_burst: 1 + u32::from(self.join_burst % 6),
            line_buffers: 1 + u16::from(self.line_buffers % 4),
            share: u16::from(self.share % 3),
        }
    }
}

fn number_of(source: u8) -> u64 {
    u64::from(source % 8).saturating_sub(u64::from(8 - SOURCES))
}

/// In every window, no more happens than the rate brings in it and the burst, and `more`.
fn judge_windows(moments: &[(Instant, u32)], rate: u32, burst: u32, more: u32) {
    if rate == 0 {
        return;
    }
    for (first, &(since, _)) in moments.iter().enumerate() {
        let mut count = 0;
        for &(until, amount) in &moments[first..] {
            count += u64::from(amount);
            let brought = until.duration_since(since).as_micros() * u64::from(rate) / 1_000_000;
            let most = brought + u64::from(burst + more);
            assert!(count <= most, "{count} from {since:?} to {until:?}, where {most} may be");
        }
    }
}

/// What a source gets is bounded by its limits, whatever number of members it has; and everybody receives
/// just what passes them.
pub fn check(input: &Input) {
    let limits = input.limits();
    let config = RoomConfig::new()
        .with_history(0)
        .with_quiet(Duration::MAX)
        .with_max_text(LONGEST)
        .with_rate(limits.rate)
        .with_burst(limits.burst)
        .with_members_per_source(limits.members)
        .with_joins(limits.join_rate, limits.join_burst)
        .with_line_buffers(limits.line_buffers)
        .with_line_buffers_per_source(limits.share);
    let mut members: [MemberSlot; PLACES] = std::array::from_fn(|_| MemberSlot::vacant());
    let mut sources: Vec<SourceSlot> =
        (0..=input.accounts % (SOURCES + 1)).map(|_| SourceSlot::vacant()).collect();
    let accounts = Accounts::new(sources.len(), limits);
    let (mut entries, mut bytes) = (vec![LogEntry::EMPTY; LINES], vec![0; config.bytes(LOG_BYTES)]);
    let room = Room::new(&mut members, &mut sources, &mut entries, &mut bytes, config);
    let mut simulation = Simulation::new(room.expect("it is enough"), accounts, limits);
    for step in input.steps.iter().take(STEPS) {
        match *step {
            Step::Join(source) => simulation.join(number_of(source)),
            Step::Leave(number) => simulation.leave(number),
            Step::Say(number, length, controls, cut) => {
                simulation.say(number, length, controls, cut);
            }
            Step::GoOn(number) => simulation.go_on(number),
            Step::Chorus(source, count) => simulation.chorus(number_of(source), count % 8),
            Step::Wait(span) => simulation.wait(span.duration()),
        }
        simulation.settle();
    }
    simulation.end();
    for account in simulation.accounts.all() {
        // A line that controls make longer may count as two.
        judge_windows(&account.said, TALKERS * limits.rate, TALKERS * limits.burst, 1);
        judge_windows(&account.joined, limits.join_rate, limits.join_burst, 0);
    }
}

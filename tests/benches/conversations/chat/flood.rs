//! The load of members that say as much as the room takes.

use std::io;
use std::time::{Duration, Instant};

use super::crowd::{Crowd, line_feeds};
use super::setup::{SENDERS, line};
use crate::process::{Server, own_processor_time};

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Lines that arrived somewhere.
    pub(super) deliveries: u64,
    /// From the first line said to the last delivery.
    pub(super) elapsed: Duration,
    /// Processor time that the members took.
    pub(super) load: Duration,
}

/// Has each of the senders say lines for `span`, never more than `window` of them under way.
///
/// A line is under way until the *slowest* member has it; so there is a bound on what the server has
/// to keep, and it has no reason to lose anything. The senders go on in steps of half a window: when
/// all have heard one step of theirs, the next is said while another is still under way.
///
/// # Errors
///
/// A line is lost or comes twice, or the server falls silent or closes.
pub(super) fn run(
    server: &Server,
    crowd: &mut Crowd,
    window: usize,
    span: Duration,
) -> io::Result<Run> {
    let lines: Vec<_> = (0..SENDERS).map(|sender| line(&format!("from {sender} "))).collect();
    let step = window.div_ceil(2);
    let mut counts = Counts::new(crowd.len(), step);
    let load_before = own_processor_time()?;
    let started = Instant::now();
    let mut said = 0;
    let mut wanted = 2;
    while said < wanted {
        while said < wanted {
            for _ in 0..step {
                for (sender, line) in lines.iter().enumerate() {
                    crowd.say(sender, line)?;
                }
            }
            said += 1;
        }
        while counts.complete + 1 < said {
            crowd.hear_soon(|member, bytes| counts.add(member, line_feeds(bytes)))?;
        }
        if started.elapsed() < span {
            wanted = counts.complete + 2;
        }
    }
    while counts.complete < said {
        crowd.hear_soon(|member, bytes| counts.add(member, line_feeds(bytes)))?;
    }
    let elapsed = started.elapsed();
    let load = own_processor_time()?.saturating_sub(load_before);

    let deliveries = (said * step * SENDERS * (crowd.len() - 1)) as u64;
    let more = crowd.hear_out(server)?;
    if counts.deliveries + more != deliveries {
        let arrived = counts.deliveries + more;
        return Err(io::Error::other(format!("{arrived} deliveries in place of {deliveries}")));
    }
    Ok(Run { deliveries, elapsed, load })
}

/// What has arrived where.
struct Counts {
    members: Vec<Count>,
    deliveries: u64,
    /// How many members have heard each step.
    steps: Vec<usize>,
    /// Steps that all members have heard.
    complete: usize,
}

/// What has arrived at one member.
struct Count {
    lines: u64,
    /// Steps of which it has heard all.
    steps: usize,
    /// Lines that a step brings it: none of its own.
    step: u64,
    /// With so many lines it has heard the next step.
    next: u64,
}

impl Counts {
    fn new(members: usize, step: usize) -> Self {
        let members = (0..members)
            .map(|member| {
                let others = SENDERS - usize::from(member < SENDERS);
                let step = (others * step) as u64;
                Count { lines: 0, steps: 0, step, next: step }
            })
            .collect();
        Self { members, deliveries: 0, steps: Vec::new(), complete: 0 }
    }

    #[expect(clippy::unnecessary_wraps, reason = "what is heard may be wrong elsewhere")]
    fn add(&mut self, member: usize, lines: u64) -> io::Result<()> {
        let all = self.members.len();
        let count = &mut self.members[member];
        self.deliveries += lines;
        count.lines += lines;
        while count.lines >= count.next {
            if self.steps.len() == count.steps {
                self.steps.push(0);
            }
            self.steps[count.steps] += 1;
            count.steps += 1;
            count.next += count.step;
        }
        while self.steps.get(self.complete) == Some(&all) {
            self.complete += 1;
        }
        Ok(())
    }
}

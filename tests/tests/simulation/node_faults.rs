//! What befalls nodes, and when.

use std::collections::BTreeMap;

use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::stream::{Direction, End, Streams};

/// How long a program tries to reach a machine that is down.
const CONNECTING: Duration = Duration::from_secs(10);

/// What befalls a node, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeFault {
    /// Its program is killed; the system closes its connections.
    Kill,
    /// The machine fails, without a word.
    PowerCut,
    /// Its programs are not given the processor.
    Stall,
}

impl NodeFault {
    /// Befalls the node that has this end.
    pub(crate) fn inject(self, streams: &mut Streams, end: End, until: Instant) {
        match self {
            Self::Kill => streams.kill(end),
            Self::PowerCut => streams.lose_power(end, until),
            Self::Stall => streams.stall(end, until),
        }
    }
}

/// A server that is down, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    pub(crate) what: NodeFault,
    pub(crate) back_at: Instant,
}

impl Outage {
    /// When somebody who connects `now` learns that it is in vain: at once, if the machine is there
    /// to refuse it. `None`: the server is back.
    pub(crate) fn fails_at(self, now: Instant) -> Option<Instant> {
        let fails_at = if self.what == NodeFault::Kill { now } else { now + CONNECTING };
        (now < self.back_at).then_some(fails_at.min(self.back_at))
    }
}

/// What is going to happen to nodes, beside what their connections bring.
pub(crate) struct Agenda<S> {
    /// An end whose turns are for this.
    door: End,
    steps: BTreeMap<(Instant, usize), S>,
    entered: usize,
}

impl<S> Agenda<S> {
    pub(crate) fn new(streams: &mut Streams) -> Self {
        let [door, _] = streams.connect([Direction::SMOOTH, Direction::SMOOTH], None);
        Self { door, steps: BTreeMap::new(), entered: 0 }
    }

    pub(crate) fn enter(&mut self, streams: &mut Streams, at: Instant, step: S) {
        self.steps.insert((at, self.entered), step);
        self.entered += 1;
        streams.wake(self.door, at);
    }

    /// Whether a turn of this end is one of the agenda.
    pub(crate) fn is_meant(&self, end: End) -> bool {
        end == self.door
    }

    /// Takes out what is due.
    pub(crate) fn next(&mut self, now: Instant) -> Option<S> {
        let entry = self.steps.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }
}

//! One exchange after another, counted.

use barewire_core::time::{Duration, Instant};
use barewire_linux::executor::Task;
use barewire_linux::signals::Caught;
use clap::Args;

use crate::cli::exit::Failure;
use crate::cli::numbers::at_least;
use crate::cli::times::{duration, written};
use crate::output::events::summary::Millis;
use crate::output::printer::Printer;

use super::interruptible;
use super::statistics::Statistics;

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct RepeatArguments {
    /// Make N exchanges, and print a summary of losses and round-trip times
    #[arg(short, long, value_name = "N", value_parser = at_least(1_u64))]
    count: Option<u64>,

    /// With --count, the time from one exchange to the next, on average: 1s, 20ms or 100us. After a delay it
    /// catches up with one second of it at most
    #[arg(short, long, value_name = "TIME", value_parser = duration, requires = "count",
          default_value = written(Duration::from_secs(1)))]
    interval: Duration,
}

/// How much of a delay is made up for by exchanges that follow each other at once.
const MADE_UP: Duration = Duration::from_secs(1);

/// What the tasks of a client share.
#[derive(Debug)]
pub(crate) struct Exchanges<'p> {
    pub(crate) printer: &'p mut Printer,
    repeat: RepeatArguments,
    statistics: Statistics,
    next_start: Instant,
    first_start: Option<Instant>,
    last_start: Instant,
    /// An exchange began later than can be made up for.
    was_late: bool,
    /// Why the last one that failed did.
    last_failure: Option<String>,
}

/// Runs `task`, which asks as often as it is told, to its end or until a signal.
pub(crate) fn run(
    repeat: RepeatArguments,
    printer: &mut Printer,
    task: impl for<'p> Task<Exchanges<'p>> + 'static,
) -> Result<(), Failure> {
    let (mut executor, caught) = interruptible::executor()?;
    let mut exchanges = Exchanges::new(repeat, printer);
    executor.spawn(Box::new(task));
    executor.run(&mut exchanges).map_err(Failure::system)?;
    exchanges.finish(&caught)
}

impl<'p> Exchanges<'p> {
    fn new(repeat: RepeatArguments, printer: &'p mut Printer) -> Self {
        Self {
            printer,
            repeat,
            statistics: Statistics::new(),
            next_start: Instant::ZERO,
            first_start: None,
            last_start: Instant::ZERO,
            was_late: false,
            last_failure: None,
        }
    }

    /// When the next exchange starts; `None` if there is none.
    pub(crate) fn next_start(&self) -> Option<Instant> {
        (self.statistics.count() < self.repeat.count.unwrap_or(1)).then_some(self.next_start)
    }

    /// The interval is kept on average: who is late makes up for it, but not for more than
    /// [`MADE_UP`].
    pub(crate) fn start(&mut self, now: Instant) {
        let first = *self.first_start.get_or_insert(now);
        let earliest = now.saturating_sub(MADE_UP).max(first);
        self.was_late |= self.next_start < earliest && self.statistics.count() > 0;
        self.next_start = self.next_start.max(earliest) + self.repeat.interval;
        self.last_start = now;
        self.statistics.sent();
    }

    /// The exchange was answered, so long after it was really started: finding the server is no part of
    /// the round trip.
    pub(crate) fn succeed(&mut self, round_trip: Duration) {
        self.statistics.received(round_trip);
        if self.repeat.count.is_some() {
            log::debug!("round trip {}", Millis(round_trip.as_micros()));
        }
        self.printer.flush();
    }

    /// The exchange was answered, but with a reply that cannot be used whole. For one that is asked
    /// once that is a failure.
    pub(crate) fn succeed_in_part(&mut self, round_trip: Duration, reason: String) {
        self.succeed(round_trip);
        self.fail(reason);
    }

    /// The exchange failed. Among several it is only noted.
    pub(crate) fn fail(&mut self, reason: String) {
        if self.repeat.count.is_some_and(|count| count > 1) {
            log::warn!("{reason}");
        }
        self.last_failure = Some(reason);
    }

    /// Sums up, and tells how the program ends. A signal ends it early, but not without the sum.
    fn finish(mut self, caught: &Caught) -> Result<(), Failure> {
        if self.was_late {
            let lasted = self.last_start.duration_since(self.first_start.unwrap_or_default());
            let each =
                Duration::from_micros(lasted.as_micros() / (self.statistics.count() - 1).max(1));
            let interval = self.repeat.interval;
            log::warn!("the interval was not kept: an exchange every {each}, not every {interval}");
        }
        if self.repeat.count.is_some() {
            self.printer.show(&self.statistics.summary());
        }
        match (caught.number(), self.last_failure.take()) {
            (Some(signal), _) => Err(Failure::Signal(signal)),
            (None, Some(last))
                if !self.statistics.has_received() || self.repeat.count.is_none() =>
            {
                Err(Failure::Conversation(if self.statistics.count() > 1 {
                    format!(
                        "none of {} exchanges succeeded; the last: {last}",
                        self.statistics.count()
                    )
                } else {
                    last
                }))
            }
            (None, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::format::Format;

    /// The starts that follow at once when exchanges can only be started at these times, in milliseconds.
    #[track_caller]
    fn starts(interval: u64, at: &[(u64, u64)], is_late: bool) {
        let mut printer = Printer::new("test", Format::Text, true);
        let interval = Duration::from_millis(interval);
        let repeat = RepeatArguments { count: Some(1_000), interval };
        let mut exchanges = Exchanges::new(repeat, &mut printer);
        for (now, next) in at {
            exchanges.start(Instant::from_millis(*now));
            assert_eq!(exchanges.next_start(), Some(Instant::from_millis(*next)), "after {now}");
        }
        assert_eq!(exchanges.was_late, is_late);
    }

    #[test]
    fn an_interval_is_kept_on_average() {
        starts(100, &[(50, 150), (150, 250), (270, 350), (350, 450)], false);
        // Two came too late, and the next follow at once.
        starts(100, &[(0, 100), (350, 200), (350, 300), (350, 400), (400, 500)], false);
    }

    #[test]
    fn what_cannot_be_made_up_for_is_told() {
        starts(100, &[(0, 100), (5_000, 4_100), (5_000, 4_200)], true);
    }
}

//! What the clients have in common: one exchange after another, counted.

use std::io;
use std::net::SocketAddr;
use std::time::Instant as StdInstant;

use barewire_core::time::{Duration, Instant};
use barewire_linux::executor::{Executor, Task};
use barewire_linux::signals::{Caught, Signals};
use clap::Args;

use crate::cli::addresses::Place;
use crate::cli::failure::Failure;
use crate::cli::times::time;
use crate::output::events::summary::{Millis, Tally};
use crate::output::printer::Printer;
use crate::output::system_error::describe;
use crate::output::writable;

/// How often a client asks.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Often {
    /// Ask N times, and sum up how many were answered and how fast
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// The time from one asking to the next, with --count
    #[arg(short, long, value_name = "TIME", value_parser = time, requires = "count",
          default_value_t = Duration::from_secs(1))]
    interval: Duration,
}

/// What the tasks of a client share.
#[derive(Debug)]
pub(crate) struct Asking<'o> {
    pub(crate) output: &'o mut Printer,
    often: Often,
    tally: Tally,
    next: Instant,
    begun: Option<StdInstant>,
    /// Why the last one that failed did.
    failed: Option<String>,
}

/// Runs `task`, which asks as often as it is told, to its end or until a signal.
pub(crate) fn ask(
    often: Often,
    output: &mut Printer,
    task: impl for<'o> Task<Asking<'o>> + 'static,
) -> Result<(), Failure> {
    let signals = Signals::block().map_err(Failure::system)?;
    let caught = signals.caught();
    writable::interrupt_by(caught.clone());
    let mut asking = Asking::new(often, output);
    let mut executor = Executor::new().map_err(Failure::system)?;
    executor.spawn(Box::new(signals));
    executor.spawn(Box::new(task));
    executor.run(&mut asking).map_err(Failure::system)?;
    asking.finish(&caught)
}

impl<'o> Asking<'o> {
    fn new(often: Often, output: &'o mut Printer) -> Self {
        let tally = Tally::new();
        Self { output, often, tally, next: Instant::ZERO, begun: None, failed: None }
    }

    /// When the next exchange begins; `None` if there is none.
    pub(crate) fn next(&self) -> Option<Instant> {
        (self.tally.count() < self.often.count.unwrap_or(1)).then_some(self.next)
    }

    /// An exchange begins.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.tally.sent();
        self.next = now.max(self.next) + self.often.interval;
        self.begun = Some(StdInstant::now());
    }

    /// The exchange was answered; how long that took.
    pub(crate) fn succeed(&mut self) {
        let round_trip = self.begun.take().map_or(Duration::ZERO, |begun| begun.elapsed().into());
        self.tally.received(round_trip);
        if self.often.count.is_some() {
            log::debug!("round trip {}", Millis(round_trip.as_micros()));
        }
        self.output.flush();
    }

    /// The exchange really begins: what came before is not part of the round trip.
    pub(crate) fn restart_clock(&mut self) {
        self.begun = Some(StdInstant::now());
    }

    /// The exchange was answered, but with a reply that cannot be used whole. For one that is asked
    /// once that is a failure.
    pub(crate) fn succeed_in_part(&mut self, reason: String) {
        self.succeed();
        self.fail(reason);
    }

    /// The exchange failed. Among several it is only noted.
    pub(crate) fn fail(&mut self, reason: String) {
        self.begun = None;
        if self.often.count.is_some_and(|count| count > 1) {
            log::warn!("{reason}");
        }
        self.failed = Some(reason);
    }

    /// Sums up, and tells how the program ends. A signal ends it early, but not without the sum.
    fn finish(mut self, caught: &Caught) -> Result<(), Failure> {
        if self.often.count.is_some() {
            self.output.show(&self.tally.summary());
        }
        match (caught.number(), self.failed.take()) {
            (Some(signal), _) => Err(Failure::Signal(signal)),
            (None, Some(last)) if !self.tally.has_received() || self.often.count.is_none() => {
                Err(Failure::Conversation(if self.tally.count() > 1 {
                    format!("none of {} was answered; the last: {last}", self.tally.count())
                } else {
                    last
                }))
            }
            (None, _) => Ok(()),
        }
    }
}

/// Why `server` could not be connected to within `limit`.
pub(crate) fn unconnected(server: &str, limit: Duration, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => format!(
            "cannot connect to {server}: no answer in {limit} (check the address, and whether a \
             firewall drops the packets)"
        ),
        io::ErrorKind::ConnectionRefused => {
            format!(
                "cannot connect to {server}: {} (is a server listening there?)",
                describe(error)
            )
        }
        _ => format!("cannot connect to {server}: {}", describe(error)),
    }
}

/// The pauses before a server is tried again: the first, and the longest that doubling leads to.
pub(crate) const PAUSE: Duration = Duration::from_millis(500);
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The pause after `pause`.
pub(crate) fn longer(pause: Duration) -> Duration {
    pause.doubled().min(LONGEST_PAUSE)
}

/// Whom a client asks, and with what.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    place: Place<'a>,
}

impl<'a> Target<'a> {
    /// Reads the words of the command line.
    pub(crate) fn read(words: &'a [String]) -> Result<Self, Failure> {
        let place = Place::read(words)?;
        if let [_, extra, ..] = place.rest {
            return Err(Failure::usage(format!(
                "'{extra}' is one word too many (put a text of several words in quotes)"
            )));
        }
        Ok(Self { place })
    }

    /// The text to send, if one is given, as `parse` reads it.
    pub(crate) fn text<T>(
        &self,
        parse: impl FnOnce(&'a str) -> Result<T, String>,
    ) -> Result<Option<T>, Failure> {
        let text = self.place.rest.first().map(|text| parse(text));
        text.transpose().map_err(|why| Failure::usage(format!("the text {why}")))
    }

    /// The words after the address.
    pub(crate) fn rest(&self) -> &[String] {
        self.place.rest
    }

    /// The server's name, as the user knows it.
    pub(crate) fn name(&self) -> String {
        self.place.to_string()
    }

    /// The server's addresses.
    pub(crate) fn resolve(&self) -> Result<Vec<SocketAddr>, Failure> {
        if self.place.port == 0 {
            return Err(Failure::Usage(
                "port 0 is nobody's: a client needs the server's port".into(),
            ));
        }
        self.place.resolve()
    }
}

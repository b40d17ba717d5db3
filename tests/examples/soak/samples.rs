//! What a process has of the system, again and again, and how that goes on.

use std::fmt;
use std::fs;
use std::time::Duration;

use nix::unistd::Pid;

/// What growth is none, in KiB: the allocator keeps more or less for later.
const NOISE: f64 = 512.0;

/// As long as a run is short, the servers are still getting warm.
const WARM: Duration = Duration::from_mins(10);

/// What a process has at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// `VmRSS`, in KiB (`proc_pid_status(5)`).
    resident: f64,
    /// `Private_Dirty`, in KiB (`proc_pid_smaps(5)`).
    private: f64,
    pub(crate) descriptors: usize,
    /// The time on a processor, in seconds.
    processor: f64,
}

impl Sample {
    pub(crate) fn of(process: Pid) -> Self {
        let read =
            |file: &str| fs::read_to_string(format!("/proc/{process}/{file}")).expect("it runs");
        let kibibytes = |text: &str, name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("it is told");
            line.trim_end_matches(" kB").trim().parse().expect("a number")
        };
        let stat = read("stat");
        // Behind the name, which may hold anything: the 14th and 15th field (proc_pid_stat(5)).
        let fields = stat.rsplit(") ").next().expect("fields").split(' ').skip(11).take(2);
        let ticks: f64 = fields.map(|field| field.parse::<f64>().expect("a number")).sum();
        Self {
            resident: kibibytes(&read("status"), "VmRSS:"),
            private: kibibytes(&read("smaps_rollup"), "Private_Dirty:"),
            descriptors: fs::read_dir(format!("/proc/{process}/fd")).expect("it runs").count(),
            // USER_HZ is 100 on each system that Rust knows.
            processor: ticks / 100.0,
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident, private, descriptors, processor } = self;
        write!(
            f,
            "{resident} KiB resident, {private} private, {descriptors} open, {processor:.1} s"
        )
    }
}

/// How the samples of a run go on, once it is warm: after its first third.
#[derive(Debug)]
pub(crate) struct Trend {
    resident: Growth,
    private: Growth,
    descriptors: [usize; 3],
    processor: f64,
}

/// In KiB: when it was warm, at most, at the end; and what a straight line through all (least squares) grows by.
#[derive(Debug)]
struct Growth {
    warm: f64,
    most: f64,
    last: f64,
    by: f64,
}

impl Trend {
    pub(crate) const HEADING: &str = "KiB warm, most, at the end (growth): resident; private; descriptors at first, most, at \
                                      the end; processor";

    /// `last` is of when all peers have gone.
    pub(crate) fn of(samples: &[Sample], last: &Sample) -> Self {
        let warm = &samples[samples.len() / 3..];
        let growth =
            |value: fn(&Sample) -> f64| Growth::of(&warm.iter().map(value).collect::<Vec<_>>());
        let open = samples.iter().map(|sample| sample.descriptors);
        Self {
            resident: growth(|sample| sample.resident),
            private: growth(|sample| sample.private),
            descriptors: [samples[0].descriptors, open.max().unwrap_or(0), last.descriptors],
            processor: last.processor,
        }
    }

    pub(crate) fn is_level(&self, time: Duration) -> bool {
        let allowed = if time < WARM { 8.0 * NOISE } else { NOISE };
        let [first, _, last] = self.descriptors;
        // The first conversation may not be over in the first sample.
        last <= first && [&self.resident, &self.private].iter().all(|it| it.by <= allowed)
    }
}

impl Growth {
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let middle = (count - 1.0) / 2.0;
        let mean = values.iter().sum::<f64>() / count;
        let (mut together, mut spread) = (0.0, 0.0);
        for (number, value) in values.iter().enumerate() {
            let from_middle = number as f64 - middle;
            together += from_middle * (value - mean);
            spread += from_middle * from_middle;
        }
        let by = together / f64::max(spread, 1.0) * (count - 1.0);
        let most = values.iter().copied().fold(0.0, f64::max);
        Self { warm: values[0], most, last: values[values.len() - 1], by }
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { warm, most, last, by } = self;
        write!(f, "{warm}, {most}, {last} ({by:+.0})")
    }
}

impl fmt::Display for Trend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident, private, descriptors: [first, most, last], processor } = self;
        write!(f, "{resident}; {private}; {first}, {most}, {last}; {processor:.1} s")
    }
}

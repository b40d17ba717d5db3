//! The machine that all this runs on, and what other programs take of it.

use std::time::{Duration, Instant};
use std::{fs, io};

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::TimeValLike;

/// What has been spent of the machine up to a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    at: Instant,
    processors: usize,
    /// All processor time there was, in ticks.
    all: u64,
    /// What programs spent of it in user mode, or another machine on the same host, in ticks.
    programs: u64,
    /// User mode of this process and of the servers that have ended.
    ours: Duration,
}

impl Spent {
    /// What has been spent up to now.
    pub(crate) fn now() -> io::Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        // proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal; then parts of these.
        let fields: Vec<u64> = stat
            .lines()
            .find_map(|line| line.strip_prefix("cpu "))
            .map(|line| line.split_whitespace().take(8).flat_map(str::parse).collect())
            .unwrap_or_default();
        let &[user, nice, .., steal] = fields.as_slice() else {
            return Err(io::Error::other("/proc/stat is not as proc_stat(5) has it"));
        };
        let mut ours = Duration::ZERO;
        for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
            let micros = getrusage(who)?.user_time().num_microseconds();
            ours += Duration::from_micros(micros.unsigned_abs());
        }
        Ok(Self {
            at: Instant::now(),
            processors: stat.lines().filter(|line| line.starts_with("cpu")).count() - 1,
            all: fields.iter().sum(),
            programs: user + nice + steal,
            ours,
        })
    }

    /// The share of the machine that other programs have had since `earlier`, 0 to 1, at the least.
    ///
    /// Only user mode is compared: whether the kernel's work on packets belongs to a process or to
    /// nobody depends on how the kernel was built. What others do inside the kernel is not seen.
    pub(crate) fn others_since(&self, earlier: &Self) -> f64 {
        let programs = (self.programs - earlier.programs) as f64;
        let all = (self.all - earlier.all).max(1) as f64;
        let ours = self.ours.saturating_sub(earlier.ours).as_secs_f64();
        let wall = self.at.duration_since(earlier.at).as_secs_f64();
        (programs / all - ours / (wall * self.processors as f64)).max(0.0)
    }
}

/// Lets this process, and the servers that inherit it, open as many files as the system allows.
/// Returns how many.
pub(crate) fn raise_open_files_limit() -> io::Result<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}

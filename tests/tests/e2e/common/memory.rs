//! How much memory a process has needed.

use std::fs;

use barewire_tests::harness::Program;

/// The most memory that the process has ever held, in bytes (`VmHWM`, `proc_pid_status(5)`).
#[track_caller]
pub(crate) fn peak_memory(program: &Program) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", program.process()));
    let status = status.expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let figure = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("its peak is told");
    figure.trim().parse::<usize>().expect("it is a number") << 10
}

/// How much more that is than `before`. The kernel adds it up from what each processor has counted,
/// and so it may seem to be a little less.
#[track_caller]
pub(crate) fn growth(program: &Program, before: usize) -> usize {
    peak_memory(program).saturating_sub(before)
}

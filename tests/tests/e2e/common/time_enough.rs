//! Time-outs within which something is to be seen first, on a machine that may be busy.

/// Tries with longer and longer time-outs until one was long enough, in which what is to be shown was seen.
#[track_caller]
pub(crate) fn with_time_enough<T>(attempt: impl FnMut(&'static str) -> Option<T>) -> T {
    let seen = ["100ms", "500ms", "3s", "20s"].into_iter().find_map(attempt);
    seen.expect("this machine is too busy to tell")
}

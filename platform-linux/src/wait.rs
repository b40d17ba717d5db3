//! Waiting for one descriptor outside of an executor (`poll(2)`).

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use barewire_core::time::Duration;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll, ppoll};
use nix::sys::time::TimeSpec;

use crate::sys::retry;

/// Waits until a read from `fd` would not wait (there are bytes, or the end, or an error), and tells
/// whether that is so. `None` waits for ever; with a time-out it takes that long at most, unless
/// signal handlers run, after each of which the wait begins anew.
///
/// # Errors
/// Those of `poll(2)`.
pub fn readable(fd: impl AsFd, timeout: Option<Duration>) -> io::Result<bool> {
    ready(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], timeout)
}

/// Waits until a write to `fd` would not wait (there is room, or an error); otherwise as
/// [`readable`].
///
/// # Errors
/// Those of `poll(2)`.
pub fn writable(fd: impl AsFd, timeout: Option<Duration>) -> io::Result<bool> {
    ready(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLOUT)], timeout)
}

/// As [`writable`], but the wait also ends, with `false`, when `other` is readable: a
/// [`Caught`](crate::signals::Caught), say.
///
/// # Errors
/// Those of `poll(2)`.
pub fn writable_unless(
    fd: impl AsFd,
    other: BorrowedFd<'_>,
    timeout: Option<Duration>,
) -> io::Result<bool> {
    let mut fds =
        [PollFd::new(fd.as_fd(), PollFlags::POLLOUT), PollFd::new(other, PollFlags::POLLIN)];
    ready(&mut fds, timeout)?;
    Ok(fds[0].any() == Some(true))
}

/// As [`readable`], with a time-out to the microsecond (`ppoll(2)`); the wait may end before, with `false`,
/// when a signal handler runs.
///
/// # Errors
/// Those of `ppoll(2)`.
pub(crate) fn readable_precisely(fd: impl AsFd, timeout: Duration) -> io::Result<bool> {
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
    let timeout = TimeSpec::from_duration(timeout.into());
    match ppoll(&mut fds, Some(timeout), None) {
        Err(Errno::EINTR) => Ok(false),
        ready => Ok(ready? > 0),
    }
}

fn ready(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<bool> {
    // It is rounded up, so that who waits until a time does not come back before.
    let milliseconds = timeout.map(Duration::as_millis_ceil);
    let timeout = milliseconds.map_or(PollTimeout::NONE, |milliseconds| {
        PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
    });
    Ok(retry(|| poll(fds, timeout))? > 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const NOT_AT_ALL: Option<Duration> = Some(Duration::ZERO);

    #[test]
    fn a_pipe_is_readable_with_bytes_and_at_its_end() {
        let (reader, mut writer) = io::pipe().unwrap();
        assert!(!readable(&reader, NOT_AT_ALL).unwrap());
        writer.write_all(b"x").unwrap();
        assert!(readable(&reader, None).unwrap());
        let (reader, writer) = io::pipe().unwrap();
        drop(writer);
        assert!(readable(&reader, None).unwrap());
    }

    #[test]
    fn a_wait_for_room_ends_without_it_when_the_other_is_readable() {
        let (reader, writer) = io::pipe().unwrap();
        let (other, mut bell) = io::pipe().unwrap();
        assert!(writable_unless(&writer, other.as_fd(), None).unwrap());
        bell.write_all(b"x").unwrap();
        assert!(writable_unless(&writer, other.as_fd(), None).unwrap(), "there is room as well");
        let mut full = &writer;
        while writable(full, NOT_AT_ALL).unwrap() {
            full.write_all(&[0; 4096]).unwrap();
        }
        assert!(!writable_unless(&writer, other.as_fd(), None).unwrap());
        drop(reader);
        assert!(writable(&writer, None).unwrap(), "an error does not make it wait");
    }
}

//! System calls that Linux has and this system refuses: since it is older (`ENOSYS`), or since a filter
//! does not know them (`EPERM`, `seccomp(2)`). What takes their place is found out once in a process.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::io;

use nix::errno::Errno;

/// Whether a system call was found to be refused.
pub(crate) struct RefusedCall(AtomicBool);

impl RefusedCall {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Makes the `call`; or what can be done `instead`, if it is refused, or if the file system has no
    /// such thing (`EOPNOTSUPP`, `EINVAL`).
    ///
    /// A refusal is known as one only when the other has succeeded: `EPERM` may be about the file.
    pub(crate) fn or<T>(
        &self,
        call: impl FnOnce() -> io::Result<T>,
        instead: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        if self.0.load(Relaxed) {
            return instead();
        }
        let called = call();
        match called.as_ref().map_err(|error| error.raw_os_error().map(Errno::from_raw)) {
            Err(Some(Errno::ENOSYS | Errno::EPERM)) => {
                let done = instead()?;
                self.0.store(true, Relaxed);
                Ok(done)
            }
            Err(Some(Errno::EOPNOTSUPP | Errno::EINVAL)) => instead(),
            _ => called,
        }
    }
}

/// What a download cannot rely on, as this system, or the file system, has no means for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing makes files reach the disk.
    Sync,
    /// Nothing keeps two programs from writing to the same part.
    Locks,
}

static NO_SYNC: AtomicBool = AtomicBool::new(false);
static NO_LOCKS: AtomicBool = AtomicBool::new(false);

impl Missing {
    /// What this process has found to be missing.
    pub fn found() -> impl Iterator<Item = Self> {
        [Self::Sync, Self::Locks].into_iter().filter(|missing| missing.is_found().load(Relaxed))
    }

    fn is_found(self) -> &'static AtomicBool {
        match self {
            Self::Sync => &NO_SYNC,
            Self::Locks => &NO_LOCKS,
        }
    }

    /// Goes on without it, where `done` says that there is none.
    pub(crate) fn or(self, done: io::Result<()>) -> io::Result<()> {
        let Err(error) = done else { return Ok(()) };
        match error.raw_os_error().map(Errno::from_raw) {
            Some(
                Errno::ENOSYS | Errno::EPERM | Errno::EINVAL | Errno::EOPNOTSUPP | Errno::ENOLCK,
            ) => {
                self.is_found().store(true, Relaxed);
                Ok(())
            }
            _ => Err(error),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sync => {
                "nothing here makes files reach the disk (fsync is refused): what is downloaded may be \
                 damaged or lost by a crash of the system"
            }
            Self::Locks => {
                "nothing here keeps two programs from downloading to the same file at once (locks are \
                 refused): see to it that only one does"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    #[test]
    fn a_refused_call_is_not_made_again_once_something_else_did_instead() {
        let refusal = RefusedCall::new();
        let calls = Cell::new(0);
        let call = |errno: Errno| {
            calls.set(calls.get() + 1);
            Err(errno.into())
        };
        let errno = |result: io::Result<i32>| {
            result.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap()))
        };
        // It is about the file, perhaps.
        let both = refusal.or(|| call(Errno::EPERM), || Err(Errno::EPERM.into()));
        assert_eq!(errno(both), Err(Errno::EPERM));
        // The file system has no such thing; another may.
        assert_eq!(errno(refusal.or(|| call(Errno::EINVAL), || Ok(1))), Ok(1));
        assert_eq!(errno(refusal.or(|| call(Errno::EIO), || Ok(1))), Err(Errno::EIO));
        assert_eq!(errno(refusal.or(|| call(Errno::ENOSYS), || Ok(2))), Ok(2));
        assert_eq!(calls.get(), 4);
        assert_eq!(errno(refusal.or(|| call(Errno::EIO), || Ok(3))), Ok(3));
        assert_eq!(calls.get(), 4);
    }
}

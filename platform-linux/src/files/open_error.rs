//! Why a file is not served.

use core::fmt;
use std::error::Error;
use std::io;

use rustix::io::Errno;

/// Why a name beneath a [`Root`](super::Root) was not opened or listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Nothing has that name.
    NotFound,
    /// It leads out of the root, or it is not what was asked for (a regular file, or a directory to
    /// list), or it may not be read.
    Refused(Reason),
    /// The system is short of something for the moment: of descriptors or memory, or the name could
    /// not be resolved for all the renaming that goes on.
    Busy(Reason),
    /// The system failed in another way: a read error, say.
    Failed(Reason),
}

/// What the system said, or what was found; for logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The number of the error (`errno(3)`).
    System(i32),
    /// The name is empty or contains a NUL.
    Name,
    /// It is no regular file.
    Kind,
}

impl OpenError {
    /// The number of the error (`errno(3)`), if it was one of the system's.
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            Self::NotFound => Some(Errno::NOENT.raw_os_error()),
            Self::Refused(reason) | Self::Busy(reason) | Self::Failed(reason) => match reason {
                Reason::System(number) => Some(*number),
                Reason::Name | Reason::Kind => None,
            },
        }
    }
}

/// `openat2(2)` names the errors.
impl From<Errno> for OpenError {
    fn from(errno: Errno) -> Self {
        let reason = Reason::System(errno.raw_os_error());
        match errno {
            // NOTDIR: a file where the name has a folder.
            Errno::NOENT | Errno::NOTDIR => Self::NotFound,
            // XDEV: it leads out. LOOP: links that lead nowhere, or into /proc. NXIO and NODEV: a
            // socket, or a device that nothing drives.
            Errno::XDEV
            | Errno::LOOP
            | Errno::ACCESS
            | Errno::PERM
            | Errno::NAMETOOLONG
            | Errno::NXIO
            | Errno::NODEV
            | Errno::INVAL => Self::Refused(reason),
            // AGAIN: renames all the time, or a lease that somebody holds.
            Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN => Self::Busy(reason),
            _ => Self::Failed(reason),
        }
    }
}

impl From<OpenError> for io::Error {
    fn from(refusal: OpenError) -> Self {
        match refusal.raw_os_error() {
            Some(number) => Self::from_raw_os_error(number),
            None => Self::new(io::ErrorKind::InvalidInput, refusal),
        }
    }
}

impl Error for OpenError {}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such file"),
            Self::Refused(reason) => write!(f, "refused: {reason}"),
            Self::Busy(reason) => write!(f, "busy: {reason}"),
            Self::Failed(reason) => write!(f, "failed: {reason}"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("not a name of a file"),
            Self::Kind => f.write_str("not a regular file"),
            // The system's words, "invalid cross-device link", say nothing to the purpose.
            Self::System(number) if *number == Errno::XDEV.raw_os_error() => {
                f.write_str("it leads out of the folder")
            }
            Self::System(number) => f.write_str(nix::errno::Errno::from_raw(*number).desc()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_what_to_answer() {
        assert_eq!(OpenError::from(Errno::NOTDIR), OpenError::NotFound);
        assert!(matches!(OpenError::from(Errno::XDEV), OpenError::Refused(_)));
        assert!(matches!(OpenError::from(Errno::MFILE), OpenError::Busy(_)));
        assert!(matches!(OpenError::from(Errno::IO), OpenError::Failed(_)));
        assert_eq!(OpenError::from(Errno::IO).raw_os_error(), Some(5));
        assert_eq!(OpenError::Refused(Reason::Kind).raw_os_error(), None);
    }

    #[test]
    fn its_words_name_the_reason() {
        assert_eq!(OpenError::from(Errno::XDEV).to_string(), "refused: it leads out of the folder");
        assert_eq!(OpenError::Refused(Reason::Kind).to_string(), "refused: not a regular file");
        assert_eq!(OpenError::from(Errno::ACCESS).to_string(), "refused: Permission denied");
        assert_eq!(OpenError::from(Errno::NOENT).to_string(), "no such file");
        assert_eq!(OpenError::from(Errno::MFILE).to_string(), "busy: Too many open files");
        assert_eq!(OpenError::from(Errno::IO).to_string(), "failed: I/O error");
        assert!(size_of::<OpenError>() <= 16);
    }

    #[test]
    fn as_an_error_it_is_the_systems_if_that_refused() {
        for errno in [Errno::NOENT, Errno::XDEV, Errno::MFILE, Errno::IO] {
            let error = io::Error::from(OpenError::from(errno));
            assert_eq!(error.raw_os_error(), Some(errno.raw_os_error()));
        }
        let error = io::Error::from(OpenError::Refused(Reason::Name));
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), "refused: not a name of a file");
    }
}

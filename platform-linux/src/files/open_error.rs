//! Why a file is not served.

use core::fmt;
use std::error::Error;
use std::io;

use nix::errno::Errno;

use crate::sys::errno;

/// Why a name beneath a [`Root`](super::Root) was not opened or listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing has that name.
    NotFound,
    /// It is hidden, and so is not served: a part of the name begins with a dot, or it is what a
    /// download has not completed. Whoever asks is best told that nothing has that name.
    Hidden,
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
#[non_exhaustive]
pub enum Reason {
    /// The number of the error (`errno(3)`).
    System(i32),
    /// The name is empty or contains a NUL.
    Name,
    /// It is no regular file.
    Kind,
    /// Its size says nothing of what it contains, as is so in `/proc` and `/sys`.
    Size,
}

impl OpenError {
    /// The number of the error (`errno(3)`), if it was one of the system's.
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            Self::NotFound | Self::Hidden => Some(Errno::ENOENT as i32),
            Self::Refused(reason) | Self::Busy(reason) | Self::Failed(reason) => match reason {
                Reason::System(number) => Some(*number),
                Reason::Name | Reason::Kind | Reason::Size => None,
            },
        }
    }
}

/// `openat2(2)` names the errors.
impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        let reason = Reason::System(error.raw_os_error().unwrap_or_default());
        match errno(&error) {
            // ENOTDIR: a file where the name has a folder.
            Errno::ENOENT | Errno::ENOTDIR => Self::NotFound,
            // EXDEV: it leads out. ELOOP: links that lead nowhere, or into /proc. ENXIO and ENODEV: a
            // socket, or a device that nothing drives.
            Errno::EXDEV
            | Errno::ELOOP
            | Errno::EACCES
            | Errno::EPERM
            | Errno::ENAMETOOLONG
            | Errno::ENXIO
            | Errno::ENODEV
            | Errno::EINVAL => Self::Refused(reason),
            // EAGAIN: renames all the time, or a lease that somebody holds.
            Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::EAGAIN => Self::Busy(reason),
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
            Self::Hidden => f.write_str("hidden"),
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
            Self::Size => f.write_str("its size cannot be trusted, as in /proc"),
            // The system's words, "invalid cross-device link", say nothing to the purpose.
            Self::System(number) if *number == Errno::EXDEV as i32 => {
                f.write_str("it leads out of the folder")
            }
            Self::System(number) => f.write_str(Errno::from_raw(*number).desc()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(errno: Errno) -> OpenError {
        io::Error::from(errno).into()
    }

    #[test]
    fn an_error_tells_what_to_answer() {
        assert_eq!(error(Errno::ENOTDIR), OpenError::NotFound);
        assert!(matches!(error(Errno::EXDEV), OpenError::Refused(_)));
        assert!(matches!(error(Errno::EMFILE), OpenError::Busy(_)));
        assert!(matches!(error(Errno::EIO), OpenError::Failed(_)));
        assert_eq!(error(Errno::EIO).raw_os_error(), Some(5));
        assert_eq!(OpenError::Refused(Reason::Kind).raw_os_error(), None);
    }

    #[test]
    fn its_words_name_the_reason() {
        assert_eq!(error(Errno::EXDEV).to_string(), "refused: it leads out of the folder");
        assert_eq!(OpenError::Refused(Reason::Kind).to_string(), "refused: not a regular file");
        assert_eq!(error(Errno::EACCES).to_string(), "refused: Permission denied");
        assert_eq!(error(Errno::ENOENT).to_string(), "no such file");
        assert_eq!(error(Errno::EMFILE).to_string(), "busy: Too many open files");
        assert_eq!(error(Errno::EIO).to_string(), "failed: I/O error");
        assert!(size_of::<OpenError>() <= 16);
    }

    #[test]
    fn as_an_error_it_is_the_systems_if_that_refused() {
        for errno in [Errno::ENOENT, Errno::EXDEV, Errno::EMFILE, Errno::EIO] {
            let error = io::Error::from(error(errno));
            assert_eq!(error.raw_os_error(), Some(errno as i32));
        }
        let error = io::Error::from(OpenError::Refused(Reason::Name));
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), "refused: not a name of a file");
    }
}

//! Addresses of Unix sockets.

use core::error::Error;
use core::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use barewire_core::printable::printable;
use nix::sys::socket::UnixAddr;

/// How many bytes the path of a Unix socket has at most: the system's structure has room for 108, the last
/// of them a zero (`unix(7)`).
pub const MAX_PATH: usize = 107;

/// Where a Unix socket is: at a path, or, if a service manager has made it, perhaps at an abstract name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixAddress(UnixAddr);

/// Why a path can be no socket's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnixPathError {
    /// It is empty.
    Empty,
    /// It is longer than [`MAX_PATH`].
    TooLong {
        /// How many bytes it has.
        length: usize,
    },
    /// It has a zero in it.
    Zero,
}

impl UnixAddress {
    /// A path, absolute or from the working folder.
    ///
    /// # Errors
    /// [`UnixPathError`].
    pub fn new(path: &Path) -> Result<Self, UnixPathError> {
        match path.as_os_str().len() {
            0 => Err(UnixPathError::Empty),
            length if length > MAX_PATH => Err(UnixPathError::TooLong { length }),
            _ => UnixAddr::new(path).map(Self).map_err(|_| UnixPathError::Zero),
        }
    }

    /// Its path, if it has one.
    pub fn path(&self) -> Option<&Path> {
        self.0.path()
    }

    pub(crate) fn of(address: UnixAddr) -> Self {
        Self(address)
    }

    pub(crate) fn as_system(&self) -> &UnixAddr {
        &self.0
    }
}

/// `unix:/path`; an abstract name stands behind an `@`.
impl fmt::Display for UnixAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = self.0.path() {
            write!(f, "unix:{}", printable(path.as_os_str().as_bytes()))
        } else {
            write!(f, "unix:@{}", printable(self.0.as_abstract().unwrap_or_default()))
        }
    }
}

impl fmt::Display for UnixPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("has no path"),
            Self::TooLong { length } => {
                write!(f, "has a path of {length} bytes, and a socket's has {MAX_PATH} at most")
            }
            Self::Zero => f.write_str("has a zero in its path"),
        }
    }
}

impl Error for UnixPathError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_as_many_bytes_as_the_system_has_room_for() {
        let longest = format!("/{}", "x".repeat(MAX_PATH - 1));
        let address = UnixAddress::new(Path::new(&longest)).unwrap();
        assert_eq!(address.path(), Some(Path::new(&longest)));
        let error = UnixAddress::new(Path::new(&(longest + "x"))).unwrap_err();
        assert_eq!(error.to_string(), "has a path of 108 bytes, and a socket's has 107 at most");
        assert_eq!(UnixAddress::new(Path::new("")), Err(UnixPathError::Empty));
        assert_eq!(UnixAddress::new(Path::new("a\0b")), Err(UnixPathError::Zero));
    }

    #[test]
    fn an_address_is_shown_as_it_is_written() {
        let shown = |path: &str| UnixAddress::new(Path::new(path)).unwrap().to_string();
        assert_eq!(shown("/run/chat.sock"), "unix:/run/chat.sock");
        assert_eq!(shown("chat.sock"), "unix:chat.sock");
        assert_eq!(shown("/\x1b[2J"), r"unix:/\x1b[2J");
        let name = UnixAddr::new_abstract(b"chat").unwrap();
        assert_eq!(UnixAddress::of(name).to_string(), "unix:@chat");
    }
}

//! A terminal's size.

use std::io;
use std::os::fd::AsFd;

use crate::sys;

/// How many columns the terminal has (`TIOCGWINSZ`, `ioctl_tty(2)`); 0 if it does not know.
///
/// # Errors
/// Those of `ioctl(2)`: `fd` is no terminal.
pub fn columns(fd: impl AsFd) -> io::Result<u16> {
    sys::columns(fd)
}

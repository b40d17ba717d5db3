//! A file that lines are added to, as long as somebody wants them.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::libc::O_NONBLOCK;

use crate::sys::errno;

/// Opens the file at `path` to add to it; it is created if it is not there. Neither this nor a write waits
/// for who reads a FIFO; one that nobody reads yet keeps what it has room for.
///
/// # Errors
/// Those of `open(2)`.
pub fn open_log(path: &Path) -> io::Result<File> {
    let open = |read| {
        let mut options = File::options();
        options.read(read).append(true).create(true).custom_flags(O_NONBLOCK).open(path)
    };
    match open(false) {
        // A FIFO without a reader: it has one in this process (`fifo(7)`).
        Err(error) if errno(&error) == Errno::ENXIO => open(true),
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read as _, Write as _};

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        for line in ["one\n", "two\n"] {
            open_log(&path).unwrap().write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(path).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_fifo_is_waited_for_by_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        let mut log = open_log(&path).unwrap();
        log.write_all(b"before\n").unwrap();
        let mut reader = File::open(&path).unwrap();
        log.write_all(b"after\n").unwrap();
        while log.write(&[b'x'; 4096]).is_ok() {}
        assert_eq!(log.write(b"x").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let mut read = [0; 13];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"before\nafter\n");
    }
}

//! A file that lines are added to, as long as somebody wants them.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::errno::Errno;
use nix::libc::O_NONBLOCK;

use crate::sys::errno;

/// Opens the file at `path` to add to it; it is created if it is not there. Neither this nor a write waits
/// for who reads a FIFO. One that this process may read as well is held open by it (`fifo(7)`): its reader
/// may go and another come, and what it has room for is kept for the next. Else it is refused without a reader
/// (`ENXIO`), and a write when the reader has gone (`EPIPE`).
///
/// # Errors
/// Those of `open(2)`.
pub fn open_log(path: &Path) -> io::Result<File> {
    let open = |read| {
        let mut options = File::options();
        options.read(read).append(true).create(true).custom_flags(O_NONBLOCK).open(path)
    };
    match open(false) {
        Ok(file) if file.metadata().is_ok_and(|it| it.file_type().is_fifo()) => {
            Ok(open(true).unwrap_or(file))
        }
        Err(error) if errno(&error) == Errno::ENXIO => open(true).map_err(|_| error),
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read as _, Write as _};
    use std::path::PathBuf;

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

    fn fifo(folder: &Path) -> PathBuf {
        let path = folder.join("fifo");
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        path
    }

    #[test]
    fn a_fifo_is_waited_for_by_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = fifo(folder.path());
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

    #[test]
    fn a_reader_of_a_fifo_may_go_and_the_next_has_what_came_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = fifo(folder.path());
        let mut reader = File::options().read(true).custom_flags(O_NONBLOCK).open(&path).unwrap();
        // It is there when the log is opened, and when it is opened anew.
        let first = open_log(&path).unwrap();
        let mut log = open_log(&path).unwrap();
        drop(first);
        log.write_all(b"one\n").unwrap();
        let mut read = [0; 4];
        reader.read_exact(&mut read).unwrap();
        drop(reader);
        log.write_all(b"two\n").unwrap();
        let mut reader = File::open(&path).unwrap();
        log.write_all(b"six\n").unwrap();
        drop(log);
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert_eq!((&read, rest.as_str()), (b"one\n", "two\nsix\n"));
    }
}

//! What takes contents as they come, instead of being a place for a file.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::statfs::{PROC_SUPER_MAGIC, statfs};

use crate::sys::errno;

/// How many links are followed (`path_resolution(7)`).
const MAX_LINKS: u32 = 40;

/// Opens what `path` leads to for writing, if it is a device or FIFO, or an open file of a process
/// (`/dev/stdout`, say, whatever that is): contents go into it as they come. `None` if a file belongs
/// there, be it that one is to be replaced.
///
/// Until somebody reads from a FIFO, it is waited for (`fifo(7)`), after a call of `waits`. What an open file
/// contains already stays before what comes.
///
/// # Errors
/// Those of `open(2)`: that nothing can be opened of a socket, say.
pub fn open_stream(path: impl AsRef<Path>, waits: impl FnOnce()) -> io::Result<Option<File>> {
    let path = path.as_ref();
    let Ok(found) = fs::metadata(path) else { return Ok(None) };
    let kind = found.file_type();
    let is_device = kind.is_char_device() || kind.is_block_device();
    if !(is_device || kind.is_fifo() || kind.is_socket() || kind.is_file() && is_open_file(path)?) {
        return Ok(None);
    }
    let open = |flags: OFlag| File::options().append(true).custom_flags(flags.bits()).open(path);
    // As long as this is open, no reader takes it for the end that this one closes.
    let at_once = kind.is_fifo().then(|| open(OFlag::O_NOCTTY | OFlag::O_NONBLOCK));
    if let Some(Err(error)) = &at_once
        && errno(error) == Errno::ENXIO
    {
        waits();
    }
    open(OFlag::O_NOCTTY).map(Some)
}

/// Whether the path ends in a link of `/proc` to an open file (`proc_pid_fd(5)`).
fn is_open_file(path: &Path) -> io::Result<bool> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        let folder = path.parent().unwrap_or(Path::new(""));
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        // All links there that lead to files, those of a process's folder (exe, fd), are such.
        if statfs(here)?.filesystem_type() == PROC_SUPER_MAGIC && target.is_absolute() {
            return Ok(true);
        }
        path = folder.join(target);
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::sync::mpsc::channel;
    use std::thread;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    /// Opens what need not be waited for.
    fn open(path: impl AsRef<Path>) -> io::Result<Option<File>> {
        open_stream(path, || panic!("it waits"))
    }

    /// One that has been there before the writer is not left by it.
    #[test]
    fn a_fifo_is_waited_for_only_until_somebody_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        for is_late in [true, false] {
            let (tell, told) = channel();
            let to_read = path.clone();
            let reader = thread::spawn(move || {
                if is_late {
                    told.recv().unwrap();
                }
                fs::read_to_string(to_read).unwrap()
            });
            // One that is not late may be so all the same, and nobody is told who has gone.
            let opened = open_stream(&path, || {
                let _ = tell.send(());
            });
            opened.unwrap().unwrap().write_all(b"text").unwrap();
            assert_eq!(reader.join().unwrap(), "text");
        }
    }

    #[test]
    fn devices_and_fifos_are_written_to_also_through_links() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        mkfifo(&path("fifo"), Mode::S_IRWXU).unwrap();
        symlink("fifo", path("link")).unwrap();
        // Opened for both, so that nobody waits.
        let mut reader = File::options().read(true).write(true).open(path("fifo")).unwrap();
        for name in ["fifo", "link"] {
            open(path(name)).unwrap().unwrap().write_all(b"text").unwrap();
            let mut text = [0; 4];
            reader.read_exact(&mut text).unwrap();
            assert_eq!(&text, b"text");
        }
        assert!(open("/dev/null").unwrap().is_some());
        let _socket = UnixListener::bind(path("socket")).unwrap();
        assert!(open(path("socket")).is_err());
    }

    #[test]
    fn an_open_file_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"some ").unwrap();
        let number = format!("/proc/self/fd/{}", file.as_raw_fd());
        symlink("/proc/self/fd", folder.path().join("fd")).unwrap();
        symlink(&number, folder.path().join("out")).unwrap();
        for path in [folder.path().join("out"), number.into()] {
            open(path).unwrap().unwrap().write_all(b"text ").unwrap();
        }
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "some text text ");
    }

    #[test]
    fn a_place_for_a_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "").unwrap();
        symlink("file", path("link")).unwrap();
        symlink("gone", path("dangling")).unwrap();
        symlink("loop", path("loop")).unwrap();
        for name in ["file", "link", "dangling", "loop", "nothing", "no/where"] {
            assert!(open(path(name)).unwrap().is_none(), "{name}");
        }
        assert!(open(folder.path()).unwrap().is_none());
    }
}

//! Reading what is a file, and nothing that only has a name like one.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::libc::{O_NOCTTY, O_NONBLOCK};

/// The first `limit` bytes of the regular file at `path`, or all of it. A FIFO, which would keep the caller
/// waiting, or a device, which may never end, is refused at once.
///
/// # Errors
/// Those of `open(2)` and `read(2)`, and one that says so if it is not a regular file.
pub fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK | O_NOCTTY).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn nothing_but_a_regular_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        mkfifo(&path("fifo"), Mode::S_IRWXU).unwrap();
        fs::write(path("file"), "some text").unwrap();
        symlink(path("file"), path("link")).unwrap();
        for name in ["fifo", "/dev/null", "/dev/zero", "."] {
            let error = read_regular(&path(name), 4).unwrap_err();
            assert_eq!(error.to_string(), "it is not a regular file", "{name}");
        }
        assert_eq!(read_regular(&path("link"), 4).unwrap(), b"some");
        assert_eq!(read_regular(&path("link"), 400).unwrap(), b"some text");
    }
}

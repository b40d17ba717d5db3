//! The message of the day: what whoever joins is shown.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use barewire_core::printable::printable;
use barewire_core::text::MAX_TEXT;
use barewire_linux::files::read_regular;

use crate::cli::exit::Failure;
use crate::output::system_error::describe;
use crate::server::reload::{PendingReload, Reload};

/// So many lines it has at most: a screen is to hold it.
const MAX_LINES: usize = 20;

/// So many bytes it has at most, as it is shown.
const MAX_BYTES: usize = 4096;

/// What the lines of the message start with.
const START: &str = "* motd: ";

/// The message of a file. Its clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Motd {
    path: PathBuf,
    /// As whoever joins is sent it.
    lines: Arc<Mutex<Arc<[u8]>>>,
}

impl Motd {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let lines = read(path).map_err(Failure::Conversation)?;
        Ok(Self { path: path.to_owned(), lines: Arc::new(Mutex::new(lines)) })
    }

    /// The lines as they are now.
    pub(super) fn lines(&self) -> Arc<[u8]> {
        Arc::clone(&self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The thread that reads the file again: nobody waits for a disk.
    pub(super) fn reloader(&self) -> Result<MotdReloader, Failure> {
        let motd = self.clone();
        let (ask, asked) = mpsc::sync_channel(1);
        let pending = PendingReload::default();
        let reload = pending.clone();
        let read_again = move || {
            while asked.recv().is_ok() {
                let _reload = pending.take();
                match read(&motd.path) {
                    Ok(lines) => *motd.lines.lock().unwrap_or_else(PoisonError::into_inner) = lines,
                    Err(why) => log::warn!("{why}; the old one stays"),
                }
            }
        };
        thread::Builder::new().name("motd".into()).spawn(read_again).map_err(Failure::system)?;
        Ok(MotdReloader { ask, reload })
    }
}

/// Asks for the file to be read again.
#[derive(Debug)]
pub(super) struct MotdReloader {
    ask: SyncSender<()>,
    reload: PendingReload,
}

impl MotdReloader {
    /// Has it read from its start after this. Then the reload is over.
    pub(super) fn reload(&self, reload: Reload) {
        self.reload.put(reload);
        // If that was asked for already and has not begun, once is enough.
        let _ = self.ask.try_send(());
    }
}

fn read(path: &Path) -> Result<Arc<[u8]>, String> {
    // No more than shows that it is too long.
    let lines = read_regular(path, 2 * MAX_BYTES as u64)
        .map_err(|error| describe(&error).to_string())
        .and_then(|bytes| lines(&bytes));
    lines
        .map(|lines| lines.into_bytes().into())
        .map_err(|why| format!("cannot use the message of the day in {}: {why}", path.display()))
}

fn lines(bytes: &[u8]) -> Result<String, String> {
    let bytes = bytes.trim_ascii_end();
    let mut shown = String::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii_end();
        if number > MAX_LINES {
            return Err(format!("it has more than {MAX_LINES} lines"));
        }
        if line.len() > MAX_TEXT {
            return Err(format!("line {number} is longer than {MAX_TEXT} bytes"));
        }
        // Writing to a string cannot fail.
        let _ = writeln!(shown, "{START}{}", printable(line));
    }
    if shown.len() > MAX_BYTES {
        return Err(format!("it is longer than {MAX_BYTES} bytes as it is shown"));
    }
    if bytes.is_empty() { Ok(String::new()) } else { Ok(shown) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_shown_line_by_line() {
        let read = lines(b"welcome\r\n\n no \x1b[2J, please  \n\n").unwrap();
        assert_eq!(read, "* motd: welcome\n* motd: \n* motd:  no \\x1b[2J, please\n");
        assert_eq!(lines(b" \n\n").unwrap(), "");
    }

    #[test]
    fn what_is_too_long_is_refused_with_its_limit() {
        assert!(lines(&b"x\n".repeat(MAX_LINES)).is_ok());
        let refused = |bytes: &[u8]| lines(bytes).unwrap_err();
        assert_eq!(refused(&b"x\n".repeat(MAX_LINES + 1)), "it has more than 20 lines");
        assert_eq!(refused(&[b'x'; MAX_TEXT + 1]), "line 1 is longer than 1024 bytes");
        // Each is shown by four.
        assert!(lines(&[7; 1021]).is_ok());
        assert_eq!(refused(&[7; 1022]), "it is longer than 4096 bytes as it is shown");
    }

    #[test]
    fn a_file_that_cannot_be_used_is_told_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("motd");
        let told = |path: &Path, why: &str| {
            let failure = Motd::open(path).unwrap_err();
            let message = failure.message().unwrap_or_default();
            assert!(message.starts_with("cannot use the message of the day in "), "{message}");
            assert!(message.ends_with(why), "{message}");
        };
        told(&path, "no such file or directory");
        std::fs::write(&path, "x".repeat(10_000)).unwrap();
        told(&path, "line 1 is longer than 1024 bytes");
        std::fs::write(&path, "welcome").unwrap();
        assert_eq!(&*Motd::open(&path).unwrap().lines(), b"* motd: welcome\n");
    }
}

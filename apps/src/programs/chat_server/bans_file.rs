//! The file of bans: a line for each, as a person can read and edit them.
//!
//! It is replaced as a whole, so that a crash leaves the one before or the one after, and in the
//! background, so that a disk that stalls keeps nobody waiting.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use barewire_core::printable::printable;
use jiff::Timestamp;

use crate::cli::exit::Failure;
use crate::output::system_error::describe;

use super::ban::{Ban, Shown, read_source};

const HEADING: &str = "\
# Who may not come into the room: an address a line, until when, and whom it was meant for.
# chat-server replaces this file when a ban is added or lifted. Edit it while the server is stopped.
";

/// What stands for a ban without an end.
const FOREVER: &str = "forever";

/// How long the end of the server waits for the disk.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// The thread that writes the file.
#[derive(Debug)]
pub(super) struct BansFile {
    path: PathBuf,
    /// `None` only when it ends.
    texts: Option<Sender<String>>,
    /// Tells its end.
    end: Receiver<()>,
}

/// Reads the bans of a file. There are none if it does not exist.
pub(super) fn read(path: &Path) -> Result<BTreeMap<IpAddr, Ban>, Failure> {
    let failed = |why: String| {
        Failure::Conversation(format!("cannot read the bans in {}: {why}", path.display()))
    };
    match fs::read(path) {
        Ok(bytes) => parse(&bytes).map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(failed(describe(&error).to_string())),
    }
}

fn parse(bytes: &[u8]) -> Result<BTreeMap<IpAddr, Ban>, String> {
    let mut bans = BTreeMap::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let (address, ban) = parse_line(line).ok_or_else(|| {
            let line = printable(line).to_string();
            format!(
                "line {number} is not ADDRESS UNTIL [NICK]: '{line:.80}' (mend or delete it; UNTIL is \
                 '{FOREVER}' or a time such as 2026-12-31T23:59:59Z)"
            )
        })?;
        bans.insert(address, ban);
    }
    Ok(bans)
}

fn parse_line(line: &[u8]) -> Option<(IpAddr, Ban)> {
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let source = read_source(words.next()?)?;
    let until = match words.next()? {
        FOREVER => None,
        time => Some(time.parse().ok()?),
    };
    let nick = words.next().map(str::to_owned);
    words.next().is_none().then_some((source, Ban { until, nick }))
}

fn written(bans: &BTreeMap<IpAddr, Ban>) -> String {
    let mut text = HEADING.to_owned();
    for (source, Ban { until, nick }) in bans {
        let until = until.map_or_else(|| FOREVER.to_owned(), |until: Timestamp| until.to_string());
        let nick = nick.as_deref().unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", format!("{} {until} {nick}", Shown(*source)).trim_end());
    }
    text
}

impl BansFile {
    /// Writes the file in the background from now on, and once now, so that what prevents it is known at
    /// once.
    pub(super) fn open(path: &Path, bans: &BTreeMap<IpAddr, Ban>) -> Result<Self, Failure> {
        // Where a link leads to is replaced, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        replace(&path, &written(bans)).map_err(|error| {
            let why = describe(&error);
            Failure::Conversation(format!("cannot write the bans to {}: {why}", path.display()))
        })?;
        let (texts, to_write) = mpsc::channel();
        let (tell_end, end) = mpsc::channel();
        let target = path.clone();
        let write = move || {
            write_each(&target, &to_write);
            // Whoever waited may be gone.
            let _ = tell_end.send(());
        };
        thread::Builder::new().name("bans".into()).spawn(write).map_err(Failure::system)?;
        Ok(Self { path, texts: Some(texts), end })
    }

    /// Has the file replaced soon.
    pub(super) fn write(&self, bans: &BTreeMap<IpAddr, Ban>) {
        if let Some(texts) = &self.texts {
            // The thread ends only after this.
            let _ = texts.send(written(bans));
        }
    }
}

impl Drop for BansFile {
    fn drop(&mut self) {
        self.texts = None;
        if self.end.recv_timeout(FINISH_TIMEOUT).is_err() {
            log::warn!("the bans in {} may be old: the disk does not answer", self.path.display());
        }
    }
}

/// Writes what comes, the newest only if several have come.
fn write_each(path: &Path, texts: &Receiver<String>) {
    while let Ok(text) = texts.recv() {
        let text = texts.try_iter().last().unwrap_or(text);
        if let Err(error) = replace(path, &text) {
            let why = describe(&error);
            log::warn!(
                "cannot write the bans to {}: {why} (they hold until the server stops)",
                path.display()
            );
        }
    }
}

/// Replaces a file by one with the same permissions, or else one that nobody else can read: addresses are
/// people's own.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mode = fs::metadata(path).map_or(0o600, |before| before.permissions().mode() & 0o777);
    let mut name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // Its name is on the disk with the folder.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text = "\n  # a remark\n192.0.2.7 2030-01-02T03:04:05Z anna\r\n2001:db8::9 forever 小明\n192.0.2.8 forever";
        let bans = parse(text.as_bytes()).unwrap();
        assert_eq!(bans.len(), 3);
        assert_eq!(parse(written(&bans).as_bytes()), Ok(bans.clone()));
        assert!(written(&bans).ends_with(
            "192.0.2.7 2030-01-02T03:04:05Z anna\n192.0.2.8 forever\n2001:db8::/64 forever 小明\n"
        ));
    }

    #[test]
    fn a_damaged_line_is_told_by_its_number() {
        for line in [
            &b"anna"[..],
            b"192.0.2.7",
            b"192.0.2.7 tomorrow",
            b"192.0.2 forever",
            b"192.0.2.0/24 forever",
            b"192.0.2.7 forever anna ben",
            b"192.0.2.7 forever \xff",
        ] {
            let why = parse(&[b"# ok\n192.0.2.6 forever\n", line].concat()).unwrap_err();
            assert!(why.starts_with("line 3 is not ADDRESS UNTIL [NICK]: '"), "{why}");
        }
        let why = parse(b"\x1b[2J").unwrap_err();
        assert!(why.contains(r"'\x1b[2J'"), "{why}");
    }

    #[test]
    fn the_file_is_replaced_and_keeps_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bans");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let file = BansFile::open(&path, &BTreeMap::new()).unwrap();
        assert_eq!(mode(), 0o600);
        drop(file);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let file = BansFile::open(&link, &read(&path).unwrap()).unwrap();
        let bans = parse(b"192.0.2.7 forever anna").unwrap();
        file.write(&BTreeMap::new());
        file.write(&bans);
        drop(file);
        assert_eq!(read(&link).unwrap(), bans);
        assert_eq!(mode(), 0o640);
        assert!(link.is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left over");
    }

    #[test]
    fn what_prevents_it_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing/bans");
        assert!(read(&missing).is_ok_and(|bans| bans.is_empty()));
        let failure = BansFile::open(&missing, &BTreeMap::new()).unwrap_err();
        assert!(failure.message().is_some_and(|why| why.contains("no such file")), "{failure:?}");
        assert!(read(folder.path()).is_err());
    }
}

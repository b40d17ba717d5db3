//! The file of bans: a line for each, as a person can read and edit them.
//!
//! It is replaced as a whole, so that a crash leaves the one before or the one after, and in the
//! background, so that a disk that stalls keeps nobody waiting. One server has it at a time: two would
//! take each other's bans away.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use barewire_core::source::Source;
use barewire_linux::address::{self, read_source};
use barewire_linux::files::{follow_links, open_locked, read_regular};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use crate::cli::exit::Failure;
use crate::output::ending::patience;
use crate::output::system_error::describe;

use super::ban::Ban;
use super::replacement::{check_regular, remove_leftovers, replace};

const HEADING: &str = "\
# Who may not come into the room: an address a line, until when, and whom it was meant for.
# chat-server replaces this file when a ban is added or lifted. Edit it while the server is stopped.
";

/// What stands for a ban without an end.
const FOREVER: &str = "forever";

/// From this day on no time can be told, in every time zone.
const LAST_DAY: Date = Date::constant(9999, 12, 30);

/// So many bytes it has at most: hundreds of thousands of bans.
const MAX_BYTES: u64 = 16 << 20;

/// How often the end of the server asks whether to wait on for the disk.
const FINISH_LOOK: Duration = Duration::from_millis(20);

/// The text that is to be written next.
type Newest = Arc<Mutex<Option<String>>>;

/// The thread that writes the file.
#[derive(Debug)]
pub(super) struct BansFile {
    path: PathBuf,
    newest: Newest,
    /// Wakes the thread, once for all that has come. `None` only when it ends.
    wake: Option<SyncSender<()>>,
    /// Tells its end.
    end: Receiver<()>,
}

/// Reads the bans of a file. There are none if it does not exist.
pub(super) fn read(path: &Path) -> Result<BTreeMap<Source, Ban>, Failure> {
    let failed = |why: String| {
        Failure::Conversation(format!("cannot read the bans in {}: {why}", path.display()))
    };
    match read_regular(path, MAX_BYTES + 1) {
        Ok(bytes) if bytes.len() as u64 > MAX_BYTES => {
            Err(failed(format!("it is longer than {MAX_BYTES} bytes")))
        }
        Ok(bytes) => parse(&bytes).map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(failed(describe(&error).to_string())),
    }
}

fn parse(bytes: &[u8]) -> Result<BTreeMap<Source, Ban>, String> {
    let mut bans = BTreeMap::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        // What it is instead is told nobody: it may be another file, such as that of a key.
        let (address, ban) = parse_line(line).ok_or_else(|| {
            format!(
                "line {number} is not ADDRESS UNTIL [NICK] (mend or delete it; UNTIL is '{FOREVER}' or a time \
                 such as 2026-12-31T23:59:59Z)"
            )
        })?;
        bans.insert(address, ban);
    }
    Ok(bans)
}

fn parse_line(line: &[u8]) -> Option<(Source, Ban)> {
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let source = read_source(words.next()?)?;
    let until = until(words.next()?).ok()?;
    let nick = words.next().map(str::to_owned);
    words.next().is_none().then_some((source, Ban { until, nick }))
}

/// `None`: for ever.
fn until(word: &str) -> Result<Option<Timestamp>, jiff::Error> {
    if word == FOREVER {
        return Ok(None);
    }
    word.parse().map(Some).or_else(|error| {
        let time: Result<DateTime, _> = word.strip_suffix('Z').unwrap_or(word).parse();
        let is_beyond = time.is_ok_and(|time| time.date() >= LAST_DAY);
        if is_beyond { Ok(None) } else { Err(error) }
    })
}

fn written(bans: &BTreeMap<Source, Ban>) -> String {
    let mut text = HEADING.to_owned();
    for (source, Ban { until, nick }) in bans {
        let until = until.map_or_else(|| FOREVER.to_owned(), |until: Timestamp| until.to_string());
        let nick = nick.as_deref().unwrap_or_default();
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "{}", format!("{} {until} {nick}", address::Shown(*source)).trim_end());
    }
    text
}

impl BansFile {
    /// Reads the file, and writes it in the background from now on, and once now, so that what prevents it is
    /// known at once. No other server has it until this one ends.
    pub(super) fn open(path: &Path) -> Result<(Self, BTreeMap<Source, Ban>), Failure> {
        let failed = |error: io::Error| {
            let why = match error.kind() {
                io::ErrorKind::ResourceBusy => {
                    "another server keeps its bans there (each needs a file of its own)".to_owned()
                }
                _ => describe(&error).to_string(),
            };
            Failure::Conversation(format!("cannot keep the bans in {}: {why}", path.display()))
        };
        // Where a link leads to is replaced, not the link.
        let target = follow_links(path);
        check_regular(&target).map_err(failed)?;
        let mut locked = open_locked(&target).map_err(failed)?;
        let bans = read(path)?;
        // Of a text that was written here, the beginning is this.
        remove_leftovers(&target, HEADING.as_bytes());
        replace(&target, &written(&bans), &mut locked).map_err(failed)?;
        let file = Self::start(path.to_owned(), target, locked)?;
        Ok((file, bans))
    }

    fn start(path: PathBuf, target: PathBuf, locked: File) -> Result<Self, Failure> {
        let newest = Newest::default();
        let (wake, woken) = mpsc::sync_channel(1);
        let (tell_end, end) = mpsc::channel();
        let to_write = Arc::clone(&newest);
        let write = move || {
            write_each(&target, &to_write, &woken, locked);
            // Whoever waited may be gone.
            let _ = tell_end.send(());
        };
        thread::Builder::new().name("bans".into()).spawn(write).map_err(Failure::system)?;
        Ok(Self { path, newest, wake: Some(wake), end })
    }

    /// Has the file replaced soon.
    pub(super) fn write(&self, bans: &BTreeMap<Source, Ban>) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(written(bans));
        if let Some(wake) = &self.wake {
            // If it is to be woken already, it finds this text then.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for BansFile {
    fn drop(&mut self) {
        self.wake = None;
        let mut goes_on = patience(|| false);
        let ended = loop {
            match self.end.recv_timeout(FINISH_LOOK) {
                Err(RecvTimeoutError::Timeout) if goes_on() => {}
                ended => break ended,
            }
        };
        if ended.is_err() {
            log::warn!("the bans in {} may be old: the disk does not answer", self.path.display());
        }
    }
}

/// Writes what comes, the newest only if several have come.
fn write_each(path: &Path, newest: &Newest, woken: &Receiver<()>, mut locked: File) {
    while woken.recv().is_ok() {
        let text = newest.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(error)) = text.map(|text| replace(path, &text, &mut locked)) {
            let why = describe(&error);
            log::warn!(
                "cannot write the bans to {}: {why} (they hold until the server stops)",
                path.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

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
    fn a_time_beyond_what_can_be_told_is_without_an_end() {
        for until in ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-30T23:00:00Z"] {
            let bans = parse(format!("192.0.2.7 {until} anna").as_bytes()).unwrap();
            assert!(written(&bans).ends_with("\n192.0.2.7 forever anna\n"), "{until}");
        }
        assert!(
            parse(b"192.0.2.7 9999-12-30T12:00:00Z")
                .unwrap()
                .values()
                .all(|ban| ban.until.is_some())
        );
        assert!(parse(b"192.0.2.7 2030-12-31").is_err(), "at which time of the day?");
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
            assert!(why.starts_with("line 3 is not ADDRESS UNTIL [NICK] ("), "{why}");
            assert!(!why.contains("anna") && !why.contains("192.0"), "{why}");
        }
    }

    #[test]
    fn the_file_is_replaced_and_keeps_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bans");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let (file, _) = BansFile::open(&path).unwrap();
        assert_eq!(mode(), 0o600);
        drop(file);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let (file, _) = BansFile::open(&link).unwrap();
        let bans = parse(b"192.0.2.7 forever anna").unwrap();
        file.write(&BTreeMap::new());
        file.write(&bans);
        drop(file);
        assert_eq!(read(&link).unwrap(), bans);
        assert_eq!(mode(), 0o640);
        assert!(link.is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left over");
    }

    /// Where a link leads is where they are kept, were nothing there yet.
    #[test]
    fn a_dangling_link_stays() {
        let folder = tempfile::tempdir().unwrap();
        let [link, kept] = ["link", "kept"].map(|name| folder.path().join(name));
        std::os::unix::fs::symlink("kept", &link).unwrap();
        drop(BansFile::open(&link).unwrap());
        assert!(link.is_symlink() && kept.is_file());
    }

    #[test]
    fn one_server_has_the_file_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bans");
        let (file, mut bans) = BansFile::open(&path).unwrap();
        let refused = || {
            let failure = BansFile::open(&path).unwrap_err();
            assert!(failure.message().is_some_and(|why| why.contains(": another server keeps")));
        };
        refused();
        bans.extend(parse(b"192.0.2.7 forever anna").unwrap());
        file.write(&bans);
        while read(&path).unwrap() != bans {
            thread::yield_now();
        }
        refused();
        drop(file);
        assert_eq!(BansFile::open(&path).unwrap().1, bans);
    }

    #[test]
    fn a_file_that_is_too_long_is_refused_with_its_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(MAX_BYTES + 1).unwrap();
        let failure = read(file.path()).unwrap_err();
        assert!(failure.message().is_some_and(|why| why.ends_with("longer than 16777216 bytes")));
    }

    #[test]
    fn of_what_waits_for_the_disk_only_the_newest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bans");
        let newest = Newest::default();
        let (wake, woken) = mpsc::sync_channel(1);
        let (_, end) = mpsc::channel();
        let locked = open_locked(&path).unwrap();
        let file = BansFile { path: path.clone(), newest, wake: Some(wake), end };
        let bans = parse(b"192.0.2.7 forever anna").unwrap();
        file.write(&BTreeMap::new());
        file.write(&bans);
        let newest = Arc::clone(&file.newest);
        drop(file);
        write_each(&path, &newest, &woken, locked);
        assert_eq!(read(&path).unwrap(), bans);
        assert_eq!(*newest.lock().unwrap(), None);
    }

    #[test]
    fn what_prevents_it_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing/bans");
        assert!(read(&missing).is_ok_and(|bans| bans.is_empty()));
        let failure = BansFile::open(&missing).unwrap_err();
        assert!(failure.message().is_some_and(|why| why.contains("no such file")), "{failure:?}");
        assert!(read(folder.path()).is_err());
    }
}

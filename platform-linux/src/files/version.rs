//! Which version of a file it is.

use std::io;
use std::os::fd::AsFd;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::stat::makedev;

use crate::sys::{Statx, Timestamp, statx};

/// A time that the system stamps a file with: since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FileTime {
    seconds: i64,
    nanoseconds: u32,
}

impl FileTime {
    pub(super) const fn new(seconds: i64, nanoseconds: u32) -> Self {
        Self { seconds, nanoseconds }
    }

    /// The realtime clock, by which files are stamped.
    pub(super) fn now() -> Self {
        SystemTime::now().into()
    }

    /// Since 1970; as near as an `i64` gets to it.
    pub(super) fn nanoseconds(self) -> i64 {
        self.seconds.saturating_mul(1_000_000_000).saturating_add(self.nanoseconds.into())
    }

    pub(super) fn plus_seconds(self, seconds: i64) -> Self {
        Self { seconds: self.seconds.saturating_add(seconds), ..self }
    }
}

impl From<Timestamp> for FileTime {
    fn from((seconds, nanoseconds): Timestamp) -> Self {
        Self { seconds, nanoseconds }
    }
}

/// Before 1970 the seconds are negative, and rounded down, as those of files are.
impl From<SystemTime> for FileTime {
    fn from(time: SystemTime) -> Self {
        let (span, is_before) = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => (after, false),
            Err(before) => (before.duration(), true),
        };
        let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        match span.subsec_nanos() {
            nanoseconds if !is_before => Self::new(seconds, nanoseconds),
            0 => Self::new(-seconds, 0),
            nanoseconds => Self::new(-seconds - 1, 1_000_000_000 - nanoseconds),
        }
    }
}

/// What tells one version of one file from another, as far as the system keeps such marks
/// (`inode(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Version {
    device: u64,
    inode: u64,
    pub(super) size: u64,
    /// Of the contents.
    pub(super) modified: FileTime,
    /// Of contents, length, owner, permissions, name or links; nobody can set it at will.
    pub(super) changed: FileTime,
}

impl Version {
    pub(super) fn read(fd: impl AsFd) -> io::Result<Self> {
        Ok(Self::of(&statx(fd)?))
    }

    pub(super) fn of(statx: &Statx) -> Self {
        let (major, minor) = statx.device;
        Self {
            device: makedev(major.into(), minor.into()),
            inode: statx.inode,
            size: statx.size,
            modified: statx.modified.into(),
            changed: statx.changed.into(),
        }
    }

    /// The mark of the version for others: never 0, and the same whoever asks, so that a download
    /// can go on after the server was started anew. The time of change is in it because that of
    /// modification can be set at will; so a rename, a link or a change of permissions makes another
    /// mark for the same contents, and who holds them has them proven.
    pub(super) fn tag(&self) -> u64 {
        let mut bytes = [0; 48];
        bytes[..8].copy_from_slice(&self.device.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.inode.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.size.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.modified.seconds.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.modified.nanoseconds.to_le_bytes());
        bytes[36..44].copy_from_slice(&self.changed.seconds.to_le_bytes());
        bytes[44..].copy_from_slice(&self.changed.nanoseconds.to_le_bytes());
        tag(&bytes)
    }
}

/// 64 bits that stand for `bytes`, never 0.
pub(super) fn tag(bytes: &[u8]) -> u64 {
    let digest = blake3::hash(bytes);
    let first = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
    u64::from_le_bytes(*first).max(1)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;

    /// Writes until the file bears another time of change: clocks tick as coarsely as they like.
    fn changed(file: &File, before: Version, change: impl Fn()) -> Version {
        loop {
            change();
            let now = Version::read(file).unwrap();
            if now.changed != before.changed {
                return now;
            }
        }
    }

    /// Of a machine whose clock was never set, and of any other.
    #[test]
    fn the_clock_and_files_tell_time_alike_before_1970_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("a")).unwrap();
        for (millis, expected) in [
            (-86_400_500, FileTime::new(-86_401, 500_000_000)),
            (-1_001, FileTime::new(-2, 999_000_000)),
            (-1_000, FileTime::new(-1, 0)),
            (-1, FileTime::new(-1, 999_000_000)),
            (0, FileTime::new(0, 0)),
            (1_500, FileTime::new(1, 500_000_000)),
        ] {
            let span = Duration::from_millis(i64::unsigned_abs(millis));
            let time = if millis < 0 { UNIX_EPOCH - span } else { UNIX_EPOCH + span };
            file.set_modified(time).unwrap();
            assert_eq!(FileTime::from(time), expected);
            assert_eq!(Version::read(&file).unwrap().modified, expected);
        }
    }

    /// The time of modification is set back: what is left to tell is the time of change.
    #[test]
    fn the_tag_tells_versions_apart_whose_times_of_modification_lie() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "first").unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        let time = SystemTime::now() - Duration::from_mins(1);
        file.set_modified(time).unwrap();
        let before = Version::read(&file).unwrap();
        assert_ne!(before.tag(), 0);
        assert_eq!(Version::read(&file).unwrap().tag(), before.tag());
        let now = changed(&file, before, || {
            fs::write(&path, "other").unwrap();
            file.set_modified(time).unwrap();
        });
        assert_eq!((now.size, now.modified), (before.size, before.modified));
        assert_ne!(now.tag(), before.tag());
    }

    /// It costs those who hold the file a proof, and nothing else.
    #[test]
    fn a_change_of_permissions_makes_another_tag() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "first").unwrap();
        let file = File::open(&path).unwrap();
        let before = Version::read(&file).unwrap();
        let now = changed(&file, before, || {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        });
        assert_ne!(now.tag(), before.tag());
    }

    #[test]
    fn another_file_has_another_tag() {
        let folder = tempfile::tempdir().unwrap();
        let time = SystemTime::now();
        let versions = ["a", "b"].map(|name| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(time).unwrap();
            Version::read(&file).unwrap()
        });
        assert_eq!(versions[0].modified, versions[1].modified);
        assert_ne!(versions[0].tag(), versions[1].tag());
    }
}

//! What a client tells of the files that a server has.

use std::fmt;

use anstyle::{AnsiColor, Style};
use barewire_core::printable::Printable;
use barewire_core::time::Duration;
use indicatif::HumanBytes;
use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde::Serialize;

use crate::output::format::{self, serialize_seconds};
use crate::output::peer_text::{Shown, serialize_folder, serialize_name, serialize_path};

const DIRECTORY: Style = AnsiColor::Blue.on_default().bold();

/// A file that is there now, under its own name.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename = "downloaded")]
pub(crate) struct Downloaded<'a> {
    /// As the server knows it.
    #[serde(flatten, serialize_with = "serialize_name")]
    pub(crate) name: Printable<'a>,
    /// Where it is.
    #[serde(flatten, serialize_with = "serialize_path")]
    pub(crate) path: Printable<'a>,
    /// Its size.
    pub(crate) bytes: u64,
    /// How much of that was there from an earlier run.
    pub(crate) resumed_from: u64,
    /// Whether digests have proven it.
    pub(crate) verified: bool,
    /// Whether its hash is the one that the user expects.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) expected: bool,
    /// Its BLAKE3 hash as `b3sum` prints it, if that is known and wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hash: Option<String>,
    #[serde(serialize_with = "serialize_seconds")]
    pub(crate) seconds: Duration,
}

impl fmt::Display for Downloaded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, path: _, bytes, resumed_from, verified, expected, seconds, .. } = *self;
        let (name, seconds) = (Shown::from(name), format::seconds(seconds));
        write!(f, "{name}: {} in {seconds:.1} s (", HumanBytes(bytes))?;
        if !verified {
            f.write_str("not ")?;
        }
        f.write_str("verified")?;
        if expected {
            f.write_str(", the hash is as expected")?;
        }
        if resumed_from > 0 {
            write!(f, ", resumed from {}", HumanBytes(resumed_from))?;
        }
        f.write_str(")")?;
        match &self.hash {
            Some(hash) => write!(f, ", hash {hash}"),
            None => Ok(()),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde passes it")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// One entry of a folder.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "event", rename = "entry")]
pub(crate) struct Listed<'a> {
    /// The folder that it is in, if it is one of several.
    #[serde(flatten, serialize_with = "serialize_folder")]
    pub(crate) folder: Option<Printable<'a>>,
    #[serde(flatten, serialize_with = "serialize_name")]
    pub(crate) name: Printable<'a>,
    pub(crate) size: u64,
    /// Seconds since the start of 1970, UTC.
    pub(crate) modified: i64,
    pub(crate) directory: bool,
    /// A link to a directory.
    pub(crate) link: bool,
    /// How many digits the longest size of the folder has.
    #[serde(skip)]
    pub(crate) width: usize,
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder: _, name, size, modified, directory, link, width } = *self;
        let name = Shown::from(name);
        if directory || link {
            let mark = if link { '@' } else { '/' };
            write!(f, "{:>width$}  {}  {DIRECTORY}{name}{mark}{DIRECTORY:#}", "-", Time(modified))
        } else {
            write!(f, "{size:>width$}  {}  {name}", Time(modified))
        }
    }
}

/// Seconds since 1970 as a date and a time of day (UTC, RFC 3339).
struct Time(i64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        // The year 10000 has no such form.
        match EPOCH.checked_add(SignedDuration::from_secs(self.0)) {
            Ok(time) if self.0 >= 0 => write!(f, "{time}Z"),
            _ => write!(f, "{:<20}", format!("@{}", self.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use barewire_core::printable::printable;

    use super::*;

    fn json(event: impl Serialize) -> String {
        serde_json::to_string(&event).unwrap()
    }

    #[test]
    fn a_download_says_whether_it_was_proven_and_resumed() {
        let done = Downloaded {
            name: printable(b"a/\x1b"),
            path: printable(b"d/x"),
            bytes: 1 << 20,
            resumed_from: 0,
            verified: true,
            expected: false,
            hash: None,
            seconds: Duration::from_millis(420),
        };
        assert_eq!(done.to_string(), r"a/\x1b: 1.00 MiB in 0.4 s (verified)");
        assert_eq!(
            json(&done),
            r#"{"event":"downloaded","name":"a/\\x1b","name_base64":"YS8b","path":"d/x","bytes":1048576,"resumed_from":0,"verified":true,"seconds":0.42}"#
        );
        let resumed = Downloaded { resumed_from: 2048, verified: false, ..done.clone() };
        assert!(resumed.to_string().ends_with("(not verified, resumed from 2.00 KiB)"));
        let hashed = Downloaded { expected: true, hash: Some("ab".into()), ..done };
        assert!(hashed.to_string().ends_with("(verified, the hash is as expected), hash ab"));
        assert!(json(hashed).contains(r#""verified":true,"expected":true,"hash":"ab","#));
    }

    #[test]
    fn entries_stand_in_columns() {
        let name = printable("caf\u{e9}\u{202e}".as_bytes());
        let file = Listed {
            folder: None,
            name,
            size: 7,
            modified: 1_700_000_000,
            directory: false,
            link: false,
            width: 3,
        };
        assert_eq!(file.to_string(), "  7  2023-11-14T22:13:20Z  café\\u{202e}");
        let folder = Listed { name: printable(b"d"), size: 0, directory: true, ..file };
        let plain = anstream::adapter::strip_str(&folder.to_string()).to_string();
        assert_eq!(plain, "  -  2023-11-14T22:13:20Z  d/");
        assert_eq!(
            json(folder),
            r#"{"event":"entry","name":"d","size":0,"modified":1700000000,"directory":true,"link":false}"#
        );
        let link = Listed { directory: false, link: true, ..folder };
        let plain = anstream::adapter::strip_str(&link.to_string()).to_string();
        assert_eq!(plain, "  -  2023-11-14T22:13:20Z  d@");
        let inner = Listed { folder: Some(printable(b"a")), ..folder };
        assert!(json(inner).starts_with(r#"{"event":"entry","folder":"a","name""#));
    }

    #[test]
    fn times_that_have_no_date_are_shown_all_the_same() {
        let shown = [i64::MIN, -1, 0, 253_402_300_799, 253_402_300_800, i64::MAX]
            .map(|seconds| Time(seconds).to_string());
        assert_eq!(shown[1], "@-1                 ");
        assert_eq!(shown[2], "1970-01-01T00:00:00Z");
        assert_eq!(shown[3], "9999-12-31T23:59:59Z");
        assert!(shown.iter().all(|time| time.len() >= 20), "{shown:?}");
    }
}

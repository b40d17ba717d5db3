//! The hashes that files are expected to have.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use barewire_core::file::Digest;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use crate::cli::exit::Failure;
use crate::output::peer_text::shown;
use crate::output::system_error::describe;

/// How large a file of hashes may be, in bytes.
const MOST: u64 = 64 << 20;

/// What stands for standard input in place of a path.
pub(super) const STDIN: &str = "-";

/// What `b3sum` says of each file, if the user has said anything.
#[derive(Clone, Debug, Default)]
pub(super) enum Expectations {
    #[default]
    None,
    /// Of the only file.
    One(Digest),
    /// Of each file by its name, as the file at the path says.
    Listed(HashMap<String, Digest>, String),
}

impl Expectations {
    /// Reads a file such as `b3sum` writes; standard input for `-`.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let is_stdin = path == Path::new(STDIN);
        let shown = if is_stdin { "standard input".into() } else { path.display().to_string() };
        let text = if is_stdin {
            read_at_most(io::stdin().lock(), MOST)
        } else {
            File::open(path).and_then(|file| read_at_most(file, MOST))
        };
        let text = text.map_err(|error| {
            Failure::Conversation(format!("cannot read {shown}: {}", describe(&error)))
        })?;
        let text = text.ok_or_else(|| Failure::usage(format!("{shown} is larger than 64 MiB")))?;
        match read_lines(&text) {
            Ok(hashes) => Ok(Self::Listed(hashes, shown)),
            Err(why) => Err(Failure::usage(format!("{shown}, {why}"))),
        }
    }

    /// The hash that the file `name` is expected to have, if any is; an error if there should be one.
    pub(super) fn of(&self, name: &str) -> Result<Option<Digest>, String> {
        match self {
            Self::None => Ok(None),
            Self::One(hash) => Ok(Some(*hash)),
            Self::Listed(hashes, path) => {
                let hash = hashes.get(&plain(name)).copied().map(Some);
                hash.ok_or_else(|| format!("{}: {path} has no hash of it", shown(name.as_bytes())))
            }
        }
    }
}

/// All that comes of it; `None` if that is more than `most` bytes.
fn read_at_most(stream: impl io::Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    stream.take(most + 1).read_to_end(&mut text)?;
    Ok((text.len() as u64 <= most).then_some(text))
}

/// The hash of each name, or which line is wrong, and why.
fn read_lines(text: &[u8]) -> Result<HashMap<String, Digest>, String> {
    let mut hashes = HashMap::new();
    // Editors on Windows begin files with a byte order mark.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    for (number, line) in (1_usize..).zip(text.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let line = str::from_utf8(line).map_err(|_| format!("line {number}: not UTF-8"))?;
        let (name, hash) = read_line(line).ok_or_else(|| {
            let what = "not a hash of 64 digits, two spaces and a name, as b3sum writes";
            format!("line {number}: {what}")
        })?;
        let (first, known) = *hashes.entry(name.clone()).or_insert((number, hash));
        if known != hash {
            let name = shown(name.as_bytes());
            return Err(format!("lines {first} and {number}: two different hashes of {name}"));
        }
    }
    Ok(hashes.into_iter().map(|(name, (_, hash))| (name, hash)).collect())
}

/// A hash as it is written.
pub(super) fn hash(text: &str) -> Result<Digest, String> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
    let hash = bytes.and_then(|bytes| Digest::try_from(bytes).ok());
    hash.ok_or_else(|| "not a BLAKE3 hash: 64 hexadecimal digits, as b3sum prints it".to_owned())
}

/// How a hash is written.
pub(super) fn hex(hash: &Digest) -> String {
    HEXLOWER.encode(hash)
}

/// A line of `b3sum`, or of `b3sum --tag`. One that begins with a backslash has escapes in its name.
fn read_line(line: &str) -> Option<(String, Digest)> {
    let (line, is_escaped) = line.strip_prefix('\\').map_or((line, false), |line| (line, true));
    let (digits, name) = match line.strip_prefix("BLAKE3 (") {
        Some(tagged) => tagged.rsplit_once(") = ").map(|(name, digits)| (digits, name))?,
        None => line.split_once("  ")?,
    };
    let name = if is_escaped {
        let unescaped = name.split("\\\\").map(|part| part.replace("\\n", "\n"));
        unescaped.collect::<Vec<_>>().join("\\")
    } else {
        name.to_owned()
    };
    Some((plain(&name), hash(digits).ok()?))
}

/// A name without what leads nowhere: `./a//b` is `a/b`.
fn plain(name: &str) -> String {
    let parts = name.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_64_digits() {
        let digits = "0123456789abcdef".repeat(4);
        assert_eq!(hex(&hash(&digits).unwrap()), digits);
        assert_eq!(hash(&digits.to_uppercase()), hash(&digits));
        for wrong in ["", "0", &digits[1..], &digits.replace('0', "g"), &format!("{digits}0")] {
            assert!(hash(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lines_are_read_as_b3sum_writes_them() {
        let digits = "ab".repeat(32);
        for (line, name) in [
            (format!("{digits}  x"), "x"),
            (format!("{digits}  ./a//b c"), "a/b c"),
            (format!("\\{digits}  a\\\\nb\\nc"), "a\\nb\nc"),
            (format!("BLAKE3 (a) = b) = {digits}"), "a) = b"),
        ] {
            assert_eq!(read_line(&line), Some((name.to_owned(), [0xab; 32])), "{line}");
        }
        for wrong in [digits.as_str(), "x  y", "  x", "BLAKE3 (x)"] {
            assert_eq!(read_line(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_name_has_one_hash() {
        let (one, two) = ("ab".repeat(32), "cd".repeat(32));
        let twice = format!("\u{FEFF}{one}  a\r\n\n{two}  b\n{one}  ./a\n");
        let hashes = HashMap::from([("a".to_owned(), [0xab; 32]), ("b".to_owned(), [0xcd; 32])]);
        assert_eq!(read_lines(twice.as_bytes()), Ok(hashes));
        let different = [twice.as_bytes(), format!("{two}  .//b\n{two}  a\n").as_bytes()].concat();
        let why = "lines 1 and 6: two different hashes of a";
        assert_eq!(read_lines(&different), Err(why.to_owned()));
    }

    #[test]
    fn a_line_that_is_wrong_is_told_by_its_number() {
        let line = format!("{}  a\n", "ab".repeat(32)).into_bytes();
        for (wrong, why) in [(&b"\xFF"[..], "line 3: not UTF-8"), (b"x", "line 3: not a hash")] {
            let told = read_lines(&[&line[..], b"\n", wrong, b"\n", &line].concat()).unwrap_err();
            assert!(told.starts_with(why), "{told}");
        }
    }

    #[test]
    fn no_more_is_read_than_is_allowed() {
        let text = b"12345";
        assert_eq!(read_at_most(&text[..], 5).unwrap().as_deref(), Some(&text[..]));
        assert_eq!(read_at_most(&text[..], 4).unwrap(), None);
    }
}

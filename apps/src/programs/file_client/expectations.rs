//! The hashes that files are expected to have.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use barewire_core::file::Digest;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use crate::cli::exit::Failure;
use crate::output::peer_text::shown;
use crate::output::system_error::describe;

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
    /// Reads a file such as `b3sum` writes.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::Conversation(format!("cannot read {shown}: {}", describe(&error)))
        })?;
        let lines = (1_usize..).zip(text.lines()).filter(|(_, line)| !line.is_empty());
        let listed = lines.map(|(number, line)| {
            read_line(line).ok_or_else(|| {
                let what = "not a hash of 64 digits, two spaces and a name, as b3sum writes";
                Failure::usage(format!("{shown}, line {number}: {what}"))
            })
        });
        Ok(Self::Listed(listed.collect::<Result<_, _>>()?, shown))
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
}

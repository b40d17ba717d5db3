//! The lines of a directory listing.

use core::fmt;

/// One entry of a directory, as one line of a listing: `SIZE<TAB>MTIME<TAB>NAME`.
///
/// The lines are sorted by name, byte by byte, the slash of a directory left aside, and each ends
/// in a line feed. No two have the same name. [`entries`] reads a listing that is there as a whole;
/// where there is no room for one, a [`TextReader`](crate::text::TextReader) cuts the lines out of
/// the contents.
///
/// ```
/// use barewire_core::file::Entry;
///
/// let entry = Entry { size: 12, modified: 1_700_000_000, name: "notes.txt", is_directory: false };
/// let line = entry.to_string();
/// assert_eq!(line, "12\t1700000000\tnotes.txt");
/// assert_eq!(Entry::parse(line.as_bytes()), Ok(entry));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Entry<'a> {
    /// The size in bytes; 0 for a directory.
    pub size: u64,
    /// When the contents were last modified, in whole seconds since the start of 1970, UTC.
    pub modified: i64,
    /// The name within its directory: no control character, no slash, not `.` or `..`.
    pub name: &'a str,
    /// Whether it is a directory, which a slash behind the name tells.
    pub is_directory: bool,
}

impl<'a> Entry<'a> {
    /// Reads a line, without its line feed.
    ///
    /// # Errors
    /// [`EntryError`], if no server that follows the rules would have sent it. A name that could
    /// lead elsewhere is never let through.
    pub fn parse(line: &'a [u8]) -> Result<Self, EntryError> {
        let line = core::str::from_utf8(line).map_err(|_| EntryError::Malformed)?;
        let (size, rest) = line.split_once('\t').ok_or(EntryError::Malformed)?;
        let (modified, name) = rest.split_once('\t').ok_or(EntryError::Malformed)?;
        let (name, is_directory) = match name.strip_suffix('/') {
            Some(name) => (name, true),
            None => (name, false),
        };
        if !Self::is_name(name) {
            return Err(EntryError::Malformed);
        }
        let size = decimal(size)?;
        if is_directory && size != 0 {
            return Err(EntryError::Malformed);
        }
        let modified = match modified.strip_prefix('-') {
            Some("0") => None,
            Some(before) => 0_i64.checked_sub_unsigned(decimal(before)?),
            None => 0_i64.checked_add_unsigned(decimal(modified)?),
        };
        Ok(Self { size, modified: modified.ok_or(EntryError::Malformed)?, name, is_directory })
    }

    /// Whether a listing may hold `name`: it is the name of one thing in this directory, and can be
    /// shown.
    pub fn is_name(name: &str) -> bool {
        !matches!(name, "" | "." | "..") && !name.contains(|c: char| c == '/' || c.is_control())
    }
}

/// A number as it is written, with no sign and no zero before it.
fn decimal(digits: &str) -> Result<u64, EntryError> {
    let is_plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_plain || (digits.len() > 1 && digits.starts_with('0')) {
        return Err(EntryError::Malformed);
    }
    digits.parse().map_err(|_| EntryError::Malformed)
}

/// The line, without its line feed.
impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.is_directory { "/" } else { "" };
        write!(f, "{}\t{}\t{}{slash}", self.size, self.modified, self.name)
    }
}

/// Reads a whole listing, line by line.
///
/// A line that breaks the rules is an error and the last that is given. So is one whose name does
/// not come after that of the line before: no name comes twice.
///
/// ```
/// use barewire_core::file::{EntryError, entries};
///
/// let names = |listing| entries(listing).map(|entry| Ok(entry?.name)).collect::<Vec<_>>();
/// assert_eq!(names(b"0\t0\ta/\n3\t0\tb\n"), [Ok("a"), Ok("b")]);
/// assert_eq!(names(b"3\t0\ta\n0\t0\ta/\n"), [Ok("a"), Err(EntryError::OutOfOrder)]);
/// ```
pub const fn entries(listing: &[u8]) -> Entries<'_> {
    Entries { rest: listing, last: "" }
}

/// The entries of a listing; see [`entries`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
    /// The name before; no entry has an empty one.
    last: &'a str,
}

impl<'a> Entries<'a> {
    /// The lines that were not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn read(&mut self) -> Result<Entry<'a>, EntryError> {
        let end = self.rest.iter().position(|&byte| byte == b'\n').ok_or(EntryError::Malformed)?;
        let (line, rest) = self.rest.split_at_checked(end).ok_or(EntryError::Malformed)?;
        let entry = Entry::parse(line)?;
        // Text is ordered by its bytes.
        if entry.name <= self.last {
            return Err(EntryError::OutOfOrder);
        }
        self.last = entry.name;
        self.rest = rest.get(1..).unwrap_or_default();
        Ok(entry)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, EntryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.read().inspect_err(|_| self.rest = &[]))
    }
}

impl core::iter::FusedIterator for Entries<'_> {}

/// What is wrong with a line of a listing: no server should have sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EntryError {
    /// It is not what an [`Entry`] looks like, or has no line feed.
    Malformed,
    /// Its name does not come after that of the line before.
    OutOfOrder,
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "malformed line in a listing",
            Self::OutOfOrder => "line in a listing out of order",
        })
    }
}

impl core::error::Error for EntryError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;
    extern crate std;

    #[track_caller]
    fn round_trips(line: &str) {
        let entry = Entry::parse(line.as_bytes()).unwrap();
        assert_eq!(entry.to_string(), line);
    }

    #[test]
    fn what_is_read_is_written_alike() {
        round_trips("0\t0\ta");
        round_trips("0\t-1\td/");
        round_trips("18446744073709551615\t9223372036854775807\tspace and \u{e9}\\");
        round_trips("1\t-9223372036854775808\t...");
    }

    #[test]
    fn lines_that_break_the_rules_are_refused() {
        for line in [
            "",
            "\t\t",
            "1\t2",
            "1\t2\t",
            "1\t2\t/",
            "1\t2\ta/",
            "0\t2\ta//",
            "0\t2\t.",
            "0\t2\t../",
            "0\t2\ta/b",
            "0\t2\ta\tb",
            "0\t2\t\u{1b}[m",
            "0\t2\ta\r",
            "0\t2\t\u{85}",
            "+1\t2\ta",
            "01\t2\ta",
            "-1\t2\ta",
            "1\t+2\ta",
            "1\t--2\ta",
            "1\t-0\ta",
            "1\t02\ta",
            "18446744073709551616\t0\ta",
            "1\t9223372036854775808\ta",
            " 1\t2\ta",
            "\t2\ta",
            "1\t\ta",
            "1\t-\ta",
        ] {
            assert_eq!(Entry::parse(line.as_bytes()), Err(EntryError::Malformed), "{line:?}");
        }
        assert_eq!(Entry::parse(b"1\t2\t\xff"), Err(EntryError::Malformed));
    }

    #[track_caller]
    fn reads(listing: &str, expected: &[Result<&str, EntryError>]) {
        let found = entries(listing.as_bytes()).map(|entry| Ok(entry?.name));
        assert!(found.eq(expected.iter().copied()), "{listing:?}");
    }

    #[test]
    fn a_listing_is_its_lines() {
        reads("", &[]);
        reads("1\t2\ta\n0\t2\tb/\n", &[Ok("a"), Ok("b")]);
        let mut some = entries(b"1\t2\ta\n0\t2\tb/\n");
        some.next();
        assert_eq!(some.rest(), b"0\t2\tb/\n");
    }

    #[test]
    fn the_first_wrong_line_is_the_last() {
        reads("1\t2\ta", &[Err(EntryError::Malformed)]);
        reads("\n1\t2\ta\n", &[Err(EntryError::Malformed)]);
        reads("1\t2\ta\n\n1\t2\tb\n", &[Ok("a"), Err(EntryError::Malformed)]);
        reads("1\t2\ta\n0\t0\t../\n", &[Ok("a"), Err(EntryError::Malformed)]);
    }

    #[test]
    fn names_are_in_order_and_no_two_the_same() {
        // The slash counts for nothing: with it, the first would come after the second.
        reads("0\t0\ta/\n1\t0\ta b\n1\t0\ta-b\n", &[Ok("a"), Ok("a b"), Ok("a-b")]);
        reads("1\t0\tZ\n1\t0\ta\n1\t0\t\u{e4}\n", &[Ok("Z"), Ok("a"), Ok("\u{e4}")]);
        for (one, other) in [("a", "a"), ("a", "a/"), ("a/", "a"), ("b", "a"), ("aa", "a")] {
            let listing = std::format!("0\t0\t{one}\n0\t0\t{other}\n");
            reads(&listing, &[Ok(one.trim_end_matches('/')), Err(EntryError::OutOfOrder)]);
        }
    }
}

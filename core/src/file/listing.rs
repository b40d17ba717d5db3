//! The lines of a directory listing.

use core::fmt;

/// One entry of a directory, as one line of a listing: `SIZE<TAB>MTIME<TAB>NAME`, with a mark behind
/// the name that tells its [kind](EntryKind).
///
/// The lines are sorted by name, byte by byte, the mark left aside, and each ends in a line feed. No
/// two have the same name. Behind them may stand how many entries were [left out](ListingLine::LeftOut).
/// [`entries`] reads a listing that is there as a whole; where there is no room for one, a
/// [`TextReader`](crate::text::TextReader) cuts the lines out of the contents, and
/// [`ListingLine::parse`] reads each.
///
/// ```
/// use barewire_core::file::{Entry, EntryKind};
///
/// let kind = EntryKind::File;
/// let entry = Entry { size: 12, modified: 1_700_000_000, name: "notes.txt", kind };
/// let line = entry.to_string();
/// assert_eq!(line, "12\t1700000000\tnotes.txt");
/// assert_eq!(Entry::parse(line.as_bytes()), Ok(entry));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Entry<'a> {
    /// The size in bytes; 0 for what is no file.
    pub size: u64,
    /// When the contents were last modified, in whole seconds since the start of 1970, UTC.
    pub modified: i64,
    /// The name within its directory, one that [can be told](Self::is_name).
    pub name: &'a str,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum EntryKind {
    /// A regular file, or a link to one.
    File,
    /// A directory: a slash stands behind the name.
    Directory,
    /// A symbolic link to a directory inside the root: an `@` stands behind the name. It can be listed
    /// as any directory; who follows it while walking a tree may walk in a circle.
    LinkToDirectory,
}

impl EntryKind {
    /// What stands behind the name.
    const fn mark(self) -> &'static str {
        match self {
            Self::File => "",
            Self::Directory => "/",
            Self::LinkToDirectory => "@",
        }
    }
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
        let (modified, marked) = rest.split_once('\t').ok_or(EntryError::Malformed)?;
        let (name, kind) = if let Some(name) = marked.strip_suffix('/') {
            (name, EntryKind::Directory)
        } else if let Some(name) = marked.strip_suffix('@') {
            (name, EntryKind::LinkToDirectory)
        } else {
            (marked, EntryKind::File)
        };
        let size = decimal(size)?;
        if !Self::is_name(name, kind) || (kind != EntryKind::File && size != 0) {
            return Err(EntryError::Malformed);
        }
        let modified = match modified.strip_prefix('-') {
            Some("0") => None,
            Some(before) => 0_i64.checked_sub_unsigned(decimal(before)?),
            None => 0_i64.checked_add_unsigned(decimal(modified)?),
        };
        Ok(Self { size, modified: modified.ok_or(EntryError::Malformed)?, name, kind })
    }

    /// Whether a listing can tell that something of this kind has the name `name`: it is the name of one
    /// thing in this directory, and no control character is in it. The name of a file that ends in `@`
    /// cannot be told, since it would be taken for that of a link. What cannot be told is
    /// [left out](ListingLine::LeftOut), and counted.
    pub fn is_name(name: &str, kind: EntryKind) -> bool {
        !matches!(name, "" | "." | "..")
            && !name.contains(|c: char| c == '/' || c.is_control())
            && (kind != EntryKind::File || !name.ends_with('@'))
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
        let Self { size, modified, name, kind } = self;
        write!(f, "{size}\t{modified}\t{name}{}", kind.mark())
    }
}

/// One line of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ListingLine<'a> {
    /// What is in the directory.
    Entry(Entry<'a>),
    /// So many entries are left out, as their names [cannot be told](Entry::is_name): `-<TAB>N<TAB>`. It
    /// is the last line. A server writes it if there are any; one that says 0 says as much as none.
    LeftOut(u64),
}

impl<'a> ListingLine<'a> {
    /// Reads a line, without its line feed.
    ///
    /// # Errors
    /// Those of [`Entry::parse`].
    ///
    /// ```
    /// use barewire_core::file::ListingLine;
    ///
    /// assert_eq!(ListingLine::parse(b"-\t3\t"), Ok(ListingLine::LeftOut(3)));
    /// ```
    pub fn parse(line: &'a [u8]) -> Result<Self, EntryError> {
        let Some(rest) = line.strip_prefix(b"-\t") else {
            return Entry::parse(line).map(Self::Entry);
        };
        let count = rest.strip_suffix(b"\t").and_then(|count| core::str::from_utf8(count).ok());
        decimal(count.filter(|count| !count.is_empty()).ok_or(EntryError::Malformed)?)
            .map(Self::LeftOut)
    }
}

/// The line, without its line feed.
impl fmt::Display for ListingLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(entry) => entry.fmt(f),
            Self::LeftOut(count) => write!(f, "-\t{count}\t"),
        }
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
    Entries { rest: listing, last: "", left_out: 0 }
}

/// The entries of a listing; see [`entries`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
    /// The name before; no entry has an empty one.
    last: &'a str,
    left_out: u64,
}

impl<'a> Entries<'a> {
    /// The lines that were not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many entries were left out, as their names cannot be told; known at the end.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The next entry; `None` behind the last.
    fn read(&mut self) -> Result<Option<Entry<'a>>, EntryError> {
        let end = self.rest.iter().position(|&byte| byte == b'\n').ok_or(EntryError::Malformed)?;
        let (line, rest) = self.rest.split_at_checked(end).ok_or(EntryError::Malformed)?;
        let rest = rest.get(1..).unwrap_or_default();
        match ListingLine::parse(line)? {
            // Text is ordered by its bytes.
            ListingLine::Entry(entry) if entry.name <= self.last => Err(EntryError::OutOfOrder),
            ListingLine::Entry(entry) => {
                self.last = entry.name;
                self.rest = rest;
                Ok(Some(entry))
            }
            ListingLine::LeftOut(_) if !rest.is_empty() => Err(EntryError::OutOfOrder),
            ListingLine::LeftOut(count) => {
                self.left_out = count;
                self.rest = rest;
                Ok(None)
            }
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, EntryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        self.read().inspect_err(|_| self.rest = &[]).transpose()
    }
}

impl core::iter::FusedIterator for Entries<'_> {}

/// What is wrong with a line of a listing: no server should have sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EntryError {
    /// It is not what a [`ListingLine`] looks like, or has no line feed.
    Malformed,
    /// Its name does not come after that of the line before; or it comes behind how many entries were
    /// left out, which is the last line.
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
        let read = ListingLine::parse(line.as_bytes()).unwrap();
        assert_eq!(read.to_string(), line);
    }

    #[test]
    fn what_is_read_is_written_alike() {
        round_trips("0\t0\ta");
        round_trips("0\t-1\td/");
        round_trips("18446744073709551615\t9223372036854775807\tspace and \u{e9}\\");
        round_trips("1\t-9223372036854775808\t...");
        round_trips("0\t7\tlink@");
        round_trips("0\t7\ta@@");
        round_trips("0\t7\ta@/");
        round_trips("-\t0\t");
        round_trips("-\t18446744073709551615\t");
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
            "1\t2\ta@",
            "0\t2\t@",
            "0\t2\t..@",
            "0\t2\ta/@",
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
            "-",
            "-\t",
            "-\t\t",
            "-\t1",
            "-\t01\t",
            "-\t-1\t",
            "-\t+1\t",
            "-\t1\ta",
            "-\t1\t\t",
            "-\t18446744073709551616\t",
        ] {
            let read = ListingLine::parse(line.as_bytes());
            assert_eq!(read, Err(EntryError::Malformed), "{line:?}");
        }
        assert_eq!(Entry::parse(b"-\t1\t"), Err(EntryError::Malformed));
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
    fn a_mark_tells_the_kind_and_the_name_has_none() {
        let kinds = entries(b"1\t2\ta\n0\t2\tb/\n0\t2\tc@\n");
        let kinds = kinds.flatten().map(|entry| (entry.name, entry.kind));
        let (file, directory) = (EntryKind::File, EntryKind::Directory);
        assert!(kinds.eq([("a", file), ("b", directory), ("c", EntryKind::LinkToDirectory)]));
        assert!(!Entry::is_name("a@", file) && Entry::is_name("a@", directory));
    }

    #[test]
    fn what_is_left_out_is_counted_behind_all_entries() {
        #[track_caller]
        fn counts(listing: &str, left_out: u64, last: Option<EntryError>) {
            let mut some = entries(listing.as_bytes());
            let error = some.by_ref().find_map(Result::err);
            assert_eq!((some.left_out(), error), (left_out, last), "{listing:?}");
            assert!(some.rest().is_empty());
        }
        counts("", 0, None);
        counts("1\t2\ta\n", 0, None);
        counts("1\t2\ta\n-\t0\t\n", 0, None);
        counts("1\t2\ta\n-\t7\t\n", 7, None);
        counts("-\t7\t\n", 7, None);
        counts("-\t7\t\n1\t2\ta\n", 0, Some(EntryError::OutOfOrder));
        counts("-\t7\t\n-\t7\t\n", 0, Some(EntryError::OutOfOrder));
        counts("-\t7\t", 0, Some(EntryError::Malformed));
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

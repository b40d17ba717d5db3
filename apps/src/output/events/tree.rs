//! What became of a tree that was downloaded.

use std::fmt;

use barewire_core::time::Duration;
use indicatif::HumanBytes;
use serde::Serialize;

use crate::output::format::{self, serialize_seconds};

/// A run that has downloaded folders, summed up.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(tag = "event", rename = "tree")]
pub(crate) struct TreeSummary {
    /// How many files were downloaded.
    pub(crate) files: u64,
    /// Their size together.
    pub(crate) bytes: u64,
    /// How many of them no digest has proven.
    pub(crate) unverified: u64,
    /// How many were there as the server has them.
    pub(crate) unchanged: u64,
    /// How many files and folders the user's patterns left out.
    pub(crate) excluded: u64,
    /// How many were left out for the dot before their names.
    pub(crate) hidden: u64,
    /// How many links to folders there are, which are not followed.
    pub(crate) links: u64,
    /// How many entries the server left out, as a listing cannot tell their names.
    pub(crate) left_out: u64,
    /// How many errors were met.
    pub(crate) errors: u64,
    #[serde(serialize_with = "serialize_seconds")]
    pub(crate) seconds: Duration,
}

impl TreeSummary {
    /// Whether nothing at all is known of the tree.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { files, unchanged, excluded, hidden, links, left_out, .. } = *self;
        files + unchanged + excluded + hidden + links + left_out == 0
    }
}

impl fmt::Display for TreeSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, bytes, unverified, seconds, .. } = *self;
        let (s, bytes) = (if files == 1 { "" } else { "s" }, HumanBytes(bytes));
        write!(f, "{files} file{s}, {bytes} in {:.1} s", format::seconds(seconds))?;
        match unverified {
            0 if files > 0 => f.write_str(" (verified)")?,
            0 => {}
            all if all == files => f.write_str(" (not verified)")?,
            some => write!(f, " ({some} not verified)")?,
        }
        let others = [
            (self.unchanged, "unchanged"),
            (self.excluded, "excluded"),
            (self.hidden, "with a dot before their names not taken (--hidden takes them)"),
            (
                self.links,
                if self.links == 1 {
                    "link to a folder not followed"
                } else {
                    "links to folders not followed"
                },
            ),
            (self.left_out, "left out by the server"),
            (self.errors, if self.errors == 1 { "error" } else { "errors" }),
        ];
        let told = others.into_iter().filter(|(count, _)| *count > 0);
        for (index, (count, what)) in told.enumerate() {
            write!(f, "{} {count} {what}", if index == 0 { ";" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_one_line() {
        let mut tree =
            TreeSummary { seconds: Duration::from_millis(120), ..TreeSummary::default() };
        assert!(tree.is_empty());
        assert_eq!(tree.to_string(), "0 files, 0 B in 0.1 s");
        (tree.files, tree.bytes) = (1, 2048);
        assert_eq!(tree.to_string(), "1 file, 2.00 KiB in 0.1 s (verified)");
        tree.unverified = 1;
        assert_eq!(tree.to_string(), "1 file, 2.00 KiB in 0.1 s (not verified)");
        (tree.files, tree.unchanged, tree.excluded, tree.errors) = (3, 2, 1, 4);
        assert_eq!(
            tree.to_string(),
            "3 files, 2.00 KiB in 0.1 s (1 not verified); 2 unchanged, 1 excluded, 4 errors"
        );
        assert_eq!(
            serde_json::to_string(&tree).unwrap(),
            r#"{"event":"tree","files":3,"bytes":2048,"unverified":1,"unchanged":2,"excluded":1,"hidden":0,"links":0,"left_out":0,"errors":4,"seconds":0.12}"#
        );
    }
}

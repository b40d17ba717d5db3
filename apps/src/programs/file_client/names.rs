//! Names: what they lead to on this side, and how one is asked for.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use barewire_core::file::MAX_NAME;
use barewire_linux::standard_streams;

use crate::cli::exit::Failure;
use crate::output::system_error::describe;

/// The last part of a name; empty for the server's root. What `..` leads to has none.
pub(super) fn leaf(name: &str) -> Option<&str> {
    let mut parts = name.split('/').filter(|part| !matches!(*part, "" | "."));
    Some(parts.next_back().unwrap_or_default()).filter(|part| *part != "..")
}

/// A name of the server in a tree that is downloaded.
#[derive(Clone, Debug)]
pub(super) struct TreePath {
    name: String,
    /// Where in it that begins which the listings have added; they have not if it is the tree itself.
    added: Option<usize>,
}

impl TreePath {
    /// The tree that the user has named.
    pub(super) fn top(name: String) -> Self {
        Self { name, added: None }
    }

    pub(super) fn is_top(&self) -> bool {
        self.added.is_none()
    }

    /// The name of what is called `name` in this folder.
    pub(super) fn join(&self, name: &str) -> Self {
        let joined = join(&self.name, name);
        let added = self.added.unwrap_or(joined.len() - name.len());
        Self { name: joined, added: Some(added) }
    }

    /// The way from the top of the tree.
    pub(super) fn way_from_top(&self) -> &str {
        self.added.and_then(|added| self.name.get(added..)).unwrap_or_default()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.name
    }
}

impl From<TreePath> for String {
    fn from(path: TreePath) -> Self {
        path.name
    }
}

/// The name of what is called `name` in the folder `folder`.
fn join(folder: &str, name: &str) -> String {
    match folder.trim_end_matches('/') {
        "" | "." => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// Asks the user for a name: with a prompt if that is a person, else for a line of standard input.
pub(super) fn ask() -> Result<String, Failure> {
    standard_streams::check_input().map_err(|why| {
        Failure::Conversation(format!("cannot read a file name from standard input: {why}"))
    })?;
    let mut stdin = io::stdin().lock();
    if stdin.is_terminal() && io::stderr().is_terminal() {
        let mut stderr = anstream::stderr();
        // Without the prompt the question is still there.
        let _ = stderr.write_all(b"File name: ").and_then(|()| stderr.flush());
    }
    let mut line = Vec::new();
    // One that is longer is refused for its length.
    let limit = u64::try_from(MAX_NAME).map_or(u64::MAX, |longest| longest + 3);
    stdin.by_ref().take(limit).read_until(b'\n', &mut line).map_err(|error| {
        Failure::Conversation(format!("cannot read a file name: {}", describe(&error)))
    })?;
    read_line(&line)
}

fn read_line(line: &[u8]) -> Result<String, Failure> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::usage(
            "no file name given (write it behind the address, or on standard input)",
        ));
    }
    match str::from_utf8(line) {
        Ok(name) => Ok(name.to_owned()),
        Err(_) => Err(Failure::usage("the file name is not UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_under_the_last_part_of_its_name() {
        for (name, leaf) in [
            ("x", Some("x")),
            ("sub/x", Some("x")),
            ("/a//tree/./", Some("tree")),
            ("a\\b", Some("a\\b")),
            ("...", Some("...")),
            ("", Some("")),
            (".", Some("")),
            ("./", Some("")),
            ("a/..", None),
            ("../.", None),
        ] {
            assert_eq!(super::leaf(name), leaf, "{name:?}");
        }
    }

    #[test]
    fn a_path_in_a_tree_tells_what_the_tree_has_added() {
        for (top, inner) in [("", "a/b"), (".", "a/b"), ("x", "x/a/b"), ("x/y/", "x/y/a/b")] {
            let top = TreePath::top(top.into());
            assert!(top.is_top() && top.way_from_top().is_empty());
            let path = top.join("a").join("b");
            assert!(!path.is_top());
            assert_eq!((path.way_from_top(), path.as_str()), ("a/b", inner));
        }
    }

    #[test]
    fn inner_names_are_relative_to_the_root() {
        assert_eq!(join("", "x"), "x");
        assert_eq!(join(".", "x"), "x");
        assert_eq!(join("./", "x"), "x");
        assert_eq!(join("a/tree/", "x"), "a/tree/x");
        assert_eq!(join("a", "x"), "a/x");
    }

    #[test]
    fn one_line_is_one_name() {
        assert_eq!(read_line(b"a b \r\n").unwrap(), "a b ");
        assert_eq!(read_line(b"x").unwrap(), "x");
        for wrong in [&b""[..], b"\n", b"\r\n", b"\xff\n"] {
            assert!(matches!(read_line(wrong), Err(Failure::Usage(_))), "{wrong:?}");
        }
    }
}

//! Which entries of a tree are wanted.

use barewire_core::file::EntryKind;
use clap::Args;
use globset::{GlobBuilder, GlobMatcher};

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Trees")]
pub(super) struct TreeRules {
    /// Leave out what matches GLOB: `*.tmp` by its name, wherever it is; with a slash in it, `/a/*.log`
    /// or `a/**/b`, by its path in the tree; with one at the end, `cache/`, only folders
    #[arg(long, value_name = "GLOB", value_parser = Pattern::parse, requires = "recursive")]
    exclude: Vec<Pattern>,

    /// Of the files, take only those that match GLOB, and no --exclude; folders without any are not made
    #[arg(long, value_name = "GLOB", value_parser = Pattern::parse, requires = "recursive")]
    include: Vec<Pattern>,

    /// Take names that begin with a dot also where `.`, the server's root, goes directly into the
    /// target folder: there they could be settings of programs, `.bashrc` or `.ssh` in a home folder
    #[arg(long, requires = "recursive")]
    hidden: bool,
}

/// Why an entry is not wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unwanted {
    /// By a pattern.
    Excluded,
    /// Its name begins with a dot.
    Hidden,
    /// It is a link to a folder: who follows them may go in circles.
    Link,
}

impl TreeRules {
    /// Whether a file is taken only if a pattern says so.
    pub(super) fn chooses_files(&self) -> bool {
        !self.include.is_empty()
    }

    /// Judges an entry by its path from the top of the tree. If it `is_loose`, it goes directly into a
    /// folder that the server has not named.
    pub(super) fn judge(
        &self,
        path: &str,
        kind: EntryKind,
        is_loose: bool,
    ) -> Result<(), Unwanted> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if is_loose && !self.hidden && name.starts_with('.') {
            return Err(Unwanted::Hidden);
        }
        let is_file = kind == EntryKind::File;
        let matches = |pattern: &Pattern| pattern.matches(path, name, !is_file);
        let is_included = !is_file || self.include.is_empty() || self.include.iter().any(matches);
        if !is_included || self.exclude.iter().any(matches) {
            return Err(Unwanted::Excluded);
        }
        if kind == EntryKind::LinkToDirectory { Err(Unwanted::Link) } else { Ok(()) }
    }
}

/// A pattern that names or paths are matched against.
#[derive(Clone, Debug)]
struct Pattern {
    glob: GlobMatcher,
    is_of_paths: bool,
    is_of_folders: bool,
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, String> {
        let (text, is_of_folders) = match text.strip_suffix('/') {
            Some(text) => (text, true),
            None => (text, false),
        };
        let is_of_paths = text.contains('/');
        let text = text.strip_prefix('/').unwrap_or(text);
        if text.is_empty() {
            return Err("it matches nothing".into());
        }
        let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
        let glob = glob.map_err(|error| error.kind().to_string())?.compile_matcher();
        Ok(Self { glob, is_of_paths, is_of_folders })
    }

    fn matches(&self, path: &str, name: &str, is_directory: bool) -> bool {
        let subject = if self.is_of_paths { path } else { name };
        (is_directory || !self.is_of_folders) && self.glob.is_match(subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(exclude: &[&str], include: &[&str]) -> TreeRules {
        let parse =
            |globs: &[&str]| globs.iter().map(|glob| Pattern::parse(glob).unwrap()).collect();
        TreeRules { exclude: parse(exclude), include: parse(include), hidden: false }
    }

    #[track_caller]
    fn keeps(rules: &TreeRules, kept: &[&str], excluded: &[&str]) {
        for (paths, verdict) in [(kept, Ok(())), (excluded, Err(Unwanted::Excluded))] {
            for path in paths {
                let (name, kind) = match path.strip_suffix('/') {
                    Some(name) => (name, EntryKind::Directory),
                    None => (*path, EntryKind::File),
                };
                assert_eq!(rules.judge(name, kind, false), verdict, "{path}");
            }
        }
    }

    #[test]
    fn a_pattern_without_a_slash_is_of_names_and_one_with_a_slash_of_paths() {
        keeps(&rules(&["*.tmp"], &[]), &["a", "tmp", "a.tmp.b"], &["a.tmp", "d/.tmp", "d.tmp/"]);
        keeps(&rules(&["/a"], &[]), &["b/a", "ab"], &["a", "a/"]);
        keeps(&rules(&["a/*.log"], &[]), &["x.log", "a/b/x.log", "b/a/x.log"], &["a/x.log"]);
        keeps(&rules(&["a/**/x"], &[]), &["x", "b/x"], &["a/x", "a/b/c/x"]);
        keeps(&rules(&["cache/"], &[]), &["cache"], &["cache/", "a/cache/"]);
        keeps(&rules(&["{a,b}?", "[0-9]"], &[]), &["a", "c1"], &["a1", "b2", "7"]);
    }

    #[test]
    fn of_the_files_only_those_included_are_taken_and_an_exclusion_stands_above() {
        let rules = rules(&["*-old.*"], &["*.jpg", "*.png"]);
        keeps(&rules, &["a.jpg", "d/b.png", "folder/"], &["a.txt", "a-old.jpg", "x-old.d/"]);
    }

    #[test]
    fn a_dot_hides_a_name_only_where_it_could_be_a_setting() {
        let mut rules = rules(&[], &[]);
        assert_eq!(rules.judge(".ssh", EntryKind::Directory, true), Err(Unwanted::Hidden));
        assert_eq!(rules.judge("a/.x", EntryKind::File, false), Ok(()));
        assert_eq!(rules.judge("a", EntryKind::File, true), Ok(()));
        rules.hidden = true;
        assert_eq!(rules.judge(".ssh", EntryKind::Directory, true), Ok(()));
    }

    #[test]
    fn a_link_to_a_folder_is_not_followed() {
        let rules = rules(&["old"], &[]);
        let judge = |path| rules.judge(path, EntryKind::LinkToDirectory, false);
        assert_eq!((judge("a"), judge("old")), (Err(Unwanted::Link), Err(Unwanted::Excluded)));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in ["", "/", "//", "[", "{a"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}

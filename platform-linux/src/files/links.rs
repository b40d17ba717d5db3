//! Where a path leads.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// So many links one after another lead nowhere (`ELOOP`, `path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// What `path` names once the links at its end are followed, each from the folder that it is in, were there
/// nothing of that name: what opening it would create.
pub fn follow_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

/// Whether two paths lead to one file, be it there or not.
///
/// # Errors
/// Those of `stat(2)` but [`NotFound`](io::ErrorKind::NotFound).
pub fn is_same_file(one: &Path, other: &Path) -> io::Result<bool> {
    match (identity(one)?, identity(other)?) {
        (None, None) => {
            let (one, other) = (follow_links(one), follow_links(other));
            let folders = (identity(folder_of(&one))?, identity(folder_of(&other))?);
            Ok(one.file_name() == other.file_name()
                && folders.0.is_some()
                && folders.0 == folders.1)
        }
        (one, other) => Ok(one == other),
    }
}

/// The device and the inode of what is there.
fn identity(path: &Path) -> io::Result<Option<(u64, u64)>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some((found.dev(), found.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The folder that the last name of a path is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().unwrap_or(path);
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_to_what_is_there_or_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("inner")).unwrap();
        fs::write(path("file"), "").unwrap();
        symlink("../file", path("inner/link")).unwrap();
        symlink("inner/link", path("chain")).unwrap();
        symlink("inner/none", path("dangling")).unwrap();
        symlink("loop", path("loop")).unwrap();
        assert_eq!(follow_links(&path("chain")), path("inner/../file"));
        assert_eq!(follow_links(&path("dangling")), path("inner/none"));
        assert_eq!(follow_links(&path("none")), path("none"));
        follow_links(&path("loop"));

        let is_same = |one, other| is_same_file(&path(one), &path(other)).unwrap();
        for (one, other) in [
            ("chain", "file"),
            ("dangling", "inner/none"),
            ("none", "none"),
            ("inner/../none", "none"),
        ] {
            assert!(is_same(one, other), "{one} and {other}");
        }
        for (one, other) in [("file", "none"), ("none", "inner/none"), ("no/file", "nor/file")] {
            assert!(!is_same(one, other), "{one} and {other}");
        }
        assert!(is_same_file(&path("loop"), &path("none")).is_err());
    }
}

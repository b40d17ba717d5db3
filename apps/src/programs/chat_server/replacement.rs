//! Replacing a file as a whole: what has the name is the old file or the new one, and never half of it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use barewire_linux::files::read_regular;
use barewire_linux::randomness::random_bytes;

/// What the name of a new file ends in, until it has that of the old one.
const SUFFIX: &str = ".new";

/// How many hexadecimal digits stand before that.
const DIGITS: usize = 16;

/// What a file is like, if it is there and can be looked at; it must be a regular one.
pub(super) fn check_regular(path: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(io::Error::other("it is not a regular file")),
        found => Ok(found.ok()),
    }
}

/// Replaces a regular file by one with the same permissions, or else one that nobody else can read:
/// addresses are people's own. The new one is `locked` in the place of the old before it has the name.
///
/// Until then it has a name that nobody else has, and no file but this new one is ever removed.
pub(super) fn replace(path: &Path, text: &str, locked: &mut File) -> io::Result<()> {
    let before = check_regular(path)?;
    let mode = before.map_or(0o600, |before| before.permissions().mode() & 0o777);
    let new = path.with_file_name(temporary_name(name_of(path)?)?);
    let file = File::options().write(true).create_new(true).mode(0o600).open(&new)?;
    // Nobody else knows it; what has no locks has none.
    let _ = file.try_lock();
    if let Err(error) = fill(&file, mode, text).and_then(|()| fs::rename(&new, path)) {
        // The first error is the one to tell of.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    *locked = file;
    // Its name is on the disk with the folder.
    File::open(folder_of(path))?.sync_all()
}

/// Removes what crashes have left of new files that were to replace the one at `path`, which the caller has
/// locked: what is called like one, and has the `heading` of all of them, or is cut off within it.
pub(super) fn remove_leftovers(path: &Path, heading: &[u8]) {
    let Ok(name) = name_of(path) else { return };
    // A folder that cannot be listed keeps them.
    let Ok(entries) = fs::read_dir(folder_of(path)) else { return };
    for entry in entries.flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && is_temporary(&entry.file_name(), name) {
            let found = read_regular(&entry.path(), heading.len() as u64);
            if found.is_ok_and(|begins| heading.starts_with(&begins)) {
                // The next start tries it again.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn name_of(path: &Path) -> io::Result<&OsStr> {
    Ok(path.file_name().ok_or(io::ErrorKind::IsADirectory)?)
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// `.NAME.0123456789abcdef.new`: hidden, and no key in a folder of them.
fn temporary_name(name: &OsStr) -> io::Result<OsString> {
    let number = u64::from_ne_bytes(random_bytes()?);
    let mut new = OsString::from(".");
    new.push(name);
    new.push(format!(".{number:0DIGITS$x}{SUFFIX}"));
    Ok(new)
}

fn is_temporary(entry: &OsStr, name: &OsStr) -> bool {
    let inner = |entry: &[u8]| {
        let rest = entry.strip_prefix(b".")?.strip_prefix(name.as_encoded_bytes())?;
        let digits = rest.strip_prefix(b".")?.strip_suffix(SUFFIX.as_bytes())?;
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        Some(digits.len() == DIGITS && digits.iter().all(is_digit))
    };
    inner(entry.as_encoded_bytes()).unwrap_or(false)
}

fn fill(mut file: &File, mode: u32, text: &str) -> io::Result<()> {
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::os::unix::fs::symlink;

    use barewire_linux::files::open_locked;

    use super::*;

    fn names(folder: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn nothing_else_in_the_folder_is_touched_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let others = ["bans.new", ".bans.new", ".bans.0123456789abcdef.new", "new"];
        for name in others {
            fs::write(path(name), "mine").unwrap();
        }
        symlink("new", path(".bans.1123456789abcdef.new")).unwrap();
        let before = names(folder.path());
        let bans = path("bans");
        let mut locked = open_locked(&bans).unwrap();
        for text in ["heading\n1\n", "heading\n2\n"] {
            remove_leftovers(&bans, b"heading\n");
            replace(&bans, text, &mut locked).unwrap();
            assert_eq!(fs::read_to_string(&bans).unwrap(), text);
        }
        fs::remove_file(&bans).unwrap();
        assert_eq!(names(folder.path()), before);
        assert!(others.iter().all(|name| fs::read(path(name)).unwrap() == b"mine"));
    }

    #[test]
    fn where_it_fails_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bans");
        let mut locked = open_locked(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        replace(&path, "text", &mut locked).unwrap_err();
        replace(&folder.path().join("none/bans"), "text", &mut locked).unwrap_err();
        assert_eq!(names(folder.path()), BTreeSet::from(["bans".into()]));
    }

    /// Where the server was killed in the middle.
    #[test]
    fn what_crashes_leave_is_removed_and_nothing_that_is_only_like_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let heading = b"heading\n";
        for text in ["", "head", "heading\n", "heading\n192.0.2.7 forever\n"] {
            fs::write(path("").join(temporary_name(OsStr::new("bans")).unwrap()), text).unwrap();
        }
        assert_eq!(names(folder.path()).len(), 4);
        let kept = [
            (".bans.0123456789abcdef.new", "other"),
            (".bans.0123456789ABCDEF.new", "heading\n"),
            (".bans.0123456789abcde.new", "heading\n"),
            (".bans2.0123456789abcdef.new", "heading\n"),
            ("bans.0123456789abcdef.new", "heading\n"),
            (".bans.new", "heading\n"),
        ];
        for (name, text) in kept {
            fs::write(path(name), text).unwrap();
        }
        remove_leftovers(&path("bans"), heading);
        assert_eq!(names(folder.path()), kept.map(|(name, _)| name.to_owned()).into());
    }
}

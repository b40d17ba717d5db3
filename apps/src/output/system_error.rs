//! The system's errors in words.

use std::fmt;
use std::io;
use std::path::Path;

use barewire_linux::system_error::description;

/// In the system's words; with `-v`, also with the number.
pub(crate) fn describe(error: &io::Error) -> impl fmt::Display {
    let Some(mut text) = description(error).map(str::to_owned) else {
        return error.to_string();
    };
    // "Address already in use", but not "I/O error".
    if text.chars().nth(1).is_some_and(char::is_lowercase) {
        text[..1].make_ascii_lowercase();
    }
    match error.raw_os_error() {
        Some(number) if log::log_enabled!(log::Level::Debug) => {
            format!("{text}, os error {number}")
        }
        _ => text,
    }
}

/// What to do where a file could not be made at `path`, as something is [not there](io::ErrorKind::NotFound).
pub(crate) fn not_there_advice(path: &Path) -> &'static str {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_none_or(Path::is_dir) {
        "no such file can be made in this folder: choose another"
    } else {
        "make its folder first"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_there_need_not_be_made() {
        for (path, advice) in [
            ("/proc/x", "choose another"),
            ("x", "choose another"),
            ("none/x", "make its folder first"),
        ] {
            assert!(not_there_advice(Path::new(path)).ends_with(advice), "{path}");
        }
    }

    #[test]
    fn errors_are_said_in_the_systems_words() {
        let describe_number = |number| describe(&io::Error::from_raw_os_error(number)).to_string();
        assert_eq!(describe_number(98), "address already in use");
        assert_eq!(describe_number(5), "I/O error");
        assert_eq!(describe(&io::Error::other("no such thing")).to_string(), "no such thing");
    }
}

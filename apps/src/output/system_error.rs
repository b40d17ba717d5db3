//! The system's errors in words.

use std::fmt;
use std::io;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_said_in_the_systems_words() {
        let describe_number = |number| describe(&io::Error::from_raw_os_error(number)).to_string();
        assert_eq!(describe_number(98), "address already in use");
        assert_eq!(describe_number(5), "I/O error");
        assert_eq!(describe(&io::Error::other("no such thing")).to_string(), "no such thing");
    }
}

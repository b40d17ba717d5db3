//! What to do, behind what went wrong.

use std::io;

use crate::output::system_error::describe;

/// For whom a server tells nothing: it closes, or is silent.
pub(crate) const KEY_HINT: &str = "if the server has a key, --key FILE is needed";

/// Of a server that closes, or resets, before it has said anything.
pub(crate) const FULL_HINT: &str = "it may be full, or turn this address away";

/// Whether a read meets it or a write, which is chance.
const RESET: &str = "connection reset by peer";

/// The same as [`KEY_HINT`] where it may help.
pub(crate) const fn key_hint(may_help: bool) -> &'static str {
    if may_help { KEY_HINT } else { "" }
}

/// Whether a connection broke in the way in which a server turns somebody away.
pub(crate) fn is_turned_away(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

/// How a connection broke, in words for people: with what it may mean where the server `may_want_key`, as nothing
/// was heard of it, and none was given; `other` is one more hint for that.
pub(crate) fn broken(error: &io::Error, may_want_key: bool, other: &str) -> String {
    if !is_turned_away(error) {
        return describe(error).to_string();
    }
    if !may_want_key {
        return RESET.into();
    }
    format!("{RESET}, without an answer{}", in_parentheses(&[KEY_HINT, FULL_HINT, other]))
}

/// All that there is of `hints` in one parenthesis, to stand behind a message.
pub(crate) fn in_parentheses(hints: &[&str]) -> String {
    let hints: Vec<&str> = hints.iter().copied().filter(|hint| !hint.is_empty()).collect();
    if hints.is_empty() { String::new() } else { format!(" ({})", hints.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_told_the_same_way_whoever_meets_it() {
        let (reset, broken_pipe) = (104, 32);
        let errors = [reset, broken_pipe].map(io::Error::from_raw_os_error);
        for error in errors.iter().chain([&io::ErrorKind::ConnectionReset.into()]) {
            let told = |may_want_key, other| broken(error, may_want_key, other);
            assert_eq!(told(false, "more"), "connection reset by peer");
            let hints = format!("{KEY_HINT}; {FULL_HINT}");
            let silent = "connection reset by peer, without an answer";
            assert_eq!(told(true, ""), format!("{silent} ({hints})"));
            assert_eq!(told(true, "more"), format!("{silent} ({hints}; more)"));
        }
        let unreachable = io::Error::from_raw_os_error(113);
        assert_eq!(broken(&unreachable, true, "more"), "no route to host");
    }

    #[test]
    fn there_is_one_parenthesis_or_none() {
        assert_eq!(
            in_parentheses(&["try later", "", KEY_HINT]),
            format!(" (try later; {KEY_HINT})")
        );
        assert_eq!(in_parentheses(&[key_hint(false)]), "");
        assert_eq!(in_parentheses(&[]), "");
    }
}

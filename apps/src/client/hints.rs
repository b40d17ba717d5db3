//! What to do, behind what went wrong.

/// For whom a server tells nothing: it closes, or is silent.
pub(crate) const KEY_HINT: &str = "if the server has a key, --key FILE is needed";

/// The same where it may help.
pub(crate) const fn key_hint(may_help: bool) -> &'static str {
    if may_help { KEY_HINT } else { "" }
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
    fn there_is_one_parenthesis_or_none() {
        assert_eq!(
            in_parentheses(&["try later", "", KEY_HINT]),
            format!(" (try later; {KEY_HINT})")
        );
        assert_eq!(in_parentheses(&[key_hint(false)]), "");
        assert_eq!(in_parentheses(&[]), "");
    }
}

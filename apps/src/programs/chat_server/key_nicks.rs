//! Nicks that belong to keys: who has `ben.key` is `ben`.

use barewire_core::chat::{MAX_NICK, choose_nick};

use crate::cli::exit::Failure;
use crate::cli::keys::ServerKeys;

use super::nick_rules::UNICODE;

/// Whether the names of keys that are somebody's own can be nicks, and none is taken for another: nor for the
/// second connection of who has another, which is `ben-2`.
pub(super) fn check(keys: &ServerKeys) -> Result<(), Failure> {
    if keys.are_personal() { check_names(keys.names()) } else { Ok(()) }
}

fn check_names(names: &[String]) -> Result<(), Failure> {
    let refuse =
        |why: String| Err(Failure::Conversation(format!("--key: {why} (rename its file)")));
    let mut known = Vec::new();
    for name in names {
        let looks = match choose_nick(name, UNICODE) {
            Ok(looks) => looks,
            Err(why) => return refuse(format!("who has the key '{name}' has no nick: {why}")),
        };
        let most = MAX_NICK - "-2".len();
        if name.chars().count() > most {
            return refuse(format!(
                "the key '{name}' is good for one connection only: '{name}-2' is longer than a nick can be, so give \
                 it a name of at most {most} characters"
            ));
        }
        known.push((name, looks));
    }
    for (place, (name, looks)) in known.iter().enumerate() {
        if let Some((other, _)) = known[..place].iter().find(|(_, other)| other.is_like(*looks)) {
            return refuse(format!("the nicks of the keys '{other}' and '{name}' look alike"));
        }
        let without_number = name.trim_end_matches(char::is_numeric);
        if let Some(start) = without_number.strip_suffix(['-', '_', '.'])
            && without_number.len() < name.len()
            && let Some((owner, _)) =
                known.iter().find(|(_, other)| other.is_like((UNICODE.skeleton)(start)))
        {
            return refuse(format!(
                "the key '{name}' has a nick as the second connection of '{owner}' has"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(names: &[&str]) -> Option<String> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        check_names(&names).err().map(|failure| failure.message().unwrap_or_default().to_owned())
    }

    #[test]
    fn names_that_tell_people_apart_are_nicks() {
        for names in [
            &["ben", "anna", "小明Tom", "José"][..],
            &["ben-2"],
            &["ben2", "ben"],
            &["ben-x", "ben"],
            &["2026", "ben-2026"],
            &["小小小小小小小小小小小小小小小小小小小小小小"],
        ] {
            assert_eq!(told(names), None, "{names:?}");
        }
    }

    #[test]
    fn a_name_that_is_no_nick_or_looks_like_another_is_refused() {
        let long = "x".repeat(25);
        let no_second = "x".repeat(23);
        for (names, why) in [
            (&["ben", "server"][..], "'server' has no nick: this nick is reserved"),
            (&["guest7"], "'guest7' has no nick: this nick is reserved"),
            (&["ben's laptop"], "has no nick: a nick has letters in everyday use"),
            (&[""], "'' has no nick: a nick has 1 to 24 characters"),
            (&[&long], "has no nick: a nick has 1 to 24 characters"),
            (&[&no_second], "'xxxxxxxxxxxxxxxxxxxxxxx-2' is longer than a nick can be"),
            (&["ben", "BEN"], "the nicks of the keys 'ben' and 'BEN' look alike"),
            (&["anna", "аннa"], "has no nick: the letters of a nick are of one script"),
            (&["max", "mах"], "(rename its file)"),
            (&["ben-2", "ben"], "'ben-2' has a nick as the second connection of 'ben' has"),
            (&["Ben", "ben_17"], "'ben_17' has a nick as the second connection of 'Ben' has"),
        ] {
            let told = told(names).unwrap_or_else(|| panic!("{names:?} is not refused"));
            assert!(told.starts_with("--key: ") && told.contains(why), "{told}");
            assert!(told.ends_with(" (rename its file)"), "{told}");
        }
    }
}

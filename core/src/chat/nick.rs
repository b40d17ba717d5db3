//! Nicks, and the rules for them in every room.

use heapless::String;

use super::fragment::decimal;
use super::nick_error::NickError;
use super::nick_rules::NickRules;
use super::skeleton::Skeleton;
use crate::printable;

/// The nick of the operator.
pub const OPERATOR_NICK: &str = "server";

/// The longest nick, in characters.
pub const MAX_NICK: usize = 24;

/// The longest nick in bytes: a character has up to four (RFC 3629 §3).
const NICK_BYTES: usize = 4 * MAX_NICK;

/// What all nicks of members that were not given one start with.
pub(super) const GUEST: &str = "guest";

/// A nick as it is written.
pub(super) type NickName = String<NICK_BYTES, u8>;

/// A nick and what it looks like.
#[derive(Clone, Debug)]
pub(super) struct Nick {
    pub(super) name: NickName,
    pub(super) skeleton: Skeleton,
    /// The owner has given it to a member, which cannot choose another.
    pub(super) is_given: bool,
}

impl Nick {
    pub(super) const fn none() -> Self {
        Self { name: String::new(), skeleton: Skeleton::NONE, is_given: false }
    }

    pub(super) fn operator(rules: NickRules) -> Self {
        let name = String::try_from(OPERATOR_NICK).unwrap_or_default();
        Self { name, skeleton: (rules.skeleton)(OPERATOR_NICK), is_given: false }
    }

    /// Reads a name that a member has chosen. Whether it is free is for the room to say.
    pub(super) fn choose(name: &str, rules: NickRules) -> Result<Self, NickError> {
        let skeleton = choose_nick(name, rules)?;
        let name = String::try_from(name).map_err(|_| NickError::Length)?;
        Ok(Self { name, skeleton, is_given: false })
    }

    /// The nick of a new member. After 2³² of them, the numbers begin again.
    pub(super) fn guest(number: u32, rules: NickRules) -> Self {
        let mut name = String::new();
        // Five letters and at most ten digits fit.
        let _ = name.push_str(GUEST).and_then(|()| name.push_str(&decimal(number)));
        let skeleton = (rules.skeleton)(&name);
        Self { name, skeleton, is_given: false }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.name
    }
}

/// Whether a name can be a nick in any room at all, whatever its owner's rules: of ASCII it has letters,
/// digits and `-_.` only, and nothing in it needs an escape to be shown, so that lines stay what they are.
///
/// # Errors
/// [`NickError::Length`] and [`NickError::Characters`]: no room takes it.
pub fn check_nick(name: &str) -> Result<(), NickError> {
    if name.is_empty() || is_long(name) {
        return Err(NickError::Length);
    }
    let is_letter = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii();
    if !name.starts_with(is_letter)
        || !name.chars().all(|c| is_letter(c) || matches!(c, '-' | '_' | '.'))
    {
        return Err(NickError::Characters);
    }
    // What is shown as it is comes in one piece.
    let unchanged = |part: &str| if part == name { Ok(()) } else { Err(NickError::Characters) };
    printable::write(name.as_bytes(), unchanged)
}

/// What a name looks like that somebody wants as a nick.
///
/// # Errors
/// No member can have it in a room with these rules, and why; that somebody has it is for the room to say.
pub fn choose_nick(name: &str, rules: NickRules) -> Result<Skeleton, NickError> {
    check_nick(name)?;
    (rules.check)(name)?;
    let skeleton = rules.skeleton;
    let (own, guest) = (skeleton(name), skeleton(GUEST));
    // Not only the first five characters: a ligature looks like several.
    let mut starts =
        name.char_indices().filter_map(|(at, c)| name.get(..at.saturating_add(c.len_utf8())));
    if own.is_like(skeleton(OPERATOR_NICK)) || starts.any(|start| skeleton(start).is_like(guest)) {
        return Err(NickError::Reserved);
    }
    Ok(own)
}

/// Whether a name is longer than a nick can be.
pub(super) fn is_long(name: &str) -> bool {
    name.chars().nth(MAX_NICK).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::skeleton::skeleton;
    use super::*;
    use std::format;
    use std::string::ToString;
    extern crate std;

    fn choose(name: &str) -> Result<(), NickError> {
        Nick::choose(name, NickRules::ASCII).map(|nick| assert_eq!(nick.as_str(), name))
    }

    #[test]
    fn the_reason_tells_the_limit() {
        assert_eq!(NickError::Length.to_string(), format!("a nick has 1 to {MAX_NICK} characters"));
    }

    #[test]
    fn nicks_have_letters_digits_and_three_marks() {
        let longest = "z".repeat(MAX_NICK);
        for name in ["a", "7", "Anna-Lena_2.0", longest.as_str()] {
            assert_eq!(choose(name), Ok(()), "{name}");
        }
        let longer = "x".repeat(MAX_NICK + 1);
        for name in ["", longer.as_str()] {
            assert_eq!(choose(name), Err(NickError::Length), "{name}");
        }
        for name in ["-a", "_", ".a", "a b", "a\u{200b}", "a\u{202e}", "*a", "a:", "a/", "\u{9b}a"]
        {
            assert_eq!(choose(name), Err(NickError::Characters), "{name:?}");
        }
    }

    /// Without tables nobody can tell what they look like.
    #[test]
    fn letters_beyond_ascii_need_the_owners_rules() {
        let rules = NickRules { check: |_| Ok(()), skeleton };
        for name in ["José", "小明Tom", "अनिल", "สมชาย"] {
            assert_eq!(choose(name), Err(NickError::NotAscii), "{name}");
            let nick = Nick::choose(name, rules);
            assert_eq!(nick.map(|nick| nick.name).as_deref(), Ok(name));
        }
        // What would make a line another line is for no rules to allow.
        for name in ["an:na", "* anna", "an\nna", "an\u{202e}na", "日\t本", "\u{85}"] {
            let refused = Nick::choose(name, rules).map(|_| ());
            assert_eq!(refused, Err(NickError::Characters), "{name:?}");
        }
    }

    #[test]
    fn reserved_names_are_refused_in_every_disguise() {
        for name in ["server", "SERVER", "5erver", "guest", "Guest7", "GUE5T", "guesthouse"] {
            assert_eq!(choose(name), Err(NickError::Reserved), "{name}");
        }
        // A look at single characters would miss a ligature.
        let rules =
            NickRules { check: |_| Ok(()), skeleton: |name| skeleton(&name.replace('ﬆ', "st")) };
        let disguised = Nick::choose("gueﬆ7", rules).map(|_| ());
        assert_eq!(disguised, Err(NickError::Reserved));
        for name in ["servers", "gues", "welcome", "too"] {
            assert_eq!(choose(name), Ok(()), "{name}");
        }
    }
}

//! Nicks, and the rules for them.

use core::fmt;

use heapless::String;

use super::fragment::decimal;
use super::skeleton::SkeletonFn;

/// The nick of the operator.
pub const OPERATOR_NICK: &str = "server";

/// The longest nick, in characters.
pub const MAX_NICK: usize = 24;

/// The longest nick in bytes: a character has up to four (RFC 3629 §3).
const NICK_BYTES: usize = 4 * MAX_NICK;

/// What all nicks of members that were not given one start with.
const GUEST: &str = "guest";

/// Why a name cannot be a nick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NickError {
    /// It has none, or more than [`MAX_NICK`] characters.
    Length,
    /// It holds something else than letters, digits and `-_.`, or starts with one of these.
    Characters,
    /// It is `server`, or starts with `guest`, or looks like that.
    Reserved,
    /// A member has it, or one that looks alike.
    Taken,
}

impl NickError {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Length => "a nick has 1 to 24 characters",
            Self::Characters => {
                "a nick has letters, digits and -_. only, and starts with a letter or digit"
            }
            Self::Reserved => "this nick is reserved",
            Self::Taken => "this nick is taken, or looks like one that is",
        }
    }
}

impl fmt::Display for NickError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::error::Error for NickError {}

/// A nick as it is written.
pub(super) type NickName = String<NICK_BYTES, u8>;

/// A nick and what it looks like.
#[derive(Clone, Debug)]
pub(super) struct Nick {
    pub(super) name: NickName,
    pub(super) skeleton: u64,
}

impl Nick {
    pub(super) const fn none() -> Self {
        Self { name: String::new(), skeleton: 0 }
    }

    pub(super) fn operator(skeleton: SkeletonFn) -> Self {
        let name = String::try_from(OPERATOR_NICK).unwrap_or_default();
        Self { name, skeleton: skeleton(OPERATOR_NICK) }
    }

    /// Reads a name that a member has chosen. Whether it is free is for the room to say.
    pub(super) fn choose(name: &str, skeleton: SkeletonFn) -> Result<Self, NickError> {
        if name.is_empty() || is_long(name) {
            return Err(NickError::Length);
        }
        if !is_nick(name) {
            return Err(NickError::Characters);
        }
        let (own, guest) = (skeleton(name), skeleton(GUEST));
        // Not only the first five characters: a ligature looks like several.
        let mut starts =
            name.char_indices().map(|(at, c)| name.get(..at.saturating_add(c.len_utf8())));
        if own == skeleton(OPERATOR_NICK) || starts.any(|start| start.map(skeleton) == Some(guest))
        {
            return Err(NickError::Reserved);
        }
        let name = String::try_from(name).map_err(|_| NickError::Length)?;
        Ok(Self { name, skeleton: own })
    }

    /// The nick of a new member. After 2³² of them, the numbers begin again.
    pub(super) fn guest(number: u32, skeleton: SkeletonFn) -> Self {
        let mut name = String::new();
        // Five letters and at most ten digits fit.
        let _ = name.push_str(GUEST).and_then(|()| name.push_str(&decimal(number)));
        let skeleton = skeleton(&name);
        Self { name, skeleton }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.name
    }
}

/// Whether a nick may be written so.
pub(super) fn is_nick(name: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() && !is_blank(c);
    !is_long(name)
        && name.starts_with(is_letter)
        && name.chars().all(|c| is_letter(c) || matches!(c, '-' | '_' | '.'))
}

/// Whether a name is longer than a nick can be.
pub(super) fn is_long(name: &str) -> bool {
    name.chars().nth(MAX_NICK).is_some()
}

/// Letters that nobody can see: the fillers of Hangul (Unicode 16, §18.6), and two Khmer vowels that
/// are not to be used (§16.4).
const fn is_blank(c: char) -> bool {
    matches!(c, '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}')
}

#[cfg(test)]
mod tests {
    use super::super::skeleton::skeleton;
    use super::*;
    use std::format;
    use std::string::ToString;
    extern crate std;

    fn choose(name: &str) -> Result<(), NickError> {
        Nick::choose(name, skeleton).map(|nick| assert_eq!(nick.as_str(), name))
    }

    #[test]
    fn the_reason_tells_the_limit() {
        assert_eq!(NickError::Length.to_string(), format!("a nick has 1 to {MAX_NICK} characters"));
    }

    #[test]
    fn nicks_have_letters_digits_and_three_marks() {
        let longest = "日".repeat(24);
        for name in ["a", "7", "Anna-Lena_2.0", "héé", "日本", longest.as_str()] {
            assert_eq!(choose(name), Ok(()), "{name}");
        }
        let longer = "x".repeat(MAX_NICK + 1);
        for name in ["", longer.as_str()] {
            assert_eq!(choose(name), Err(NickError::Length), "{name}");
        }
        for name in
            // The first ones are letters, which nobody can see.
            [
                "\u{3164}",
                "a\u{115f}",
                "a\u{1160}",
                "a\u{ffa0}",
                "a\u{17b5}",
                "-a",
                "_",
                ".a",
                "a b",
                "a\u{200b}",
                "a\u{202e}",
                "*a",
                "a:",
                "a/",
                "🙂",
                "a\u{301}",
            ]
        {
            assert_eq!(choose(name), Err(NickError::Characters), "{name}");
        }
    }

    #[test]
    fn reserved_names_are_refused_in_every_disguise() {
        for name in ["server", "SERVER", "5erver", "guest", "Guest7", "GUE5T", "guesthouse"] {
            assert_eq!(choose(name), Err(NickError::Reserved), "{name}");
        }
        // A look at single characters would miss a ligature.
        let folding = |name: &str| skeleton(&name.replace('ﬆ', "st"));
        let disguised = Nick::choose("gueﬆ7", folding).map(|_| ());
        assert_eq!(disguised, Err(NickError::Reserved));
        for name in ["servers", "gues", "welcome", "too"] {
            assert_eq!(choose(name), Ok(()), "{name}");
        }
    }
}

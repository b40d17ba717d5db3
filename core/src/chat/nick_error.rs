//! Why a name cannot be a nick.

use core::fmt;

/// Why a name cannot be a nick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NickError {
    /// It has none, or more than [`MAX_NICK`](super::MAX_NICK) characters.
    Length,
    /// It holds something else than letters in everyday use, digits and `-_.`, or does not start with
    /// a letter or digit.
    Characters,
    /// It holds letters that are not in ASCII, and the room has no tables to compare those.
    NotAscii,
    /// Its letters are of several scripts that no language writes together.
    Scripts,
    /// One of its letters has more marks than any language writes, or the same twice.
    Marks,
    /// It is `server` or starts with `guest`, or looks like that; or the owner keeps it for something else.
    Reserved,
    /// A member has it, or one that looks alike.
    Taken,
    /// The owner has [given](super::Room::join_named) the member the one that it has.
    Given,
}

impl NickError {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Length => "a nick has 1 to 24 characters",
            Self::Characters => {
                "a nick has letters in everyday use, digits and -_. only, and starts with a letter or digit"
            }
            Self::NotAscii => "this room takes nicks of a to z, 0 to 9 and -_. only",
            Self::Scripts => {
                "the letters of a nick are of one script (Latin goes with Chinese, Japanese and Korean)"
            }
            Self::Marks => {
                "a letter of a nick has at most 4 marks above and below it, each of them once"
            }
            Self::Reserved => "this nick is reserved, or looks like one that is",
            Self::Taken => "this nick is taken, or looks like one that is",
            Self::Given => "this server gives you your nick, and you keep it",
        }
    }
}

impl fmt::Display for NickError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::error::Error for NickError {}

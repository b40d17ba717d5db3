//! What a message must say, where the words are the program's own to choose.

/// Ways to say that a time-out has passed.
pub(crate) const TIMED_OUT: [&str; 3] = ["timed out", "did not", "no reply"];

/// Ways to say that a text is over the limit.
pub(crate) const TOO_LONG: [&str; 3] = ["too long", "longer than", "more than"];

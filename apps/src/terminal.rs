//! A line that is edited on a terminal while other text arrives above it.
//!
//! The library for this kind of thing reads the terminal in a thread of its own, and text from
//! elsewhere reaches it by a channel that it serves only while it waits for a key, one text at a time.
//! Between two lines, and inside a search, it does not: then text waits, changes its order, or is
//! lost at the end. Here one task does both, so there is nothing to wait for and nothing to race with.
//!
//! | module | what it is |
//! |---|---|
//! | `keys` | from bytes to keys |
//! | `line` | the line, its history, and what keys do to them |
//! | `row` | the part of the line that is on the screen |
//! | `screen` | all of it together: text above, the line below |

pub(crate) mod keys;
pub(crate) mod line;
pub(crate) mod row;
pub(crate) mod screen;

//! A line that is edited on a terminal while other text arrives above it.
//!
//! The libraries for this kind of thing read the terminal in a thread of their own, and text from
//! elsewhere reaches it by a channel that they serve only while they wait for a key, one text at a time.
//! Between two lines, and inside a search, they do not: then text waits, changes its order, or is
//! lost at the end. Here one task does both, so there is nothing to wait for and nothing to race with.
//!
//! | module | what it is |
//! |---|---|
//! | `keys` | from bytes to keys |
//! | `line` | the line, and what keys do to it |
//! | `history`, `search` | the lines before, and the search in them |
//! | `completion` | the completion of a word |
//! | `paste` | what is pasted, and asked about |
//! | `columns` | how many columns text takes |
//! | `row` | the part of the line that is on the screen |
//! | `styled_line` | a line to show, broken into rows |
//! | `shown_lines` | the lines that were shown, and a look at those that have scrolled away |
//! | `screen` | all of it together: text above, the line below |

mod columns;
pub(crate) mod completion;
mod history;
pub(crate) mod keys;
pub(crate) mod line;
mod paste;
mod row;
pub(crate) mod screen;
mod search;
mod shown_lines;
pub(crate) mod styled_line;

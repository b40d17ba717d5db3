//! One page for each of the three kinds of users.
//!
//! | you | read |
//! |---|---|
//! | build firmware, on a TCP/IP stack of your own choice | [`embedded`] |
//! | write a program, on a system with `std` | [`programs`] |
//! | fuzz these machines, or your own implementation | [`fuzzing`] |

#[doc = include_str!("../docs/embedded.md")]
pub mod embedded {}

#[doc = include_str!("../docs/programs.md")]
pub mod programs {}

#[doc = include_str!("../docs/fuzzing.md")]
pub mod fuzzing {}

//! The fifth conversation of CONTRIBUTING.md, which holds these files word for word: the text is run by running them.

mod by_hand;
mod over_tcp;
mod simulated;
#[allow(unreachable_pub, reason = "its items are public where it belongs, in the core")]
mod time_protocol;

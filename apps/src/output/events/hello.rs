//! What a peer said in a handshake.

use std::fmt;

use barewire_core::printable::Printable;
use serde::Serialize;

use crate::output::format::{ADDRESS, KeyName, serialize_shown};
use crate::output::peer_text::serialize_text;

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "event", rename = "received")]
pub(crate) struct ReceivedText<'a, A: fmt::Display> {
    #[serde(serialize_with = "serialize_shown")]
    pub(crate) from: A,
    #[serde(flatten, serialize_with = "serialize_text")]
    pub(crate) text: Printable<'a>,
    /// What the peer's key is called, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<&'a str>,
}

impl<A: fmt::Display> fmt::Display for ReceivedText<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, text, key } = self;
        write!(f, "{ADDRESS}{from}{ADDRESS:#}{}: {text}", KeyName(*key))
    }
}

#[cfg(test)]
mod tests {
    use barewire_core::printable::printable;

    use super::*;

    #[test]
    fn a_text_in_json_has_the_documented_names() {
        let from = "127.0.0.1:5000";
        assert_eq!(
            serde_json::to_string(&ReceivedText { from, text: printable(b"hi"), key: None })
                .unwrap(),
            r#"{"event":"received","from":"127.0.0.1:5000","text":"hi"}"#
        );
        let keyed = ReceivedText { from, text: printable(b"hi"), key: Some("ben") };
        assert_eq!(
            serde_json::to_string(&keyed).unwrap(),
            r#"{"event":"received","from":"127.0.0.1:5000","text":"hi","key":"ben"}"#
        );
        assert!(keyed.to_string().ends_with(" (ben): hi"), "{keyed}");
    }
}

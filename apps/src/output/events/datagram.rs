//! A datagram has come.

use std::fmt;
use std::net::SocketAddr;

use barewire_core::datagram::Datagram;
use barewire_core::printable::{Printable, printable};
use serde::Serialize;

use crate::output::format::ADDRESS;
use crate::output::peer_text::serialize_text;

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "event", rename = "received")]
pub(crate) struct ReceivedDatagram<'a> {
    from: SocketAddr,
    #[serde(flatten, serialize_with = "serialize_text")]
    text: Printable<'a>,
    /// The true length.
    bytes: usize,
    truncated: bool,
    /// Whose key it was sealed with, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

impl<'a> ReceivedDatagram<'a> {
    pub(crate) fn with_key(self, key: Option<&'a str>) -> Self {
        Self { key, ..self }
    }
}

impl<'a> From<&Datagram<'a>> for ReceivedDatagram<'a> {
    fn from(datagram: &Datagram<'a>) -> Self {
        Self {
            from: datagram.source,
            text: datagram.printable(),
            bytes: datagram.length,
            truncated: datagram.is_truncated(),
            key: None,
        }
    }
}

impl fmt::Display for ReceivedDatagram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, text, bytes, truncated, key } = self;
        write!(f, "{ADDRESS}{from}{ADDRESS:#}")?;
        if let Some(key) = key {
            write!(f, " ({})", printable(key.as_bytes()))?;
        }
        write!(f, ": {text}")?;
        if *truncated {
            write!(f, " [truncated: the datagram has {bytes} bytes]")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

    #[test]
    fn a_datagram_in_json_has_the_documented_names() {
        let datagram = Datagram { source: PEER, bytes: b"he\x1b", length: 5 };
        assert_eq!(
            serde_json::to_string(&ReceivedDatagram::from(&datagram)).unwrap(),
            r#"{"event":"received","from":"127.0.0.1:5000","text":"he\\x1b","text_base64":"aGUb","bytes":5,"truncated":true}"#
        );
    }

    #[test]
    fn whose_key_a_datagram_was_sealed_with_is_told_where_there_are_several() {
        let datagram = Datagram::whole(PEER, b"hello");
        let received = ReceivedDatagram::from(&datagram).with_key(Some("ben\n"));
        assert_eq!(received.to_string().lines().count(), 1);
        assert!(received.to_string().ends_with(r" (ben\x0a): hello"), "{received}");
        let json = serde_json::to_string(&received).unwrap();
        assert!(json.ends_with(r#""truncated":false,"key":"ben\n"}"#), "{json}");
    }

    #[test]
    fn a_truncated_datagram_is_never_passed_off_as_whole() {
        let datagram = Datagram { source: PEER, bytes: b"hello", length: 9 };
        let shown = ReceivedDatagram::from(&datagram).to_string();
        assert!(shown.ends_with("hello [truncated: the datagram has 9 bytes]"), "{shown}");
    }
}

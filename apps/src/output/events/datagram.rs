//! A datagram has come.

use std::fmt;
use std::net::SocketAddr;

use barewire_core::datagram::Datagram;
use barewire_core::printable::Printable;
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
}

impl<'a> From<&Datagram<'a>> for ReceivedDatagram<'a> {
    fn from(datagram: &Datagram<'a>) -> Self {
        Self {
            from: datagram.source,
            text: datagram.printable(),
            bytes: datagram.length,
            truncated: datagram.is_truncated(),
        }
    }
}

impl fmt::Display for ReceivedDatagram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, text, bytes, truncated } = self;
        write!(f, "{ADDRESS}{from}{ADDRESS:#}: {text}")?;
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
    fn a_truncated_datagram_is_never_passed_off_as_whole() {
        let datagram = Datagram { source: PEER, bytes: b"hello", length: 9 };
        let shown = ReceivedDatagram::from(&datagram).to_string();
        assert!(shown.ends_with("hello [truncated: the datagram has 9 bytes]"), "{shown}");
    }
}

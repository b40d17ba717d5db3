//! What a stream begins with: a browser or a scanner that has come to a room speaks HTTP or TLS,
//! and is not to be heard.

/// What a stream is, as its beginning shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Protocol {
    /// Lines, as in a room.
    Lines,
    /// Requests of HTTP.
    Http,
    /// A handshake of TLS.
    Tls,
}

impl Protocol {
    /// The line, with its line feed, by which one who speaks this is told before its connection is closed.
    /// `None`: there is nothing to tell.
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Lines => None,
            Self::Http | Self::Tls => {
                Some("* this is a chat room, which speaks neither HTTP nor TLS\n")
            }
        }
    }
}

/// The beginning of a stream, as far as it has come. It [is HTTP or TLS](super#other-protocols) by the same
/// rule as in a room: an owner that looks at who comes before it [joins](super::Room::join) spares the others two
/// notices.
///
/// How the stream is cut makes no difference.
///
/// ```
/// use barewire_core::chat::{Opening, Protocol};
///
/// let mut opening = Opening::new();
/// opening.read(b"\r\nGET / HT", 1024);
/// assert!(opening.protocol().is_none() && opening.may_be_request());
/// opening.read(b"TP/1.1\r\n", 1024);
/// assert_eq!(opening.protocol(), Some(Protocol::Http));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    state: State,
    /// How many bytes the line has.
    length: u16,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing has come.
    #[default]
    Empty,
    /// The first byte of a TLS record that holds a handshake.
    Handshake,
    /// Blank lines, and blanks.
    Blank {
        starts_line: bool,
    },
    /// Capitals: which of the [`METHODS`] they may still become, a bit for each.
    Method {
        candidates: u16,
    },
    /// A blank behind a method.
    Target {
        is_connect: bool,
    },
    /// The beginning of [`SCHEME`].
    Scheme {
        length: u8,
    },
    /// `*`.
    Asterisk,
    /// The rest of a target.
    Rest {
        is_likely: bool,
    },
    /// A blank behind a target, and the beginning of [`VERSION`].
    Version {
        length: u8,
        is_likely: bool,
    },
    /// A request, but for the end of its line.
    Request {
        is_likely: bool,
        has_return: bool,
    },
    Known(Protocol),
}

/// `ContentType` of a handshake, and the first byte of every version (RFC 8446 §5.1). No text begins so.
const HANDSHAKE: u8 = 22;
const TLS_VERSION: u8 = 3;

/// Those of RFC 9110 §9.3, `PATCH` (RFC 5789), and what the preface of HTTP/2 starts with (RFC 9113 §3.4).
const METHODS: [&[u8]; 10] =
    [CONNECT, b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"PATCH", b"PRI"];
const CONNECT: &[u8] = b"CONNECT";

/// The absolute form of a target starts so.
const SCHEME: &[u8] = b"http";

/// Zeros stand for any digit.
const VERSION: &[u8] = b"HTTP/0.0";

impl Opening {
    /// That of a stream of which nothing has come.
    pub const fn new() -> Self {
        Self { state: State::Empty, length: 0 }
    }

    /// That of a stream which is known to have lines.
    pub(super) const fn lines() -> Self {
        Self { state: State::Known(Protocol::Lines), length: 0 }
    }

    /// What the stream is. `None`: that is not known yet.
    pub const fn protocol(&self) -> Option<Protocol> {
        match self.state {
            State::Known(protocol) => Some(protocol),
            _ => None,
        }
    }

    /// Whether what has come may well become a request of HTTP, or a handshake of TLS: silence ends no line
    /// of this kind before its time is over.
    pub const fn may_be_request(&self) -> bool {
        match self.state {
            State::Method { candidates } => candidates != 0,
            State::Handshake | State::Target { .. } | State::Scheme { .. } | State::Asterisk => {
                true
            }
            State::Rest { is_likely }
            | State::Version { is_likely, .. }
            | State::Request { is_likely, .. } => is_likely,
            State::Empty | State::Blank { .. } | State::Known(_) => false,
        }
    }

    /// Takes note of the next bytes of the stream, whose lines have at most `max_text` bytes.
    pub fn read(&mut self, bytes: &[u8], max_text: u16) {
        for byte in bytes {
            if self.protocol().is_some() {
                break;
            }
            self.read_byte(*byte, max_text);
        }
    }

    /// Takes note that the line ends here: so does the stream, or silence has ended the line.
    pub fn end(&mut self) {
        *self = match self.state {
            State::Known(_) => return,
            State::Empty | State::Blank { .. } => {
                Self { state: State::Blank { starts_line: true }, length: 0 }
            }
            State::Request { .. } => Self { state: State::Known(Protocol::Http), length: 0 },
            _ => Self::lines(),
        };
    }

    fn read_byte(&mut self, byte: u8, max_text: u16) {
        if byte == b'\n' {
            return self.end();
        }
        let may_be_request = self.may_be_request();
        self.length = self.length.saturating_add(1);
        let most = if byte == b'\r' { max_text.saturating_add(1) } else { max_text };
        self.state = if self.length <= most {
            self.state.after(byte, self.length)
        } else if may_be_request {
            State::Known(Protocol::Http)
        } else {
            State::Known(Protocol::Lines)
        };
    }
}

impl State {
    /// With the next byte of the line, which has so many then.
    fn after(self, byte: u8, length: u16) -> Self {
        const LINES: State = State::Known(Protocol::Lines);
        match (self, byte) {
            (Self::Empty, HANDSHAKE) => Self::Handshake,
            (Self::Handshake, TLS_VERSION) => Self::Known(Protocol::Tls),
            (Self::Empty | Self::Blank { starts_line: true }, b'A'..=b'Z') => {
                Self::Method { candidates: candidates(u16::MAX, byte, length) }
            }
            (Self::Empty | Self::Blank { .. }, blank) if blank.is_ascii_whitespace() => {
                Self::Blank { starts_line: false }
            }
            (Self::Method { candidates: before }, b'A'..=b'Z' | b'-') => {
                Self::Method { candidates: candidates(before, byte, length) }
            }
            (Self::Method { candidates }, b' ') => {
                // The first of the methods, whole.
                let is_connect =
                    candidates & 1 != 0 && usize::from(length) == CONNECT.len().saturating_add(1);
                Self::Target { is_connect }
            }
            (Self::Target { .. }, b' ') => LINES,
            (Self::Target { is_connect: true }, _) | (Self::Target { .. }, b'/') => {
                Self::Rest { is_likely: true }
            }
            (Self::Target { .. }, b'*') => Self::Asterisk,
            (Self::Target { .. }, b'h') => Self::Scheme { length: 1 },
            (Self::Asterisk, b' ') => Self::Version { length: 0, is_likely: true },
            (Self::Rest { is_likely }, b' ') => Self::Version { length: 0, is_likely },
            (Self::Scheme { .. }, b' ') => Self::Version { length: 0, is_likely: false },
            (Self::Scheme { length }, _) if SCHEME.get(usize::from(length)) == Some(&byte) => {
                let length = length.saturating_add(1);
                if usize::from(length) == SCHEME.len() {
                    Self::Rest { is_likely: true }
                } else {
                    Self::Scheme { length }
                }
            }
            (Self::Rest { is_likely }, _) => Self::Rest { is_likely },
            (Self::Target { .. } | Self::Asterisk | Self::Scheme { .. }, _) => {
                Self::Rest { is_likely: false }
            }
            (Self::Version { length, is_likely }, _) if is_in_version(length, byte) => {
                let length = length.saturating_add(1);
                if usize::from(length) == VERSION.len() {
                    Self::Request { is_likely, has_return: false }
                } else {
                    Self::Version { length, is_likely }
                }
            }
            (Self::Request { is_likely, has_return: false }, b'\r') => {
                Self::Request { is_likely, has_return: true }
            }
            _ => LINES,
        }
    }
}

/// Which of the methods it may be whose `length` bytes end with this one.
fn candidates(before: u16, byte: u8, length: u16) -> u16 {
    let (mut candidates, mut bit) = (0, 1_u16);
    for method in METHODS {
        let at = usize::from(length).checked_sub(1);
        if before & bit != 0 && at.and_then(|at| method.get(at)) == Some(&byte) {
            candidates |= bit;
        }
        bit = bit.wrapping_shl(1);
    }
    candidates
}

/// Whether a version (RFC 9112 §2.3) goes on with this byte.
fn is_in_version(length: u8, byte: u8) -> bool {
    match VERSION.get(usize::from(length)) {
        Some(b'0') => byte.is_ascii_digit(),
        expected => expected == Some(&byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::format;
    use std::vec::Vec;

    const MAX_TEXT: u16 = 32;

    /// What a stream is that ends there; however it is cut, it is the same.
    fn protocol(stream: &[u8]) -> Option<Protocol> {
        let mut whole = Opening::new();
        whole.read(stream, MAX_TEXT);
        for cut in 0..=stream.len() {
            let mut opening = Opening::new();
            opening.read(&stream[..cut], MAX_TEXT);
            opening.read(&stream[cut..], MAX_TEXT);
            assert_eq!(opening, whole, "{}", stream.escape_ascii());
        }
        whole.end();
        whole.protocol()
    }

    #[test]
    fn requests_are_told_from_texts() {
        for line in [
            "GET / HTTP/1.1",
            "POST /api?x=y HTTP/1.0",
            "PROPFIND / HTTP/1.1",
            "M-SEARCH * HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "CONNECT example.org:443 HTTP/1.1",
            "GET http://example.org/ HTTP/1.1",
            "GET index.html HTTP/1.0",
            "PRI * HTTP/2.0",
        ] {
            for before in ["", "\n", "\r\n\r\n", " \t\n"] {
                for end in ["\n", "\r\n", ""] {
                    let stream = format!("{before}{line}{end}");
                    assert_eq!(protocol(stream.as_bytes()), Some(Protocol::Http), "{stream:?}");
                    let second = format!("hello\n{stream}");
                    assert_eq!(protocol(second.as_bytes()), Some(Protocol::Lines), "{second:?}");
                }
            }
        }
        for line in [
            "GET it?",
            "GET well soon",
            "POST",
            "GET /",
            "GET / HTTP",
            "GET / HTTP/1.",
            "GET / HTTP/x.1",
            "GET / HTTP/1.1 says a browser",
            "get / HTTP/1.1",
            "GET  / HTTP/1.1",
            "GET  HTTP/1.1",
            " GET / HTTP/1.1",
            "\tGET / HTTP/1.1",
            "G3T / HTTP/1.1",
            "- / HTTP/1.1",
            "HTTP/1.1",
            "hello",
        ] {
            for end in ["\n", "\r\n", ""] {
                let stream = format!("{line}{end}");
                assert_eq!(protocol(stream.as_bytes()), Some(Protocol::Lines), "{stream:?}");
            }
        }
        for stream in ["", "\n", "\r\n \n", "  "] {
            assert_eq!(protocol(stream.as_bytes()), None, "{stream:?}");
        }
    }

    #[test]
    fn tls_begins_with_two_bytes() {
        for stream in [&b"\x16\x03"[..], b"\x16\x03\x01\x02\x00\x01", b"\x16\x03\n"] {
            assert_eq!(protocol(stream), Some(Protocol::Tls), "{}", stream.escape_ascii());
        }
        for stream in [&b"\x16"[..], b"\x16text", b"\x16\x16\x03", b"\x03\x16\x03", b"\n\x16\x03"] {
            assert_eq!(protocol(stream), Some(Protocol::Lines), "{}", stream.escape_ascii());
        }
    }

    /// As long as it is a request, or may become one.
    #[test]
    fn a_request_that_is_too_long_is_one_all_the_same() {
        for (start, expected) in [
            ("GET /", Protocol::Http),
            ("\nGET http", Protocol::Http),
            ("CONNECT ", Protocol::Http),
            ("GET ", Protocol::Lines),
            ("GET / HTTP/1.1 ", Protocol::Lines),
            ("hello ", Protocol::Lines),
        ] {
            let fill = usize::from(MAX_TEXT) - start.trim_start().len();
            for (more, is_long) in [(0, false), (1, true), (40, true)] {
                for end in ["", "\r", "\n", "\r\n", "\r\r", " HTTP/1.1\n"] {
                    let is_long = is_long || end.len() > 2 || end == "\r\r";
                    let stream = format!("{start}{}{end}", "x".repeat(fill + more));
                    let expected = if is_long { expected } else { Protocol::Lines };
                    assert_eq!(protocol(stream.as_bytes()), Some(expected), "{stream:?}");
                }
            }
        }
    }

    #[test]
    fn silence_waits_for_what_may_become_a_request() {
        let may_be = |bytes: &[u8]| {
            let mut opening = Opening::new();
            opening.read(bytes, MAX_TEXT);
            opening.may_be_request()
        };
        let requests: Vec<_> = METHODS
            .iter()
            .flat_map(|method| {
                ["/x", "*", "http://x"].map(|target| {
                    let method = core::str::from_utf8(method).unwrap();
                    format!("{method} {target} HTTP/1.1\r")
                })
            })
            .collect();
        for request in &requests {
            for end in 1..=request.len() {
                assert!(may_be(&request.as_bytes()[..end]), "{:?}", &request[..end]);
            }
        }
        assert!(may_be(b"\x16") && may_be(b"\r\nG") && may_be(b"PROPFIND /"));
        for text in
            ["", "\n", "HELLO", "GETTING", "GO", "GET it", "GET *x", "GET hi", "hello", "/who"]
        {
            assert!(!may_be(text.as_bytes()), "{text:?}");
        }
    }
}

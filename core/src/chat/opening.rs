//! What a member's stream begins with: a browser or a scanner that has come to a room speaks HTTP or TLS,
//! and is not to be heard.

/// How far the beginning of a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Nothing has come.
    Empty,
    /// The first byte of a TLS record that holds a handshake.
    Handshake,
    /// The first line, of capitals until now: the method of a request, maybe.
    Method,
    /// A blank behind them.
    Blank,
    /// A slash behind that: of a request, it is the target.
    Request,
    /// The first line, which is no request with such a target.
    Line,
    /// The first line is over.
    Over,
    /// It was HTTP or TLS.
    Foreign,
}

/// `ContentType` of a handshake, and the first byte of every version (RFC 8446 §5.1). No text begins so.
const HANDSHAKE: u8 = 22;
const VERSION: u8 = 3;

impl Opening {
    /// Takes note of bytes that have been taken. Tells whether the stream begins as TLS does.
    pub(super) const fn is_tls(&mut self, mut taken: &[u8]) -> bool {
        while let [first, rest @ ..] = taken
            && !matches!(self, Self::Request | Self::Line | Self::Over | Self::Foreign)
        {
            *self = match (*self, *first) {
                (Self::Empty, HANDSHAKE) => Self::Handshake,
                (Self::Handshake, VERSION) => Self::Foreign,
                (Self::Empty | Self::Method, b'A'..=b'Z') => Self::Method,
                (Self::Method, b' ') => Self::Blank,
                (Self::Blank, b'/') => Self::Request,
                _ => Self::Line,
            };
            taken = rest;
        }
        matches!(self, Self::Foreign)
    }

    /// A line has ended that is not blank. Tells whether it is the first, and a request of HTTP.
    pub(super) fn is_http(&mut self, line: &[u8]) -> bool {
        let is_first = core::mem::replace(self, Self::Over) != Self::Over;
        let is_http = is_first && is_request(line);
        if is_http {
            *self = Self::Foreign;
        }
        is_http
    }

    /// A line is refused since it is too long. Tells whether it is the first, and begins as a request of
    /// HTTP does, but for its length.
    pub(super) fn is_long_http(&mut self) -> bool {
        let is_http = *self == Self::Request;
        *self = if is_http { Self::Foreign } else { Self::Over };
        is_http
    }
}

/// `method SP request-target SP HTTP-version` (RFC 9112 §3). The preface of HTTP/2 has this form, too.
fn is_request(line: &[u8]) -> bool {
    let Some((start, version)) = line.split_last_chunk() else { return false };
    if !matches!(version, [b' ', b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9']) {
        return false;
    }
    let method = start.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    match start.get(method..) {
        Some([b' ', target @ ..]) => method > 0 && !target.is_empty() && !target.contains(&b' '),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_from_texts() {
        for request in [
            "GET / HTTP/1.1",
            "POST /api?x=y HTTP/1.0",
            "OPTIONS * HTTP/1.1",
            "CONNECT example.org:443 HTTP/1.1",
            "PRI * HTTP/2.0",
        ] {
            assert!(Opening::Line.is_http(request.as_bytes()), "{request}");
            assert!(!Opening::Over.is_http(request.as_bytes()), "{request}");
        }
        for text in [
            "GET well soon",
            "GET / HTTP",
            "GET / HTTP/1.1 is what a browser says",
            "get / HTTP/1.1",
            "GET  HTTP/1.1",
            " / HTTP/1.1",
            "HTTP/1.1",
            "",
        ] {
            assert!(!Opening::Line.is_http(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn tls_is_told_by_two_bytes_wherever_they_are_cut() {
        let mut opening = Opening::Empty;
        assert!(opening.is_tls(b"\x16\x03\x01\x02\x00\x01"));
        let mut opening = Opening::Empty;
        assert!(!opening.is_tls(b"\x16"));
        assert!(!opening.is_tls(b""));
        assert!(opening.is_tls(b"\x03"));
        for text in [&b"\x16text"[..], b"\x16\x16\x03", b"\x03\x16\x03", b"hello\x16\x03"] {
            let mut opening = Opening::Empty;
            assert!(!opening.is_tls(text), "{}", text.escape_ascii());
            assert!(!opening.is_tls(b"\x16\x03"), "{}", text.escape_ascii());
        }
    }
}

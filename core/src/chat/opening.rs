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
/// opening.read(b"\r\nGET / HT", 0, 1024);
/// assert!(opening.protocol().is_none() && opening.may_be_request());
/// opening.read(b"TP/1.1\r\n", 8, 1024);
/// assert_eq!(opening.protocol(), Some(Protocol::Http));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    state: State,
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
    /// The beginning of one of the [`METHODS`], the first that begins so: where in them it ends.
    Method {
        prefix: u8,
    },
    /// Other capitals.
    Capitals,
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
    },
    /// The same, behind a likely target.
    LikelyVersion {
        length: u8,
    },
    /// A request, but for the end of its line.
    Request {
        is_likely: bool,
    },
    /// The same, and a carriage return.
    Return {
        is_likely: bool,
    },
    Known(Protocol),
}

/// `ContentType` of a handshake, and the first byte of every version (RFC 8446 §5.1). No text begins so.
const HANDSHAKE: u8 = 22;
const TLS_VERSION: u8 = 3;

/// Those of RFC 9110 §9.3, `PATCH` (RFC 5789), and what the preface of HTTP/2 starts with (RFC 9113 §3.4).
/// In columns, each of which ends with a blank.
const METHODS: &[u8; 10 * COLUMN as usize] =
    b"CONNECT GET     HEAD    POST    PUT     DELETE  OPTIONS TRACE   PATCH   PRI     ";
const COLUMN: u8 = 8;

/// The first of them, whole.
const CONNECT: u8 = 7;

/// The absolute form of a target starts so.
const SCHEME: &[u8] = b"http";

/// Zeros stand for any digit.
const VERSION: &[u8; VERSION_LENGTH as usize] = b"HTTP/0.0";
const VERSION_LENGTH: u8 = 8;

impl Opening {
    /// That of a stream of which nothing has come.
    pub const fn new() -> Self {
        Self { state: State::Empty }
    }

    /// That of a stream which is known to have lines.
    pub(super) const fn lines() -> Self {
        Self { state: State::Known(Protocol::Lines) }
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
            State::Handshake
            | State::Method { .. }
            | State::Target { .. }
            | State::Scheme { .. }
            | State::Asterisk
            | State::LikelyVersion { .. } => true,
            State::Rest { is_likely }
            | State::Request { is_likely }
            | State::Return { is_likely } => is_likely,
            State::Empty
            | State::Blank { .. }
            | State::Capitals
            | State::Version { .. }
            | State::Known(_) => false,
        }
    }

    /// Takes note of the next bytes of the stream, whose line has `before` bytes already. A line has at most
    /// `max_text`.
    // A function of its own, lest what it needs stand on the stack of every line.
    #[inline(never)]
    pub fn read(&mut self, bytes: &[u8], before: u16, max_text: u16) {
        let mut length = before;
        for &byte in bytes {
            if self.protocol().is_some() {
                break;
            }
            if byte == b'\n' {
                length = 0;
                self.end();
                continue;
            }
            length = length.saturating_add(1);
            let most = if byte == b'\r' { max_text.saturating_add(1) } else { max_text };
            self.state = if length <= most {
                self.state.after(byte)
            } else if self.may_be_request() {
                State::Known(Protocol::Http)
            } else {
                State::Known(Protocol::Lines)
            };
        }
    }

    /// Takes note that the line ends here: so does the stream, or silence has ended the line.
    pub fn end(&mut self) {
        self.state = match self.state {
            State::Known(protocol) => State::Known(protocol),
            State::Empty | State::Blank { .. } => State::Blank { starts_line: true },
            State::Request { .. } | State::Return { .. } => State::Known(Protocol::Http),
            _ => State::Known(Protocol::Lines),
        };
    }
}

impl State {
    /// With the next byte of the line.
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Empty, HANDSHAKE) => Self::Handshake,
            (Self::Handshake, TLS_VERSION) => Self::Known(Protocol::Tls),
            (Self::Empty | Self::Blank { starts_line: true }, b'A'..=b'Z') => method(0, byte),
            (Self::Empty | Self::Blank { .. }, blank) if blank.is_ascii_whitespace() => {
                Self::Blank { starts_line: false }
            }
            (Self::Method { prefix }, b'A'..=b'Z') => method(prefix, byte),
            (Self::Method { .. } | Self::Capitals, b'A'..=b'Z' | b'-') => Self::Capitals,
            (Self::Method { prefix }, b' ') => Self::Target { is_connect: prefix == CONNECT },
            (Self::Capitals, b' ') => Self::Target { is_connect: false },
            (Self::Target { .. }, b' ') => Self::Known(Protocol::Lines),
            (Self::Target { is_connect: true }, _) | (Self::Target { .. }, b'/') => {
                Self::Rest { is_likely: true }
            }
            (Self::Target { .. }, b'*') => Self::Asterisk,
            (Self::Target { .. }, b'h') => Self::Scheme { length: 1 },
            (Self::Asterisk | Self::Rest { is_likely: true }, b' ') => {
                Self::LikelyVersion { length: 0 }
            }
            (Self::Rest { .. } | Self::Scheme { .. }, b' ') => Self::Version { length: 0 },
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
            (Self::Version { length }, _) if is_in_version(length, byte) => {
                match length.saturating_add(1) {
                    VERSION_LENGTH => Self::Request { is_likely: false },
                    length => Self::Version { length },
                }
            }
            (Self::LikelyVersion { length }, _) if is_in_version(length, byte) => {
                match length.saturating_add(1) {
                    VERSION_LENGTH => Self::Request { is_likely: true },
                    length => Self::LikelyVersion { length },
                }
            }
            (Self::Request { is_likely }, b'\r') => Self::Return { is_likely },
            _ => Self::Known(Protocol::Lines),
        }
    }
}

/// What a beginning of methods and a capital are.
fn method(prefix: u8, byte: u8) -> State {
    let (number, length) = (prefix / COLUMN, prefix % COLUMN);
    let (methods, _) = METHODS.as_chunks::<{ COLUMN as usize }>();
    let begun = methods.get(usize::from(number)).and_then(|method| method.get(..length.into()));
    for (number, method) in (0_u8..).zip(methods) {
        let is_so = method.starts_with(begun.unwrap_or_default());
        if is_so && method.get(usize::from(length)) == Some(&byte) {
            let prefix = number.wrapping_mul(COLUMN).wrapping_add(length).wrapping_add(1);
            return State::Method { prefix };
        }
    }
    State::Capitals
}

/// Whether a version (RFC 9112 §2.3) goes on with this byte.
fn is_in_version(length: u8, byte: u8) -> bool {
    match VERSION.get(usize::from(length)) {
        Some(b'0') => byte.is_ascii_digit(),
        expected => expected == Some(&byte),
    }
}

#[cfg(test)]
mod tests;

//! The forms in which a file is asked for and answered.

use std::io;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `NAME\n`, and the contents until the server closes.
    Plain,
    /// barewire's frames, unverified; after the last request the client half-closes.
    Framed,
    /// HTTP/1.1, with a connection that carries one request only.
    Http,
    /// HTTP/1.1, with a connection that goes on.
    HttpKept,
}

/// The length of the head of a framed request and of a framed answer.
const FRAMED_REQUEST: usize = 40;
const FRAMED_ANSWER: usize = 64;

/// What a framed request and its answer begin with: the marker, and version 2.
const FRAMED: &[u8] = b"\0BW\x02";

/// A length that means: to the end.
const TO_END: u64 = 1 << 62;

/// What comes before contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Its own length in bytes.
    pub(super) length: usize,
    /// Bytes of contents behind it, if it tells.
    pub(super) contents: Option<u64>,
}

impl Form {
    /// The bytes that ask for `name`.
    pub(super) fn request(self, name: &str) -> Vec<u8> {
        let http = |connection| format!("GET /{name} HTTP/1.1\r\nHost: x\r\n{connection}\r\n");
        match self {
            Self::Plain => format!("{name}\n").into_bytes(),
            Self::Http => http("Connection: close\r\n").into_bytes(),
            Self::HttpKept => http("").into_bytes(),
            Self::Framed => {
                let mut request = [0; FRAMED_REQUEST];
                request[..4].copy_from_slice(FRAMED);
                request[4] = 1;
                let length = u16::try_from(name.len()).expect("the names here are short");
                request[6..8].copy_from_slice(&length.to_be_bytes());
                request[16..24].copy_from_slice(&TO_END.to_be_bytes());
                [&request, name.as_bytes()].concat()
            }
        }
    }

    /// The head of the answer that `bytes` begin with; none if it is not all there.
    ///
    /// # Errors
    ///
    /// It is not the head of a successful answer.
    pub(super) fn head(self, bytes: &[u8]) -> io::Result<Option<Head>> {
        match self {
            Self::Plain => Ok(Some(Head { length: 0, contents: None })),
            Self::Framed => {
                let Some(head) = bytes.first_chunk::<FRAMED_ANSWER>() else { return Ok(None) };
                let (status, length) = (head[4], head[16..].first_chunk().expect("it has more"));
                if !head.starts_with(FRAMED) || status != 0 {
                    return Err(wrong(bytes));
                }
                Ok(Some(Head {
                    length: FRAMED_ANSWER,
                    contents: Some(u64::from_be_bytes(*length)),
                }))
            }
            Self::Http | Self::HttpKept => http_head(bytes),
        }
    }
}

fn http_head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(end) = end else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| wrong(bytes))?;
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    match length.and_then(|length| length.parse().ok()) {
        Some(contents) if head.starts_with("HTTP/1.1 200 ") => {
            Ok(Some(Head { length: end + 4, contents: Some(contents) }))
        }
        _ => Err(wrong(bytes)),
    }
}

fn wrong(answer: &[u8]) -> io::Error {
    let begin = &answer[..answer.len().min(80)];
    io::Error::other(format!("the answer begins with {:?}", String::from_utf8_lossy(begin)))
}

//! Who has connected, until it is known to come for the chat: browsers and scanners speak at once, and the
//! room is not to hear of them.

use core::task::Poll;
use std::io;

use barewire_core::chat::{DEFAULT_MAX_TEXT, Opening, Protocol};
use barewire_core::time::{Duration, Instant};
use barewire_linux::executor::{Context, EventSource, Readiness};
use barewire_linux::stream::StreamSocket;

use crate::server::links::is_keyed_opening;

/// Who says nothing for so long comes to listen first.
const SILENCE: Duration = Duration::from_millis(200);

/// How long the first line may take, if it may become a request.
const LINE_TIMEOUT: Duration = Duration::from_secs(10);

/// More than the longest first line that leaves it open what the stream is.
const PEEKED: usize = 2 * DEFAULT_MAX_TEXT as usize;

/// A connection of which nothing has been read.
pub(super) struct Newcomer {
    stream: StreamSocket,
    since: Instant,
    source: Option<EventSource>,
}

/// What a newcomer turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It is to join. If that is known, it speaks no other protocol.
    Joins {
        is_known: bool,
    },
    Speaks(Protocol),
    /// It has a key, and this server has none.
    SpeaksUnderKey,
}

impl Newcomer {
    pub(super) const fn new(stream: StreamSocket, now: Instant) -> Self {
        Self { stream, since: now, source: None }
    }

    /// Looks at what has come of its stream.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) fn turn<W>(&mut self, cx: &mut Context<'_, W>) -> Poll<io::Result<Arrival>> {
        let source = match self.source {
            Some(source) => source,
            None => *self.source.insert(cx.register(&self.stream, Readiness::READABLE)?),
        };
        let after = cx.now().duration_since(self.since);
        let has_ended = cx.readiness(source).intersects(Readiness::ENDED);
        cx.clear(source, Readiness::READABLE);
        let peeked = &mut cx.scratch()[..PEEKED];
        let count = match self.stream.peek(peeked) {
            Ok(0) => return Poll::Ready(Ok(Arrival::Joins { is_known: false })),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Poll::Ready(Err(error)),
        };
        match arrival(&peeked[..count], has_ended, after) {
            Ok(arrival) => Poll::Ready(Ok(arrival)),
            Err(wait) => {
                cx.set_deadline(Some(self.since + wait));
                Poll::Pending
            }
        }
    }

    /// The connection, of which the task knows nothing any more.
    pub(super) fn into_stream<W>(self, cx: &mut Context<'_, W>) -> StreamSocket {
        cx.set_deadline(None);
        if let Some(source) = self.source {
            // It cannot fail for what was registered.
            let _ = cx.deregister(source, &self.stream);
        }
        self.stream
    }
}

/// What somebody is of whose stream these bytes have come `after` it has connected. `Err`: when, counted from then, that
/// is known at last.
fn arrival(begun: &[u8], has_ended: bool, after: Duration) -> Result<Arrival, Duration> {
    if is_keyed_opening(begun) {
        return Ok(Arrival::SpeaksUnderKey);
    }
    let mut opening = Opening::new();
    opening.read(begun, 0, DEFAULT_MAX_TEXT);
    if has_ended {
        opening.end();
    }
    match opening.protocol() {
        Some(Protocol::Lines) => Ok(Arrival::Joins { is_known: true }),
        Some(protocol) => Ok(Arrival::Speaks(protocol)),
        None => {
            let may_be_request = opening.may_be_request();
            let wait = if may_be_request { LINE_TIMEOUT } else { SILENCE };
            // Who may have become one in its time did not.
            if after < wait { Err(wait) } else { Ok(Arrival::Joins { is_known: may_be_request }) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LET_IN: Result<Arrival, Duration> = Ok(Arrival::Joins { is_known: true });
    const LISTENS: Result<Arrival, Duration> = Ok(Arrival::Joins { is_known: false });
    const HTTP: Result<Arrival, Duration> = Ok(Arrival::Speaks(Protocol::Http));

    #[test]
    fn who_chats_is_let_in_and_who_speaks_another_protocol_is_not() {
        let millis = Duration::from_millis;
        for (begun, has_ended, after, expected) in [
            (&b"hello"[..], false, 0, LET_IN),
            (b"/nick anna\n", false, 0, LET_IN),
            (b"GET it now", false, 0, LET_IN),
            (b"GET it?", false, 0, Err(SILENCE)),
            (b"GET it?", false, 200, LISTENS),
            (b"", false, 0, Err(SILENCE)),
            (b"", false, 199, Err(SILENCE)),
            (b"", false, 200, LISTENS),
            (b"\r\n", false, 199, Err(SILENCE)),
            (b"\r\n", false, 200, LISTENS),
            (b"POST", false, 200, Err(LINE_TIMEOUT)),
            (b"POST", false, 10_000, LET_IN),
            (b"POST", true, 0, LET_IN),
            (b"GET / HTTP/1.1", false, 0, Err(LINE_TIMEOUT)),
            (b"GET / HTTP/1.1", true, 0, HTTP),
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", false, 0, HTTP),
            (b"\x16", false, 0, Err(LINE_TIMEOUT)),
            (b"\x16\x03\x01", false, 0, Ok(Arrival::Speaks(Protocol::Tls))),
            (b"\x01BW\x01\x04\x04", false, 0, Ok(Arrival::SpeaksUnderKey)),
            (b"\x01B", false, 0, LET_IN),
        ] {
            assert_eq!(
                arrival(begun, has_ended, millis(after)),
                expected,
                "{}",
                begun.escape_ascii()
            );
        }
    }

    /// However long its first line is.
    #[test]
    fn what_is_looked_at_is_enough() {
        let long = [b"GET /".to_vec(), vec![b'x'; PEEKED]].concat();
        assert_eq!(arrival(&long[..PEEKED], false, Duration::ZERO), HTTP);
        assert_eq!(arrival(&[b'x'; PEEKED], false, Duration::ZERO), LET_IN);
        assert_eq!(arrival(&[b' '; PEEKED], false, Duration::ZERO), LET_IN);
    }
}

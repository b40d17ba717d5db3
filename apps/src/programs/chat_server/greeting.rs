//! A member's session with the message of the day behind its welcome. The message stands in no log, so
//! that a crowd that comes at once takes no room from what is said.

use std::sync::Arc;

use barewire_core::session::{Event, Events, Output, Session};
use barewire_core::time::Instant;

/// How far a member has been greeted.
pub(super) enum Greeting {
    /// Its first line, the welcome, has not been sent to its end.
    Welcome {
        motd: Arc<[u8]>,
    },
    /// So much of the message has been sent.
    Motd {
        motd: Arc<[u8]>,
        sent: usize,
    },
    Over,
}

impl Greeting {
    /// Lines that are to follow a member's first.
    pub(super) fn new(motd: Option<Arc<[u8]>>) -> Self {
        motd.filter(|motd| !motd.is_empty()).map_or(Self::Over, |motd| Self::Welcome { motd })
    }
}

/// A session that is greeted.
pub(super) struct Greeted<'g, S> {
    pub(super) session: S,
    pub(super) greeting: &'g mut Greeting,
}

impl<'s, S: Session> Events<'s> for Greeted<'_, S> {
    type Event = Event<'s, S>;
}

impl<S: Session> Session for Greeted<'_, S> {
    type Error = S::Error;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, Self::Error> {
        self.session.handle_input(now, input)
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
        self.session.handle_end(now)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
        self.session.handle_timeout(now)
    }

    fn prepare_transmit(&mut self, now: Instant) {
        self.session.prepare_transmit(now);
    }

    fn poll_transmit(&self) -> Output<'_> {
        match &*self.greeting {
            Greeting::Welcome { .. } => first_line(self.session.poll_transmit()),
            Greeting::Motd { motd, sent } => {
                let more = matches!(self.session.poll_transmit(), Output::Bytes { .. });
                Output::Bytes { head: &motd[*sent..], tail: &[], more }
            }
            Greeting::Over => self.session.poll_transmit(),
        }
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        match self.greeting {
            Greeting::Motd { motd, sent } => {
                *sent += count;
                if *sent >= motd.len() {
                    *self.greeting = Greeting::Over;
                }
            }
            Greeting::Welcome { motd } => {
                // What the session has lent may be more than was lent on.
                let Output::Bytes { head, tail, .. } = first_line(self.session.poll_transmit())
                else {
                    self.session.transmitted(now, count);
                    return;
                };
                let lent = head.len() + tail.len();
                let is_whole = count >= lent && tail.last().or(head.last()) == Some(&b'\n');
                self.session.transmitted(now, count.min(lent));
                if is_whole {
                    *self.greeting = Greeting::Motd { motd: Arc::clone(motd), sent: 0 };
                }
            }
            Greeting::Over => self.session.transmitted(now, count),
        }
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.session.poll_deadline()
    }
}

/// Output as far as the end of its first line.
fn first_line(output: Output<'_>) -> Output<'_> {
    let Output::Bytes { head, tail, more } = output else { return output };
    let end = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
    match (end(head), end(tail)) {
        (Some(end), _) => Output::Bytes { head: &head[..end], tail: &[], more: true },
        (None, Some(end)) => Output::Bytes { head, tail: &tail[..end], more: true },
        (None, None) => Output::Bytes { head, tail, more },
    }
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;

    use super::*;

    /// Sends its bytes, in two parts.
    struct Sends {
        bytes: &'static [u8],
        cut: usize,
    }

    impl Events<'_> for Sends {
        type Event = ();
    }

    impl Session for Sends {
        type Error = Infallible;

        fn handle_input<'s, 'i: 's>(
            &'s mut self,
            _: Instant,
            _: &mut &'i [u8],
        ) -> nb::Result<(), Infallible> {
            Err(nb::Error::WouldBlock)
        }

        fn handle_end(&mut self, _: Instant) -> nb::Result<(), Infallible> {
            Err(nb::Error::WouldBlock)
        }

        fn handle_timeout(&mut self, _: Instant) -> nb::Result<(), Infallible> {
            Err(nb::Error::WouldBlock)
        }

        fn poll_transmit(&self) -> Output<'_> {
            match self
                .bytes
                .split_at(self.cut.clamp(1, self.bytes.len().max(1)).min(self.bytes.len()))
            {
                ([], _) => Output::Close,
                (head, tail) => Output::Bytes { head, tail, more: false },
            }
        }

        fn transmitted(&mut self, _: Instant, count: usize) {
            self.bytes = &self.bytes[count..];
        }

        fn poll_deadline(&self) -> Option<Instant> {
            None
        }
    }

    /// However it is cut on either side.
    #[test]
    fn the_message_stands_behind_the_first_line() {
        const LINES: &[u8] = b"* welcome\nanna: hello\n";
        for motd in ["* motd: no shouting\n* motd: please\n", ""] {
            let expected = format!("* welcome\n{motd}anna: hello\n");
            for cut in 1..LINES.len() {
                for taken in 1..expected.len() {
                    let mut greeting = Greeting::new(Some(motd.as_bytes().into()));
                    let mut session = Sends { bytes: LINES, cut };
                    let mut sent = Vec::new();
                    loop {
                        let mut greeted =
                            Greeted { session: &mut session, greeting: &mut greeting };
                        let Output::Bytes { head, tail, .. } = greeted.poll_transmit() else {
                            break;
                        };
                        assert!(!head.is_empty());
                        let mut part = [head, tail].concat();
                        part.truncate(taken);
                        greeted.transmitted(Instant::ZERO, part.len());
                        sent.extend(part);
                    }
                    assert_eq!(String::from_utf8(sent).unwrap(), expected, "{cut} {taken}");
                }
            }
        }
    }
}

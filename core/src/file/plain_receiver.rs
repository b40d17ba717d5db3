//! The side that wants a file, in the plain form.

use super::{Config, ReceiveError, Received};
use crate::session::{Events, Output, Session};
use crate::text::Speech;
use crate::text::Text;
use crate::time::Instant;

/// The client's side of a plain download: it says a name and lends what comes in.
///
/// Its events are [`Received::Contents`] and, when the server has ended its stream,
/// [`Received::Complete`]; but whether that was all of the file, nothing can prove. A server that
/// sends nothing is an error: an empty file looks no different from one that is not there.
///
/// The machine takes at most 80 bytes of memory (64-bit).
///
/// ```
/// use barewire_core::file::{Config, PlainReceiver, Received};
/// use barewire_core::session::{Output, Session};
/// use barewire_core::text::Text;
/// use barewire_core::time::Instant;
///
/// let (now, name) = (Instant::ZERO, Text::new("name")?);
/// let mut receiver = PlainReceiver::new(now, name, Config::default());
/// assert_eq!(receiver.poll_transmit(), Output::Bytes { head: b"name", tail: b"", more: true });
/// receiver.transmitted(now, 4);
/// assert_eq!(receiver.poll_transmit(), Output::Shutdown);
/// receiver.transmitted(now, 0);
///
/// assert_eq!(receiver.handle_input(now, &mut &b"all"[..]), Ok(Received::Contents(b"all")));
/// assert_eq!(receiver.handle_end(now), Ok(Received::Complete));
/// assert_eq!(receiver.poll_transmit(), Output::Close);
/// # Ok::<(), barewire_core::text::TextError>(())
/// ```
#[derive(Debug)]
pub struct PlainReceiver<'n> {
    config: Config,
    name: Speech<'n>,
    heard: bool,
    ended: bool,
    deadline: Instant,
}

impl<'n> PlainReceiver<'n> {
    /// Asks for the file `name` on a connection that was opened at `now`.
    pub fn new(now: Instant, name: Text<'n>, config: Config) -> Self {
        let deadline = now + config.timeout;
        Self { config, name: Speech::new(name, b""), heard: false, ended: false, deadline }
    }
}

impl<'s> Events<'s> for PlainReceiver<'_> {
    type Event = Received<'s>;
}

impl Session for PlainReceiver<'_> {
    type Error = ReceiveError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Received<'s>, ReceiveError> {
        if input.is_empty() {
            return Err(nb::Error::WouldBlock);
        }
        self.heard = true;
        self.deadline = now + self.config.stall;
        Ok(Received::Contents(core::mem::take(input)))
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<Received<'_>, ReceiveError> {
        if core::mem::replace(&mut self.ended, true) {
            return Err(nb::Error::WouldBlock);
        }
        if self.heard {
            Ok(Received::Complete)
        } else {
            Err(nb::Error::Other(ReceiveError::Nothing))
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Received<'_>, ReceiveError> {
        if self.poll_deadline().is_none_or(|deadline| now < deadline) {
            return Err(nb::Error::WouldBlock);
        }
        let late = if self.heard { ReceiveError::Stalled } else { ReceiveError::TimedOut };
        Err(nb::Error::Other(late))
    }

    fn poll_transmit(&self) -> Output<'_> {
        if self.ended { Output::Close } else { self.name.poll_transmit() }
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        self.name.transmitted(count);
        if !self.heard {
            self.deadline = now + self.config.timeout;
        }
    }

    fn poll_deadline(&self) -> Option<Instant> {
        (!self.ended).then_some(self.deadline)
    }
}

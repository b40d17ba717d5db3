//! The side that wants a file, in the plain form.

use super::config::TransferConfig;
use super::error::ReceiverError;
use super::event::ReceiverEvent;
use super::progress::Progress;
use crate::session::{Events, Output, Session};
use crate::text::{Text, TextWriter};
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

/// The client's side of a plain download: it says a name and lends what comes in.
///
/// Its events are [`ReceiverEvent::Contents`] and, when the server has ended its stream,
/// [`ReceiverEvent::Complete`]; but whether that was all of the file, nothing can prove. A server that
/// sends nothing is an error: an empty file looks no different from one that is not there.
///
/// The machine takes at most 80 bytes of memory (64-bit).
///
/// ```
/// use barewire_core::file::{PlainReceiver, ReceiverEvent, TransferConfig};
/// use barewire_core::session::{Output, Session};
/// use barewire_core::text::Text;
/// use barewire_core::time::Instant;
///
/// let (now, name) = (Instant::ZERO, Text::new("name")?);
/// let mut receiver = PlainReceiver::new(now, name, TransferConfig::default());
/// assert_eq!(receiver.poll_transmit(), Output::Bytes { head: b"name", tail: b"", more: true });
/// receiver.transmitted(now, 4);
/// assert_eq!(receiver.poll_transmit(), Output::Shutdown);
/// receiver.transmitted(now, 0);
///
/// assert_eq!(receiver.handle_input(now, &mut &b"all"[..]), Ok(ReceiverEvent::Contents(b"all")));
/// assert_eq!(receiver.handle_end(now), Ok(ReceiverEvent::Complete));
/// assert_eq!(receiver.poll_transmit(), Output::Close);
/// # Ok::<(), barewire_core::text::TextError>(())
/// ```
#[derive(Debug)]
pub struct PlainReceiver<'n> {
    timeout: Duration,
    name: TextWriter<'n>,
    received: bool,
    ended: bool,
    progress: Progress,
}

impl<'n> PlainReceiver<'n> {
    /// Asks for the file `name` on a connection that was opened at `now`.
    pub fn new(now: Instant, name: Text<'n>, config: TransferConfig) -> Self {
        let (timeout, name) = (config.timeout, TextWriter::new(name, b""));
        let progress = Progress::new(&config, Deadline::after(now, timeout));
        Self { timeout, name, received: false, ended: false, progress }
    }
}

impl<'s> Events<'s> for PlainReceiver<'_> {
    type Event = ReceiverEvent<'s>;
}

impl Session for PlainReceiver<'_> {
    type Error = ReceiverError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<ReceiverEvent<'s>, ReceiverError> {
        if input.is_empty() {
            return Err(nb::Error::WouldBlock);
        }
        if !core::mem::replace(&mut self.received, true) {
            self.progress.begin(now);
        }
        self.progress.moved(now, input.len());
        Ok(ReceiverEvent::Contents(core::mem::take(input)))
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<ReceiverEvent<'_>, ReceiverError> {
        if core::mem::replace(&mut self.ended, true) {
            return Err(nb::Error::WouldBlock);
        }
        if self.received {
            Ok(ReceiverEvent::Complete)
        } else {
            Err(nb::Error::Other(ReceiverError::Nothing))
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<ReceiverEvent<'_>, ReceiverError> {
        if self.poll_deadline().is_none_or(|deadline| now < deadline) {
            return Err(nb::Error::WouldBlock);
        }
        let late = if self.received { ReceiverError::Stalled } else { ReceiverError::TimedOut };
        Err(nb::Error::Other(late))
    }

    fn poll_transmit(&self) -> Output<'_> {
        if self.ended { Output::Close } else { self.name.poll_transmit() }
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        self.name.transmitted(count);
        if !self.received {
            self.progress.deadline = Deadline::after(now, self.timeout);
        }
    }

    fn poll_deadline(&self) -> Option<Instant> {
        if self.ended { None } else { self.progress.deadline.instant() }
    }
}

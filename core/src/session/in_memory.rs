//! A session whose contents lie in memory.

use super::contract::{Event, Events, Output, Session};
use crate::time::Instant;

/// A session and the contents that it sends, which lie in memory: a file in flash, say.
///
/// It lends them as [`Output::Bytes`], so that every driver can send them and none has to know of
/// contents. Made anew for each call of the driver, it costs nothing:
///
/// ```
/// use barewire_core::file::{Offer, Sender, TransferConfig};
/// use barewire_core::session::{InMemory, Output, Session};
/// use barewire_core::time::Instant;
///
/// let (now, contents) = (Instant::ZERO, b"all of it");
/// let mut sender = Sender::<64>::new(now, TransferConfig::default());
/// sender.handle_input(now, &mut &b"name\n"[..]).unwrap();
/// sender.offer(now, Offer { size: contents.len() as u64, tag: 1, modified: 0 });
/// let lent = InMemory { session: &mut sender, contents };
/// assert_eq!(lent.poll_transmit(), Output::Bytes { head: contents, tail: &[], more: false });
/// ```
#[derive(Debug)]
pub struct InMemory<'c, S> {
    /// The session: often a `&mut` to it.
    pub session: S,
    /// What its owner has offered, from the first byte on.
    pub contents: &'c [u8],
}

impl<'s, S: Session> Events<'s> for InMemory<'_, S> {
    type Event = Event<'s, S>;
}

impl<S: Session> Session for InMemory<'_, S> {
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

    /// As the session's own; but contents as bytes, as far as there are any.
    fn poll_transmit(&self) -> Output<'_> {
        match self.session.poll_transmit() {
            Output::Contents { offset, length } => match range(self.contents, offset, length) {
                [] => Output::Contents { offset, length },
                head => Output::Bytes { head, tail: &[], more: false },
            },
            output => output,
        }
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        self.session.transmitted(now, count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.session.poll_deadline()
    }
}

/// What `contents` has of the range.
fn range(contents: &[u8], offset: u64, length: u64) -> &[u8] {
    let rest = usize::try_from(offset).ok().and_then(|start| contents.get(start..));
    let rest = rest.unwrap_or_default();
    usize::try_from(length).ok().and_then(|length| rest.get(..length)).unwrap_or(rest)
}

#[cfg(all(test, feature = "file"))]
mod tests {
    use super::*;
    use crate::file::{Sender, TransferConfig};

    #[test]
    fn a_range_is_cut_to_what_there_is() {
        assert_eq!(range(b"abc", 0, 3), b"abc");
        assert_eq!(range(b"abc", 1, 1), b"b");
        assert_eq!(range(b"abc", 1, u64::MAX), b"bc");
        assert_eq!(range(b"abc", 3, 1), b"");
        assert_eq!(range(b"abc", u64::MAX, 1), b"");
    }

    #[test]
    fn it_waits_for_what_the_session_waits_for() {
        let session = Sender::<64>::new(Instant::ZERO, TransferConfig::default());
        let deadline = session.poll_deadline();
        assert!(deadline.is_some());
        assert_eq!(InMemory { session, contents: b"contents" }.poll_deadline(), deadline);
    }
}

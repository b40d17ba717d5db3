//! What a session is, and what it wants of its connection.

use core::error::Error;

use crate::time::Instant;

/// What a session wants of its connection next; lent until [`Session::transmitted`] releases it. A
/// driver carries out each of these, so that another would be a breaking change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Output<'a> {
    /// Nothing, until the next `handle_*` or command.
    Nothing,
    /// Send bytes. Any number of them may be taken, from the front.
    Bytes {
        /// The first bytes; never empty.
        head: &'a [u8],
        /// What follows them, often empty: the other side of a ring buffer's wrap, or a part kept
        /// elsewhere. A vectored write takes both at once.
        tail: &'a [u8],
        /// More output is certain to follow these bytes at once, so the driver may hold them back to
        /// fill a segment (`MSG_MORE`, `send(2)`).
        more: bool,
    },
    /// Send bytes of the contents that the session's owner has offered; any number of them, from the
    /// front of this range. A driver that has the contents in a file lets the system move them
    /// (`sendfile(2)`); for one that has them in memory, [`InMemory`](super::InMemory) turns them into
    /// [`Bytes`](Self::Bytes).
    ///
    /// Contents that end before the range does are a
    /// [`DriveError::Contents`](crate::driver::DriveError::Contents).
    Contents {
        /// Where the range begins, in bytes from the start of the contents.
        offset: u64,
        /// Its length in bytes; never 0.
        length: u64,
    },
    /// End the sending direction (`shutdown(2)` with `SHUT_WR`; TCP sends a FIN, RFC 9293 §3.6).
    /// Report it as a transmission of 0 bytes.
    Shutdown,
    /// Close the connection: the conversation is over, and in order.
    Close,
}

/// What a session tells its owner during a borrow of it that lasts for `'s`.
///
/// `Implied` is never written out. It tells the compiler that the session lives at least as long as
/// `'s`, so that a closure can take the events of a session that borrows from others.
pub trait Events<'s, Implied = &'s Self> {
    /// An event. It may borrow from the session or from the input.
    type Event;
}

/// What `S` tells its owner during a borrow of it that lasts for `'s`.
pub type Event<'s, S> = <S as Events<'s>>::Event;

/// One side of a conversation over a byte stream. The [module](super) states how to drive it.
pub trait Session: for<'s> Events<'s> {
    /// Why the conversation failed.
    type Error: Error + Copy + 'static;

    /// Takes bytes that the peer sent, advancing `input` past them.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: no event. What is left of `input` must be offered again: at once, if
    /// some of it was taken, and later if not.
    /// [`nb::Error::Other`]: the conversation failed.
    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, Self::Error>;

    /// Takes note that the peer has ended its sending direction, after all its bytes were taken.
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input).
    fn handle_end(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error>;

    /// Takes note that [`poll_deadline`](Self::poll_deadline) may have been reached.
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input).
    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error>;

    /// Makes ready what [`poll_transmit`](Self::poll_transmit) lends, in a session that has to make it
    /// first: one that seals what another says, say. A driver calls it before each time
    /// that it asks. Most sessions have nothing to make ready.
    fn prepare_transmit(&mut self, now: Instant) {
        let _ = now;
    }

    /// What the driver should do next. Calling it again without [`transmitted`](Self::transmitted)
    /// between gives the same answer.
    fn poll_transmit(&self) -> Output<'_>;

    /// Releases what [`poll_transmit`](Self::poll_transmit) lent last: `count` bytes of
    /// [`Output::Bytes`] or [`Output::Contents`], or with `count` 0 an [`Output::Shutdown`] carried
    /// out. A count beyond what was lent is taken for all of it.
    fn transmitted(&mut self, now: Instant, count: usize);

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, if ever.
    fn poll_deadline(&self) -> Option<Instant>;
}

impl<'s, S: Session> Events<'s> for &mut S {
    type Event = Event<'s, S>;
}

impl<S: Session> Session for &mut S {
    type Error = S::Error;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, Self::Error> {
        S::handle_input(self, now, input)
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
        S::handle_end(self, now)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
        S::handle_timeout(self, now)
    }

    fn prepare_transmit(&mut self, now: Instant) {
        S::prepare_transmit(self, now);
    }

    fn poll_transmit(&self) -> Output<'_> {
        S::poll_transmit(self)
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        S::transmitted(self, now, count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        S::poll_deadline(self)
    }
}

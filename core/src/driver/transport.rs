//! What a stack is to the driver.

/// What a stack does for a [`Driver`](crate::driver::Driver), over one connection. No method waits.
pub trait Transport {
    /// How a connection breaks.
    type Error;

    /// What has arrived and was not [consumed](Self::consume) yet, or the front of it; with no bytes
    /// in it, the end of the peer's stream, which then stays.
    ///
    /// # Errors
    /// `WouldBlock`: nothing has arrived, or enough was received in this turn (then the owner is to
    /// have another soon). `Other`: the connection is broken; a reset that came after the end of the
    /// stream is told here too.
    fn receive(&mut self) -> nb::Result<&[u8], Self::Error>;

    /// Removes `count` bytes from the front of what [`receive`](Self::receive) gave last.
    fn consume(&mut self, count: usize);

    /// Sends from the front of `head` followed by `tail` what the stack takes (of `head` alone, if it
    /// takes one slice at a time), and tells how many bytes that was; 0 is as `WouldBlock`. With `more`,
    /// other output is certain to follow at once, so that a segment need not leave half full.
    ///
    /// # Errors
    /// `WouldBlock`: it takes nothing now. `Other`: the connection is broken.
    fn send(&mut self, head: &[u8], tail: &[u8], more: bool) -> nb::Result<usize, Self::Error>;

    /// Sends from the front of a range of the contents that the session's owner has offered, and tells
    /// how many bytes that was; 0 means that the contents end before the range does, or that there are
    /// none. (For contents in memory there is [`InMemory`](crate::session::InMemory).)
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn send_contents(&mut self, offset: u64, length: u64) -> nb::Result<usize, Self::Error> {
        let _ = (offset, length);
        Ok(0)
    }

    /// Ends the sending direction behind all that was sent (TCP sends a FIN, RFC 9293 §3.6; in POSIX
    /// `shutdown(2)`, in smoltcp and embassy-net `close`, in lwIP `tcp_shutdown`).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn shut_down(&mut self) -> nb::Result<(), Self::Error>;
}

impl<T: Transport> Transport for &mut T {
    type Error = T::Error;

    fn receive(&mut self) -> nb::Result<&[u8], T::Error> {
        T::receive(self)
    }

    fn consume(&mut self, count: usize) {
        T::consume(self, count);
    }

    fn send(&mut self, head: &[u8], tail: &[u8], more: bool) -> nb::Result<usize, T::Error> {
        T::send(self, head, tail, more)
    }

    fn send_contents(&mut self, offset: u64, length: u64) -> nb::Result<usize, T::Error> {
        T::send_contents(self, offset, length)
    }

    fn shut_down(&mut self) -> nb::Result<(), T::Error> {
        T::shut_down(self)
    }
}

//! What a driver needs of a stream besides bytes.

use embedded_io::ErrorType;

/// What `embedded-io` has no word for: a stream whose sending direction can be ended alone, and that
/// can be reset.
pub trait Shutdown: ErrorType {
    /// Ends the sending direction behind all bytes written so far. In smoltcp and embassy-net it is
    /// `close`, in lwIP `tcp_shutdown`, in POSIX `shutdown(2)`.
    ///
    /// # Errors
    /// The stream's own.
    fn shut_down(&mut self) -> Result<(), Self::Error>;

    /// Resets the connection: the peer cannot take what it got for the whole. In smoltcp, embassy-net
    /// and lwIP it is `abort`, in POSIX `SO_LINGER` of zero and `close(2)`.
    fn reset(&mut self);
}

impl<T: Shutdown> Shutdown for &mut T {
    fn shut_down(&mut self) -> Result<(), Self::Error> {
        T::shut_down(self)
    }

    fn reset(&mut self) {
        T::reset(self);
    }
}

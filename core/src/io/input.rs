//! What was read from a stream and not taken yet.

/// How often one turn reads: a peer that is faster than its host must not keep it from all else.
const READS: u8 = 64;

/// Up to `N` bytes, and whether the stream has ended behind them.
#[derive(Debug)]
pub(super) struct Input<const N: usize> {
    buffer: [u8; N],
    start: usize,
    end: usize,
    ended: bool,
    reads: u8,
}

impl<const N: usize> Input<N> {
    pub(super) const fn new() -> Self {
        const { assert!(N > 0, "a driver without a buffer reads nothing") };
        Self { buffer: [0; N], start: 0, end: 0, ended: false, reads: 0 }
    }

    /// What there is; if there is nothing, what `read` puts into the buffer, where 0 bytes are the end.
    pub(super) fn receive<E>(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> nb::Result<usize, E>,
    ) -> nb::Result<&[u8], E> {
        if self.start == self.end && self.ended {
            // It stays, but a reset may have come behind it.
            if let Err(nb::Error::Other(error)) = read(&mut self.buffer) {
                return Err(nb::Error::Other(error));
            }
        } else if self.start == self.end {
            if self.reads == READS {
                self.reads = 0;
                return Err(nb::Error::WouldBlock);
            }
            self.reads += 1;
            let count = read(&mut self.buffer).inspect_err(|_| self.reads = 0)?;
            self.filled(count);
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    /// The buffer, if all that was read has been taken and more may come.
    #[cfg(feature = "embedded-io-async")]
    pub(super) fn room(&mut self) -> Option<&mut [u8]> {
        (self.start == self.end && !self.ended).then_some(&mut self.buffer[..])
    }

    /// Takes note that `count` bytes were read into the [room](Self::room); 0 is the end of the stream.
    pub(super) fn filled(&mut self, count: usize) {
        self.start = 0;
        self.end = count.min(N);
        self.ended = count == 0;
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }
}

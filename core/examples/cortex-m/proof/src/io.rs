//! The pump, over a stream that does as it likes.

use core::hint::black_box;

use barewire_core::hello::Server;
use barewire_core::io::{HalfClose, Pump};
use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

use crate::{Given, hidden, used};

/// Gives any answer to any call.
#[derive(Debug)]
pub struct Stream {
    pub moved: Result<usize, ErrorKind>,
    pub ready: Result<bool, ErrorKind>,
    pub closed: Result<(), ErrorKind>,
}

impl ErrorType for Stream {
    type Error = ErrorKind;
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        used(buffer);
        black_box(self.moved)
    }
}

impl ReadReady for Stream {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        black_box(self.ready)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        used(bytes);
        black_box(self.moved)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        black_box(self.closed)
    }
}

impl WriteReady for Stream {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        black_box(self.ready)
    }
}

impl HalfClose for Stream {
    fn half_close(&mut self) -> Result<(), ErrorKind> {
        black_box(self.closed)
    }
}

pub fn exercise(
    given: &Given,
    pump: &mut Pump<64>,
    stream: &mut Stream,
    session: &mut Server<'static, 64>,
) {
    *pump = Pump::new();
    used(hidden(pump).drive(stream, session, given.now, |text| used(text)));
    used(Pump::<64>::default());
    used(HalfClose::half_close(&mut &mut *stream));
}

//! The driver of a stream that does as it likes.

use core::hint::black_box;
use core::ops::ControlFlow;

use barewire_core::driver::Driver;
use barewire_core::hello::Server;
use barewire_core::io::{Shutdown, StreamDriver};
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

impl Shutdown for Stream {
    fn shut_down(&mut self) -> Result<(), ErrorKind> {
        black_box(self.closed)
    }

    fn reset(&mut self) {}
}

pub fn exercise(
    given: &Given,
    driver: &mut StreamDriver<Stream, 64>,
    session: &mut Server<'static, 64>,
) {
    used(hidden(driver).step(given.now, session, |text| {
        used(text);
        ControlFlow::Continue(())
    }));
    used(hidden(driver).next(given.now, session));
    hidden(driver).give_up();
    let mut stream = driver.stream();
    used(Shutdown::shut_down(&mut stream));
    Shutdown::reset(&mut stream);
    used(StreamDriver::<_, 64>::new(stream));
    used(StreamDriver::<_, 64>::with_driver((), Driver::new()));
}

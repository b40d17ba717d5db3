//! The driver, over a stack that does as it likes.

use core::fmt::Write;
use core::hint::black_box;
use core::ops::ControlFlow;

use barewire_core::driver::{Driver, Step, Transport};
use barewire_core::hello::Server;
use barewire_core::nb;
use embedded_io::ErrorKind;

use crate::{Given, hidden, used};

/// Gives any answer to any call.
#[derive(Debug)]
pub struct Stack {
    pub received: nb::Result<&'static [u8], ErrorKind>,
    pub moved: nb::Result<usize, ErrorKind>,
    pub shut_down: nb::Result<(), ErrorKind>,
}

impl Transport for Stack {
    type Error = ErrorKind;

    fn receive(&mut self) -> nb::Result<&[u8], ErrorKind> {
        black_box(self.received)
    }

    fn consume(&mut self, count: usize) {
        used(count);
    }

    fn send(&mut self, head: &[u8], tail: &[u8], more: bool) -> nb::Result<usize, ErrorKind> {
        used((head, tail, more));
        black_box(self.moved)
    }

    fn shut_down(&mut self) -> nb::Result<(), ErrorKind> {
        black_box(self.shut_down)
    }
}

pub fn exercise(
    given: &Given,
    driver: &mut Driver,
    stack: &mut Stack,
    session: &mut Server<'static, 64>,
    out: &mut dyn Write,
) {
    used(Driver::default());
    *driver = Driver::new();
    *driver = Driver::with_linger(given.span);
    used(hidden(driver).step(given.now, session, stack, |text| {
        used(text);
        if black_box(true) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }));
    used(write!(out, "{:?}", hidden(driver).next(given.now, session, stack)));
    used(hidden(driver).end(given.now, stack));
    used(write!(out, "{:?}", Step::<(), ()>::from(hidden(driver).end(given.now, stack))));
    hidden(driver).give_up();
    used(driver.poll_deadline(session));
    used((driver.has_shut_down(), driver.has_peer_ended(), driver.is_over()));
    let mut stack = stack;
    used(Transport::receive(&mut stack));
    Transport::consume(&mut stack, given.count);
    used(Transport::send(&mut stack, given.bytes, given.bytes, true));
    used(Transport::send_contents(&mut stack, given.number, given.number));
    used(Transport::shut_down(&mut stack));
}

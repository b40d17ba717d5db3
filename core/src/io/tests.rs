extern crate std;
mod limits;

use super::*;
use crate::driver::DriveError;
use crate::driver::Step;
use crate::hello;
use crate::session::{Event, Session};
use crate::session::{Events, Output};
use crate::text::Text;
use crate::time::Instant;
use core::cell::RefCell;
use core::convert::Infallible;
use core::ops::ControlFlow;
use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};
use std::collections::VecDeque;
use std::string::ToString;
use std::vec::Vec;

/// One direction of a connection with room for four bytes.
#[derive(Default)]
pub(super) struct Direction {
    bytes: RefCell<VecDeque<u8>>,
    pub(super) ended: core::cell::Cell<bool>,
    pub(super) reset: core::cell::Cell<bool>,
}

/// One end of a connection.
#[derive(Clone, Copy)]
pub(super) struct Wire<'d> {
    incoming: &'d Direction,
    outgoing: &'d Direction,
}

impl<'d> Wire<'d> {
    pub(super) fn new(incoming: &'d Direction, outgoing: &'d Direction) -> Self {
        Self { incoming, outgoing }
    }

    /// What the peer has said, were it more than there is room for.
    pub(super) fn incoming_from(&self, bytes: &[u8]) {
        self.incoming.bytes.borrow_mut().extend(bytes);
    }

    pub(super) fn readable(&self) -> bool {
        self.incoming.ended.get() || !self.incoming.bytes.borrow().is_empty()
    }

    pub(super) fn writable(&self) -> bool {
        self.outgoing.bytes.borrow().len() < 4
    }

    pub(super) fn take(&mut self, buffer: &mut [u8]) -> usize {
        let mut bytes = self.incoming.bytes.borrow_mut();
        let count = bytes.len().min(buffer.len());
        buffer.iter_mut().zip(bytes.drain(..count)).for_each(|(to, from)| *to = from);
        count
    }

    pub(super) fn put(&mut self, from: &[u8]) -> usize {
        assert!(!self.outgoing.ended.get(), "written after the half-close");
        let mut bytes = self.outgoing.bytes.borrow_mut();
        let count = from.len().min(4 - bytes.len());
        bytes.extend(&from[..count]);
        count
    }
}

impl ErrorType for Wire<'_> {
    type Error = Infallible;
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        assert!(self.readable(), "would block");
        Ok(self.take(buffer))
    }
}

impl ReadReady for Wire<'_> {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.readable())
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        assert!(self.writable(), "would block");
        Ok(self.put(bytes))
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl WriteReady for Wire<'_> {
    fn write_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.writable())
    }
}

impl Shutdown for Wire<'_> {
    fn shut_down(&mut self) -> Result<(), Infallible> {
        self.outgoing.ended.set(true);
        Ok(())
    }

    fn reset(&mut self) {
        self.outgoing.reset.set(true);
    }
}

pub(super) fn config() -> hello::HandshakeConfig {
    hello::HandshakeConfig::default()
}

type Told<E> = Step<E, Infallible>;

/// Steps until there is something to wait for or nothing more to do.
fn drive<S: Session, const N: usize>(
    driver: &mut StreamDriver<Wire<'_>, N>,
    session: &mut S,
    now: Instant,
    mut on_event: impl FnMut(Event<'_, S>),
) -> Vec<Told<S::Error>> {
    let mut told = Vec::new();
    loop {
        let step = driver.step(now, session, |event| {
            on_event(event);
            ControlFlow::Continue(())
        });
        told.push(step);
        if !matches!(step, Step::Over(_)) {
            return told;
        }
    }
}

#[test]
fn two_machines_talk_through_narrow_pipes() {
    let (there, back) = Default::default();
    let (left, right) = (Wire::new(&there, &back), Wire::new(&back, &there));
    let (greeting, answer) = (Text::new("你好").unwrap(), Text::new("Hello").unwrap());
    let mut server = hello::Server::<64>::new(Instant::ZERO, greeting, config());
    let mut client = hello::Client::<64>::new(Instant::ZERO, answer, config());
    let mut server_driver = StreamDriver::<_, 3>::new(left);
    let mut client_driver = StreamDriver::<_, 64>::new(right);
    let mut heard = Vec::new();
    let mut told = (Vec::new(), Vec::new());
    for _ in 0..99 {
        let mut note = |text: Text<'_>| heard.push(text.to_string());
        told.0.extend(drive(&mut server_driver, &mut server, Instant::ZERO, &mut note));
        told.1.extend(drive(&mut client_driver, &mut client, Instant::ZERO, &mut note));
    }
    for told in [told.0, told.1] {
        assert_eq!(told.iter().filter(|step| **step == Step::Over(Ok(()))).count(), 1);
        assert_eq!(told.last(), Some(&Step::Close));
    }
    assert_eq!(heard, ["你好", "Hello"]);
}

#[test]
fn the_time_and_the_end_of_the_stream_reach_the_session() {
    let (there, back): (Direction, Direction) = Default::default();
    let mut server = hello::Server::<64>::new(Instant::ZERO, Text::new("hi").unwrap(), config());
    let mut driver = StreamDriver::<_, 64>::new(Wire::new(&there, &back));
    let waiting = drive(&mut driver, &mut server, Instant::from_millis(9_999), |_| ());
    assert_eq!(waiting, [Step::Wait(Some(Instant::from_millis(10_000)))]);
    let late = drive(&mut driver, &mut server, Instant::from_millis(10_000), |_| ());
    assert_eq!(late[0], Step::Over(Err(DriveError::Session(hello::HandshakeError::TimedOut))));

    let (there, back): (Direction, Direction) = Default::default();
    there.ended.set(true);
    let mut server = hello::Server::<64>::new(Instant::ZERO, Text::new("hi").unwrap(), config());
    let mut driver = StreamDriver::<_, 64>::new(Wire::new(&there, &back));
    let silent = drive(&mut driver, &mut server, Instant::ZERO, |_| ());
    assert_eq!(
        silent,
        [Step::Over(Err(DriveError::Session(hello::HandshakeError::Silent))), Step::Close]
    );
}

/// A session that takes one byte for every byte it could send: back-pressure at its plainest.
struct Echo(Option<u8>);

/// Takes input only once its time has come, and says nothing.
#[derive(Default)]
struct Sleeper {
    is_awake: bool,
}

impl<'s> Events<'s> for Sleeper {
    type Event = &'s [u8];
}

impl Session for Sleeper {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<&'s [u8], Infallible> {
        if !self.is_awake || input.is_empty() {
            return Err(nb::Error::WouldBlock);
        }
        Ok(core::mem::take(input))
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<&[u8], Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _now: Instant) -> nb::Result<&[u8], Infallible> {
        self.is_awake = true;
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        Output::Nothing
    }

    fn transmitted(&mut self, _now: Instant, _count: usize) {}

    fn poll_deadline(&self) -> Option<Instant> {
        (!self.is_awake).then(|| Instant::from_millis(250))
    }
}

#[test]
fn input_is_offered_again_when_time_has_made_room() {
    let (there, back): (Direction, Direction) = Default::default();
    Wire::new(&there, &back).incoming_from(b"abc");
    let mut driver = StreamDriver::<_, 64>::new(Wire::new(&there, &back));
    let mut sleeper = Sleeper::default();
    let mut heard = Vec::new();
    for millis in [0, 249, 250] {
        assert!(heard.is_empty());
        let now = Instant::from_millis(millis);
        drive(&mut driver, &mut sleeper, now, |bytes| heard.extend_from_slice(bytes));
    }
    assert_eq!(heard, b"abc");
}

impl Events<'_> for Echo {
    type Event = u8;
}

impl Session for Echo {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<u8, Infallible> {
        match (self.0, input.split_first()) {
            (None, Some((&byte, rest))) => {
                *input = rest;
                Ok(*self.0.insert(byte))
            }
            _ => Err(nb::Error::WouldBlock),
        }
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<u8, Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _now: Instant) -> nb::Result<u8, Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        match &self.0 {
            Some(byte) => {
                Output::Bytes { head: core::slice::from_ref(byte), tail: &[], more: false }
            }
            None => Output::Nothing,
        }
    }

    fn transmitted(&mut self, _now: Instant, _count: usize) {
        self.0 = None;
    }

    fn poll_deadline(&self) -> Option<Instant> {
        None
    }
}

#[test]
fn input_that_the_session_leaves_is_offered_again() {
    let (there, back): (Direction, Direction) = Default::default();
    Wire::new(&there, &back).incoming_from(b"abcdefg");
    let mut driver = StreamDriver::<_, 64>::new(Wire::new(&there, &back));
    let mut echo = Echo(None);
    let mut seen = Vec::new();
    // Four bytes go out at once, the fifth is held by the session, two by the driver.
    drive(&mut driver, &mut echo, Instant::ZERO, |byte| seen.push(byte));
    assert_eq!(seen, b"abcde");
    assert_eq!(back.bytes.borrow_mut().drain(..).collect::<Vec<_>>(), b"abcd");
    // More has come, which is not read before what is held is taken.
    there.bytes.borrow_mut().extend(b"hi");
    drive(&mut driver, &mut echo, Instant::ZERO, |byte| seen.push(byte));
    assert_eq!(seen, b"abcdefghi");
    assert_eq!(back.bytes.borrow_mut().drain(..).collect::<Vec<_>>(), b"efgh");
    drive(&mut driver, &mut echo, Instant::ZERO, |byte| seen.push(byte));
    assert_eq!(back.bytes.borrow_mut().drain(..).collect::<Vec<_>>(), b"i");
}

/// A driver that owns neither the stream nor the session does as well with what it is lent.
#[test]
fn what_is_borrowed_does_what_its_owner_would() {
    fn drive(
        stream: impl Read + Write + ReadReady + WriteReady + Shutdown,
        mut session: impl Session,
    ) {
        let mut driver = StreamDriver::<_, 64>::new(stream);
        let step = driver.step(Instant::ZERO, &mut session, |_| ControlFlow::Continue(()));
        assert!(matches!(step, Step::Wait(Some(_))));
        driver.give_up();
        driver.stream().reset();
    }
    let (there, back): (Direction, Direction) = Default::default();
    let mut wire = Wire::new(&there, &back);
    let mut server = hello::Server::<64>::new(Instant::ZERO, Text::new("hi").unwrap(), config());
    drive(&mut wire, &mut server);
    assert_eq!(server.poll_transmit(), Output::Nothing, "all of it was released");
    assert!(back.ended.get() && back.reset.get());
    assert_eq!(back.bytes.borrow_mut().drain(..).collect::<Vec<_>>(), b"hi\n");
}

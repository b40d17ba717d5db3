extern crate std;
use super::*;
use crate::hello;
use crate::session::Events;
use crate::text::Text;
use core::cell::RefCell;
use core::convert::Infallible;
use std::collections::VecDeque;
use std::string::ToString;
use std::vec::Vec;

/// One direction of a connection with room for four bytes.
#[derive(Default)]
pub(super) struct Direction {
    bytes: RefCell<VecDeque<u8>>,
    ended: core::cell::Cell<bool>,
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
    #[cfg(feature = "embedded-io-async")]
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

impl HalfClose for Wire<'_> {
    fn half_close(&mut self) -> Result<(), Infallible> {
        self.outgoing.ended.set(true);
        Ok(())
    }
}

pub(super) fn config() -> hello::HandshakeConfig {
    hello::HandshakeConfig::default()
}

#[test]
fn two_machines_talk_through_narrow_pipes() {
    let (there, back) = Default::default();
    let (mut left, mut right) = (Wire::new(&there, &back), Wire::new(&back, &there));
    let (greeting, answer) = (Text::new("你好").unwrap(), Text::new("Hello").unwrap());
    let mut server = hello::Server::<64>::new(Instant::ZERO, greeting, config());
    let mut client = hello::Client::<64>::new(Instant::ZERO, answer, config());
    let (mut server_pump, mut client_pump) = (Pump::<3>::new(), Pump::<64>::new());
    let mut heard = Vec::new();
    let mut over = (false, false);
    for _ in 0..99 {
        let mut note = |text: Text<'_>| heard.push(text.to_string());
        over.0 |= server_pump.drive(&mut left, &mut server, Instant::ZERO, &mut note).is_ok();
        over.1 |= client_pump.drive(&mut right, &mut client, Instant::ZERO, &mut note).is_ok();
    }
    assert_eq!(over, (true, true));
    assert_eq!(heard, ["你好", "Hello"]);
}

#[test]
fn the_time_and_the_end_of_the_stream_reach_the_session() {
    let (there, back): (Direction, Direction) = Default::default();
    let mut wire = Wire::new(&there, &back);
    let mut server = hello::Server::<64>::new(Instant::ZERO, Text::new("hi").unwrap(), config());
    let mut pump = Pump::<64>::new();
    let waiting = pump.drive(&mut wire, &mut server, Instant::from_millis(9_999), |_| ());
    assert_eq!(waiting, Err(nb::Error::WouldBlock));
    let late = pump.drive(&mut wire, &mut server, Instant::from_millis(10_000), |_| ());
    assert_eq!(late, Err(nb::Error::Other(DriveError::Session(hello::HandshakeError::TimedOut))));

    let (there, back): (Direction, Direction) = Default::default();
    there.ended.set(true);
    let mut wire = Wire::new(&there, &back);
    let mut server = hello::Server::<64>::new(Instant::ZERO, Text::new("hi").unwrap(), config());
    let silent = Pump::<64>::new().drive(&mut wire, &mut server, Instant::ZERO, |_| ());
    assert_eq!(silent, Err(nb::Error::Other(DriveError::Session(hello::HandshakeError::Silent))));
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
    there.bytes.borrow_mut().extend(b"abc");
    let mut wire = Wire::new(&there, &back);
    let (mut pump, mut sleeper) = (Pump::<64>::new(), Sleeper::default());
    let mut heard = Vec::new();
    for millis in [0, 249, 250] {
        assert!(heard.is_empty());
        let now = Instant::from_millis(millis);
        let _ = pump.drive(&mut wire, &mut sleeper, now, |bytes| heard.extend_from_slice(bytes));
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
    there.bytes.borrow_mut().extend(b"abcdefg");
    let mut wire = Wire::new(&there, &back);
    let (mut pump, mut echo) = (Pump::<64>::new(), Echo(None));
    let mut seen = Vec::new();
    // Four bytes go out at once, the fifth is held by the session, two by the pump.
    let _ = pump.drive(&mut wire, &mut echo, Instant::ZERO, |byte| seen.push(byte));
    assert_eq!(seen, b"abcde");
    assert_eq!(back.bytes.borrow_mut().drain(..).collect::<Vec<_>>(), b"abcd");
    // More has come, which is not read before what is held is taken.
    there.bytes.borrow_mut().extend(b"hi");
    let _ = pump.drive(&mut wire, &mut echo, Instant::ZERO, |byte| seen.push(byte));
    assert_eq!(seen, b"abcdefg");
    assert_eq!(back.bytes.borrow_mut().drain(..).collect::<Vec<_>>(), b"efg");
    let _ = pump.drive(&mut wire, &mut echo, Instant::ZERO, |byte| seen.push(byte));
    assert_eq!(seen, b"abcdefghi");
}

/// A driver that owns neither the stream nor the session does as well with what it is lent.
#[test]
fn what_is_borrowed_does_what_its_owner_would() {
    fn drive(
        mut stream: impl Read + Write + ReadReady + WriteReady + HalfClose,
        mut session: impl Session,
    ) {
        let _ = Pump::<64>::new().drive(&mut stream, &mut session, Instant::ZERO, |_| ());
    }
    let (there, back): (Direction, Direction) = Default::default();
    let mut wire = Wire::new(&there, &back);
    let mut server = hello::Server::<64>::new(Instant::ZERO, Text::new("hi").unwrap(), config());
    drive(&mut wire, &mut server);
    assert_eq!(server.poll_transmit(), Output::Nothing, "all of it was released");
    assert!(back.ended.get());
    assert_eq!(back.bytes.borrow_mut().drain(..).collect::<Vec<_>>(), b"hi\n");
}

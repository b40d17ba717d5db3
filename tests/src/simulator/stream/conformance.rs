//! What the simulator has of a connection follows the driving rule.

use std::ops::ControlFlow;

use barewire_conformance::{Adapter, Examiner, ExaminerError, ExaminerEvent, Peer, Seen, check};
use barewire_core::driver::{Driver, Step};
use barewire_core::time::Instant;

use super::driver::Socket;
use super::link::Direction;
use super::socket::{Received, Reset};
use super::streams::{Cargo, End, Streams};
use crate::simulator::random::Random;

/// A link at one end of which is the core's driver, and at the other the kit.
struct Connection {
    streams: Streams,
    near: End,
    far: End,
    driver: Driver,
}

impl Connection {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let cut = Direction { piece: 1..=random.count(1..=64), ..Direction::SMOOTH };
        let mut streams = Streams::new(random);
        let [near, far] = streams.connect([Direction::SMOOTH, cut], None);
        Self { streams, near, far, driver: Driver::new() }
    }

    fn settle(&mut self) {
        while self.streams.advance().is_some() {}
    }
}

impl Peer for Connection {
    fn deliver(&mut self, bytes: &[u8]) {
        // One whose connection is gone sends nothing more.
        if let Ok(count) = self.streams.write(self.far, bytes) {
            assert_eq!(count, bytes.len(), "there is room");
        }
        self.settle();
    }

    fn end(&mut self) {
        let _ = self.streams.shut_down(self.far);
        self.settle();
    }

    fn reset(&mut self) {
        self.streams.send(self.far, Cargo::Reset);
        self.settle();
    }

    fn look(&mut self, seen: &mut Seen) {
        loop {
            match self.streams.read(self.far) {
                Ok(Received::Bytes(bytes)) => seen.received.extend(bytes),
                Ok(Received::End) => {
                    seen.ended = true;
                    break;
                }
                Ok(Received::Nothing) | Err(Reset) => break,
            }
        }
        seen.reset = self.streams.reset_at(self.far).is_some();
        self.settle();
    }
}

impl Adapter for Connection {
    type Error = Reset;
    type Peer = Self;

    fn peer(&mut self) -> &mut Self {
        self
    }

    fn turn(
        &mut self,
        now: Instant,
        examiner: &mut Examiner,
        on_event: &mut dyn FnMut(ExaminerEvent<'_>) -> ControlFlow<()>,
    ) -> Step<ExaminerError, Reset> {
        let mut socket = Socket { streams: &mut self.streams, end: self.near };
        let step = self.driver.step(now, examiner, &mut socket, on_event);
        match step {
            Step::Close => self.streams.close(self.near),
            Step::Reset => self.streams.give_up(self.near),
            Step::Wait(_) | Step::Over(_) => {}
        }
        self.settle();
        step
    }
}

#[test]
fn a_connection_follows_the_driving_rule() {
    let report = check(Connection::new).unwrap_or_else(|violation| panic!("{violation}"));
    assert!(report.scripts > 50, "{report:?}");
}

//! Contents that are not in memory.

extern crate std;
use core::convert::Infallible;
use std::vec::Vec;

use super::harness::{NOW, with_open};
use crate::secure::Secured;
use crate::session::{Events, Output, Session};
use crate::time::Instant;

/// Sends contents, once.
struct Contents {
    left: u64,
}

impl Events<'_> for Contents {
    type Event = ();
}

impl Session for Contents {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        _input: &mut &'i [u8],
    ) -> nb::Result<(), Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<(), Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _now: Instant) -> nb::Result<(), Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        match self.left {
            0 => Output::Nothing,
            length => Output::Contents { offset: 5_000 - length, length },
        }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        self.left -= count as u64;
    }

    fn poll_deadline(&self) -> Option<Instant> {
        None
    }
}

#[test]
fn contents_are_read_into_the_record_that_is_sealed() {
    let contents: Vec<u8> = (0..5_000_u32).map(|at| (at / 7).to_le_bytes()[0]).collect();
    with_open([2048, 1500], |[mut client, mut server]| {
        let mut session = Contents { left: 5_000 };
        let mut reads = 0;
        while session.left > 0 {
            let mut secured = Secured { session: &mut session, channel: &mut server.channel };
            let wanted = secured.contents().unwrap();
            let start = usize::try_from(wanted.offset).unwrap();
            let count = wanted.room.len().min(if reads == 1 { 3 } else { usize::MAX });
            wanted.room[..count].copy_from_slice(&contents[start..start + count]);
            secured.provide_contents(NOW, count);
            assert!(secured.contents().is_none(), "the record is not out");
            client.hear(&server.send()).unwrap();
            reads += 1;
        }
        assert_eq!(reads, 5);
        assert_eq!(client.talker.hears, contents);
    });
}

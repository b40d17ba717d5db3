//! Links as a kernel would have them, and sessions that break the contract.

use super::socket::{Received, Reset};
use super::*;
use crate::simulator::random::Random;
use barewire_core::session::{Events, Output, Session};
use barewire_core::time::{Duration, Instant};
use std::convert::Infallible;

/// A link that waits for nothing, with room for four bytes.
fn link(fault: Option<Fault>) -> (Streams, [End; 2]) {
    let narrow = Direction { window: 4, ..Direction::SMOOTH };
    let mut streams = Streams::new(Random::new(0));
    let ends = streams.connect([narrow.clone(), narrow], fault);
    (streams, ends)
}

/// Lets everything that is under way arrive.
fn settle(streams: &mut Streams) {
    while streams.advance().is_some() {}
}

/// What `end` reads, until there is no more; the end of the direction shows as `|`, a reset as `!`.
fn read(streams: &mut Streams, end: End) -> String {
    let mut text = String::new();
    loop {
        match streams.read(end) {
            Ok(Received::Nothing) => return text,
            Ok(Received::Bytes(bytes)) => text.push_str(&String::from_utf8(bytes).unwrap()),
            Ok(Received::End) => return text + "|",
            Err(Reset) => return text + "!",
        }
    }
}

#[test]
fn a_full_window_takes_no_more_until_the_reader_has_read() {
    let (mut streams, [here, there]) = link(None);
    assert_eq!(streams.write(here, b"abcdef"), Ok(4));
    assert_eq!(streams.write(here, b"ef"), Ok(0));
    settle(&mut streams);
    assert_eq!(read(&mut streams, there), "abcd");
    assert_eq!(streams.write(here, b"ef"), Ok(0), "the news is under way");
    settle(&mut streams);
    assert_eq!(streams.write(here, b"ef"), Ok(2));
}

#[test]
fn each_direction_ends_on_its_own_and_behind_its_bytes() {
    let (mut streams, [here, there]) = link(None);
    streams.write(here, b"abc").unwrap();
    streams.shut_down(here).unwrap();
    settle(&mut streams);
    assert_eq!(read(&mut streams, there), "abc|");
    streams.write(there, b"abc").unwrap();
    settle(&mut streams);
    assert_eq!(read(&mut streams, here), "abc");
}

#[test]
fn a_close_is_an_end_unless_bytes_are_unread() {
    let (mut streams, [here, there]) = link(None);
    streams.close(here);
    settle(&mut streams);
    assert_eq!(read(&mut streams, there), "|");

    let (mut streams, [here, there]) = link(None);
    streams.write(there, b"abc").unwrap();
    settle(&mut streams);
    streams.close(here);
    settle(&mut streams);
    assert_eq!(read(&mut streams, there), "!");
}

#[test]
fn who_writes_to_a_closed_end_is_reset() {
    let (mut streams, [here, there]) = link(None);
    streams.close(here);
    streams.write(there, b"abc").unwrap();
    settle(&mut streams);
    assert_eq!(streams.write(there, b"d"), Err(Reset));
    // As far as reading goes, the peer's direction had ended in order before.
    assert_eq!(read(&mut streams, there), "|");
}

#[test]
fn a_reset_and_a_cut_strike_between_two_bytes_of_a_piece() {
    for (what, expected) in [(Calamity::Reset, "ab!"), (Calamity::Cut, "ab")] {
        let fault = Fault { what, when: Moment::AfterBytes(2) };
        let (mut streams, [here, there]) = link(Some(fault));
        streams.write(here, b"abc").unwrap();
        streams.shut_down(here).unwrap();
        settle(&mut streams);
        assert_eq!(read(&mut streams, there), expected);
        assert!(streams.struck_at(here).is_some());
    }
}

#[test]
fn an_end_that_is_given_up_resets_its_peer_unless_it_has_said_all() {
    for (is_shut, expected) in [(false, "ab!"), (true, "ab|")] {
        let (mut streams, [here, there]) = link(None);
        streams.write(here, b"ab").unwrap();
        if is_shut {
            streams.shut_down(here).unwrap();
        }
        streams.give_up(here);
        settle(&mut streams);
        assert_eq!(read(&mut streams, there), expected);
    }
}

#[test]
fn an_end_is_woken_when_its_program_wants_to_be() {
    let (mut streams, [here, there]) = link(None);
    let at = streams.now() + Duration::from_secs(3);
    streams.wake(there, at);
    assert_eq!([streams.advance(), streams.advance()], [Some(here), Some(there)]);
    assert_eq!((streams.advance(), streams.now()), (Some(there), at));
    assert_eq!(streams.advance(), None);
}

#[test]
fn a_stalled_end_gets_no_turn_before_its_time() {
    let lasting = Duration::from_secs(3);
    let stall = Calamity::Stall { side: 1, lasting };
    let (mut streams, [here, there]) =
        link(Some(Fault { what: stall, when: Moment::AfterBytes(0) }));
    let start = streams.now();
    assert_eq!(streams.advance(), Some(here));
    streams.write(here, b"abc").unwrap();
    assert_eq!((streams.advance(), streams.now()), (Some(there), start + lasting));
    assert_eq!(read(&mut streams, there), "abc");
}

#[test]
fn a_killed_program_leaves_an_end_or_a_reset_and_a_failed_machine_silence() {
    for (is_heard, expected) in [(true, "ab|"), (false, "ab!")] {
        let (mut streams, [here, there]) = link(None);
        streams.write(here, b"ab").unwrap();
        streams.write(there, b"c").unwrap();
        settle(&mut streams);
        if is_heard {
            assert_eq!(read(&mut streams, here), "c");
        }
        streams.kill(here);
        settle(&mut streams);
        assert_eq!(read(&mut streams, there), expected);
    }

    let (mut streams, [here, there]) = link(None);
    streams.write(here, b"ab").unwrap();
    let back_at = streams.now() + Duration::from_secs(9);
    streams.lose_power(here, back_at);
    settle(&mut streams);
    assert_eq!(read(&mut streams, there), "ab");
    streams.write(there, b"c").unwrap();
    settle(&mut streams);
    assert_eq!(read(&mut streams, there), "!");
    assert!(streams.reset_at(there).is_some_and(|at| at >= back_at));
}

/// A session that breaks one clause of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rogue {
    EventsWithoutEnd,
    DeadlineThatStays(Instant),
    EventBeforeDeadline,
    EmptyHead,
    SecondShut,
    NothingAfterMore { is_sent: bool },
}

impl Events<'_> for Rogue {
    type Event = ();
}

impl Session for Rogue {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _: Instant,
        _: &mut &'i [u8],
    ) -> nb::Result<(), Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_end(&mut self, _: Instant) -> nb::Result<(), Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _: Instant) -> nb::Result<(), Infallible> {
        match self {
            Self::EventsWithoutEnd | Self::EventBeforeDeadline => Ok(()),
            _ => Err(nb::Error::WouldBlock),
        }
    }

    fn poll_transmit(&self) -> Output<'_> {
        match self {
            Self::EmptyHead => Output::Bytes { head: b"", tail: b"tail", more: false },
            Self::SecondShut => Output::Shutdown,
            Self::NothingAfterMore { is_sent: false } => {
                Output::Bytes { head: b"head", tail: b"", more: true }
            }
            _ => Output::Nothing,
        }
    }

    fn transmitted(&mut self, _: Instant, _: usize) {
        if let Self::NothingAfterMore { is_sent } = self {
            *is_sent = true;
        }
    }

    fn poll_deadline(&self) -> Option<Instant> {
        match self {
            Self::EventsWithoutEnd => Some(Instant::ZERO),
            Self::DeadlineThatStays(at) => Some(*at),
            _ => None,
        }
    }
}

/// Drives a rogue through many turns.
fn drive(rogue: impl Fn(Instant) -> Rogue) {
    let (mut streams, [here, _]) = link(None);
    let mut rogue = rogue(streams.now());
    for _ in 0..200 {
        streams.drive(here, &mut rogue, |()| ());
    }
}

#[test]
#[should_panic(expected = "livelock")]
fn events_without_end_are_found() {
    drive(|_| Rogue::EventsWithoutEnd);
}

#[test]
#[should_panic(expected = "a driver would spin")]
fn a_deadline_that_stays_is_found() {
    drive(Rogue::DeadlineThatStays);
}

#[test]
#[should_panic(expected = "an event before the deadline")]
fn an_event_before_the_deadline_is_found() {
    drive(|_| Rogue::EventBeforeDeadline);
}

#[test]
#[should_panic(expected = "the head is never empty")]
fn an_empty_head_is_found() {
    drive(|_| Rogue::EmptyHead);
}

#[test]
#[should_panic(expected = "after the end of the direction")]
fn output_after_the_end_of_the_direction_is_found() {
    drive(|_| Rogue::SecondShut);
}

#[test]
#[should_panic(expected = "more was certain to follow")]
fn a_promise_of_more_that_is_not_kept_is_found() {
    drive(|_| Rogue::NothingAfterMore { is_sent: false });
}

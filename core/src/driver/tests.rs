extern crate std;
mod scripted;

use super::*;
use crate::time::{Duration, Instant};
use core::convert::Infallible;
use core::error::Error;
use core::ops::ControlFlow;
use scripted::{Broken, ScriptedSession, Stack, Strange};
use std::borrow::ToOwned;
use std::string::{String, ToString};
use std::vec::Vec;

const fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// One connection.
struct Scene {
    driver: Driver,
    session: ScriptedSession,
    stack: Stack,
    told: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        Self {
            driver: Driver::new(),
            session: ScriptedSession { capacity: 99, ..ScriptedSession::default() },
            stack: Stack { room: 99, ..Stack::default() },
            told: Vec::new(),
        }
    }

    fn step(&mut self, millis: u64) -> Step<Strange, Broken> {
        self.driver.step(at(millis), &mut self.session, &mut self.stack, |event| {
            self.told.push(event.to_owned());
            ControlFlow::Continue(())
        })
    }
}

#[test]
fn what_was_left_is_offered_again_when_something_new_may_have_made_room() {
    let mut scene = Scene::new();
    scene.session.capacity = 2;
    scene.session.deadline = Some(at(500));
    scene.stack.arrived = b"abcd".to_vec();
    assert_eq!(scene.step(0), Step::Wait(Some(at(500))));
    // Whether it takes more it has not said before it takes none.
    assert_eq!(scene.session.take_notes(), "input:abcd input:cd");
    assert_eq!(scene.stack.arrived, b"cd", "the stack keeps what is left");
    scene.session.says = b"say".to_vec();
    assert_eq!(scene.step(1), Step::Wait(Some(at(500))));
    assert_eq!(scene.session.take_notes(), "sent:3 input:cd");
    assert_eq!(scene.step(500), Step::Wait(None));
    assert_eq!(scene.session.take_notes(), "input:cd time input:cd");
}

/// The event of the last byte may not be the last event, and the session may answer it.
#[test]
fn the_last_byte_is_followed_by_a_call_without_any_and_by_transmission() {
    let mut scene = Scene::new();
    scene.session.pending_events = 2;
    scene.stack.arrived = b"abc".to_vec();
    let Scene { driver, session, stack, .. } = &mut scene;
    let next = driver.next(at(0), session, stack);
    assert!(matches!(next, Next::Continue), "what is to be sent comes first: {next:?}");
    let next = driver.next(at(0), session, stack);
    assert!(matches!(next, Next::Event("abc")), "{next:?}");
    session.says = b"answer".to_vec();
    assert_eq!(scene.step(0), Step::Wait(None));
    assert_eq!(scene.told, [""]);
    assert_eq!(scene.session.notes, "input:abc input: input: sent:6");
    assert_eq!(scene.stack.sent, b"answer");
}

#[test]
fn the_end_comes_behind_the_last_event_of_the_bytes() {
    let mut scene = Scene::new();
    scene.session.pending_events = 3;
    (scene.stack.arrived, scene.stack.has_ended) = (b"abc".to_vec(), true);
    assert_eq!(scene.step(0), Step::Wait(None));
    assert_eq!(scene.session.take_notes(), "input:abc input: input: input: end");
    scene.session.says = b"say".to_vec();
    assert_eq!(scene.step(0), Step::Wait(None));
    assert_eq!(scene.session.take_notes(), "sent:3 end");
    assert!(scene.driver.has_peer_ended());
}

#[test]
fn bytes_come_before_a_deadline_that_is_over() {
    let mut scene = Scene::new();
    scene.session.deadline = Some(at(500));
    scene.stack.arrived = b"abc".to_vec();
    assert_eq!(scene.step(900), Step::Wait(None));
    assert_eq!(scene.session.notes, "input:abc time");
}

#[test]
fn an_orderly_end_waits_for_the_peers_and_throws_away_what_comes() {
    let mut scene = Scene::new();
    (scene.session.says, scene.session.closes) = (b"bye".to_vec(), true);
    assert_eq!(scene.step(0), Step::Over(Ok(())));
    assert!(scene.stack.has_shut_down, "the session did not do it");
    assert_eq!(scene.stack.sent, b"bye");
    scene.stack.arrived = b"unread".to_vec();
    assert_eq!(scene.step(1), Step::Wait(Some(at(1) + LINGER)));
    assert_eq!(scene.stack.arrived, b"");
    scene.stack.has_ended = true;
    assert_eq!(scene.step(2), Step::Close);
    assert_eq!(scene.step(3), Step::Close, "it stays so");
    assert_eq!(scene.session.notes, "sent:3");
}

#[test]
fn who_never_stops_sending_is_not_lingered_for() {
    let mut scene = Scene::new();
    scene.session.closes = true;
    assert_eq!(scene.step(0), Step::Over(Ok(())));
    for _ in 0..LINGER_BYTES / 4_096 {
        scene.stack.arrived = [b'x'; 4_096].into();
        assert_eq!(scene.step(0), Step::Wait(Some(at(2_000))));
    }
    scene.stack.arrived = b"x".into();
    assert_eq!(scene.step(0), Step::Close);
}

/// What the last byte has completed is whole, whatever comes behind it.
#[test]
fn a_reset_behind_the_last_byte_takes_nothing_of_what_it_has_to_tell() {
    let mut scene = Scene::new();
    scene.session.pending_events = 3;
    (scene.stack.arrived, scene.stack.breaks_behind) = (b"abc".to_vec(), true);
    assert_eq!(scene.step(0), Step::Over(Err(DriveError::Connection(Broken))));
    assert_eq!(scene.told, ["abc", "", ""]);
}

#[test]
fn lingering_has_an_end() {
    let mut scene = Scene::new();
    scene.session.closes = true;
    assert_eq!(scene.step(0), Step::Over(Ok(())));
    assert_eq!(scene.step(0), Step::Wait(Some(at(2_000))));
    assert_eq!(scene.step(1_999), Step::Wait(Some(at(2_000))));
    scene.stack.arrived = b"endless".to_vec();
    assert_eq!(scene.step(2_000), Step::Close);
    assert_eq!(scene.stack.arrived, b"", "unread, it would reset the connection");
}

/// Whose conversation is not over is given up, and nobody is left to say a last word.
#[test]
fn an_owner_without_a_session_ends_the_connection() {
    let mut scene = Scene::new();
    let (driver, stack) = (&mut scene.driver, &mut scene.stack);
    assert_eq!(driver.end(at(0), stack), LastStep::Reset);
    assert_eq!(driver.end(at(1), stack), LastStep::Reset, "it stays so");

    let mut scene = Scene::new();
    (scene.session.fails, scene.stack.arrived) = (true, b"nonsense".to_vec());
    assert!(matches!(scene.step(0), Step::Over(Err(DriveError::Session(Strange)))));
    scene.session.says = b"sorry".to_vec();
    let (driver, stack) = (&mut scene.driver, &mut scene.stack);
    assert_eq!(driver.end(at(0), stack), LastStep::Reset);
    assert_eq!(stack.sent, b"");
}

/// What was taken is consumed once, whoever goes on.
#[test]
fn who_breaks_off_in_an_event_may_go_on_either_way() {
    let mut scene = Scene::new();
    (scene.session.pending_events, scene.stack.arrived) = (1, b"abc".to_vec());
    let Scene { driver, session, stack, .. } = &mut scene;
    let step = driver.step(at(0), session, stack, |_| ControlFlow::Break(()));
    assert_eq!(step, Step::Over(Err(DriveError::GivenUp)));
    assert_eq!(stack.arrived, b"abc", "the event may lend it");
    assert_eq!(driver.end(at(0), stack), LastStep::Reset);
    assert_eq!(stack.arrived, b"");
    assert_eq!(scene.step(0), Step::Reset);
}

#[test]
fn lingering_needs_no_session() {
    for is_broken in [false, true] {
        let mut scene = Scene::new();
        scene.driver = Driver::with_linger(Duration::from_millis(50));
        scene.session.closes = true;
        assert_eq!(scene.step(0), Step::Over(Ok(())));
        scene.stack.arrived = b"unread".to_vec();
        let (driver, stack) = (&mut scene.driver, &mut scene.stack);
        assert_eq!(driver.end(at(0), stack), LastStep::Wait(at(50)));
        assert_eq!(driver.end(at(49), stack), LastStep::Wait(at(50)));
        (stack.is_broken, stack.has_ended) = (is_broken, !is_broken);
        assert_eq!(driver.end(at(49), stack), LastStep::Close);
        assert_eq!(driver.has_peer_ended(), !is_broken);
    }
}

#[test]
fn a_stack_that_never_ends_the_direction_fails_the_conversation() {
    let mut scene = Scene::new();
    (scene.session.closes, scene.stack.refuses_shut_down) = (true, true);
    assert_eq!(scene.step(0), Step::Wait(Some(at(2_000))));
    assert_eq!(scene.step(1_999), Step::Wait(Some(at(2_000))));
    assert!(!scene.driver.has_shut_down());
    assert_eq!(scene.step(2_000), Step::Over(Err(DriveError::Stalled)));
    assert_eq!(scene.step(2_000), Step::Reset);
}

#[test]
fn a_stack_may_take_its_time_to_end_the_direction() {
    let mut scene = Scene::new();
    (scene.session.closes, scene.stack.refuses_shut_down) = (true, true);
    assert_eq!(scene.step(0), Step::Wait(Some(at(2_000))));
    scene.stack.refuses_shut_down = false;
    assert_eq!(scene.step(9), Step::Over(Ok(())));
    assert!(scene.driver.has_shut_down());
}

#[test]
fn a_failed_session_has_a_last_word_and_a_reset() {
    let mut scene = Scene::new();
    (scene.session.fails, scene.session.deadline) = (true, Some(at(0)));
    scene.stack.arrived = b"abc".to_vec();
    assert_eq!(scene.step(0), Step::Over(Err(DriveError::Session(Strange))));
    scene.session.says = b"sorry".to_vec();
    assert_eq!(scene.step(0), Step::Reset);
    assert_eq!(scene.stack.sent, b"sorry");
    assert_eq!(scene.session.notes, "input:abc sent:5", "it is called no more");
}

#[test]
fn a_last_word_that_ends_the_direction_is_followed_by_a_close() {
    let mut scene = Scene::new();
    scene.session.fails = true;
    scene.stack.arrived = b"abc".to_vec();
    assert_eq!(scene.step(0), Step::Over(Err(DriveError::Session(Strange))));
    (scene.session.says, scene.session.wants_shut_down) = (b"sorry".to_vec(), true);
    assert_eq!(scene.step(0), Step::Wait(Some(at(0) + LINGER)));
    assert!(scene.stack.has_shut_down);
    scene.stack.has_ended = true;
    assert_eq!(scene.step(0), Step::Close);
}

#[test]
fn a_last_word_is_tried_once() {
    let mut scene = Scene::new();
    (scene.session.fails, scene.stack.room) = (true, 2);
    scene.stack.arrived = b"abc".to_vec();
    assert_eq!(scene.step(0), Step::Over(Err(DriveError::Session(Strange))));
    scene.session.says = b"sorry".to_vec();
    assert_eq!(scene.step(0), Step::Reset);
    assert_eq!(scene.stack.sent, b"so");
}

#[test]
fn an_owner_gives_up_from_within_an_event_or_without() {
    for has_shut_down in [false, true] {
        let mut scene = Scene::new();
        (scene.session.pending_events, scene.session.wants_shut_down) = (9, has_shut_down);
        scene.stack.arrived = b"abc".to_vec();
        let Scene { driver, session, stack, .. } = &mut scene;
        let step = driver.step(at(0), session, stack, |_| ControlFlow::Break(()));
        assert_eq!(step, Step::Over(Err(DriveError::GivenUp)));
        session.take_notes();
        let end = if has_shut_down { Step::Wait(Some(at(0) + LINGER)) } else { Step::Reset };
        assert_eq!(scene.step(0), end);
        assert_eq!(scene.session.notes, "");
        assert_eq!(scene.stack.arrived, b"", "what was taken is not kept");

        let mut scene = Scene::new();
        scene.session.wants_shut_down = has_shut_down;
        assert_eq!(scene.step(0), Step::Wait(None));
        scene.driver.give_up();
        scene.driver.give_up();
        assert_eq!(scene.step(0), end);
    }
    let mut scene = Scene::new();
    scene.session.closes = true;
    assert_eq!(scene.step(0), Step::Over(Ok(())));
    scene.driver.give_up();
    assert_eq!(scene.step(0), Step::Wait(Some(at(0) + LINGER)), "it is too late for that");
}

#[test]
fn a_broken_connection_is_told_to_the_owner_alone() {
    let mut scene = Scene::new();
    scene.stack.is_broken = true;
    scene.stack.arrived = b"abc".to_vec();
    assert_eq!(scene.step(0), Step::Over(Err(DriveError::Connection(Broken))));
    assert_eq!(scene.step(0), Step::Reset);
    assert_eq!(scene.session.notes, "");
}

#[test]
fn a_reset_is_no_success_though_it_lies_behind_bytes_that_nobody_reads() {
    let mut scene = Scene::new();
    (scene.session.capacity, scene.session.wants_shut_down) = (0, true);
    scene.stack.arrived = b"unread".to_vec();
    assert_eq!(scene.step(0), Step::Wait(None));
    (scene.session.closes, scene.stack.breaks_behind) = (true, true);
    assert_eq!(scene.step(0), Step::Over(Err(DriveError::Connection(Broken))));
    assert_eq!(scene.step(0), Step::Reset);
}

#[test]
fn contents_that_cannot_be_had_reset_the_connection() {
    let mut scene = Scene::new();
    scene.session.contents = 1;
    assert_eq!(scene.step(0), Step::Over(Err(DriveError::Contents)));
    assert_eq!(scene.step(0), Step::Reset);
}

#[test]
fn errors_say_whose_they_are() {
    let display = |error: DriveError<Strange, Broken>| error.to_string();
    assert_eq!(display(DriveError::Session(Strange)), "strange");
    assert_eq!(display(DriveError::Connection(Broken)), "broken");
    assert_eq!(display(DriveError::Contents), "the contents to send cannot be read");
    assert_eq!(display(DriveError::Stalled), "the peer does not take the last bytes");
    assert_eq!(display(DriveError::GivenUp), "given up");
    // The words are the cause's own, so its source is next in the chain, not itself.
    assert!(DriveError::<Strange, Broken>::Session(Strange).source().is_none());
    assert!(DriveError::<Infallible, Infallible>::Stalled.source().is_none());
}

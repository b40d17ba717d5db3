//! A member, lent as a session.

mod reading;

use super::begun_lines;
use super::cursor::Unread;
use super::execute::Outcome;
use super::line_buffers::LineBuffers;
use super::member_event::MemberEvent;
use super::member_id::OPERATOR;
use super::member_slot::{Buffering, LINE_SECONDS, MemberSlot, SlotState};
use super::membership::MemberError;
use super::notice::Notice;
use super::opening::{Opening, Protocol};
use super::room_state::RoomState;
use super::wait::Wait;
use crate::session::{Events, Output, Session};
use crate::text::Ended;
use crate::time::Instant;
use crate::time::deadline::Deadline;

/// A member of a [`Room`](super::Room), for one turn of a driver.
#[derive(Debug)]
pub struct Member<'r, 'a> {
    room: &'r mut RoomState<'a>,
    buffers: &'r mut LineBuffers<'a>,
    index: u32,
}

impl<'r, 'a> Member<'r, 'a> {
    pub(super) const fn new(
        room: &'r mut RoomState<'a>,
        buffers: &'r mut LineBuffers<'a>,
        index: u32,
    ) -> Self {
        Self { room, buffers, index }
    }

    /// Its nick.
    pub fn nick(&self) -> &str {
        self.slot().map_or("", |slot| slot.nick.as_str())
    }

    /// Whether it may say something. Not so after [`disconnect`](Self::disconnect) or `/quit`, when
    /// its stream has ended, or when it fell behind.
    pub fn is_active(&self) -> bool {
        self.state() == SlotState::Active
    }

    /// Whether its stream has begun with HTTP or TLS, for which it is to leave.
    pub fn is_foreign(&self) -> bool {
        let protocol = self.slot().and_then(|slot| slot.opening.protocol());
        matches!(protocol, Some(Protocol::Http | Protocol::Tls))
    }

    /// It is to say no more: it gets what has been said until now, and then its connection is closed.
    /// But its session fails if it takes nothing of that for
    /// [`RoomConfig::end_timeout`](super::RoomConfig::end_timeout), or keeps others waiting for longer than
    /// [`RoomConfig::patience`](super::RoomConfig::patience), as it may have done before. The operator stays.
    pub fn disconnect(&mut self, now: Instant) {
        self.end(now);
    }

    /// The operator wants it to leave: it is told so, if the log has room for that, and then as by
    /// [`disconnect`](Self::disconnect).
    /// When its session is over, [`LeaveReason::Kicked`](super::LeaveReason::Kicked) tells the others.
    pub fn kick(&mut self, now: Instant) {
        if self.is_active() && self.index != OPERATOR {
            self.room.try_note(self.index, Notice::Kicked);
        }
        self.end(now);
    }

    /// It is known to speak [no other protocol](super#other-protocols): its owner has looked at what its stream
    /// begins with, say.
    pub fn expect_lines(&mut self) {
        if let Some(slot) = self.slot_mut() {
            slot.opening = Opening::lines();
        }
    }

    fn slot(&self) -> Option<&MemberSlot> {
        self.room.delivery.slot(self.index)
    }

    fn slot_mut(&mut self) -> Option<&mut MemberSlot> {
        self.room.delivery.slot_mut(self.index)
    }

    fn state(&self) -> SlotState {
        self.slot().map_or(SlotState::Shutdown, |slot| slot.state)
    }

    /// Whether it may say something now.
    fn check(&mut self, now: Instant) -> nb::Result<(), MemberError> {
        match self.state() {
            SlotState::Active if self.room.delivery.has_room(self.index, now) => Ok(()),
            SlotState::Dropped => Err(nb::Error::Other(MemberError::FellBehind)),
            _ => Err(nb::Error::WouldBlock),
        }
    }

    /// Its bytes wait: they are offered again, or its end is.
    fn check_offered(&mut self, now: Instant) -> nb::Result<(), MemberError> {
        let checked = self.check(now);
        if checked.is_err()
            && let Some(slot) = self.slot_mut()
            && let Wait::Room { is_offered, .. } = &mut slot.wait
        {
            *is_offered = true;
        }
        checked
    }

    /// It says no more, and reads what has been said until now. The operator reads on.
    fn end(&mut self, now: Instant) {
        begun_lines::give_back(self.room, self.buffers, self.index);
        let delivery = &mut self.room.delivery;
        delivery.clock = now;
        delivery.stop_waiting(self.index);
        let end = delivery.log.end();
        let deadline = Deadline::after(now, delivery.config.end_timeout);
        if let Some(slot) = delivery.slot_mut(self.index) {
            slot.progress.discard();
            slot.buffering = Buffering::Unneeded;
            if slot.state == SlotState::Active && self.index != OPERATOR {
                slot.state = SlotState::Draining { end, deadline };
                delivery.needs_poll = true;
            }
        }
    }

    /// Forgets a line that was lent; a buffer that holds no unfinished line is given back.
    fn release(&mut self) {
        let Some(slot) = self.slot_mut().filter(|slot| slot.buffer().is_some()) else { return };
        slot.progress.release();
        if !slot.progress.needs_buffer() {
            begun_lines::give_back(self.room, self.buffers, self.index);
        }
    }

    /// When it is time for something of its own.
    fn own_deadline(&self) -> Option<Instant> {
        let (slot, delivery) = (self.slot()?, &self.room.delivery);
        match slot.state {
            // It is to be told.
            SlotState::Dropped => return Some(Instant::ZERO),
            SlotState::Draining { deadline, .. } => return deadline.instant(),
            SlotState::Active => {}
            SlotState::Shutdown | SlotState::Vacant { .. } => return None,
        }
        match slot.wait {
            Wait::Room { fits: true, is_offered: false, .. } => return Some(Instant::ZERO),
            Wait::Room { .. } => return delivery.patience_ends(),
            Wait::Buffer { .. } => {
                return delivery.buffer_queue.patience_ends(delivery.config.patience);
            }
            Wait::Nothing => {}
        }
        match slot.buffering {
            Buffering::Revoked => return Some(Instant::ZERO),
            Buffering::AwaitsShare { until } => return Some(until),
            _ => {}
        }
        let (quiet, late) = slot.line_deadlines();
        quiet.min(late).instant()
    }

    /// A line has taken too long: what is there of it, and the rest, is refused.
    fn refuse_late(&mut self, now: Instant) {
        if let Some(slot) = self.room.delivery.slot_mut(self.index)
            && slot.buffer().is_some()
        {
            slot.progress.give_up();
            self.room.refuse(self.index, now, Notice::TooLate(LINE_SECONDS));
        }
        self.release();
    }

    /// If its line was given up since others waited for the buffer, it is told so when there is room.
    fn tell_revoked(&mut self, now: Instant, is_offered: bool) -> nb::Result<(), MemberError> {
        if self.slot().is_some_and(|slot| slot.buffering == Buffering::Revoked) {
            if is_offered { self.check_offered(now) } else { self.check(now) }?;
            if let Some(slot) = self.slot_mut() {
                slot.buffering = Buffering::Unneeded;
            }
            self.room.refuse(self.index, now, Notice::OthersWaited);
        }
        Ok(())
    }
}

impl<'s> Events<'s> for Member<'_, '_> {
    type Event = MemberEvent<'s>;
}

impl Session for Member<'_, '_> {
    type Error = MemberError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<MemberEvent<'s>, MemberError> {
        self.room.delivery.clock = now;
        loop {
            self.release();
            if matches!(self.state(), SlotState::Draining { .. } | SlotState::Shutdown) {
                // It has said that it says no more.
                *input = &[];
            }
            if input.is_empty() {
                return Err(nb::Error::WouldBlock);
            }
            self.tell_revoked(now, true)?;
            let (longest, offered) = (self.room.delivery.config.max_text, *input);
            let slot = self.slot().ok_or(nb::Error::WouldBlock)?;
            let (skips, before) = (slot.progress.is_skipping(), slot.progress.length());
            let is_known = slot.opening.protocol().is_some();
            if !skips || !is_known {
                self.check_offered(now)?;
            }
            let read = if skips {
                if let Some(slot) = self.slot_mut() {
                    slot.progress.skip_input(now, input);
                }
                None
            } else {
                Some(self.read(now, input).ok_or(nb::Error::WouldBlock)?)
            };
            if !is_known && let Some(slot) = self.slot_mut() {
                let taken = offered.len().saturating_sub(input.len());
                slot.opening.read(offered.get(..taken).unwrap_or_default(), before, longest);
                if self.turn_away(now) {
                    continue;
                }
            }
            let Some(read) = read else { continue };
            let outcome = self.take(now, read)?;
            if let (Outcome::Said | Outcome::Renamed, Ok(ended)) = (outcome, read) {
                return self.event(outcome, ended);
            }
        }
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<MemberEvent<'_>, MemberError> {
        self.room.delivery.clock = now;
        self.release();
        self.tell_revoked(now, true)?;
        if self.slot().is_some_and(|slot| slot.buffer().is_some()) {
            self.check_offered(now)?;
            match self.finish(now) {
                Ok(outcome @ (Outcome::Said | Outcome::Renamed)) => {
                    return self.event(outcome, Ended::InBuffer);
                }
                Err(nb::Error::Other(error)) => return Err(nb::Error::Other(error)),
                Ok(Outcome::Quits | Outcome::Nothing) | Err(nb::Error::WouldBlock) => {}
            }
        }
        self.end(now);
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<MemberEvent<'_>, MemberError> {
        self.room.delivery.clock = now;
        self.release();
        self.room.tell_moves(now);
        if self.own_deadline().is_none_or(|deadline| now < deadline) {
            return Err(nb::Error::WouldBlock);
        }
        match self.slot().map_or(Wait::Nothing, |slot| slot.wait) {
            Wait::Room { is_offered, .. } => {
                self.room.delivery.try_patience(now);
                if is_offered && self.is_active() {
                    return Err(nb::Error::WouldBlock);
                }
            }
            Wait::Buffer { .. } => {
                begun_lines::try_patience(self.room, self.buffers, now);
                return Err(nb::Error::WouldBlock);
            }
            Wait::Nothing => {}
        }
        match self.state() {
            SlotState::Dropped => return Err(nb::Error::Other(MemberError::FellBehind)),
            SlotState::Draining { .. } => return Err(nb::Error::Other(MemberError::TimedOut)),
            _ => {}
        }
        self.tell_revoked(now, false)?;
        if let Some(Buffering::AwaitsShare { .. }) = self.slot().map(|slot| slot.buffering) {
            begun_lines::try_share(self.room, self.buffers, self.index, now);
            return Err(nb::Error::WouldBlock);
        }
        let Some((quiet, late)) = self.slot().map(MemberSlot::line_deadlines) else {
            return Err(nb::Error::WouldBlock);
        };
        let is_over = quiet.is_reached(now);
        // Unless silence had ended it before.
        if late.is_reached(now) && late < quiet {
            self.check(now)?;
            self.refuse_late(now);
        }
        if is_over {
            if let Some(slot) = self.slot_mut().filter(|slot| slot.progress.is_skipping()) {
                slot.progress.forget();
                return Err(nb::Error::WouldBlock);
            }
            self.check(now)?;
            let outcome = self.finish(now)?;
            return self.event(outcome, Ended::InBuffer);
        }
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        let delivery = &self.room.delivery;
        let (unread, more) = delivery.unread(self.index);
        match (unread, self.state()) {
            (Unread::Lines(start, stop), _) => {
                let (head, tail) = delivery.log.slices(start, stop);
                Output::Bytes { head, tail, more }
            }
            (Unread::Text(head, tail), _) => Output::Bytes { head, tail, more },
            (Unread::Nothing, SlotState::Draining { .. }) => Output::Shutdown,
            (Unread::Nothing, SlotState::Shutdown | SlotState::Vacant { .. }) => Output::Close,
            (Unread::Nothing, SlotState::Active | SlotState::Dropped) => Output::Nothing,
        }
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        self.room.delivery.clock = now;
        self.room.delivery.sent(self.index, now, count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        if self.slot()?.reads() {
            let due = self.room.notices.due.instant();
            return self.own_deadline().into_iter().chain(due).min();
        }
        self.own_deadline()
    }
}

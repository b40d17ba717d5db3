//! Which of the lines that have begun and not ended have a buffer.

use super::config::RoomConfig;
use super::line_buffers::LineBuffers;
use super::member_id::NOBODY;
use super::member_slot::{Buffering, MemberSlot};
use super::room_state::RoomState;
use super::wait::Wait;
use crate::text::Ended;
use crate::time::{Duration, Instant};

/// The buffer of a member's line: the one that it has, or a free one, if its source may have one more and
/// there is one for each member that waits before it.
pub(super) fn acquire(
    room: &mut RoomState<'_>,
    buffers: &mut LineBuffers<'_>,
    index: u32,
    now: Instant,
) -> Option<u16> {
    let slot = room.delivery.slot(index)?;
    if let Some(buffer) = slot.buffer() {
        return Some(buffer);
    }
    let (account, has_waited) = (slot.account, slot.wait != Wait::Nothing);
    let before = room.delivery.buffer_queue.before(room.delivery.slots, index);
    if u32::from(buffers.free_count()) <= before
        || !room.accounts.take_line_buffer(account, room.delivery.config.line_buffers_per_source)
    {
        return None;
    }
    let buffer = buffers.take()?;
    room.delivery.stop_waiting(index);
    if has_waited {
        // Who waits next has patience with this one as well.
        room.delivery.buffer_queue.begin(now);
    }
    room.delivery.slot_mut(index)?.buffering = Buffering::In { buffer, since: now };
    Some(buffer)
}

/// A member waits for a buffer: with all others, or with those of its source.
pub(super) fn wait(room: &mut RoomState<'_>, index: u32, now: Instant) {
    let RoomConfig { line_buffers_per_source: share, patience, .. } = room.delivery.config;
    let Some(slot) = room.delivery.slots.get_mut(index as usize) else { return };
    if room.accounts.may_have_line_buffer(slot.account, share) {
        if slot.wait == Wait::Nothing {
            let queue = &mut room.delivery.buffer_queue;
            if queue.is_empty() {
                queue.begin(now);
            }
            slot.wait = Wait::Buffer { ticket: queue.enter() };
            slot.buffering = Buffering::Unneeded;
        }
    } else if !matches!(slot.buffering, Buffering::AwaitsShare { .. }) {
        slot.buffering = Buffering::AwaitsShare { until: now + patience };
        room.delivery.stop_waiting(index);
    }
}

/// A member needs no buffer: its line came in whole.
pub(super) fn stop_waiting(room: &mut RoomState<'_>, index: u32) {
    room.delivery.stop_waiting(index);
    if let Some(slot) = room.delivery.slot_mut(index) {
        slot.buffering = Buffering::Unneeded;
    }
}

/// A member needs its buffer no longer.
pub(super) fn give_back(room: &mut RoomState<'_>, buffers: &mut LineBuffers<'_>, index: u32) {
    let Some(slot) = room.delivery.slot_mut(index) else { return };
    if let Some(buffer) = slot.buffer() {
        slot.buffering = Buffering::Unneeded;
        room.accounts.give_line_buffer_back(slot.account);
        buffers.give_back(buffer);
        // Those who wait for their source's share are in no queue.
        let has_shares = room.delivery.config.line_buffers_per_source > 0;
        room.delivery.needs_poll |= has_shares || !room.delivery.buffer_queue.is_empty();
    }
}

/// If those who wait have waited long enough, takes a buffer from a member of the source that has most.
pub(super) fn try_patience(room: &mut RoomState<'_>, buffers: &mut LineBuffers<'_>, now: Instant) {
    let patience = room.delivery.config.patience;
    if room.delivery.buffer_queue.loses_patience(now, patience)
        && let Some((_, _, index)) = holders(room, now, None).max()
    {
        revoke(room, buffers, index);
    }
}

/// A member has waited long enough for a buffer of its source: one is taken from another, who has held it
/// for as long; or as soon as it has.
pub(super) fn try_share(
    room: &mut RoomState<'_>,
    buffers: &mut LineBuffers<'_>,
    index: u32,
    now: Instant,
) {
    let patience = room.delivery.config.patience;
    let Some(account) = room.delivery.slot(index).map(|slot| slot.account) else { return };
    let longest = holders(room, now, Some(account)).max();
    let held = longest.map_or(Duration::ZERO, |(_, held, _)| held);
    let left = patience.saturating_sub(held);
    let buffering = if left == Duration::ZERO {
        Buffering::Unneeded
    } else {
        Buffering::AwaitsShare { until: now + left }
    };
    if let Some(slot) = room.delivery.slot_mut(index) {
        slot.buffering = buffering;
    }
    if let Some((_, _, holder)) = longest.filter(|_| left == Duration::ZERO) {
        revoke(room, buffers, holder);
    }
}

/// Who has a buffer, of one source or of all: the greatest has held its own for longest of the source that
/// has most. A line that waits for room is not late by its own doing.
fn holders(
    room: &RoomState<'_>,
    now: Instant,
    of: Option<u32>,
) -> impl Iterator<Item = (u16, Duration, u32)> {
    let slots = (0..NOBODY).zip(room.delivery.slots.iter());
    slots.filter_map(move |(index, slot)| match slot.buffering {
        Buffering::In { since, .. } if of.is_none_or(|account| account == slot.account) => {
            Some((room.accounts.line_buffers(slot.account), now.duration_since(since), index))
        }
        _ => None,
    })
}

/// Takes a member's buffer: its line is given up, and it is to be told.
fn revoke(room: &mut RoomState<'_>, buffers: &mut LineBuffers<'_>, index: u32) {
    give_back(room, buffers, index);
    if let Some(slot) = room.delivery.slot_mut(index) {
        slot.progress.release();
        if slot.progress.needs_buffer() {
            slot.progress.give_up();
            slot.buffering = Buffering::Revoked;
            room.delivery.needs_poll = true;
        }
    }
}

/// The line that has ended: in the input, or in the member's buffer.
pub(super) fn text<'l>(
    buffers: &'l LineBuffers<'_>,
    slot: &MemberSlot,
    ended: Ended<'l>,
) -> &'l [u8] {
    match ended {
        Ended::InInput(line) => line,
        Ended::InBuffer => slot
            .buffer()
            .and_then(|buffer| buffers.get(buffer))
            .map_or(&[], |buffer| slot.progress.text(buffer)),
    }
}

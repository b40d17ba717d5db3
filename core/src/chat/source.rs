//! What is counted for all members from one source together.

use super::config::RoomConfig;
use super::membership::JoinError;
use super::rate_limiter::RateLimiter;
use crate::source::Source;
use crate::time::Instant;

/// The members of one source may together say as much as so many members of different ones. So who comes
/// by many connections gains little, and a class behind one address can talk.
pub(super) const TALKERS: u32 = 4;

/// The account of a source in a [`Room`](super::Room): it outlives the members that it counts.
#[derive(Debug)]
pub struct SourceSlot {
    source: Source,
    members: u32,
    line_buffers: u16,
    /// What its members have said together.
    pub(super) lines: RateLimiter,
    joins: RateLimiter,
}

impl SourceSlot {
    /// An account of nobody.
    pub const fn vacant() -> Self {
        Self::of(Source(0))
    }

    const fn of(source: Source) -> Self {
        let (lines, joins) = (RateLimiter::new(), RateLimiter::new());
        Self { source, members: 0, line_buffers: 0, lines, joins }
    }

    /// Whether nothing is counted here any more.
    fn is_vacant(&self, now: Instant) -> bool {
        self.members == 0 && self.lines.is_idle(now) && self.joins.is_idle(now)
    }
}

/// The accounts of all sources. One that counts something is nobody else's: so those who come when
/// there is none left share the first, which is kept for that.
#[derive(Debug)]
pub(super) struct Accounts<'a> {
    slots: &'a mut [SourceSlot],
}

impl<'a> Accounts<'a> {
    pub(super) fn new(slots: &'a mut [SourceSlot]) -> Self {
        slots.fill_with(SourceSlot::vacant);
        Self { slots }
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut SourceSlot> {
        self.slots.get_mut(usize::try_from(index).ok()?)
    }

    /// Counts a new member of this source. Gives its account.
    pub(super) fn join(
        &mut self,
        now: Instant,
        source: Source,
        config: &RoomConfig,
    ) -> Result<u32, JoinError> {
        let index = self.find(now, source);
        let RoomConfig { members_per_source, join_rate, join_burst, .. } = *config;
        let account = self.get_mut(index).ok_or(JoinError::SourceFull)?;
        if members_per_source > 0 && account.members >= members_per_source {
            return Err(JoinError::SourceFull);
        }
        if account.joins.next_allowed(join_rate, join_burst) > now {
            return Err(JoinError::TooOften);
        }
        account.joins.record(now, join_rate);
        account.members = account.members.saturating_add(1);
        Ok(index)
    }

    /// Counts a buffer for a member's unfinished line, if its source may have one more of its share; 0
    /// for no limit.
    pub(super) fn take_line_buffer(&mut self, index: u32, share: u16) -> bool {
        let may = self.may_have_line_buffer(index, share);
        if let Some(account) = self.get_mut(index).filter(|_| may) {
            account.line_buffers = account.line_buffers.saturating_add(1);
        }
        may
    }

    /// Whether this source may have one more buffer.
    pub(super) fn may_have_line_buffer(&self, index: u32, share: u16) -> bool {
        share == 0 || self.line_buffers(index) < share
    }

    /// How many buffers this source has.
    pub(super) fn line_buffers(&self, index: u32) -> u16 {
        self.slots.get(index as usize).map_or(0, |account| account.line_buffers)
    }

    /// A member has given its buffer back.
    pub(super) fn give_line_buffer_back(&mut self, index: u32) {
        if let Some(account) = self.get_mut(index) {
            account.line_buffers = account.line_buffers.saturating_sub(1);
        }
    }

    /// A member has left.
    pub(super) fn leave(&mut self, index: u32) {
        if let Some(account) = self.get_mut(index) {
            account.members = account.members.saturating_sub(1);
        }
    }

    /// The account of a source: its own, or one that is vacant, or the shared one.
    fn find(&mut self, now: Instant, source: Source) -> u32 {
        let mut vacant = None;
        for (index, account) in (1..).zip(self.slots.iter_mut().skip(1)) {
            if account.is_vacant(now) {
                vacant = vacant.or(Some((index, account)));
            } else if account.source == source {
                return index;
            }
        }
        vacant.map_or(0, |(index, account)| {
            *account = SourceSlot::of(source);
            index
        })
    }
}

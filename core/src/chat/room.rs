//! The room.

use super::begun_lines;
use super::config::RoomConfig;
use super::limits::{MIN_ENTRIES, MIN_SLOTS, MIN_TEXT, RoomError, min_log_bytes};
use super::line_buffers::LineBuffers;
use super::log::LogEntry;
use super::member::Member;
use super::member_id::{MemberId, NOBODY, OPERATOR};
use super::member_slot::MemberSlot;
use super::membership::{JoinError, LeaveReason};
use super::room_state::RoomState;
use super::source::SourceSlot;
use crate::source::Source;
use crate::text::MAX_TEXT;
use crate::time::{Duration, Instant};

/// A room, with its memory borrowed. The [module](super) states its rules.
///
/// Each member is driven as a [`Session`](crate::session::Session) that the room lends,
/// [`member`](Self::member). After each turn of a driver, and after each call here, ask
/// [`needs_poll`](Self::needs_poll): if so, every member is to have a turn.
#[derive(Debug)]
pub struct Room<'a> {
    state: RoomState<'a>,
    buffers: LineBuffers<'a>,
}

impl<'a> Room<'a> {
    /// An empty room, in memory that need not be empty: for as many members as there are slots (one of
    /// them the operator's), for the accounts of as many sources, one of which those share who come
    /// when all others count something, and for as many lines of the log as there are entries. The bytes are
    /// those of the [line buffers](RoomConfig::line_buffers), and all others the log's. See
    /// [`RoomStorage`](super::RoomStorage), which has it all in one piece.
    ///
    /// # Errors
    /// [`RoomError`]: there is too little memory for the rules, or one of them is refused.
    pub fn new(
        slots: &'a mut [MemberSlot],
        sources: &'a mut [SourceSlot],
        entries: &'a mut [LogEntry],
        bytes: &'a mut [u8],
        config: RoomConfig,
    ) -> Result<Self, RoomError> {
        let RoomConfig { max_text, line_buffers, patience, .. } = config;
        if slots.len() < MIN_SLOTS {
            return Err(RoomError::Slots);
        }
        if sources.is_empty() {
            return Err(RoomError::Sources);
        }
        if entries.len() < MIN_ENTRIES {
            return Err(RoomError::Entries);
        }
        if max_text < MIN_TEXT || usize::from(max_text) > MAX_TEXT {
            return Err(RoomError::Text);
        }
        if line_buffers == 0 {
            return Err(RoomError::LineBuffers);
        }
        if patience == Duration::ZERO {
            return Err(RoomError::Patience);
        }
        let parts = bytes.split_at_mut_checked(config.line_buffer_bytes());
        let (buffers, log) = parts.ok_or(RoomError::Bytes)?;
        if log.len() < min_log_bytes(max_text) {
            return Err(RoomError::Bytes);
        }
        let buffers = LineBuffers::new(buffers, line_buffers, max_text);
        Ok(Self { state: RoomState::new(slots, sources, entries, log, config), buffers })
    }

    /// The operator, whose lines come from the server's own terminal and go there. It is never
    /// dropped: it loses the lines that it did not read in time, is told so in their place, and keeps
    /// nobody waiting until it reads again. Its input may end; it reads on.
    pub fn operator(&self) -> MemberId {
        let generation = self.state.delivery.slot(OPERATOR).map_or(0, |slot| slot.generation);
        MemberId { index: OPERATOR, generation }
    }

    /// Lets somebody in, who comes from this source.
    ///
    /// # Errors
    /// [`JoinError`].
    pub fn join(&mut self, now: Instant, source: Source) -> Result<MemberId, JoinError> {
        self.state.join(now, source, None)
    }

    /// The same for somebody whom the owner knows by a name, such as that of its key: it is the nick, and the
    /// member cannot choose another. If a member has it already, or one that looks alike, a number stands
    /// behind it: `ben`, `ben-2`, `ben-3`.
    ///
    /// # Errors
    /// [`JoinError`]; [`JoinError::NoNick`] if the room would not take that name from a member.
    pub fn join_named(
        &mut self,
        now: Instant,
        source: Source,
        name: &str,
    ) -> Result<MemberId, JoinError> {
        self.state.join(now, source, Some(name))
    }

    /// Who has this nick or, if nobody has just that, one that looks like it. `None`: nobody who may
    /// say something.
    pub fn find(&self, nick: &str) -> Option<MemberId> {
        self.state.id(self.state.find(nick)?)
    }

    /// Who is in the room, the operator left aside: those too who say no more, until they
    /// [leave](Self::leave).
    pub fn members(&self) -> impl Iterator<Item = MemberId> {
        (OPERATOR + 1..NOBODY)
            .zip(self.state.delivery.slots.iter().skip(1))
            .filter(|(_, slot)| !slot.is_vacant())
            .map(|(index, slot)| MemberId { index, generation: slot.generation })
    }

    /// Where a member comes from. `None`: it has left, or is the operator, who comes from nowhere.
    pub fn source(&self, id: MemberId) -> Option<Source> {
        self.state.get(id).filter(|_| id.index != OPERATOR).map(|slot| slot.source)
    }

    /// The member as a session, for a turn of a driver: each counts as a chance to read. `None`: it has left.
    pub fn member(&mut self, id: MemberId) -> Option<Member<'_, 'a>> {
        self.state.get(id)?;
        // Here, since a session's output is polled without a change to it.
        self.state.delivery.begin_turn(id.index);
        Some(Member::new(&mut self.state, &mut self.buffers, id.index))
    }

    /// A member's nick. `None`: it has left.
    pub fn nick(&self, id: MemberId) -> Option<&str> {
        self.state.get(id).map(|slot| slot.nick.as_str())
    }

    /// How many members there are, the operator left aside.
    pub const fn count(&self) -> usize {
        self.state.count as usize
    }

    /// Lets a member go, and tells the others. To be called once when its session is over, and when
    /// its connection is lost: then [its nick is kept](super#joins-and-leaves) for a while.
    pub fn leave(&mut self, now: Instant, id: MemberId, why: LeaveReason) {
        if id.index == OPERATOR || self.state.get(id).is_none() {
            return;
        }
        begun_lines::give_back(&mut self.state, &mut self.buffers, id.index);
        self.state.leave(now, id.index, why);
    }

    /// Whether something was said, or may go on, since this was asked last: then every member is to
    /// have a turn.
    pub fn needs_poll(&mut self) -> bool {
        core::mem::take(&mut self.state.delivery.needs_poll)
    }
}

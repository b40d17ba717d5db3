//! What the tasks of the server share: the room, and who is woken when something is said.

use barewire_core::chat::{
    LogEntry, MemberId, MemberSlot, Room, RoomConfig, RoomError, SourceSlot,
};
use barewire_core::time::Instant;
use barewire_linux::executor::{Context, TaskId};

use crate::server::links::Links;

use super::bans::Bans;
use super::motd::Motd;
use super::recorder::Recorder;

/// So many lines may have begun to come in and not ended.
pub(super) const LINE_BUFFERS: u16 = 256;

/// A line and its entry: for each entry there is so much of the log.
const BYTES_A_LINE: usize = 32;

pub(super) struct ChatState {
    pub(super) room: Room<'static>,
    pub(super) recorder: Recorder,
    /// The tasks of the members, the operator's among them.
    pub(super) members: Vec<TaskId>,
    pub(super) broadcaster: Option<TaskId>,
    pub(super) bans: Bans,
    pub(super) motd: Option<Motd>,
    pub(super) links: Links,
    /// Members who are to leave because the operator wants it, and have not left yet.
    kicked: Vec<MemberId>,
}

impl ChatState {
    pub(super) fn new(
        room: Room<'static>,
        recorder: Recorder,
        bans: Bans,
        motd: Option<Motd>,
        links: Links,
    ) -> Self {
        let (members, kicked) = (Vec::new(), Vec::new());
        Self { room, recorder, members, broadcaster: None, bans, motd, links, kicked }
    }

    /// Has a member leave, who is told that the operator wants it.
    pub(super) fn kick(&mut self, id: MemberId, now: Instant) {
        if let Some(mut member) = self.room.member(id) {
            member.kick(now);
            self.kicked.push(id);
        }
    }

    /// Whether a member who leaves was kicked.
    pub(super) fn take_kicked(&mut self, id: MemberId) -> bool {
        let before = self.kicked.len();
        self.kicked.retain(|kicked| *kicked != id);
        self.kicked.len() < before
    }

    /// Has what was said sent to everybody, if anything was.
    pub(super) fn broadcast_later<W>(&mut self, cx: &mut Context<'_, W>) {
        if self.room.needs_poll()
            && let Some(broadcaster) = self.broadcaster
        {
            cx.wake(broadcaster);
        }
    }
}

/// An empty room, whose memory is taken once, for as long as the program runs.
pub(super) fn empty_room(
    max_members: u32,
    log_bytes: u64,
    config: RoomConfig,
) -> Result<Room<'static>, RoomError> {
    let members = usize::try_from(max_members).unwrap_or(usize::MAX).saturating_add(1);
    let log = usize::try_from(log_bytes).unwrap_or(usize::MAX);
    let slots = filled(members, MemberSlot::vacant);
    // Those who have left are counted for a while.
    let sources = filled(members.saturating_mul(2), SourceSlot::vacant);
    let entries = filled(log / BYTES_A_LINE, || LogEntry::EMPTY);
    Room::new(slots, sources, entries, filled(config.bytes(log), || 0), config)
}

fn filled<T>(count: usize, with: impl FnMut() -> T) -> &'static mut [T] {
    std::iter::repeat_with(with).take(count).collect::<Vec<_>>().leak()
}

//! What the tasks of the server share: the room, and who is woken when something is said.

use barewire_core::chat::{LogEntry, MemberSlot, Part, Room, RoomConfig};
use barewire_linux::executor::{Context, TaskId};

use super::recorder::Recorder;

/// So many lines may have begun to come in and not ended.
const PARTS: usize = 256;

/// A line and its entry: for each entry there is so much of the log.
const BYTES_A_LINE: usize = 32;

pub(super) struct ChatState {
    pub(super) room: Room<'static>,
    pub(super) recorder: Recorder,
    /// The tasks of the members, the operator's among them.
    pub(super) members: Vec<TaskId>,
    pub(super) broadcaster: Option<TaskId>,
}

impl ChatState {
    pub(super) fn new(room: Room<'static>, recorder: Recorder) -> Self {
        Self { room, recorder, members: Vec::new(), broadcaster: None }
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
pub(super) fn empty_room(max_members: u32, log_bytes: u64, config: RoomConfig) -> Room<'static> {
    let members = usize::try_from(max_members).unwrap_or(usize::MAX).saturating_add(1);
    let bytes = usize::try_from(log_bytes).unwrap_or(usize::MAX);
    let slots = filled(members, MemberSlot::vacant);
    let entries = filled(bytes / BYTES_A_LINE, || LogEntry::NONE);
    let parts = filled(PARTS, Part::empty);
    Room::new(slots, filled(bytes, || 0), entries, parts, config)
}

fn filled<T>(count: usize, with: impl FnMut() -> T) -> &'static mut [T] {
    std::iter::repeat_with(with).take(count).collect::<Vec<_>>().leak()
}

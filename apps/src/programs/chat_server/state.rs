//! What all tasks of the server share: the room, and who sits where.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use barewire_core::chat::{LogEntry, MemberSlot, Part, Room, RoomConfig};
use barewire_linux::executor::{Context, TaskId};

use super::log_file::Journal;

/// So many lines may have begun to come in and not ended.
const PARTS: usize = 256;

/// A line and its mark: for each mark there is so much of the backlog.
const BYTES_A_LINE: usize = 32;

/// What the whole server has. It is used by one thread, and a lock that nobody contends for costs
/// next to nothing.
pub(super) struct House {
    floor: Mutex<Floor>,
    journal: Option<Mutex<Journal>>,
    /// The notices that a reader of JSON is told otherwise.
    told: Mutex<VecDeque<String>>,
}

/// The room, and the tasks that are woken when something is said.
pub(super) struct Floor {
    pub(super) room: Room<'static>,
    pub(super) seats: Vec<TaskId>,
    pub(super) crier: Option<TaskId>,
}

impl House {
    pub(super) fn new(floor: Floor, journal: Option<Journal>) -> Self {
        let journal = journal.map(Mutex::new);
        Self { floor: Mutex::new(floor), journal, told: Mutex::default() }
    }

    pub(super) fn floor(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn told(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn journal(&self) -> Option<MutexGuard<'_, Journal>> {
        let journal = self.journal.as_ref()?;
        Some(journal.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Floor {
    /// Has the news told to everybody, if there are any.
    pub(super) fn spread<W>(&mut self, cx: &mut Context<'_, W>) {
        if self.room.needs_poll()
            && let Some(crier) = self.crier
        {
            cx.wake(crier);
        }
    }

    /// An empty room, whose memory is taken once, for as long as the program runs.
    pub(super) fn new(max_members: u32, backlog: u64, config: RoomConfig) -> Self {
        let members = usize::try_from(max_members).unwrap_or(usize::MAX).saturating_add(1);
        let bytes = usize::try_from(backlog).unwrap_or(usize::MAX);
        let places = filled(members, MemberSlot::vacant);
        let lines = filled(bytes / BYTES_A_LINE, || LogEntry::NONE);
        let parts = filled(PARTS, Part::empty);
        let room = Room::new(places, filled(bytes, || 0), lines, parts, config);
        Self { room, seats: Vec::new(), crier: None }
    }
}

fn filled<T>(count: usize, with: impl FnMut() -> T) -> &'static mut [T] {
    std::iter::repeat_with(with).take(count).collect::<Vec<_>>().leak()
}

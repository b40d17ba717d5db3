//! Which tasks there are, and which of them get the next turns.

use core::mem;
use std::collections::VecDeque;

use slab::Slab;

use super::Readiness;
use super::task_id::{EventSource, MAX_EVENT_SOURCES, TaskId};

/// The tasks of an executor, each a `T`, and the order of their turns.
pub(super) struct RunQueue<T> {
    slots: Slab<Slot<T>>,
    /// The tasks to run in this round, each once.
    queue: VecDeque<u32>,
    /// The tasks to run in the next.
    next: VecDeque<u32>,
    round: u64,
    generation: u32,
    current: TaskId,
    /// How many tasks keep the executor running.
    foreground: usize,
}

/// A task and what the executor knows of it.
struct Slot<T> {
    /// Absent during its turn.
    task: Option<T>,
    generation: u32,
    /// It waits in one of the queues.
    queued: bool,
    background: bool,
    /// The round of its last turn.
    round: u64,
    /// Which of its sources are in use, a bit each.
    sources: u8,
    ready: [Readiness; MAX_EVENT_SOURCES],
}

impl<T> RunQueue<T> {
    pub(super) fn new() -> Self {
        Self {
            slots: Slab::new(),
            queue: VecDeque::new(),
            next: VecDeque::new(),
            round: 1,
            generation: 0,
            current: TaskId { index: u32::MAX, generation: 0 },
            foreground: 0,
        }
    }

    /// The task whose turn it is.
    pub(super) fn current(&self) -> TaskId {
        self.current
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn has_foreground(&self) -> bool {
        self.foreground > 0
    }

    /// Whether a task waits for a turn in this round.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn spawn(&mut self, task: T) -> TaskId {
        self.generation = self.generation.wrapping_add(1);
        let index = self.slots.insert(Slot {
            task: Some(task),
            generation: self.generation,
            queued: false,
            background: false,
            round: 0,
            sources: 0,
            ready: [Readiness::NONE; MAX_EVENT_SOURCES],
        });
        assert!(index < 1 << 28, "more tasks than an event can name");
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        let index = index as u32;
        self.foreground += 1;
        self.enqueue(index);
        TaskId { index, generation: self.generation }
    }

    pub(super) fn set_background(&mut self) {
        let slot = &mut self.slots[self.current.index as usize];
        if !mem::replace(&mut slot.background, true) {
            self.foreground -= 1;
        }
    }

    /// A free source of the running task, if it has one.
    pub(super) fn free_source(&self) -> Option<EventSource> {
        let free = self.slots[self.current.index as usize].sources.trailing_ones();
        u8::try_from(free)
            .ok()
            .filter(|source| usize::from(*source) < MAX_EVENT_SOURCES)
            .map(EventSource)
    }

    /// Takes a source of the running task in use.
    pub(super) fn take_source(&mut self, source: EventSource) {
        let slot = &mut self.slots[self.current.index as usize];
        slot.sources |= 1 << source.0;
        slot.ready[usize::from(source.0)] = Readiness::NONE;
    }

    pub(super) fn free(&mut self, source: EventSource) {
        self.slots[self.current.index as usize].sources &= !(1 << source.0);
    }

    /// What was reported of a source of the running task.
    pub(super) fn ready(&self, source: EventSource) -> Readiness {
        self.slots[self.current.index as usize].ready[usize::from(source.0)]
    }

    pub(super) fn clear(&mut self, source: EventSource, what: Readiness) {
        let ready = &mut self.slots[self.current.index as usize].ready[usize::from(source.0)];
        *ready = ready.without(what);
    }

    /// Notes what epoll reports and queues the task concerned. A task that has ended since is
    /// recognised by its generation, even if another has its slot by now.
    pub(super) fn report(&mut self, id: TaskId, source: EventSource, ready: Readiness) {
        if let Some(slot) = self.slots.get_mut(id.index as usize)
            && slot.generation == id.generation
            && slot.sources & 1 << source.0 != 0
        {
            slot.ready[usize::from(source.0)] |= ready;
            self.enqueue(id.index);
        }
    }

    /// Queues a task, if it has not ended.
    pub(super) fn wake(&mut self, id: TaskId) {
        if self.slots.get(id.index as usize).is_some_and(|slot| slot.generation == id.generation) {
            self.enqueue(id.index);
        }
    }

    pub(super) fn wake_all(&mut self) {
        let indices: Vec<usize> = self.slots.iter().map(|(index, _)| index).collect();
        for index in indices {
            self.enqueue(u32::try_from(index).unwrap_or(u32::MAX));
        }
    }

    /// Queues the task in that slot: for this round, unless it has had its turn in it.
    pub(super) fn enqueue(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        if !mem::replace(&mut slot.queued, true) {
            let queue = if slot.round == self.round { &mut self.next } else { &mut self.queue };
            queue.push_back(index);
        }
    }

    /// Whether the task in that slot is queued already.
    pub(super) fn is_queued(&self, index: u32) -> bool {
        self.slots[index as usize].queued
    }

    pub(super) fn begin_round(&mut self) {
        self.queue.append(&mut self.next);
        self.round += 1;
    }

    /// The next task of this round, taken out of its slot for its turn.
    pub(super) fn next_task(&mut self) -> Option<(TaskId, T)> {
        loop {
            let index = self.queue.pop_front()?;
            // A task that was abandoned in between has left its number behind.
            let Some(slot) = self.slots.get_mut(index as usize) else { continue };
            slot.queued = false;
            slot.round = self.round;
            let id = TaskId { index, generation: slot.generation };
            if let Some(task) = slot.task.take() {
                self.current = id;
                return Some((id, task));
            }
        }
    }

    pub(super) fn put_back(&mut self, id: TaskId, task: T) {
        self.slots[id.index as usize].task = Some(task);
    }

    pub(super) fn remove(&mut self, id: TaskId) {
        let slot = self.slots.remove(id.index as usize);
        if slot.queued {
            self.queue.retain(|&index| index != id.index);
            self.next.retain(|&index| index != id.index);
        }
        if !slot.background {
            self.foreground -= 1;
        }
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> {
        self.foreground = 0;
        self.slots.drain().filter_map(|slot| slot.task)
    }
}

//! The names of tasks and their descriptors, and how an epoll event carries them.

/// How many file descriptors one task can have registered at a time.
pub const MAX_EVENT_SOURCES: usize = 8;

/// The wake-up's token among the events: no task has it, since no source has the number 15.
pub(super) const WAKE_UP: u64 = u64::MAX;

/// Names a task of one executor. A task that has ended keeps its name: no later one gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TaskId {
    /// Its slot, below 2²⁸.
    pub(super) index: u32,
    /// Which of the tasks that have had the slot it is.
    pub(super) generation: u32,
}

/// A file descriptor that its task has registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventSource(pub(super) u8);

impl TaskId {
    /// The number that stands for one of the task's sources in an epoll event: 32 bits for the
    /// generation, 28 for the slot, 4 for the source.
    pub(super) fn token(self, source: EventSource) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index << 4) | u64::from(source.0)
    }

    #[expect(clippy::cast_possible_truncation, reason = "takes apart what `token` put together")]
    pub(super) fn from_token(token: u64) -> (Self, EventSource) {
        let index = (token as u32) >> 4;
        let source = EventSource((token & 0xF) as u8);
        (Self { index, generation: (token >> 32) as u32 }, source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_apart_as_it_was_put_together() {
        for index in [0, 1, (1 << 28) - 1] {
            for generation in [0, 1, u32::MAX] {
                for source in (0..8).map(EventSource) {
                    let id = TaskId { index, generation };
                    assert_eq!(TaskId::from_token(id.token(source)), (id, source));
                    assert_ne!(id.token(source), WAKE_UP);
                }
            }
        }
    }
}

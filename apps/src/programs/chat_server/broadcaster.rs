//! Wakes every member when there is news.

use core::task::Poll;

use barewire_linux::executor::{Context, Executor, Task, TaskId};

use super::state::House;
use crate::server::serve::Hall;

/// The task that wakes the members, once in a round however much was said in it. So the lines of all
/// who speak in one round leave together, one write a member.
pub(super) struct Crier;

impl Crier {
    pub(super) fn hire(executor: &mut Executor<'_, Hall<'_, House>>) -> TaskId {
        executor.spawn(Box::new(Self))
    }
}

impl<'h> Task<Hall<'h, House>> for Crier {
    fn turn(
        &mut self,
        hall: &mut Hall<'h, House>,
        cx: &mut Context<'_, Hall<'h, House>>,
    ) -> Poll<()> {
        cx.set_background();
        for seat in &hall.house.floor().seats {
            cx.wake(*seat);
        }
        Poll::Pending
    }
}

//! Wakes every member when something was said.

use core::task::Poll;

use barewire_linux::executor::{Context, Task};

use crate::server::context::ServerContext;

use super::state::ChatState;

/// The task that wakes the members, once in a round however much was said in it. So the lines of all
/// who speak in one round leave together, one write a member.
pub(super) struct Broadcaster;

impl Task<ServerContext<ChatState>> for Broadcaster {
    fn turn(
        &mut self,
        context: &mut ServerContext<ChatState>,
        cx: &mut Context<'_, ServerContext<ChatState>>,
    ) -> Poll<()> {
        cx.set_background();
        for member in &context.state.members {
            cx.wake(*member);
        }
        Poll::Pending
    }
}

//! The task of one member's connection.

use core::mem;
use core::task::Poll;

use barewire_core::chat::{LeaveReason, MemberEvent, MemberId};
use barewire_linux::executor::{Context, Task};
use barewire_linux::link::{DriveError, Link};
use barewire_linux::stream::StreamSocket;
use jiff::Timestamp;

use crate::output::system_error::describe;
use crate::programs::keepalive;
use crate::server::context::{ServedPeer, ServerContext};
use crate::server::penalties::Penalty;

use super::greeting::{Greeted, Greeting};
use super::motd::Motd;
use super::recorder::RoomEvent;
use super::state::ChatState;

/// How much the kernel may hold for a member who does not read: more would make the room's log no
/// bound.
const SEND_BUFFER: usize = 256 * 1024;

pub(super) struct MemberConnection {
    peer: ServedPeer,
    state: State,
}

enum State {
    Accepted(Option<StreamSocket>),
    Joined {
        link: Link,
        id: MemberId,
        stopping: bool,
        /// It has said something, or named itself.
        is_heard: bool,
        greeting: Greeting,
    },
    Left,
}

impl MemberConnection {
    pub(super) fn new(stream: StreamSocket, peer: ServedPeer) -> Self {
        Self { peer, state: State::Accepted(Some(stream)) }
    }

    /// Joins the room, if it may.
    fn join(
        &mut self,
        context: &mut ServerContext<ChatState>,
        cx: &Context<'_, ServerContext<ChatState>>,
    ) {
        let State::Accepted(stream) = &mut self.state else { return };
        let Some(stream) = stream.take() else { return };
        let ServerContext { state, printer, .. } = context;
        let ChatState { room, recorder, members, bans, motd, .. } = state;
        let source = self.peer.address.source();
        if let Some(ban) = bans.find(source, Timestamp::now()) {
            log::debug!("{} rejected: banned{ban}", self.peer.address);
            turn_away(&stream, &format!("* you are banned from this room{ban}\n"));
            return;
        }
        let id = match room.join(cx.now(), source) {
            Ok(id) => id,
            Err(why) => {
                turn_away(&stream, why.line());
                context.peer_abandoned(&self.peer, &format!("rejected: {why}"));
                return;
            }
        };
        if let Err(error) = stream.set_send_buffer(SEND_BUFFER) {
            log::debug!("cannot limit the send buffer: {}", describe(&error));
        }
        if let Err(error) = keepalive::SERVER.enable(&stream) {
            log::debug!("cannot enable TCP keepalive: {}", describe(&error));
        }
        members.push(cx.id());
        let nick = room.nick(id).unwrap_or_default();
        recorder.record(RoomEvent::Joined(nick), printer);
        log::debug!("{nick} is {}", self.peer.address);
        let greeting = Greeting::new(motd.as_ref().map(Motd::lines));
        let link = Link::new(stream);
        self.state = State::Joined { link, id, stopping: false, is_heard: false, greeting };
    }

    fn drive(
        &mut self,
        context: &mut ServerContext<ChatState>,
        cx: &mut Context<'_, ServerContext<ChatState>>,
    ) -> Poll<()> {
        let State::Joined { link, id, stopping, is_heard, greeting } = &mut self.state else {
            return Poll::Ready(());
        };
        let ServerContext { state: ChatState { room, recorder, .. }, printer, .. } = context;
        let Some(mut member) = room.member(*id) else { return Poll::Ready(()) };
        if cx.stopping() && !mem::replace(stopping, true) {
            member.disconnect(cx.now());
        }
        let mut member = Greeted { session: member, greeting };
        let peer = &self.peer;
        let on_event = |event: MemberEvent<'_>| {
            *is_heard = true;
            peer.clear_penalties();
            recorder.record(RoomEvent::Member(event), printer);
        };
        let reason = match link.drive(cx, &mut member, on_event) {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Ok(()) if *stopping => LeaveReason::Stopped,
            Ok(()) => LeaveReason::Quit,
            Err(nb::Error::Other(fault)) => {
                log::debug!("{}: {fault}", self.peer.address);
                match fault {
                    DriveError::Session(error) => error.into(),
                    _ => LeaveReason::Lost,
                }
            }
        };
        self.leave(context, cx, reason);
        Poll::Ready(())
    }

    fn leave(
        &mut self,
        context: &mut ServerContext<ChatState>,
        cx: &Context<'_, ServerContext<ChatState>>,
        reason: LeaveReason,
    ) {
        let State::Joined { id, is_heard, .. } = mem::replace(&mut self.state, State::Left) else {
            return;
        };
        let ServerContext { state, printer, .. } = context;
        let reason = if state.take_kicked(id) { LeaveReason::Kicked } else { reason };
        if state.room.member(id).is_some_and(|member| member.is_foreign()) {
            self.peer.penalize(Penalty::Failed, cx.now());
        } else if !is_heard && matches!(reason, LeaveReason::Quit | LeaveReason::Lost) {
            self.peer.penalize(Penalty::NoData, cx.now());
        }
        let ChatState { room, recorder, members, .. } = state;
        let nick = room.nick(id).unwrap_or_default();
        recorder.record(RoomEvent::Left(nick, reason), printer);
        room.leave(cx.now(), id, reason);
        if let Some(index) = members.iter().position(|member| *member == cx.id()) {
            members.swap_remove(index);
        }
    }
}

/// Tells who cannot come in why. If it does not take this at once, it sees the close at least.
fn turn_away(stream: &StreamSocket, line: &str) {
    let _ = stream.send(line.as_bytes(), &[], false);
    let _ = stream.shut_down();
}

impl Task<ServerContext<ChatState>> for MemberConnection {
    fn turn(
        &mut self,
        context: &mut ServerContext<ChatState>,
        cx: &mut Context<'_, ServerContext<ChatState>>,
    ) -> Poll<()> {
        self.join(context, cx);
        let over = self.drive(context, cx);
        context.state.broadcast_later(cx);
        context.flush_later(cx);
        over
    }

    fn abandon(&mut self, context: &mut ServerContext<ChatState>) {
        if let State::Joined { link, .. } = &mut self.state {
            context
                .peer_abandoned(&self.peer, "did not receive its last lines before the shutdown");
            link.abort();
        }
    }
}

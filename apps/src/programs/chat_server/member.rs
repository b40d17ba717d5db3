//! The task of one member's connection.

use core::fmt;
use core::mem;
use core::task::Poll;
use std::io;

use barewire_core::chat::{JoinError, LeaveReason, MemberEvent, MemberId, Protocol};
use barewire_core::secure::{ChannelError, DEFAULT_TIMEOUT};
use barewire_core::time::Instant;
use barewire_linux::executor::{Context, Task};
use barewire_linux::link::{Link, LinkError};
use barewire_linux::stream::StreamSocket;
use jiff::Timestamp;

use crate::output::system_error::describe;
use crate::programs::keepalive;
use crate::server::context::{ServedPeer, ServerContext};
use crate::server::links::{SPEAKS_UNDER_KEY, channel_penalty, channel_reason, has_no_key};
use crate::server::penalties::Penalty;
use crate::server::serve::close_behind;

use super::greeting::{Greeted, Greeting};
use super::motd::Motd;
use super::newcomer::{Arrival, Newcomer};
use super::recorder::RoomEvent;
use super::refusal::Refusal;
use super::state::ChatState;
use super::unopened::Unopened;

/// How much the kernel may hold for a member who does not read: more would make the room's log no
/// bound.
const SEND_BUFFER: usize = 256 * 1024;

/// What who speaks under a key is told, to whom any plain byte says enough.
const PLAIN_ROOM: &str = "* this room has no key\n";

pub(super) struct MemberConnection {
    peer: ServedPeer,
    state: State,
}

enum State {
    /// Nothing of it has been read.
    Arrived(Newcomer),
    /// With keys, until its channel is open.
    Unopened(Link),
    Refused {
        link: Link,
        refusal: Refusal,
    },
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
    /// Who has connected at `now`. Who is banned costs no handshake under a key, and is closed in order.
    ///
    /// # Errors
    /// With keys: the system gives no randomness.
    pub(super) fn new(
        state: &ChatState,
        now: Instant,
        peer: ServedPeer,
        stream: StreamSocket,
    ) -> io::Result<Self> {
        let state = match state.links.are_keyed() {
            true if banned(state, &peer).is_some() => State::Left,
            true => State::Unopened(state.links.link(now, stream)?),
            false => State::Arrived(Newcomer::new(stream, now)),
        };
        Ok(Self { peer, state })
    }

    /// Finds out who has connected, unless that is done, and lets it in or not.
    fn arrive(
        &mut self,
        context: &mut ServerContext<ChatState>,
        cx: &mut Context<'_, ServerContext<ChatState>>,
    ) -> Poll<()> {
        if !matches!(self.state, State::Arrived(_) | State::Unopened(_)) {
            return Poll::Ready(());
        }
        if cx.stopping() {
            self.state = State::Left;
            return Poll::Ready(());
        }
        if !self.peer.keep_place() {
            log::debug!("{}: has not joined yet, and its place is another's", self.peer.address);
            // Who has no key is told nothing.
            if let State::Arrived(newcomer) = mem::replace(&mut self.state, State::Left) {
                let stream = newcomer.into_stream(cx);
                // What has come of it is not to turn the close into a reset.
                let _ = stream.recv(cx.scratch());
                close_behind(&stream, JoinError::RoomFull.line().as_bytes());
            }
            return Poll::Ready(());
        }
        let arrived = if let Some(ban) = banned(&context.state, &self.peer) {
            // It may be newer than the connection.
            Poll::Ready(Some(ban))
        } else if let State::Unopened(_) = self.state {
            self.open(context, cx)
        } else {
            self.look(context, cx)
        };
        let Poll::Ready(refusal) = arrived else {
            self.peer.offer_place(cx.now(), || cx.waker());
            return Poll::Pending;
        };
        if let State::Arrived(_) | State::Unopened(_) = self.state {
            self.refuse(cx, refusal);
        }
        Poll::Ready(())
    }

    /// Looks at who has connected. Unless it joins: what it is to be told, if anything.
    fn look(
        &mut self,
        context: &mut ServerContext<ChatState>,
        cx: &mut Context<'_, ServerContext<ChatState>>,
    ) -> Poll<Option<String>> {
        let State::Arrived(newcomer) = &mut self.state else { return Poll::Ready(None) };
        Poll::Ready(match newcomer.turn(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(Arrival::Joins { is_known })) => self.join(context, cx, is_known).err(),
            Poll::Ready(Ok(Arrival::Speaks(protocol))) => {
                let name = if protocol == Protocol::Tls { "TLS" } else { "HTTP" };
                log::debug!("{}: turned away, as it speaks {name}", self.peer.address);
                self.peer.penalize(Penalty::Failed, cx.now());
                protocol.refusal().map(str::to_owned)
            }
            Poll::Ready(Ok(Arrival::SpeaksUnderKey)) => {
                self.peer.penalize(Penalty::Failed, cx.now());
                context.peer_failed(cx, &self.peer, SPEAKS_UNDER_KEY);
                Some(PLAIN_ROOM.to_owned())
            }
            Poll::Ready(Err(error)) => {
                log::debug!("{}: connection lost: {}", self.peer.address, describe(&error));
                self.peer.penalize(Penalty::NoData, cx.now());
                None
            }
        })
    }

    /// Opens the channel: who has no key is told nothing, and anything else only under the key.
    fn open(
        &mut self,
        context: &mut ServerContext<ChatState>,
        cx: &mut Context<'_, ServerContext<ChatState>>,
    ) -> Poll<Option<String>> {
        let State::Unopened(link) = &mut self.state else { return Poll::Ready(None) };
        match link.drive(cx, &mut Unopened, |never| match never {}) {
            Err(nb::Error::WouldBlock) if !link.is_open() => return Poll::Pending,
            Err(nb::Error::WouldBlock) => return Poll::Ready(self.join(context, cx, true).err()),
            Err(nb::Error::Other(LinkError::Channel(error))) => {
                self.peer.penalize(channel_penalty(error), cx.now());
                self.tell_of_channel(context, cx, error);
            }
            Err(nb::Error::Other(error)) => {
                log::debug!("{}: {}", self.peer.address, in_words(&error));
                self.peer.penalize(Penalty::NoData, cx.now());
            }
            Ok(()) => {}
        }
        Poll::Ready(None)
    }

    /// Tells the operator that somebody has no key, or that what is sealed was changed under way. Anything else is
    /// as common as a plain connection that breaks.
    fn tell_of_channel(
        &self,
        context: &mut ServerContext<ChatState>,
        cx: &mut Context<'_, ServerContext<ChatState>>,
        error: ChannelError,
    ) {
        let reason = channel_reason(error, DEFAULT_TIMEOUT);
        match error {
            _ if has_no_key(error) => context.peer_without_key(cx, &self.peer, &reason),
            ChannelError::Forged | ChannelError::Malformed => {
                context.peer_failed(cx, &self.peer, &reason);
            }
            _ => log::debug!("{}: {reason}", self.peer.address),
        }
    }

    /// Joins the room.
    ///
    /// # Errors
    /// It may not: what it is to be told.
    fn join(
        &mut self,
        context: &mut ServerContext<ChatState>,
        cx: &mut Context<'_, ServerContext<ChatState>>,
        is_known: bool,
    ) -> Result<(), String> {
        let ServerContext { state, printer, .. } = context;
        let ChatState { room, recorder, members, motd, links, .. } = state;
        let (now, source) = (cx.now(), self.peer.address.source());
        let name = match &self.state {
            State::Unopened(link) => links.key_of(link),
            _ => None,
        };
        let joined = match name {
            Some(name) => room.join_named(now, source, name),
            None => room.join(now, source),
        };
        let id = match joined {
            Ok(id) => id,
            Err(why) => {
                context.peer_abandoned(&self.peer, &format!("turned away, as {why}"));
                return Err(why.line().to_owned());
            }
        };
        let Some(link) = self.take_link(cx) else { return Ok(()) };
        if let Some(stream) = link.stream() {
            if let Err(error) = stream.set_send_buffer(SEND_BUFFER) {
                log::debug!("cannot limit the send buffer: {}", describe(&error));
            }
            if let Err(error) = keepalive::SERVER.enable(stream) {
                log::debug!("cannot enable TCP keepalive: {}", describe(&error));
            }
        }
        members.push(cx.id());
        if is_known && let Some(mut member) = room.member(id) {
            member.expect_lines();
        }
        let nick = room.nick(id).unwrap_or_default();
        recorder.record(RoomEvent::Joined(nick), printer);
        log::debug!("{nick} is {}", self.peer.address);
        let greeting = Greeting::new(motd.as_ref().map(Motd::lines));
        self.state = State::Joined { link, id, stopping: false, is_heard: false, greeting };
        Ok(())
    }

    /// Tells who is not let in why, if there is anything to tell, and nobody hears it who has no key.
    fn refuse(&mut self, cx: &mut Context<'_, ServerContext<ChatState>>, why: Option<String>) {
        if let (Some(link), Some(why)) = (self.take_link(cx), why)
            && link.is_open()
        {
            self.state = State::Refused { link, refusal: Refusal::new(why) };
        }
    }

    /// The connection of who has not joined, of which no more is known then.
    fn take_link(&mut self, cx: &mut Context<'_, ServerContext<ChatState>>) -> Option<Link> {
        match mem::replace(&mut self.state, State::Left) {
            State::Arrived(newcomer) => Some(Link::new(newcomer.into_stream(cx))),
            State::Unopened(link) => Some(link),
            _ => None,
        }
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
            Err(nb::Error::Other(LinkError::Channel(error))) => {
                self.tell_of_channel(context, cx, error);
                LeaveReason::Lost
            }
            Err(nb::Error::Other(fault)) => {
                log::debug!("{}: {}", self.peer.address, in_words(&fault));
                match fault {
                    LinkError::Session(error) => error.into(),
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

/// Why a connection ended before its time.
fn in_words<E: fmt::Display>(fault: &LinkError<E>) -> String {
    match fault {
        LinkError::Connection(error) => format!("connection lost: {}", describe(error)),
        other => other.to_string(),
    }
}

/// What who is banned is told.
fn banned(state: &ChatState, peer: &ServedPeer) -> Option<String> {
    let ban = state.bans.find(peer.address.source(), Timestamp::now())?;
    log::debug!("{}: turned away, as it is banned{ban}", peer.address);
    Some(format!("* you are banned from this room{ban}\n"))
}

impl Task<ServerContext<ChatState>> for MemberConnection {
    fn turn(
        &mut self,
        context: &mut ServerContext<ChatState>,
        cx: &mut Context<'_, ServerContext<ChatState>>,
    ) -> Poll<()> {
        if self.arrive(context, cx).is_pending() {
            return Poll::Pending;
        }
        let over = match &mut self.state {
            State::Refused { link, refusal } => match link.drive(cx, refusal, |()| {}) {
                Err(nb::Error::WouldBlock) => Poll::Pending,
                Ok(()) | Err(nb::Error::Other(_)) => Poll::Ready(()),
            },
            _ => self.drive(context, cx),
        };
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

//! One connection to the server.

use std::collections::VecDeque;

use barewire_core::chat::{
    Client, ClientError, DEFAULT_END_TIMEOUT, DEFAULT_LINE_BURST, RateLimiter,
};
use barewire_core::secure::ChannelError;
use barewire_core::text::Text;
use barewire_core::time::{Duration, Instant};
use barewire_linux::executor::Context;
use barewire_linux::link::{Link, LinkError};

use crate::client::channel::{channel_error, is_refusal};
use crate::client::hints::broken;
use crate::programs::keepalive;

use super::server_profile::{MAX_LINE, ServerProfile};
use super::state::{ChatClientState, Settings};

/// The room for lines that have not gone out, in bytes.
const OUT: usize = 8192;

/// So long a server may take to close the connection when the user leaves.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How a connection has ended.
#[derive(Debug)]
pub(super) enum SessionEnd {
    /// The server closed it, in order; or the user has left.
    Closed,
    /// It let nobody in, and closed: its words.
    TurnedAway(String),
    /// It closed before anybody had said anything.
    Silent,
    /// By this side, as the server does not give the nick that was asked for: why.
    NoNick(String),
    /// There is no channel with it: why.
    Unopened(String),
    Broken(String),
}

/// A connection and what belongs to it.
#[derive(Debug)]
pub(super) struct ChatSession {
    link: Link,
    profile: ServerProfile,
    client: Client<OUT, MAX_LINE>,
    rate_limiter: RateLimiter,
    /// Lines that may not have gone out whole.
    unconfirmed: VecDeque<String>,
    /// A line was said.
    has_said: bool,
    finished: bool,
    close_deadline: Option<Instant>,
    is_plain: bool,
}

impl ChatSession {
    pub(super) fn new(
        link: Link,
        is_reconnect: bool,
        now: Instant,
        chat: &mut ChatClientState<'_>,
    ) -> Self {
        if let Some(stream) = link.stream() {
            // Without it a dead server is noticed later, no more.
            let _ = keepalive::CLIENT.enable(stream);
        }
        chat.replay_filter.begin_connection();
        // Under a key there is no server of the simplest kind, and the handshake comes first.
        let is_plain = link.is_open();
        let Settings { timeout, welcome_timeout, .. } = chat.settings;
        let welcome_deadline = now + if is_plain { welcome_timeout } else { timeout };
        let nick = chat.wanted_nick.clone();
        let profile = ServerProfile::new(is_reconnect, welcome_deadline, nick);
        Self {
            link,
            profile,
            client: Client::new(chat.settings.quiet),
            rate_limiter: RateLimiter::new(),
            unconfirmed: VecDeque::new(),
            has_said: false,
            finished: false,
            close_deadline: None,
            is_plain,
        }
    }

    /// Whether it can be spoken to: with a key, once there is a channel.
    pub(super) fn is_open(&self) -> bool {
        self.link.is_open()
    }

    pub(super) fn drive(
        &mut self,
        chat: &mut ChatClientState<'_>,
        cx: &mut Context<'_, ChatClientState<'_>>,
    ) -> nb::Result<(), SessionEnd> {
        let now = cx.now();
        loop {
            self.profile.expire(now, chat);
            let sent = self.send_pending(chat, now);
            let (profile, client) = (&mut self.profile, &mut self.client);
            match self.link.drive(cx, client, |line| profile.on_line(now, line, chat)) {
                Ok(()) => return Err(nb::Error::Other(self.closed())),
                Err(nb::Error::Other(fault)) => {
                    return Err(nb::Error::Other(self.broken(&fault, chat)));
                }
                Err(nb::Error::WouldBlock) => {}
            }
            if let Some(why) = self.profile.take_nick_refusal() {
                self.leave(chat, cx);
                return Err(nb::Error::Other(SessionEnd::NoNick(why)));
            }
            self.confirm();
            // What was heard, and what went out, may let more lines go.
            if !(sent || self.can_send(chat, now)) {
                break;
            }
        }
        if self.close_deadline.is_some_and(|at| at <= now) {
            return Err(nb::Error::Other(SessionEnd::Closed));
        }
        let next = Some(self.next_send(chat)).filter(|&next| !chat.outbox.is_empty() && next > now);
        let link = self.link.poll_deadline(&mut self.client);
        let deadlines = [self.profile.poll_deadline(), next, self.close_deadline, link];
        cx.set_deadline(deadlines.into_iter().flatten().min());
        Err(nb::Error::WouldBlock)
    }

    /// Whether [`send_pending`](Self::send_pending) would do something.
    fn can_send(&self, chat: &ChatClientState<'_>, now: Instant) -> bool {
        let tells = self.profile.has_nick_to_send();
        let says = chat.outbox.front().is_some_and(|line| self.may_say(line, chat, now));
        let ends = chat.closing && chat.outbox.is_empty() && !self.finished;
        tells || (!self.profile.holds_lines() && (says || ends))
    }

    fn may_say(&self, line: &str, chat: &ChatClientState<'_>, now: Instant) -> bool {
        self.client.has_room(line.len()) && self.next_send(chat) <= now
    }

    /// When the server takes the next line, as far as is known.
    fn next_send(&self, chat: &ChatClientState<'_>) -> Instant {
        let rate = if self.profile.may_rate_limit() { chat.settings.rate } else { 0 };
        // A second's lines are held back: so many may come to arrive together.
        self.rate_limiter.next_allowed(rate, DEFAULT_LINE_BURST.saturating_sub(rate).max(1))
    }

    /// Says what waits, as far as there is room. Tells whether it did.
    fn send_pending(&mut self, chat: &mut ChatClientState<'_>, now: Instant) -> bool {
        let mut sent = false;
        if let Some(nick) = self.profile.take_nick()
            && chat.nick.as_ref() != Some(&nick)
        {
            sent |= self.say(&format!("/nick {nick}"), chat, now);
            if !chat.reporter.is_on_terminal() {
                // No person is there who could choose another.
                self.profile.insist_on_nick(now + chat.settings.timeout);
            }
        }
        if self.profile.holds_lines() {
            return sent;
        }
        if chat.closing && chat.reporter.is_on_terminal() {
            // Whether or not it takes what is left to say.
            self.close_deadline.get_or_insert(now + CLOSE_TIMEOUT);
        }
        while let Some(line) = chat.outbox.front() {
            if !self.may_say(line, chat, now) {
                return sent;
            }
            let Some(line) = chat.outbox.pop_front() else { break };
            if self.say(&line, chat, now) {
                self.has_said = true;
                chat.replay_filter.record_sent(&line);
                self.unconfirmed.push_back(line);
            }
            sent = true;
        }
        if chat.closing && !self.finished {
            self.client.finish(now, DEFAULT_END_TIMEOUT);
            self.finished = true;
            sent = true;
        }
        sent
    }

    /// Lines that have gone out whole are not sent again over another connection.
    fn confirm(&mut self) {
        let mut behind: usize = self.unconfirmed.iter().map(|line| line.len() + 1).sum();
        while let Some(line) = self.unconfirmed.front() {
            behind -= line.len() + 1;
            // Whether no more waits to go out than what was said after it.
            if !OUT.checked_sub(behind + 1).is_some_and(|room| self.client.has_room(room)) {
                break;
            }
            self.unconfirmed.pop_front();
        }
    }

    /// Whether the line was one, and was said.
    fn say(&mut self, line: &str, chat: &ChatClientState<'_>, now: Instant) -> bool {
        let said = Text::new(line).is_ok_and(|text| self.client.command(text).is_ok());
        if said {
            self.rate_limiter.record(now, chat.settings.rate);
        }
        said
    }

    /// The server has closed the connection, in order.
    fn closed(&mut self) -> SessionEnd {
        let was_heard = self.profile.was_heard();
        match self.profile.take_rejection() {
            Some(why) => SessionEnd::TurnedAway(why),
            None if was_heard || self.has_said || self.finished => SessionEnd::Closed,
            None => SessionEnd::Silent,
        }
    }

    fn broken(&self, fault: &LinkError<ClientError>, chat: &ChatClientState<'_>) -> SessionEnd {
        let is_open = self.link.is_open();
        let unopened = |error: ChannelError| {
            let Settings { server, timeout, .. } = &chat.settings;
            SessionEnd::Unopened(channel_error(server, error, *timeout))
        };
        match fault {
            LinkError::Channel(error) if !is_open => unopened(*error),
            LinkError::Connection(error) if is_refusal(error, is_open) => {
                unopened(ChannelError::Refused)
            }
            LinkError::Connection(error) => {
                let may_want_key = self.is_plain && !self.profile.was_heard();
                SessionEnd::Broken(broken(error, may_want_key, ""))
            }
            other => SessionEnd::Broken(other.to_string()),
        }
    }

    /// Ends the user's part, at once: the server gets an end of the stream rather than a reset.
    pub(super) fn leave(
        &mut self,
        chat: &mut ChatClientState<'_>,
        cx: &mut Context<'_, ChatClientState<'_>>,
    ) {
        let (now, profile) = (cx.now(), &mut self.profile);
        self.client.finish(now, DEFAULT_END_TIMEOUT);
        let _ = self.link.drive(cx, &mut self.client, |line| profile.on_line(now, line, chat));
        self.profile.show_missed(chat);
        self.link.give_up(cx);
    }

    /// The connection is over. Lines that may not have gone out wait again.
    pub(super) fn close(
        mut self,
        chat: &mut ChatClientState<'_>,
        cx: &mut Context<'_, ChatClientState<'_>>,
    ) {
        self.profile.show_missed(chat);
        self.link.give_up(cx);
        self.confirm();
        while let Some(line) = self.unconfirmed.pop_back() {
            chat.replay_filter.forget_sent(&line);
            chat.outbox.push_front(line);
        }
    }
}

//! One connection after another.

use core::task::Poll;

use barewire_core::time::{Duration, Instant};
use barewire_linux::address::Address;
use barewire_linux::dialer::{DialError, Dialer};
use barewire_linux::executor::{Context, Task};

use crate::cli::exit::Failure;
use crate::client::channel::ClientChannel;
use crate::client::hints::{in_parentheses, key_hint};
use crate::client::retry_delay::{MAX_RETRY_DELAY, next_retry_delay};

use super::session::{ChatSession, SessionEnd};
use super::state::ChatClientState;

/// The task: it connects, talks, and comes back.
#[derive(Debug)]
pub(super) struct Reconnector {
    dialer: Dialer,
    channel: ClientChannel,
    state: State,
    /// There was a connection, and with a key a channel.
    was_connected: bool,
    delay: Duration,
    /// What was said last of why there is none.
    last_reason: String,
}

#[derive(Debug)]
enum State {
    /// Waiting to try.
    Waiting(Option<Instant>),
    Connecting,
    Connected {
        session: Box<ChatSession>,
        peer: Address,
        since: Instant,
    },
    Done,
}

impl Reconnector {
    pub(super) fn new(dialer: Dialer, channel: ClientChannel, delay: Duration) -> Self {
        let state = State::Waiting(None);
        Self { dialer, channel, state, was_connected: false, delay, last_reason: String::new() }
    }
}

impl Task<ChatClientState<'_>> for Reconnector {
    fn turn(
        &mut self,
        chat: &mut ChatClientState<'_>,
        cx: &mut Context<'_, ChatClientState<'_>>,
    ) -> Poll<()> {
        if cx.stopping() {
            if let State::Connected { session, .. } = &mut self.state {
                session.leave(chat, cx);
            }
            return Poll::Ready(());
        }
        let waited = chat.outbox.len();
        while let Ok(state) = self.advance(chat, cx) {
            self.state = state;
            if let State::Done = self.state {
                return Poll::Ready(());
            }
        }
        if chat.outbox.len() < waited {
            // There is room for more input.
            cx.wake(chat.tasks.input);
        }
        chat.reporter.flush();
        Poll::Pending
    }
}

impl Reconnector {
    /// Goes on to the next state, unless there is something to wait for.
    fn advance(
        &mut self,
        chat: &mut ChatClientState<'_>,
        cx: &mut Context<'_, ChatClientState<'_>>,
    ) -> Result<State, ()> {
        let leaves = chat.closing && chat.reporter.is_on_terminal();
        match &mut self.state {
            State::Waiting(_) | State::Connecting if leaves => {
                chat.report_unsent();
                chat.finish(cx, Ok(()));
                Ok(State::Done)
            }
            State::Waiting(until) => {
                if until.is_some_and(|until| cx.now() < until) {
                    cx.set_deadline(*until);
                    return Err(());
                }
                Ok(State::Connecting)
            }
            State::Connecting => match self.dialer.poll(cx) {
                Err(nb::Error::WouldBlock) => Err(()),
                Err(nb::Error::Other(error)) => Ok(self.connect_failed(&error, chat, cx)),
                Ok((link, peer)) => match self.channel.secure(cx.now(), link) {
                    Ok(link) => {
                        let since = cx.now();
                        let session = ChatSession::new(link, self.was_connected, since, chat);
                        Ok(State::Connected { session: Box::new(session), peer, since })
                    }
                    Err(error) => {
                        chat.finish(cx, Err(Failure::system(error)));
                        Ok(State::Done)
                    }
                },
            },
            State::Connected { session, peer, since } => {
                if !chat.connected && session.is_open() {
                    chat.connected = true;
                    if std::mem::replace(&mut self.was_connected, true) {
                        chat.reporter.note(&format!("reconnected to {}", chat.settings.server));
                    }
                    chat.reporter.explain(&format!("connected to {peer}"));
                    self.last_reason.clear();
                }
                let Err(nb::Error::Other(end)) = session.drive(chat, cx) else { return Err(()) };
                let lasted = cx.now().duration_since(*since);
                let State::Connected { session, .. } =
                    std::mem::replace(&mut self.state, State::Done)
                else {
                    return Err(());
                };
                session.close(chat, cx);
                chat.connected = false;
                if lasted > MAX_RETRY_DELAY {
                    self.delay = chat.settings.retry_pause;
                }
                Ok(self.ended(end, leaves, chat, cx))
            }
            State::Done => Err(()),
        }
    }

    /// A connection has ended.
    fn ended(
        &mut self,
        end: SessionEnd,
        leaves: bool,
        chat: &mut ChatClientState<'_>,
        cx: &mut Context<'_, ChatClientState<'_>>,
    ) -> State {
        let server = &chat.settings.server;
        let failed = |why: String| (Some(why.clone()), Err(Failure::Conversation(why)));
        let (message, result) = match end {
            _ if leaves => (None, Ok(())),
            SessionEnd::Closed => (Some(format!("{server} closed the connection")), Ok(())),
            SessionEnd::TurnedAway(why) => failed(format!("{server} turned you away: {why}")),
            SessionEnd::Silent => {
                let hint = in_parentheses(&[key_hint(!self.channel.is_keyed())]);
                failed(format!("{server} closed the connection without a word{hint}"))
            }
            SessionEnd::NoNick(why) => {
                let nick = chat.wanted_nick.as_deref().unwrap_or_default();
                failed(format!(
                    "{server} does not give you the nick {nick}, so nothing was sent: {why}"
                ))
            }
            SessionEnd::Unopened(why) => failed(why),
            SessionEnd::Broken(why) => failed(format!("connection to {server} lost: {why}")),
        };
        if let Some(message) = &message
            && chat.settings.reconnects
            && self.was_connected
        {
            return self.retry_later(message, chat, cx.now());
        }
        if leaves {
            chat.report_unsent();
        } else if result.is_ok() {
            if let (Some(message), true) = (message, chat.reporter.is_on_terminal()) {
                chat.reporter.note(&message);
            }
            let lost = chat.outbox.len();
            if lost > 0 {
                chat.fail(&format!(
                    "the server closed the connection; queued lines not sent: {lost}"
                ));
            }
        }
        chat.finish(cx, result);
        State::Done
    }

    /// A connection could not be made.
    fn connect_failed(
        &mut self,
        error: &DialError,
        chat: &mut ChatClientState<'_>,
        cx: &mut Context<'_, ChatClientState<'_>>,
    ) -> State {
        let message = chat.connect_error(error);
        if self.was_connected {
            return self.retry_later(&message, chat, cx.now());
        }
        chat.finish(cx, Err(Failure::Conversation(message)));
        State::Done
    }

    /// Waits before the next try. The same is not said again and again.
    fn retry_later(&mut self, why: &str, chat: &mut ChatClientState<'_>, now: Instant) -> State {
        let delay = self.delay;
        self.delay = next_retry_delay(delay);
        if self.last_reason != why || delay < MAX_RETRY_DELAY {
            let how = if delay < MAX_RETRY_DELAY { "in" } else { "every" };
            chat.reporter.note(&format!("{why}; trying again {how} {delay}"));
            why.clone_into(&mut self.last_reason);
        }
        State::Waiting(Some(now + delay))
    }
}

#[cfg(test)]
mod tests {
    use barewire_core::secure::Conversation;
    use barewire_linux::dialer::Resolver;
    use barewire_linux::link::RecordBuffers;

    use super::super::state::tests::test;
    use super::*;
    use crate::cli::waits::FIRST_RETRY_DELAY;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        test(|chat| {
            let records = RecordBuffers { receive: 1024, send: 1024 };
            let channel = ClientChannel::new(None, Conversation::Chat, records, FIRST_RETRY_DELAY);
            let dialer = Dialer::new(Resolver::new("server", 1));
            let mut reconnector = Reconnector::new(dialer, channel, FIRST_RETRY_DELAY);
            let mut delay = || match reconnector.retry_later("refused", chat, Instant::ZERO) {
                State::Waiting(Some(until)) => until.duration_since(Instant::ZERO).to_string(),
                other => panic!("{other:?}"),
            };
            let delays: Vec<String> = (0..7).map(|_| delay()).collect();
            assert_eq!(delays, ["0.5 s", "1 s", "2 s", "4 s", "8 s", "10 s", "10 s"]);
        });
    }
}

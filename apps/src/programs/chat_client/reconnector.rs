//! One connection after another.

use core::task::Poll;
use std::io;

use barewire_core::time::{Duration, Instant};
use barewire_linux::executor::{Context, Task};
use barewire_linux::link::Connector;

use crate::cli::failure::Failure;
use crate::client::retry::{FIRST_DELAY, MAX_DELAY, next_delay};

use super::session::{End, Talk};
use super::state::Chat;

/// The task: it connects, talks, and comes back.
#[derive(Debug)]
pub(super) struct Conversation {
    state: State,
    /// There was a connection.
    reached: bool,
    pause: Duration,
    /// What was said last of why there is none.
    told: String,
}

#[derive(Debug)]
enum State {
    /// Waiting to try.
    Resting(Option<Instant>),
    Connecting(Connector),
    Talking {
        talk: Box<Talk>,
        since: Instant,
    },
    Over,
}

impl Conversation {
    pub(super) fn begin() -> Self {
        let state = State::Resting(None);
        Self { state, reached: false, pause: FIRST_DELAY, told: String::new() }
    }
}

impl Task<Chat<'_>> for Conversation {
    fn turn(&mut self, chat: &mut Chat<'_>, cx: &mut Context<'_, Chat<'_>>) -> Poll<()> {
        if cx.stopping() {
            if let State::Talking { talk, .. } = &mut self.state {
                talk.leave(chat, cx);
            }
            return Poll::Ready(());
        }
        let waited = chat.outbox.len();
        while let Ok(state) = self.advance(chat, cx) {
            self.state = state;
            if let State::Over = self.state {
                return Poll::Ready(());
            }
        }
        if chat.outbox.len() < waited {
            // There is room for more input.
            cx.wake(chat.tasks.input);
        }
        chat.voice.flush();
        Poll::Pending
    }
}

impl Conversation {
    /// Goes on to the next state, unless there is something to wait for.
    fn advance(
        &mut self,
        chat: &mut Chat<'_>,
        cx: &mut Context<'_, Chat<'_>>,
    ) -> Result<State, ()> {
        let leaves = chat.closing && chat.voice.is_on_terminal();
        match &mut self.state {
            State::Resting(_) | State::Connecting(_) if leaves => {
                chat.tell_unsent();
                chat.finish(cx, Ok(()));
                Ok(State::Over)
            }
            State::Resting(until) => {
                if until.is_some_and(|until| cx.now() < until) {
                    cx.set_deadline(*until);
                    return Err(());
                }
                let addresses = chat.settings.addresses.clone();
                Ok(State::Connecting(Connector::new(addresses, chat.settings.timeout)))
            }
            State::Connecting(connector) => match connector.poll(cx) {
                Err(nb::Error::WouldBlock) => Err(()),
                Err(nb::Error::Other(error)) => Ok(self.unconnected(&error, chat, cx)),
                Ok((link, peer)) => {
                    let again = std::mem::replace(&mut self.reached, true);
                    if again {
                        chat.voice.note(&format!("connected to {} again", chat.settings.server));
                    }
                    chat.voice.explain(&format!("connected to {peer}"));
                    chat.connected = true;
                    self.told.clear();
                    let talk = Box::new(Talk::begin(link, again, cx.now(), chat));
                    Ok(State::Talking { talk, since: cx.now() })
                }
            },
            State::Talking { talk, since } => {
                let Err(nb::Error::Other(end)) = talk.carry_on(chat, cx) else { return Err(()) };
                let lasted = cx.now().since(*since);
                let State::Talking { talk, .. } = std::mem::replace(&mut self.state, State::Over)
                else {
                    return Err(());
                };
                talk.end(chat, cx);
                chat.connected = false;
                if lasted > MAX_DELAY {
                    self.pause = FIRST_DELAY;
                }
                Ok(self.ended(end, leaves, chat, cx))
            }
            State::Over => Err(()),
        }
    }

    /// A connection has ended.
    fn ended(
        &mut self,
        end: End,
        leaves: bool,
        chat: &mut Chat<'_>,
        cx: &mut Context<'_, Chat<'_>>,
    ) -> State {
        let server = &chat.settings.server;
        let (message, result) = match end {
            _ if leaves => (None, Ok(())),
            End::Closed => (Some(format!("{server} has ended the chat")), Ok(())),
            End::Broken(why) => {
                let message = format!("the chat with {server} broke off: {why}");
                (Some(message.clone()), Err(Failure::Conversation(message)))
            }
        };
        if let Some(message) = &message
            && chat.settings.reconnects
        {
            return self.rest(message, chat, cx.now());
        }
        if leaves {
            chat.tell_unsent();
        } else if result.is_ok() {
            if let (Some(message), true) = (message, chat.voice.is_on_terminal()) {
                chat.voice.note(&message);
            }
            let lost = chat.outbox.len();
            if lost > 0 {
                chat.fail(&format!("the server ended the chat before {lost} more lines were sent"));
            }
        }
        chat.finish(cx, result);
        State::Over
    }

    /// A connection could not be made.
    fn unconnected(
        &mut self,
        error: &io::Error,
        chat: &mut Chat<'_>,
        cx: &mut Context<'_, Chat<'_>>,
    ) -> State {
        let message = chat.connect_error(error);
        if self.reached {
            return self.rest(&message, chat, cx.now());
        }
        chat.finish(cx, Err(Failure::Conversation(message)));
        State::Over
    }

    /// Waits before the next try. The same is not said again and again.
    fn rest(&mut self, why: &str, chat: &mut Chat<'_>, now: Instant) -> State {
        let pause = self.pause;
        self.pause = next_delay(pause);
        if self.told != why || pause < MAX_DELAY {
            let how = if pause < MAX_DELAY { "in" } else { "every" };
            chat.voice.note(&format!("{why}; trying again {how} {pause}"));
            why.clone_into(&mut self.told);
        }
        State::Resting(Some(now + pause))
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::tests::test;
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        test(|chat| {
            let mut conversation = Conversation::begin();
            let mut pause = || match conversation.rest("refused", chat, Instant::ZERO) {
                State::Resting(Some(until)) => until.since(Instant::ZERO).to_string(),
                other => panic!("{other:?}"),
            };
            let pauses: Vec<String> = (0..7).map(|_| pause()).collect();
            assert_eq!(pauses, ["0.5 s", "1 s", "2 s", "4 s", "8 s", "10 s", "10 s"]);
        });
    }
}

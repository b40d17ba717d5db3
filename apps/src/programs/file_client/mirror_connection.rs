//! One connection to one of several servers.

use core::task::Poll;

use barewire_core::file::{self, ReceiverError};
use barewire_core::secure::ChannelError;
use barewire_core::session::Session as _;
use barewire_core::time::{Duration, Instant};
use barewire_linux::executor::{Context, Task};
use barewire_linux::link::{Link, LinkError};

use crate::client::channel::{channel_error, is_refusal};
use crate::client::destination::connect_error;
use crate::client::hints::{broken, in_parentheses, key_hint};

use super::connecting::connect;
use super::messages::BUSY;
use super::mirrors::{Mirrors, Server};
use super::pace::Paced;
use super::retry::{Ending, Left, RetryPolicy, Step};
use super::sink::Abort;

/// Room for the requests that are under way.
const ROOM: usize = 4 * 1024;

type Receiver = file::Receiver<ROOM>;

/// How soon a connection that waits is looked at again: another may have fallen behind, or all may be
/// over.
const IDLE: Duration = Duration::from_millis(20);

/// The task: from the first connection to a server to the last.
pub(super) struct MirrorConnection {
    /// Which server it is.
    index: usize,
    policy: RetryPolicy,
    progressed: bool,
    state: State,
}

#[expect(clippy::large_enum_variant, reason = "a server has one")]
enum State {
    /// Until when.
    Waiting(Instant),
    Connecting,
    Framed(Link, Receiver),
}

impl MirrorConnection {
    pub(super) fn new(index: usize, policy: RetryPolicy) -> Self {
        let state = State::Waiting(Instant::ZERO);
        Self { index, policy, progressed: false, state }
    }

    /// Goes on as far as it can.
    fn advance(
        &mut self,
        mirrors: &mut Mirrors<'_>,
        cx: &mut Context<'_, Mirrors<'_>>,
    ) -> nb::Result<(), Ending> {
        match &mut self.state {
            State::Waiting(until) if cx.now() < *until => {
                cx.set_deadline(Some((*until).min(cx.now() + IDLE)));
                Err(nb::Error::WouldBlock)
            }
            State::Waiting(_) => {
                self.state = State::Connecting;
                Ok(())
            }
            State::Connecting => {
                let Some(server) = mirrors.servers.get_mut(self.index) else {
                    return Err(nb::Error::Other(Ending::Closed));
                };
                let (link, _) =
                    connect(&mut server.dialer, &mirrors.settings, cx).map_err(|error| {
                        // By then the others may have given all.
                        cx.set_deadline(Some(cx.now() + IDLE));
                        error.map(Ending::Unconnected)
                    })?;
                self.policy.reach();
                let receiver = Receiver::new(cx.now(), mirrors.settings.config());
                self.state = State::Framed(link, receiver);
                Ok(())
            }
            State::Framed(_, receiver) => {
                while let Some(request) = mirrors.next(self.index) {
                    if let Err(error) = receiver.request(cx.now(), &request) {
                        return Err(nb::Error::Other(Ending::Aborted(Abort::Skip(
                            error.to_string(),
                        ))));
                    }
                }
                let driven = self.drive(mirrors, cx);
                if mirrors.is_over() {
                    return Err(nb::Error::Other(Ending::Closed));
                }
                driven?;
                Err(nb::Error::WouldBlock)
            }
        }
    }

    /// Takes what the conversation brings, as far as it goes now.
    fn drive(
        &mut self,
        mirrors: &mut Mirrors<'_>,
        cx: &mut Context<'_, Mirrors<'_>>,
    ) -> nb::Result<(), Ending> {
        let State::Framed(link, receiver) = &mut self.state else { return Ok(()) };
        let (mut useless, mut progressed) = (None, false);
        let mut pace = mirrors.pace.take();
        let mut paced = Paced { session: receiver, pace: pace.as_mut() };
        let driven = link.drive(cx, &mut paced, |event| {
            if useless.is_none() {
                progressed |= matches!(event, file::ReceiverEvent::Verified { .. });
                useless = mirrors.take(self.index, event).err();
            }
        });
        let deadline = paced.poll_deadline();
        mirrors.pace = pace;
        self.progressed |= progressed;
        let has_channel = mirrors.settings.key.is_some() && link.is_open();
        self.policy.was_heard |= has_channel || receiver.is_framed();
        if let Some(abort) = useless {
            return Err(nb::Error::Other(Ending::Aborted(abort)));
        }
        match driven {
            Ok(()) => Err(nb::Error::Other(Ending::Closed)),
            Err(nb::Error::Other(error)) => Err(nb::Error::Other(Ending::Broken(error))),
            Err(nb::Error::WouldBlock) => {
                // There may be more to ask for, now or once others have told what they have.
                if progressed {
                    cx.yield_now();
                } else {
                    let idle = cx.now() + IDLE;
                    let deadline = deadline.map_or(idle, |at| at.min(idle));
                    cx.set_deadline(Some(deadline));
                }
                Err(nb::Error::WouldBlock)
            }
        }
    }

    /// What comes after a connection that has ended so: when the next begins, if one does.
    fn after(
        &mut self,
        mirrors: &mut Mirrors<'_>,
        ending: &Ending,
        now: Instant,
    ) -> Option<Instant> {
        if mirrors.is_over() || mirrors.servers.get(self.index).is_none_or(Server::is_out) {
            return None;
        }
        let address = mirrors.servers.get(self.index)?.address.clone();
        let why = self.explain(&address, mirrors, ending);
        let progressed = std::mem::take(&mut self.progressed);
        let left = Left { progressed, is_framed: true, ..Left::default() };
        match self.policy.after(ending, left) {
            Step::Connect => Some(now),
            Step::Retry { attempt, of, pause } => {
                mirrors.interrupt(self.index);
                let message =
                    format!("{address}: {why}; trying again in {pause} ({attempt} of {of})");
                mirrors.reporter.log(log::Level::Warn, &message);
                Some(now + pause)
            }
            _ => {
                mirrors.leave_out(self.index, &why);
                None
            }
        }
    }

    fn explain(&self, address: &str, mirrors: &Mirrors<'_>, ending: &Ending) -> String {
        match ending {
            Ending::Unconnected(error) => connect_error(address, mirrors.settings.timeout, error),
            Ending::Closed => "the connection was closed".into(),
            Ending::Broken(LinkError::Connection(error))
                if is_refusal(error, mirrors.settings.key.is_none() || self.policy.was_heard) =>
            {
                channel_error("it", ChannelError::Refused, mirrors.settings.timeout)
            }
            Ending::Broken(LinkError::Connection(error)) => {
                broken(error, self.policy.may_want_key(), "")
            }
            Ending::Broken(LinkError::Channel(error)) => {
                channel_error("it", *error, mirrors.settings.timeout)
            }
            Ending::Broken(LinkError::Session(ReceiverError::NotFramed))
                if !self.policy.was_heard =>
            {
                format!(
                    "it seems to speak the plain form only, in which nothing can be proven{}",
                    in_parentheses(&[key_hint(self.policy.may_want_key())])
                )
            }
            Ending::Broken(error) => error.to_string(),
            Ending::Aborted(Abort::Skip(why) | Abort::GiveUp(why)) => why.clone(),
            Ending::Aborted(Abort::Busy) => format!("it {BUSY}"),
            Ending::Aborted(Abort::Changed) => "its file has changed meanwhile".into(),
            Ending::Aborted(Abort::ReaderGone | Abort::Interrupted) => "interrupted".into(),
        }
    }
}

impl Task<Mirrors<'_>> for MirrorConnection {
    fn turn(&mut self, mirrors: &mut Mirrors<'_>, cx: &mut Context<'_, Mirrors<'_>>) -> Poll<()> {
        loop {
            let left_out = mirrors.servers.get(self.index).is_none_or(Server::is_out);
            if cx.stopping() || mirrors.is_over() || left_out {
                return Poll::Ready(());
            }
            match self.advance(mirrors, cx) {
                Ok(()) => {}
                Err(nb::Error::WouldBlock) => {
                    mirrors.reporter.flush();
                    return Poll::Pending;
                }
                Err(nb::Error::Other(ending)) => {
                    let next = self.after(mirrors, &ending, cx.now());
                    mirrors.reporter.flush();
                    let Some(begin) = next else { return Poll::Ready(()) };
                    // The next connection is a task of its own, so that nothing of the last is left.
                    let mut next = Self::new(self.index, self.policy.clone());
                    next.state = State::Waiting(begin);
                    cx.spawn(Box::new(next));
                    return Poll::Ready(());
                }
            }
        }
    }
}

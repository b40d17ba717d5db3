//! One connection to the server.

use core::task::Poll;

use barewire_core::file::{PlainReceiver, ReceiverError, ReceiverEvent};
use barewire_core::session::{Events, Output, Session};
use barewire_core::time::Instant;
use barewire_linux::executor::{Context, Task};
use barewire_linux::link::Link;

use crate::cli::arguments::message;

use super::client::Client;
use super::connecting::connect;
use super::pace::Paced;
use super::queue::Receiver;
use super::retry::Ending;
use super::sink::{Abort, Readiness};

/// The task: from the pause before the connection is made to its end, when it spawns the next.
#[expect(clippy::large_enum_variant, reason = "a process has one")]
pub(super) enum ServerConnection {
    /// Until when.
    Waiting(Instant),
    Connecting,
    Framed(Link, Receiver),
    Plain(Link, PlainReceiver<'static>),
}

impl ServerConnection {
    /// Goes on to the next state.
    fn advance(
        &mut self,
        client: &mut Client<'_>,
        cx: &mut Context<'_, Client<'_>>,
    ) -> nb::Result<Self, Ending> {
        match self {
            Self::Waiting(until) if cx.now() < *until => {
                cx.set_deadline(Some(*until));
                Err(nb::Error::WouldBlock)
            }
            Self::Waiting(_) => {
                // What cannot be done here need not be asked for.
                match client.queue.prepare() {
                    None => return Err(nb::Error::Other(Ending::Closed)),
                    Some(Readiness::Checking) => {
                        cx.yield_now();
                        return Err(nb::Error::WouldBlock);
                    }
                    Some(_) => {}
                }
                Ok(Self::Connecting)
            }
            Self::Connecting => {
                let connected = connect(&mut client.dialer, &client.queue.settings, cx);
                let (link, peer) = connected.map_err(|error| error.map(Ending::Unconnected))?;
                client.queue.reporter.log(log::Level::Debug, &format!("connected to {peer}"));
                client.policy.reach();
                Ok(begin(link, client, cx.now())?)
            }
            Self::Framed(link, receiver) => {
                let driven = drive(link, receiver, client, cx);
                client.policy.was_heard |= receiver.is_framed();
                driven?;
                let asked = client.queue.ask(receiver, cx.now(), client.policy.was_heard);
                // What is asked for comes meanwhile.
                publish(receiver, client, cx);
                if asked {
                    cx.yield_now();
                } else if client.queue.is_empty() && receiver.poll_transmit() == Output::Nothing {
                    // All is there and the server knows it: how soon it closes makes no difference.
                    return Err(nb::Error::Other(Ending::Closed));
                }
                Err(nb::Error::WouldBlock)
            }
            Self::Plain(link, receiver) => {
                drive(link, receiver, client, cx)?;
                publish(receiver, client, cx);
                Err(nb::Error::WouldBlock)
            }
        }
    }
}

impl Task<Client<'_>> for ServerConnection {
    fn turn(&mut self, client: &mut Client<'_>, cx: &mut Context<'_, Client<'_>>) -> Poll<()> {
        let ending = loop {
            if cx.stopping() {
                break Ending::Aborted(Abort::Interrupted);
            }
            match self.advance(client, cx) {
                Ok(next) => *self = next,
                Err(nb::Error::WouldBlock) => {
                    client.queue.reporter.flush();
                    return Poll::Pending;
                }
                Err(nb::Error::Other(ending)) => break ending,
            }
        };
        // Each connection is a task of its own, so that nothing of the last is left.
        if let Some(begin) = client.after(&ending, cx.now()) {
            cx.spawn(Box::new(Self::Waiting(begin)));
        }
        client.queue.reporter.flush();
        Poll::Ready(())
    }
}

/// Begins the conversation over a connection that is made.
fn begin(link: Link, client: &mut Client<'_>, now: Instant) -> Result<ServerConnection, Ending> {
    let Client { queue, policy, .. } = client;
    let config = queue.settings.config();
    if !policy.is_plain() {
        let mut receiver = Receiver::new(now, config);
        // Before anything is read: a server that ends at once leaves this unanswered.
        queue.ask(&mut receiver, now, policy.was_heard);
        return Ok(ServerConnection::Framed(link, receiver));
    }
    let transfer = queue.ask_plainly().ok_or(Ending::Closed)?;
    let name = message(&transfer.name).map_err(|why| {
        let name = transfer.shown();
        let why = format!("{name}: the name {why}, so it cannot be asked for plainly");
        Ending::Aborted(Abort::Skip(why))
    })?;
    Ok(ServerConnection::Plain(link, PlainReceiver::new(now, name, config)))
}

/// Takes what the conversation brings, as far as it goes now: whether it goes on.
fn drive<S>(
    link: &mut Link,
    receiver: &mut S,
    client: &mut Client<'_>,
    cx: &mut Context<'_, Client<'_>>,
) -> Result<(), Ending>
where
    S: Session<Error = ReceiverError> + for<'s> Events<'s, Event = ReceiverEvent<'s>>,
{
    let Client { queue, pace, policy, .. } = client;
    let mut abort = None;
    let mut paced = Paced { session: receiver, pace: pace.as_mut() };
    let driven = link.drive(cx, &mut paced, |event| {
        policy.was_heard = true;
        if abort.is_none() {
            abort = queue.take(event).err();
        }
    });
    policy.was_heard |= queue.settings.key.is_some() && link.is_open();
    match (abort, driven) {
        (Some(abort), _) => Err(Ending::Aborted(abort)),
        (None, Ok(())) => Err(Ending::Closed),
        (None, Err(nb::Error::Other(fault))) => Err(Ending::Broken(fault)),
        (None, Err(nb::Error::WouldBlock)) => Ok(()),
    }
}

/// Gives the files that have come their names, now or later.
fn publish<S: Session>(
    receiver: &mut S,
    client: &mut Client<'_>,
    cx: &mut Context<'_, Client<'_>>,
) {
    let Client { queue, pace, .. } = client;
    if let Some(by) = queue.publish_in_time(cx.now()) {
        let paced = Paced { session: receiver, pace: pace.as_mut() };
        cx.set_deadline(Some(paced.poll_deadline().map_or(by, |at| at.min(by))));
    }
}

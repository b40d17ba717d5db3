//! One connection to the server.

use core::task::Poll;

use barewire_core::file::{PlainReceiver, ReceiverError, ReceiverEvent};
use barewire_core::session::{Events, Output, Session};
use barewire_core::time::Instant;
use barewire_linux::executor::{Context, Task};
use barewire_linux::link::{Connector, Link};

use crate::cli::arguments::message;

use super::client::{Client, End};
use super::queue::{Receiver, Stop};

/// The receive buffer asked for, in bytes: about what a server's send buffer holds, so that reading goes
/// on while another program has the processor.
const RECEIVE_BUFFER: u32 = 4 << 20;

/// The task: from the pause before it is made to its end, when it spawns the next.
pub(super) struct Connection {
    state: State,
}

#[expect(clippy::large_enum_variant, reason = "a process has one")]
enum State {
    /// Waiting to be made.
    Resting(Option<Instant>),
    Connecting(Connector),
    Framed {
        link: Link,
        receiver: Receiver,
    },
    Plain {
        link: Link,
        receiver: PlainReceiver<'static>,
    },
}

impl Connection {
    pub(super) fn begin() -> Self {
        Self { state: State::Resting(None) }
    }

    pub(super) fn after_pause(until: Instant) -> Self {
        Self { state: State::Resting(Some(until)) }
    }
}

impl Task<Client<'_>> for Connection {
    fn turn(&mut self, client: &mut Client<'_>, cx: &mut Context<'_, Client<'_>>) -> Poll<()> {
        if cx.stopping() {
            client.interrupt();
            return Poll::Ready(());
        }
        let end = loop {
            match self.advance(client, cx) {
                Ok(state) => self.state = state,
                Err(nb::Error::WouldBlock) => {
                    client.voice.flush();
                    return Poll::Pending;
                }
                Err(nb::Error::Other(end)) => break end,
            }
        };
        // Each connection is a task of its own, so that nothing of the last is left.
        if let Some(next) = client.after(end, cx.now()) {
            cx.spawn(Box::new(next));
        }
        client.voice.flush();
        Poll::Ready(())
    }
}

impl Connection {
    /// Goes on to the next state.
    fn advance(
        &mut self,
        client: &mut Client<'_>,
        cx: &mut Context<'_, Client<'_>>,
    ) -> nb::Result<State, End> {
        let Client { settings, voice, work, heard, .. } = client;
        match &mut self.state {
            State::Resting(until) => {
                if until.is_some_and(|until| cx.now() < until) {
                    cx.set_deadline(*until);
                    return Err(nb::Error::WouldBlock);
                }
                // What cannot be done here need not be asked for.
                if !work.prepare(settings, voice) {
                    return Err(nb::Error::Other(End::Closed));
                }
                let connector = Connector::new(settings.addresses.clone(), settings.timeout);
                Ok(State::Connecting(connector))
            }
            State::Connecting(connector) => {
                let connected = connector.poll(cx);
                let (link, peer) = connected.map_err(|error| error.map(End::Unconnected))?;
                voice.explain(&format!("connected to {peer}"));
                if let Some(stream) = link.stream() {
                    stream.widen_receive_buffer(RECEIVE_BUFFER).map_err(End::Unconnected)?;
                }
                client.reach();
                Self::connected(link, client, cx.now())
            }
            State::Framed { link, receiver } => {
                work.ask(receiver, cx.now(), *heard, settings, voice);
                let driven = drive(link, receiver, client, cx);
                client.heard |= receiver.is_framed();
                driven?;
                Err(rest(receiver, client, cx))
            }
            State::Plain { link, receiver } => {
                drive(link, receiver, client, cx)?;
                Err(nb::Error::WouldBlock)
            }
        }
    }

    /// Begins to ask.
    fn connected(link: Link, client: &mut Client<'_>, now: Instant) -> nb::Result<State, End> {
        let config = client.settings.config();
        if !client.settings.plain {
            return Ok(State::Framed { link, receiver: Receiver::new(now, config) });
        }
        let Some(job) = client.work.ask_plainly() else {
            return Err(nb::Error::Other(End::Closed));
        };
        let name = message(&job.name).map_err(|why| {
            let why = format!("{}: the name {why}, so it cannot be asked for plainly", job.shown());
            nb::Error::Other(End::Stopped(Stop::One(why)))
        })?;
        Ok(State::Plain { link, receiver: PlainReceiver::new(now, name, config) })
    }
}

/// Takes what the conversation brings, as far as it goes now: whether it goes on.
fn drive<S>(
    link: &mut Link,
    receiver: &mut S,
    client: &mut Client<'_>,
    cx: &mut Context<'_, Client<'_>>,
) -> Result<(), End>
where
    S: Session<Error = ReceiverError> + for<'s> Events<'s, Event = ReceiverEvent<'s>>,
{
    let Client { settings, voice, work, .. } = client;
    let mut stop = None;
    let over = link.drive(cx, receiver, |event| {
        if stop.is_none() {
            stop = work.take(event, settings, voice).err();
        }
    });
    work.publish(voice);
    match (stop, over) {
        (Some(stop), _) => Err(End::Stopped(stop)),
        (None, Ok(())) => Err(End::Closed),
        (None, Err(nb::Error::Other(fault))) => Err(End::Broken(fault)),
        (None, Err(nb::Error::WouldBlock)) => Ok(()),
    }
}

/// What a framed conversation that goes on waits for.
fn rest(
    receiver: &mut Receiver,
    client: &mut Client<'_>,
    cx: &mut Context<'_, Client<'_>>,
) -> nb::Error<End> {
    let Client { settings, voice, work, heard, .. } = client;
    if work.ask(receiver, cx.now(), *heard, settings, voice) {
        cx.yield_now();
    } else if work.is_empty() && receiver.poll_transmit() == Output::Nothing {
        // All is there and the server knows it: how soon it closes makes no difference.
        return nb::Error::Other(End::Closed);
    }
    nb::Error::WouldBlock
}

//! `udp-client`: asks a datagram server.

mod asking;
mod sealing;

use core::task::Poll;
use std::io;
use std::net::SocketAddr;

use barewire_core::datagram::{self, Datagram, ExchangeConfig};
use barewire_core::secure::REQUEST_OVERHEAD;
use barewire_core::time::Duration;
use barewire_linux::address::Family;
use barewire_linux::dialer::{DialError, Resolver};
use barewire_linux::executor::{Context, Task};
use barewire_linux::sandbox::{Allowed, Keep};
use clap::Parser;

use super::udp_server::{capacity, check_sealed_length, payload};
use crate::cli::addresses::HostPort;
use crate::cli::arguments::Common;
use crate::cli::exit::Failure;
use crate::cli::keys::ClientKeyArguments;
use crate::cli::numbers::at_least;
use crate::cli::privileges::give_up_privileges;
use crate::cli::run::Run;
use crate::cli::times::{timeout, written};
use crate::client::destination::{Destination, FamilyArguments, among, no_address};
use crate::client::exchanges::{self, Exchanges, RepeatArguments};
use crate::client::hints::{KEY_HINT, in_parentheses};
use crate::output::events::datagram::ReceivedDatagram;
use crate::output::printer::Printer;
use crate::output::system_error::describe;

use asking::{Asking, Question, Replied, Unanswered};
use sealing::Sealing;

const EXAMPLES: &str = "\
Examples:
  udp-client 127.0.0.1:8080                  send 'nice to meet you too', show the reply
  udp-client example.org 8080 ping -r 2      try three times: for 5, 10 and 20 seconds
  udp-client 127.0.0.1:8080 -c 100 -i 10ms   a hundred exchanges, and how fast they were
  udp-client 127.0.0.1:8080 --key ben.key    with a key that the server has, too

The exit code is 0 if a whole reply came (with --count, any reply), 1 if none did, and 2 for wrong \
usage.";

/// Sends a datagram, and shows the reply.
#[derive(Debug, Parser)]
#[command(name = UdpClientProgram::NAME, version, after_help = EXAMPLES)]
pub(crate) struct UdpClientProgram {
    /// The server, HOST:PORT, or HOST and PORT as two arguments; and what to send (`nice to meet you
    /// too`)
    #[arg(value_names = ["ADDR", "TEXT"], num_args = 1..=3, required = true)]
    words: Vec<String>,

    /// How long to wait for the reply; each retry waits twice as long as the try before
    #[arg(short, long, value_name = "TIME", value_parser = timeout,
          default_value = written(datagram::DEFAULT_TIMEOUT))]
    timeout: Duration,

    /// How often to try again
    #[arg(short, long, value_name = "N", default_value_t = 0, value_parser = at_least(0_u32))]
    retries: u32,

    /// How many bytes of the reply to take; a longer one is shown as truncated
    #[arg(long, value_name = "BYTES", default_value_t = datagram::DEFAULT_CAPACITY,
          value_parser = capacity)]
    capacity: usize,

    /// The local address to send from; without it, each exchange has a port of its own, so that a
    /// late reply is never taken for the next one's
    #[arg(short, long, value_name = "ADDR")]
    bind: Option<String>,

    #[command(flatten)]
    family: FamilyArguments,

    #[command(flatten)]
    repeat: RepeatArguments,

    #[command(flatten)]
    key: ClientKeyArguments,

    #[command(flatten)]
    common: Common,
}

impl Run for UdpClientProgram {
    const NAME: &'static str = "udp-client";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self, printer: &mut Printer) -> Result<(), Failure> {
        let (server, text) = Destination::read_with_text(&self.words, payload)?;
        let local = self.bind.as_deref().map(local).transpose()?;
        let family = self.family(local)?;
        let config = ExchangeConfig::new().with_timeout(self.timeout).with_retries(self.retries);
        let request = text.unwrap_or(b"nice to meet you too");
        let sealing = self.key.read()?.map(|key| Sealing::new(&key)).transpose();
        let sealing = sealing.map_err(Failure::system)?;
        if sealing.is_some() {
            check_sealed_length(request.len(), REQUEST_OVERHEAD)
                .map_err(|why| Failure::usage(format!("TEXT: the text {why}")))?;
        }
        let task = ExchangeTask {
            resolver: server.resolver(family, &self.common.waits)?,
            name: server.to_string(),
            question: Question { request, local, config },
            buffer: vec![0; self.capacity].into_boxed_slice(),
            sealing,
            preferred: None,
            has_answered: false,
            state: State::Waiting,
        };
        let needs_port = local.is_some_and(|local| (1..1024).contains(&local.port()));
        give_up_privileges(if needs_port { Keep::Ports } else { Keep::Nothing });
        self.common.sandbox.confine_and_tell(&Allowed::client())?;
        exchanges::run(self.repeat, printer, task)
    }
}

impl UdpClientProgram {
    /// The family of the server's addresses that can be asked.
    fn family(&self, local: Option<SocketAddr>) -> Result<Option<Family>, Failure> {
        let family = self.family.family();
        let Some(local) = local else { return Ok(family) };
        if let Some(family) = family
            && !family.has(local)
        {
            return Err(Failure::usage(format!("--bind: {local} is no {family} address")));
        }
        Ok(Some(if local.is_ipv4() { Family::V4 } else { Family::V6 }))
    }
}

/// The address to send from.
fn local(argument: &str) -> Result<SocketAddr, Failure> {
    let found = HostPort::read_option("--bind", argument)?.resolve();
    let found = found.map_err(|failure| failure.about("--bind"))?;
    Ok(found[0])
}

/// The task: one exchange after another.
struct ExchangeTask {
    resolver: Resolver,
    /// The server as the user named it.
    name: String,
    question: Question,
    buffer: Box<[u8]>,
    /// With a key.
    sealing: Option<Sealing>,
    /// The address that has replied last.
    preferred: Option<SocketAddr>,
    /// It has replied in the last exchange. As long as it does, it alone is the server: what is lost
    /// is lost, and no other makes up for it.
    has_answered: bool,
    state: State,
}

enum State {
    Waiting,
    LookingUp,
    Asking(Asking),
}

impl Task<Exchanges<'_>> for ExchangeTask {
    fn turn(
        &mut self,
        exchanges: &mut Exchanges<'_>,
        cx: &mut Context<'_, Exchanges<'_>>,
    ) -> Poll<()> {
        while !cx.stopping() {
            match self.advance(exchanges, cx) {
                Ok(Some(state)) => self.enter(state, cx),
                Ok(None) => break,
                Err(nb::Error::WouldBlock) => return Poll::Pending,
                Err(nb::Error::Other(reason)) => {
                    exchanges.fail(reason);
                    self.has_answered = false;
                    self.enter(State::Waiting, cx);
                }
            }
        }
        self.enter(State::Waiting, cx);
        if let Some(sealing) = &self.sealing {
            sealing.tell();
        }
        Poll::Ready(())
    }
}

impl ExchangeTask {
    fn enter(&mut self, state: State, cx: &mut Context<'_, Exchanges<'_>>) {
        if let State::Asking(asking) = std::mem::replace(&mut self.state, state) {
            asking.close(cx);
        }
    }

    /// Goes on to the next state; `None` when there is no more to do.
    fn advance(
        &mut self,
        exchanges: &mut Exchanges<'_>,
        cx: &mut Context<'_, Exchanges<'_>>,
    ) -> nb::Result<Option<State>, String> {
        match &mut self.state {
            State::Waiting => {
                let Some(next) = exchanges.next_start() else { return Ok(None) };
                if cx.now() < next {
                    cx.set_deadline(Some(next));
                    return Err(nb::Error::WouldBlock);
                }
                exchanges.start(cx.now());
                if let Some(sealing) = &mut self.sealing {
                    sealing.begin();
                }
                let server = self.preferred.filter(|_| self.has_answered);
                Ok(Some(server.map_or(State::LookingUp, |server| {
                    State::Asking(Asking::new(self.question, &[server], None))
                })))
            }
            State::LookingUp => {
                let found = self.resolver.poll(cx);
                let servers = found.map_err(|error| error.map(|why| self.without_address(&why)))?;
                Ok(Some(State::Asking(Asking::new(self.question, &servers, self.preferred))))
            }
            State::Asking(asking) => {
                let replied = asking.poll(cx, &mut self.buffer, &mut self.sealing);
                let tried = asking.tried();
                let replied = replied.map_err(|error| error.map(|why| self.failed(&why, tried)))?;
                self.show(exchanges, &replied);
                (self.preferred, self.has_answered) = (Some(replied.from), true);
                Ok(Some(State::Waiting))
            }
        }
    }

    fn show(&self, exchanges: &mut Exchanges<'_>, replied: &Replied) {
        let Replied { from: source, length, round_trip } = *replied;
        let bytes = self.buffer.get(..length).unwrap_or(&self.buffer);
        let reply = Datagram { source, bytes, length };
        exchanges.printer.show(&ReceivedDatagram::from(&reply));
        if reply.is_truncated() {
            let (name, capacity) = (&self.name, self.buffer.len());
            let reason = format!(
                "the reply of {name} was truncated: {length} bytes, and --capacity is {capacity}"
            );
            exchanges.succeed_in_part(round_trip, reason);
        } else {
            exchanges.succeed(round_trip);
        }
    }

    fn without_address(&self, error: &DialError) -> String {
        match (error, self.question.local) {
            (DialError::NoAddress { .. }, Some(local)) => {
                format!("--bind: {error} that could be asked from {local}")
            }
            _ => no_address(error),
        }
    }

    /// Why there was no reply; `tried` addresses were asked.
    fn failed(&self, why: &Unanswered, tried: usize) -> String {
        let (name, which) = (&self.name, among(tried));
        let Question { local, config, .. } = self.question;
        match (why, local) {
            (Unanswered::Unsent(error), Some(local)) if is_about_local(error) => {
                let advice = match error.kind() {
                    io::ErrorKind::AddrInUse => "choose another port, or 0 for a free one",
                    _ => "list this host's addresses with: ip address",
                };
                format!("--bind: cannot send from {local}: {} ({advice})", describe(error))
            }
            (Unanswered::Unsent(error) | Unanswered::Unreachable(error), _)
                if error.kind() == io::ErrorKind::ConnectionRefused =>
            {
                let error = describe(error);
                format!("cannot reach {name}: {which}{error} (is a server listening there?)")
            }
            (Unanswered::Unsent(error), _) => {
                let is_refused = error.kind() == io::ErrorKind::PermissionDenied;
                let hint = if is_refused {
                    "no broadcasts are sent; a firewall may refuse others"
                } else {
                    ""
                };
                format!(
                    "cannot send to {name}: {which}{}{}",
                    describe(error),
                    in_parentheses(&[hint])
                )
            }
            (Unanswered::Unreachable(error), _) => {
                format!("cannot reach {name}: {which}{}", describe(error))
            }
            (Unanswered::TimedOut, _) => {
                let addresses =
                    if tried > 1 { format!(" ({tried} addresses)") } else { String::new() };
                let within = match config.retries {
                    0 => format!(" in {}", config.timeout),
                    retries => format!(", tried {} times", u64::from(retries) + 1),
                };
                let advice = match &self.sealing {
                    Some(sealing) if sealing.forged() > 0 => {
                        " under this key, only others (does the server have another key, or none?)"
                    }
                    Some(_) => {
                        " (is it a server with this key? one that has another does not answer)"
                    }
                    None => {
                        let again = if config.retries == 0 { "--retries tries again" } else { "" };
                        &in_parentheses(&[again, KEY_HINT])
                    }
                };
                format!("no reply from {name}{addresses}{within}{advice}")
            }
        }
    }
}

/// Whether an error of sending is about the address to send from.
fn is_about_local(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable)
}

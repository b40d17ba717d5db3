//! `tcp-client`: receives a greeting and answers it.

use core::task::Poll;
use std::time::Instant as StdInstant;

use barewire_core::hello;
use barewire_core::secure::{ChannelError, Conversation};
use barewire_core::text::{DEFAULT_QUIET, MAX_TEXT, Text};
use barewire_core::time::Duration;
use barewire_linux::address::Address;
use barewire_linux::dialer::Dialer;
use barewire_linux::executor::{Context, Task};
use barewire_linux::link::{Link, LinkError, RecordBuffers};
use barewire_linux::sandbox::Allowed;
use clap::Parser;

use crate::cli::arguments::{Common, message};
use crate::cli::exit::Failure;
use crate::cli::keys::ClientKeyArguments;
use crate::cli::privileges::give_up_privileges;
use crate::cli::run::Run;
use crate::cli::times::{duration, timeout, written};
use crate::client::channel::{ClientChannel, channel_error, is_refusal};
use crate::client::destination::{Destination, FamilyArguments, connect_error};
use crate::client::exchanges::{self, Exchanges, RepeatArguments};
use crate::client::hints::{broken, in_parentheses, key_hint};
use crate::output::events::hello::ReceivedText;
use crate::output::printer::Printer;
use crate::output::system_error::describe;

/// The answer unless another is given.
const ANSWER: Text<'static> = match Text::new("Hello") {
    Ok(text) => text,
    Err(_) => unreachable!(),
};

/// Of a channel: what is said is short.
pub(super) const RECORDS: RecordBuffers = RecordBuffers { receive: 1024, send: 1024 };

const EXAMPLES: &str = "\
Examples:
  tcp-client 127.0.0.1:8080                   show the greeting, answer 'Hello'
  tcp-client example.org 8080 'Good morning'  answer something else
  tcp-client 127.0.0.1:8080 -c 100 -i 10ms    a hundred handshakes, and how fast they were
  tcp-client unix:hello.sock                  a server on this machine, without a network
  tcp-client 127.0.0.1:8080 --key ben.key     with a key that the server has, too

The exit code is 0 if the handshake succeeded (with --count, at least one), 1 if it failed, and 2 \
for wrong usage.";

/// Connects, receives the server's greeting, and answers it.
#[derive(Debug, Parser)]
#[command(name = TcpClientProgram::NAME, version, after_help = EXAMPLES)]
pub(crate) struct TcpClientProgram {
    /// The server, HOST:PORT, or HOST and PORT as two arguments, or unix:PATH; and what to answer (`Hello`)
    #[arg(value_names = ["ADDR", "TEXT"], num_args = 1..=3, required = true)]
    words: Vec<String>,

    /// How long connecting, and then the handshake, may take
    #[arg(short, long, value_name = "TIME", value_parser = timeout,
          default_value = written(hello::DEFAULT_TIMEOUT))]
    timeout: Duration,

    /// How long the server must be silent for a greeting without a line feed to be complete
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = written(DEFAULT_QUIET))]
    quiet_period: Duration,

    #[command(flatten)]
    family: FamilyArguments,

    #[command(flatten)]
    repeat: RepeatArguments,

    #[command(flatten)]
    key: ClientKeyArguments,

    #[command(flatten)]
    common: Common,
}

impl Run for TcpClientProgram {
    const NAME: &'static str = "tcp-client";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self, printer: &mut Printer) -> Result<(), Failure> {
        let (server, text) = Destination::read_with_text(&self.words, message)?;
        let answer = text.unwrap_or(ANSWER);
        let config =
            hello::HandshakeConfig::new().with_quiet(self.quiet_period).with_timeout(self.timeout);
        let task = HandshakeTask {
            dialer: server.dialer(self.family, &self.common.waits, self.timeout)?,
            channel: ClientChannel::new(
                self.key.read()?,
                Conversation::Hello,
                RECORDS,
                self.timeout,
            ),
            name: server.to_string(),
            answer,
            config,
            state: State::Waiting,
        };
        give_up_privileges(server.needs());
        self.common.sandbox.confine_and_tell(&Allowed::client())?;
        exchanges::run(self.repeat, printer, task)
    }
}

/// The task: one handshake after another.
struct HandshakeTask {
    dialer: Dialer,
    channel: ClientChannel,
    /// The server as the user named it.
    name: String,
    answer: Text<'static>,
    config: hello::HandshakeConfig,
    state: State,
}

#[expect(clippy::large_enum_variant, reason = "a process has one")]
enum State {
    Waiting,
    Connecting,
    Connected {
        link: Link,
        session: hello::Client<'static>,
        peer: Address,
        /// When it was connected.
        since: StdInstant,
        is_greeted: bool,
    },
}

impl Task<Exchanges<'_>> for HandshakeTask {
    fn turn(
        &mut self,
        exchanges: &mut Exchanges<'_>,
        cx: &mut Context<'_, Exchanges<'_>>,
    ) -> Poll<()> {
        while !cx.stopping() {
            match self.advance(exchanges, cx) {
                Ok(Some(state)) => self.state = state,
                Ok(None) => break,
                Err(nb::Error::WouldBlock) => return Poll::Pending,
                Err(nb::Error::Other(reason)) => {
                    exchanges.fail(reason);
                    self.state = State::Waiting;
                }
            }
        }
        Poll::Ready(())
    }
}

impl HandshakeTask {
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
                log::debug!("connecting to {}", self.name);
                Ok(Some(State::Connecting))
            }
            State::Connecting => {
                let connected = self.dialer.poll(cx);
                let (link, peer) = connected.map_err(|error| {
                    error.map(|error| connect_error(&self.name, self.config.timeout, &error))
                })?;
                let link = self.channel.secure(cx.now(), link).map_err(|error| {
                    nb::Error::Other(format!(
                        "cannot connect to {}: {}",
                        self.name,
                        describe(&error)
                    ))
                })?;
                let session = hello::Client::new(cx.now(), self.answer, self.config);
                let since = StdInstant::now();
                Ok(Some(State::Connected { link, session, peer, since, is_greeted: false }))
            }
            State::Connected { link, session, peer, since, is_greeted } => {
                let (peer, since) = (*peer, *since);
                let printer = &mut *exchanges.printer;
                let over = link.drive(cx, session, |greeting| {
                    *is_greeted = true;
                    let text = greeting.printable();
                    printer.show(&ReceivedText { from: peer, text, key: None });
                });
                let (is_open, is_greeted) = (link.is_open(), *is_greeted);
                over.map_err(|error| error.map(|fault| self.failed(&fault, is_open, is_greeted)))?;
                exchanges.succeed(since.elapsed().into());
                Ok(Some(State::Waiting))
            }
        }
    }

    fn failed(
        &self,
        error: &LinkError<hello::HandshakeError>,
        is_open: bool,
        is_greeted: bool,
    ) -> String {
        let (name, limit) = (&self.name, self.config.timeout);
        let may_want_key = !is_greeted && !self.channel.is_keyed();
        match error {
            LinkError::Channel(error) => channel_error(name, *error, limit),
            LinkError::Connection(error) if is_refusal(error, is_open) => {
                channel_error(name, ChannelError::Refused, limit)
            }
            LinkError::Connection(error) => {
                format!("connection to {name} lost: {}", broken(error, may_want_key, ""))
            }
            LinkError::Session(hello::HandshakeError::Silent) => format!(
                "{name} closed the connection without a greeting (it may have too many clients, or have paused this \
                 address because too many of its conversations failed: try later)"
            ),
            LinkError::Session(hello::HandshakeError::TooLong) => {
                format!("the greeting of {name} is longer than {MAX_TEXT} bytes")
            }
            LinkError::Session(hello::HandshakeError::TimedOut) => format!(
                "the handshake with {name} timed out after {limit}{}",
                in_parentheses(&[
                    "--timeout allows more",
                    "the server must speak first",
                    key_hint(may_want_key),
                ])
            ),
            LinkError::Session(hello::HandshakeError::Unclosed) => format!(
                "{name} did not close the connection within {limit}, so it may not have received \
                 the answer"
            ),
            _ => error.to_string(),
        }
    }
}

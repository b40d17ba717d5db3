//! `tcp-server`: greets everybody, and shows what they answer.

use core::task::Poll;
use std::iter;
use std::sync::Arc;

use barewire_core::hello;
use barewire_core::printable::printable;
use barewire_core::secure::Conversation;
use barewire_core::text::{DEFAULT_QUIET, MAX_TEXT, Text};
use barewire_core::time::Duration;
use barewire_linux::executor::{Context, Task};
use barewire_linux::link::{Link, LinkError};
use barewire_linux::listener::Listener;
use barewire_linux::sandbox::{Allowed, Keep};
use clap::Parser;

use super::tcp_client::RECORDS;
use crate::cli::arguments::{Common, message};
use crate::cli::exit::Failure;
use crate::cli::keys::ServerKeyArguments;
use crate::cli::run::Run;
use crate::cli::times::{duration, timeout, written};
use crate::output::events::hello::ReceivedText;
use crate::output::printer::Printer;
use crate::output::system_error::describe;
use crate::server::context::{ServedPeer, ServerContext};
use crate::server::links::{
    Links, SPEAKS_UNDER_KEY, channel_penalty, channel_reason, has_no_key, is_keyed_opening,
};
use crate::server::listen::{self, ClientArguments, ListenArguments, PenaltyArguments};
use crate::server::penalties::Penalty;
use crate::server::serve::{AcceptLimits, Others, serve};
use crate::server::sockets::{Opened, removing};
use crate::server::user::UserArguments;

const EXAMPLES: &str = "\
Examples:
  tcp-server                                  greet on 127.0.0.1:8080 with '你好'
  tcp-server 0.0.0.0:9000 --greeting Welcome  greet everybody who can reach this host
  tcp-server 127.0.0.1:0 --once --json        serve one client on a free port, for a script
  tcp-server unix:hello.sock                  to the owner and the group of that file
  tcp-server --key ben.key                    greet only clients with this key

Any client will do: tcp-client, nc, or a few lines of Python. SIGINT or SIGTERM stops the server \
with exit code 0, after 5 seconds at most; a second one stops it at once.";

/// How many a client takes: its connection.
const DESCRIPTORS: usize = 1;

/// Greets every client, and shows what each answers.
#[derive(Debug, Parser)]
#[command(name = TcpServerProgram::NAME, version, after_help = EXAMPLES)]
pub(crate) struct TcpServerProgram {
    #[command(flatten)]
    listen: ListenArguments,

    /// The greeting: one line of at most 1024 bytes
    #[arg(short, long, value_name = "TEXT", value_parser = message, default_value = "你好")]
    greeting: Text<'static>,

    #[command(flatten)]
    clients: ClientArguments,

    #[command(flatten)]
    penalties: PenaltyArguments,

    /// How long one client's handshake may take
    #[arg(short, long, value_name = "TIME", value_parser = timeout, default_value = written(hello::DEFAULT_TIMEOUT))]
    timeout: Duration,

    /// How long a client must be silent for an answer without a line feed to be complete
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = written(DEFAULT_QUIET))]
    quiet_period: Duration,

    #[command(flatten)]
    user: UserArguments,

    #[command(flatten)]
    key: ServerKeyArguments,

    #[command(flatten)]
    common: Common,
}

impl Run for TcpServerProgram {
    const NAME: &'static str = "tcp-server";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self, printer: &mut Printer) -> Result<(), Failure> {
        let Opened { shares, addresses } = self.listen.open::<Listener>()?;
        self.user.take_effect(Keep::Nothing)?;
        let links =
            Links::new(self.key.read(&addresses)?, Conversation::Hello, RECORDS, self.timeout);
        let allowed = || removing(Allowed::nothing(), &shares);
        let confine = || self.common.sandbox.confine_and_tell(&allowed());
        let service = listen::start(&addresses, printer, confine)?;
        let is_keyed = links.are_keyed();
        let shared = Arc::new(Shared {
            links,
            greeting: self.greeting,
            config: hello::HandshakeConfig::new()
                .with_quiet(self.quiet_period)
                .with_timeout(self.timeout),
        });
        let limits = AcceptLimits {
            once: self.listen.serve.once,
            clients: self.clients.limits(DESCRIPTORS),
            // Words would be taken for the greeting.
            others: Others::AreClosed { words: |_| b"" },
            max_pause: self.penalties.max_pause,
            grace: self.common.waits.grace,
            linger: self.common.waits.linger,
        }
        .under_keys(is_keyed);
        serve(
            shares,
            iter::repeat(shared),
            service,
            limits,
            printer,
            |_, _| {},
            |shared, now, peer, stream| {
                let session = hello::Server::new(now, shared.greeting, shared.config);
                let link = shared.links.link(now, stream)?;
                Ok(Handshake { link, session, peer, has_answered: false })
            },
        )
    }
}

struct Shared {
    links: Links,
    greeting: Text<'static>,
    config: hello::HandshakeConfig,
}

/// The task of one client.
struct Handshake {
    link: Link,
    session: hello::Server<'static>,
    peer: ServedPeer,
    has_answered: bool,
}

type TcpContext = ServerContext<Arc<Shared>>;

impl Task<TcpContext> for Handshake {
    fn turn(&mut self, context: &mut TcpContext, cx: &mut Context<'_, TcpContext>) -> Poll<()> {
        let Self { link, session, peer, has_answered } = self;
        if context.serves_another(peer) {
            link.abort();
            return Poll::Ready(());
        }
        if !peer.keep_place() {
            log::debug!("{}: silent, and its place is another's", peer.address);
            link.abort();
            return Poll::Ready(());
        }
        let mut answered = None;
        let over = link.drive(cx, session, |answer| answered = Some(answer.as_bytes().to_vec()));
        if link.is_open() {
            context.peer_begun(peer);
        }
        if let Some(answer) = answered {
            if is_keyed_opening(&answer) {
                link.abort();
                peer.penalize(Penalty::Failed, cx.now());
                context.peer_failed(cx, peer, SPEAKS_UNDER_KEY);
                peer.served(cx);
                return Poll::Ready(());
            }
            *has_answered = true;
            peer.clear_penalties();
            let (from, text) = (peer.address, printable(&answer));
            let key = context.state.links.key_of(link);
            context.printer.show_unless_quiet(&ReceivedText { from, text, key });
        }
        context.flush_later(cx);
        match over {
            Err(nb::Error::WouldBlock) => {
                if session.is_unanswered() {
                    peer.offer_place(cx.now(), || cx.waker());
                }
                return Poll::Pending;
            }
            Err(nb::Error::Other(error)) => {
                if !*has_answered {
                    peer.penalize(penalty(&error), cx.now());
                }
                let reason = failure_reason(&error, context.state.config.timeout);
                match error {
                    LinkError::Channel(error) if has_no_key(error) => {
                        context.peer_without_key(cx, peer, &reason);
                    }
                    _ => context.peer_failed(cx, peer, &reason),
                }
            }
            Ok(()) => {}
        }
        peer.served(cx);
        Poll::Ready(())
    }

    fn abandon(&mut self, context: &mut TcpContext) {
        context.peer_abandoned(&self.peer, "aborted by the shutdown");
        self.link.abort();
    }
}

/// What it costs its source that a client gave no answer.
fn penalty(error: &LinkError<hello::HandshakeError>) -> Penalty {
    match error {
        LinkError::Session(hello::HandshakeError::Silent) | LinkError::Connection(_) => {
            Penalty::NoData
        }
        LinkError::Channel(error) => channel_penalty(*error),
        _ => Penalty::Failed,
    }
}

/// What a client did, in words that follow its address.
fn failure_reason(error: &LinkError<hello::HandshakeError>, limit: Duration) -> String {
    match error {
        LinkError::Channel(error) => channel_reason(*error, limit),
        LinkError::Connection(error) => format!("connection lost: {}", describe(error)),
        LinkError::Session(hello::HandshakeError::Silent) => "closed without an answer".into(),
        LinkError::Session(hello::HandshakeError::TooLong) => {
            format!("answer longer than {MAX_TEXT} bytes")
        }
        LinkError::Session(hello::HandshakeError::TimedOut | hello::HandshakeError::Unclosed) => {
            format!("handshake timed out after {limit}")
        }
        _ => error.to_string(),
    }
}

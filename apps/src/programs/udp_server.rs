//! `udp-server`: answers datagrams.

use core::task::Poll;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use barewire_core::datagram::{self, Action, Datagram, DropReason, Rate, Reply, Responder};
use barewire_core::time::Duration;
use barewire_linux::datagrams::{UdpServer, UdpSocket};
use barewire_linux::executor::{Context, Task};
use barewire_linux::sandbox::{Allowed, Keep};
use barewire_linux::threads;
use clap::Parser;

use crate::cli::arguments::Common;
use crate::cli::exit::Failure;
use crate::cli::run::Run;
use crate::cli::waits::Waits;
use crate::output::events::datagram::ReceivedDatagram;
use crate::output::printer::Printer;
use crate::output::system_error::describe;
use crate::server::listen::{self, ListenArguments};
use crate::server::sockets::Opened;
use crate::server::user::UserArguments;

/// How many sources the rate limiter keeps count of: 64 KiB of memory.
const SOURCES: usize = 1024;

const EXAMPLES: &str = "\
Examples:
  udp-server                            reply 'nice to meet you' on 127.0.0.1:8080
  udp-server 0.0.0.0:9000 --echo        reply with what was sent
  udp-server --capacity 65535 --json    take the largest datagrams, for a script

The reply leaves from the address that was asked. To keep loops from starting, no datagram is
answered that is the server's own reply text, that comes from its own port number or from a port that
answers anything (such as 7, 53 or 123), or whose source is over its rate. SIGINT or SIGTERM stops
the server with exit code 0.";

/// Answers every datagram, and shows it.
#[derive(Debug, Parser)]
#[command(name = UdpServerProgram::NAME, version, after_help = EXAMPLES)]
pub(crate) struct UdpServerProgram {
    #[command(flatten)]
    listen: ListenArguments,

    /// The reply
    #[arg(short, long, value_name = "TEXT", value_parser = payload,
          default_value = "nice to meet you")]
    reply: &'static [u8],

    /// Reply with the datagram itself
    #[arg(short, long, conflicts_with = "reply")]
    echo: bool,

    /// How many bytes of a datagram to take; a longer one is shown as truncated
    #[arg(long, value_name = "BYTES", default_value_t = datagram::DEFAULT_CAPACITY,
          value_parser = capacity)]
    capacity: usize,

    /// How many replies a second one source gets; a source that exceeds it for 10 s is muted for a
    /// minute; 0 means no limit
    #[arg(long, value_name = "N", default_value_t = datagram::DEFAULT_REPLY_RATE)]
    rate: u32,

    #[command(flatten)]
    user: UserArguments,

    #[command(flatten)]
    common: Common,
}

/// What one datagram can carry.
pub(crate) fn payload(argument: &str) -> Result<&'static [u8], String> {
    if argument.len() > datagram::MAX_PAYLOAD {
        let (length, most) = (argument.len(), datagram::MAX_PAYLOAD);
        return Err(format!("is {length} bytes long; a datagram holds at most {most}"));
    }
    Ok(argument.to_owned().leak().as_bytes())
}

/// A receive capacity.
pub(crate) fn capacity(argument: &str) -> Result<usize, String> {
    match argument.parse() {
        Ok(bytes @ 1..=0xffff) => Ok(bytes),
        _ => Err("must be 1 to 65535".into()),
    }
}

type SharedResponder = Mutex<Responder<'static, SOURCES>>;

impl Run for UdpServerProgram {
    const NAME: &'static str = "udp-server";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self, printer: &mut Printer) -> Result<(), Failure> {
        let Opened { shares, addresses } = self.listen.open::<UdpSocket>()?;
        self.user.take_effect(Keep::Nothing)?;
        let reply = if self.echo { Reply::Echo } else { Reply::Text(self.reply) };
        let rate = if self.rate == 0 { Rate::Unlimited } else { Rate::PerSecond(self.rate) };
        let Waits { mute_threshold, grace, .. } = self.common.waits;
        // One for all threads: a source's rate is what it gets from a port of the server as a whole.
        let mut responders: Vec<(u16, SharedResponder)> = Vec::new();
        for port in addresses.iter().map(SocketAddr::port) {
            if responders.iter().all(|(known, _)| *known != port) {
                let responder = Responder::new(port, reply, rate);
                let responder = responder.with_mute_threshold(mute_threshold);
                responders.push((port, Mutex::new(responder)));
            }
        }
        let confine = || self.common.sandbox.confine_and_tell(&Allowed::nothing());
        let shares = listen::start(&addresses, printer, confine)?.share(shares)?;
        let (printer, responders, once, capacity) =
            (&*printer, &responders, self.listen.serve.once, self.capacity);
        threads::run(shares, |executor, _, (sockets, service)| {
            executor.set_grace(grace);
            service.spawn(executor);
            for socket in sockets {
                let port = socket.local_addr()?.port();
                let own = responders.iter().find(|(known, _)| *known == port);
                let Some((_, responder)) = own else { continue };
                let socket = UdpServer::new(socket, capacity)?;
                executor.spawn(Box::new(ReplyTask { socket, responder, mute_threshold, once }));
            }
            Ok(UdpContext { printer: printer.for_thread(), has_answered: false })
        })
        .map_err(Failure::system)
    }
}

/// What the tasks of a thread share.
struct UdpContext {
    printer: Printer,
    /// With `--once`, that is all.
    has_answered: bool,
}

/// The task of a socket: it answers batch after batch.
struct ReplyTask<'s> {
    socket: UdpServer,
    responder: &'s SharedResponder,
    mute_threshold: Duration,
    once: bool,
}

impl Task<UdpContext> for ReplyTask<'_> {
    fn turn(&mut self, context: &mut UdpContext, cx: &mut Context<'_, UdpContext>) -> Poll<()> {
        let Self { socket, responder, mute_threshold, once } = self;
        let UdpContext { printer, has_answered } = context;
        if cx.stopping() || *once && *has_answered {
            return Poll::Ready(());
        }
        let now = cx.now();
        let mut chosen = false;
        let served = socket.serve(
            cx,
            |received| {
                if *once && chosen {
                    return None;
                }
                let datagram = received.datagram;
                let mut responder = responder.lock().unwrap_or_else(PoisonError::into_inner);
                let action = responder.handle_datagram(now, datagram);
                drop(responder);
                show(printer, &datagram, action, *mute_threshold);
                match action {
                    Action::Reply(reply) => {
                        chosen = true;
                        Some(reply)
                    }
                    _ => None,
                }
            },
            |peer, error| log::info!("cannot answer {peer}: {}", describe(&error)),
        );
        match served {
            Ok(batch) => {
                *has_answered |= batch.sent > 0;
                if batch.dropped > 0 {
                    log::debug!("{} replies dropped: the send buffer is full", batch.dropped);
                }
            }
            Err(error) => log::warn!("cannot receive, trying again: {}", describe(&error)),
        }
        printer.flush();
        cx.set_deadline(socket.resumes());
        if *once && *has_answered {
            cx.stop();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

/// Shows a datagram, and why it got no answer; but of a flood only its end.
fn show(
    printer: &mut Printer,
    datagram: &Datagram<'_>,
    action: Action<'_>,
    mute_threshold: Duration,
) {
    let peer = datagram.source;
    match action {
        Action::Drop(DropReason::OverRate | DropReason::Muted) => return,
        Action::Drop(DropReason::MutedNow) => {
            let mute = datagram::MUTE_DURATION;
            log::warn!(
                "{} exceeded the rate limit for {mute_threshold}: muted for {mute}",
                peer.ip()
            );
            return;
        }
        Action::Drop(why) => log::debug!("{peer} gets no reply: {why}"),
        _ => {}
    }
    printer.show_unless_quiet(&ReceivedDatagram::from(datagram));
}

//! `udp-server`: answers datagrams.

mod amplification;
mod sealing;
mod unanswered;

use core::task::Poll;
use std::sync::{Mutex, MutexGuard, PoisonError};

use barewire_core::datagram::{
    self, Action, Datagram, DropReason, HashKey, MAX_PAYLOAD, Rate, Reply, Responder,
    ResponderConfig,
};
use barewire_core::secure::{REPLY_OVERHEAD, REQUEST_OVERHEAD};
use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};
use barewire_linux::address::Address;
use barewire_linux::datagrams::{UdpServer, UdpSocket};
use barewire_linux::executor::{Context, Task};
use barewire_linux::randomness::random_bytes;
use barewire_linux::sandbox::{Allowed, Keep};
use barewire_linux::threads;
use clap::Parser;

use crate::cli::arguments::Common;
use crate::cli::exit::Failure;
use crate::cli::keys::ServerKeyArguments;
use crate::cli::numbers::{at_least, from_to};
use crate::cli::run::Run;
use crate::cli::waits::Waits;
use crate::output::events::datagram::ReceivedDatagram;
use crate::output::printer::Printer;
use crate::output::system_error::describe;
use crate::server::listen::{self, ListenArguments};
use crate::server::sockets::Opened;
use crate::server::user::UserArguments;

use sealing::{Answer, DatagramKeys, Sealing};
use unanswered::{Count, Unanswered, Why};

/// How many sources the rate limiter keeps count of in a second, and how many ports can be muted: 416 KiB
/// of memory.
const SOURCES: usize = 16_384;
const MUTES: usize = 1024;

const EXAMPLES: &str = "\
Examples:
  udp-server                            reply 'nice to meet you' on 127.0.0.1:8080
  udp-server 0.0.0.0:9000 --echo        reply with what was sent
  udp-server --capacity 65535 --json    take the largest datagrams, for a script
  udp-server --key ben.key              answer only clients with this key

The reply leaves from the address that was asked. To keep loops from starting, no datagram is \
answered that is the server's own reply text, that comes from its own port number or from a port \
that answers anything (such as 7, 53 or 123), or whose source is over its rate. -v tells each second \
how many got no reply for a limit. SIGINT or SIGTERM stops the server with exit code 0.

With a key, a datagram that was not sealed with it gets no reply, and how many there were is told once a \
second. A request that somebody has recorded and sends again is answered again.

Addresses can be forged: the reply then goes to somebody who never asked. A reply that is longer than \
the question makes such an attack stronger, up to the rates. With a key it takes a recorded request.";

const ADDRESS: &str = "Where to listen, several if need be: HOST:PORT, or HOST and PORT as two arguments, at \
    every address of the host; port 0 asks for a free one. Of several sockets passed by the service manager, \
    fd:NAME serves those of that name only";

/// Answers every datagram, and shows it.
#[derive(Debug, Parser)]
#[command(name = UdpServerProgram::NAME, version, after_help = EXAMPLES)]
// Datagrams have no Unix sockets here.
#[command(mut_arg("socket_mode", |mode| mode.hide(true)))]
#[command(mut_arg("address", |address| address.help(ADDRESS)))]
pub(crate) struct UdpServerProgram {
    #[command(flatten)]
    listen: ListenArguments,

    /// The reply. One of more than 18 bytes helps attackers who forge addresses
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

    /// How many replies a second one source gets: an IPv4 address, or an IPv6 network of 64 bits. A port that
    /// asks more than twice as often for 10 s gets none for a minute; 0 means no limit
    #[arg(long, value_name = "N", default_value_t = datagram::DEFAULT_REPLY_RATE,
          value_parser = at_least(0_u32))]
    rate: u32,

    /// How many replies a second all sources get together; 0 means no limit
    #[arg(long, value_name = "N", default_value_t = datagram::DEFAULT_TOTAL_REPLY_RATE,
          value_parser = at_least(0_u32))]
    total_rate: u32,

    #[command(flatten)]
    user: UserArguments,

    #[command(flatten)]
    key: ServerKeyArguments,

    #[command(flatten)]
    common: Common,
}

/// What one datagram can carry.
pub(crate) fn payload(argument: &str) -> Result<&'static [u8], String> {
    if argument.len() > MAX_PAYLOAD {
        let (length, most) = (argument.len(), MAX_PAYLOAD);
        return Err(format!("is {length} bytes long; a datagram holds at most {most}"));
    }
    Ok(argument.to_owned().leak().as_bytes())
}

/// Whether a text of this length goes into one datagram when it is sealed.
pub(crate) fn check_sealed_length(length: usize, overhead: usize) -> Result<(), String> {
    let most = MAX_PAYLOAD - overhead;
    if length > most {
        return Err(format!("is {length} bytes long; under a key a datagram holds at most {most}"));
    }
    Ok(())
}

/// A receive capacity.
pub(crate) fn capacity(argument: &str) -> Result<usize, String> {
    from_to(1, 0xffff)(argument)
}

/// What all sockets and threads of the server share: so its limits are the server's as a whole.
type SharedState = Mutex<State>;

struct State {
    responder: Responder<'static, SOURCES, MUTES>,
    unanswered: Unanswered,
}

impl State {
    /// What becomes of a datagram, which is counted if it is one of too many.
    fn decide<'d>(&mut self, now: Instant, datagram: Datagram<'d>) -> Action<'d> {
        let action = self.responder.handle_datagram(now, datagram);
        if let Action::Drop(reason) = action
            && is_for_a_limit(reason)
        {
            self.unanswered.note(now, Why::Dropped(reason));
        }
        action
    }
}

fn lock(state: &SharedState) -> MutexGuard<'_, State> {
    // Nothing in it can be left half-changed by a panic.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run for UdpServerProgram {
    const NAME: &'static str = "udp-server";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self, printer: &mut Printer) -> Result<(), Failure> {
        let Opened { shares, addresses } = self.listen.open::<UdpSocket>()?;
        self.user.take_effect(Keep::Nothing)?;
        let keys = self.key.read(&addresses)?.map(DatagramKeys::new);
        let text = (!self.echo).then_some(self.reply);
        let reply = match text {
            Some(text) if keys.is_some() => {
                check_sealed_length(text.len(), REPLY_OVERHEAD)
                    .map_err(|why| Failure::usage(format!("--reply: it {why}")))?;
                // The responder decides who gets one, by what it sees of a sealed request.
                Reply::Echo
            }
            Some(text) => Reply::Text(text),
            None => Reply::Echo,
        };
        if let Some(warning) = text.and_then(|it| amplification::warning(it.len(), keys.is_some()))
        {
            log::warn!("{warning}");
        }
        let Waits { mute_threshold, grace, .. } = self.common.waits;
        let config = ResponderConfig::new()
            .with_rate(rate(self.rate))
            .with_total_rate(rate(self.total_rate))
            .with_mute_threshold(mute_threshold);
        let key = HashKey::new(random_bytes().map_err(Failure::system)?);
        let ports: Vec<u16> = addresses.iter().filter_map(port).collect();
        let responder = Responder::new(ports.leak(), reply, key, config);
        let state = State { responder, unanswered: Unanswered::default() };
        let state = Box::new(SharedState::new(state));
        let confine = || self.common.sandbox.confine_and_tell(&Allowed::nothing());
        let shares = listen::start(&addresses, printer, confine)?.share(shares)?;
        let (printer, state, keys, once) =
            (&*printer, &*state, keys.as_ref(), self.listen.serve.once);
        let longest_reply = text.map_or(self.capacity, <[u8]>::len);
        let capacity = self.capacity + keys.map_or(0, |_| REQUEST_OVERHEAD);
        threads::run(shares, |executor, _, (sockets, service)| {
            executor.set_grace(grace);
            service.spawn(executor);
            for socket in sockets {
                let socket = UdpServer::new(socket, capacity)?;
                let sealing = keys.map(|keys| Sealing::new(keys, capacity, longest_reply));
                let sealing = sealing.transpose()?;
                let task = ReplyTask { socket, state, sealing, text, mute_threshold, once };
                executor.spawn(Box::new(task));
            }
            Ok(UdpContext { printer: printer.for_thread(), has_answered: false })
        })
        .map_err(Failure::system)
    }
}

fn port(address: &Address) -> Option<u16> {
    match address {
        Address::Ip(address) => Some(address.port()),
        Address::Unix(_) => None,
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
    state: &'s SharedState,
    /// With keys.
    sealing: Option<Sealing<'s>>,
    /// The reply, unless each has what it asked.
    text: Option<&'static [u8]>,
    mute_threshold: Duration,
    once: bool,
}

impl Task<UdpContext> for ReplyTask<'_> {
    fn turn(&mut self, context: &mut UdpContext, cx: &mut Context<'_, UdpContext>) -> Poll<()> {
        let Self { socket, state, sealing, text, mute_threshold, once } = self;
        let UdpContext { printer, has_answered } = context;
        let now = cx.now();
        if cx.stopping() || *once && *has_answered {
            let counts = lock(state).unanswered.finish(now);
            tell(counts);
            return Poll::Ready(());
        }
        let mut chosen = false;
        let mut sealed = sealing.as_mut().map(Sealing::batch);
        let served = socket.serve(
            cx,
            |received| {
                if *once && chosen {
                    return None;
                }
                let datagram = received.datagram;
                let action = lock(state).decide(now, datagram);
                let Some(sealed) = &mut sealed else {
                    show(printer, &datagram, action, *mute_threshold);
                    let Action::Reply(reply) = action else { return None };
                    chosen = true;
                    return Some(reply);
                };
                match action {
                    // What did not come whole cannot be opened.
                    Action::Drop(reason @ DropReason::Truncated) => {
                        lock(state).unanswered.note(now, Why::Dropped(reason));
                        return None;
                    }
                    Action::Drop(reason) => {
                        tell_drop(&datagram, reason, *mute_threshold);
                        return None;
                    }
                    _ => {}
                }
                let answer = sealed.answer(datagram, *text, |request, key| {
                    printer.show_unless_quiet(&ReceivedDatagram::from(&request).with_key(key));
                });
                match answer {
                    Answer::Reply(reply) => {
                        chosen = true;
                        return Some(reply);
                    }
                    Answer::Unopened => {
                        let source = Source::from(datagram.source.ip());
                        lock(state).unanswered.note_unopened(now, source);
                    }
                    Answer::TooLong => lock(state).unanswered.note(now, Why::TooLong),
                }
                None
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
        let (counts, deadline) = {
            let State { unanswered, .. } = &mut *lock(state);
            (unanswered.poll(now), unanswered.poll_deadline())
        };
        // Other threads answer meanwhile.
        tell(counts);
        cx.set_deadline(socket.resumes().into_iter().chain(deadline).min());
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
    if let Action::Drop(reason) = action {
        tell_drop(datagram, reason, mute_threshold);
        if is_for_a_limit(reason) {
            return;
        }
    }
    printer.show_unless_quiet(&ReceivedDatagram::from(datagram));
}

/// Tells why a datagram gets no reply, unless it is one of many.
fn tell_drop(datagram: &Datagram<'_>, reason: DropReason, mute_threshold: Duration) {
    let peer = datagram.source;
    if reason == DropReason::MutedNow {
        let mute = datagram::MUTE_DURATION;
        log::warn!("{peer} exceeded the rate limit for {mute_threshold}: muted for {mute}");
    } else if !is_for_a_limit(reason) {
        log::debug!("{peer} gets no reply: {reason}");
    }
}

/// Whether it was left unanswered for how much came, not for what it is.
fn is_for_a_limit(why: DropReason) -> bool {
    matches!(
        why,
        DropReason::OverRate | DropReason::OverTotalRate | DropReason::MutedNow | DropReason::Muted
    )
}

/// Tells how many got no reply in a period.
fn tell(counts: Vec<Count>) {
    for count in counts {
        log::log!(count.level, "{count}");
    }
}

fn rate(replies: u32) -> Rate {
    if replies == 0 { Rate::Unlimited } else { Rate::PerSecond(replies) }
}

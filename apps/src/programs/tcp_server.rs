//! `tcp-server`: greets everybody, and shows what they answer.

use core::task::Poll;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};

use barewire_core::hello;
use barewire_core::text::{MAX_TEXT, QUIET, Text};
use barewire_core::time::Duration;
use barewire_linux::activation;
use barewire_linux::executor::{Context, Task, TaskId};
use barewire_linux::link::{Fault, Link};
use barewire_linux::listener::{Accepted, Acceptor, Gate, Permit};
use barewire_linux::threads;
use clap::Parser;

use crate::arguments::{Common, message, time, wait};
use crate::failure::{Failure, words};
use crate::output::{Output, Printer, Received, Record};
use crate::program::Program;
use crate::server::{self, Listen};

const EXAMPLES: &str = "\
Examples:
  tcp-server                                  greet on 127.0.0.1:8080 with '你好'
  tcp-server 0.0.0.0:9000 --greeting Welcome  greet everybody who can reach this host
  tcp-server 127.0.0.1:0 --once --json        serve one client on a free port, for a script

Any client will do: tcp-client, nc, or a few lines of Python. SIGINT or SIGTERM stops the server
with exit code 0, after 5 seconds at most; a second one stops it at once.";

/// Greets every client, and shows what each answers.
#[derive(Debug, Parser)]
#[command(name = TcpServer::NAME, version, after_help = EXAMPLES)]
pub(crate) struct TcpServer {
    #[command(flatten)]
    listen: Listen,

    /// What to greet with: one line of at most 1024 bytes
    #[arg(short, long, value_name = "TEXT", value_parser = message, default_value = "你好")]
    greeting: Text<'static>,

    /// How many clients to serve at once; more wait until one has left [default: as many as the
    /// system allows]
    #[arg(long, value_name = "N", value_parser = server::clients)]
    max_clients: Option<NonZero<usize>>,

    /// How long one client's handshake may take
    #[arg(short, long, value_name = "TIME", value_parser = wait, default_value_t = hello::TIMEOUT)]
    timeout: Duration,

    /// How long a client must be silent for an answer without a line feed to be complete
    #[arg(long, value_name = "TIME", value_parser = time, default_value_t = QUIET)]
    quiet_period: Duration,

    #[command(flatten)]
    common: Common,
}

impl Program for TcpServer {
    const NAME: &'static str = "tcp-server";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self, output: &mut Output) -> Result<(), Failure> {
        let passed = activation::tcp_listener();
        let listeners = self.listen.open('t', passed, threads::listeners)?;
        let address = listeners[0].local_addr().map_err(Failure::system)?;
        let signals = server::begin(address, output)?;
        let once = self.listen.once;
        let clients = if once { NonZero::new(1) } else { self.max_clients };
        let gate = clients.map(|clients| Gate::new(clients.get()));
        let config = hello::Config { quiet: self.quiet_period, timeout: self.timeout };
        let anyone_failed = AtomicBool::new(false);
        let shares = server::shares(listeners, &signals)?;
        let (output, failed, greeting) = (&*output, &anyone_failed, self.greeting);
        threads::run(shares, |executor, _, (listener, signals)| {
            executor.spawn(Box::new(signals));
            let printer = executor.spawn(Box::new(Printer));
            executor.spawn(Box::new(Acceptor::new(
                listener,
                gate.clone(),
                move |_: &mut Hall<'_>, cx: &mut Context<'_, _>, accepted: Accepted| {
                    let session = hello::Server::new(cx.now(), greeting, config);
                    let Accepted { stream, peer, permit } = accepted;
                    let link = Link::new(stream);
                    cx.spawn(Box::new(Guest { link, session, peer, permit }));
                },
                |_: &mut Hall<'_>, error| {
                    log::warn!("accepting pauses, those inside are served on: {}", words(&error));
                },
            )));
            let output = output.another();
            Ok(Hall { output, printer, once, served: None, timeout: config.timeout, failed })
        })
        .map_err(Failure::system)?;
        if once && anyone_failed.into_inner() { Err(Failure::Reported) } else { Ok(()) }
    }
}

/// What the tasks of one thread share.
struct Hall<'s> {
    output: Output,
    printer: TaskId,
    once: bool,
    /// With `once`, the place of the client that was served: nobody else gets it.
    served: Option<Permit>,
    timeout: Duration,
    failed: &'s AtomicBool,
}

impl AsMut<Output> for Hall<'_> {
    fn as_mut(&mut self) -> &mut Output {
        &mut self.output
    }
}

/// The task of one client.
struct Guest {
    link: Link,
    session: hello::Server<'static>,
    peer: SocketAddr,
    /// The client's place, free again when the task is dropped.
    permit: Option<Permit>,
}

impl Task<Hall<'_>> for Guest {
    fn turn(&mut self, hall: &mut Hall<'_>, cx: &mut Context<'_, Hall<'_>>) -> Poll<()> {
        let (peer, mut has_news) = (self.peer, false);
        let over = self.link.drive(cx, &mut self.session, |answer| {
            if !hall.output.is_quiet() {
                hall.output.show(Record::Received(Received::text(peer, answer.printable())));
                has_news = true;
            }
        });
        if let Err(nb::Error::Other(fault)) = &over {
            let reason = reason(fault, hall.timeout);
            hall.output.client_failed(&format!("{peer} {reason}"));
            hall.failed.store(true, Ordering::Relaxed);
            has_news = true;
        }
        if has_news {
            cx.wake(hall.printer);
        }
        if let Err(nb::Error::WouldBlock) = over {
            return Poll::Pending;
        }
        if hall.once {
            hall.served = self.permit.take();
            cx.stop();
        }
        Poll::Ready(())
    }

    fn abandon(&mut self, hall: &mut Hall<'_>) {
        hall.output.client_failed(&format!("{} was cut off by the stop", self.peer));
        hall.failed.store(true, Ordering::Relaxed);
        self.link.abort();
    }
}

/// What a client did, in words that follow its address.
fn reason(fault: &Fault<hello::Error>, limit: Duration) -> String {
    match fault {
        Fault::Connection(error) => format!("broke off: {}", words(error)),
        Fault::Contents => fault.to_string(),
        Fault::Session(hello::Error::Silent) => "closed without an answer".into(),
        Fault::Session(hello::Error::TooLong) => {
            format!("answered with more than {MAX_TEXT} bytes")
        }
        Fault::Session(hello::Error::TimedOut | hello::Error::Unclosed) => {
            format!("did not finish within {limit}")
        }
    }
}

//! `udp-client`: asks a datagram server.

use core::task::Poll;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use barewire_core::datagram::{self, Exchange, ExchangeConfig, ExchangeError, ExchangeEvent};
use barewire_core::time::Duration;
use barewire_linux::datagrams::UdpClient;
use barewire_linux::executor::{Context, Task};
use clap::Parser;

use super::udp_server::{capacity, payload};
use crate::cli::addresses::HostPort;
use crate::cli::arguments::Common;
use crate::cli::exit::Failure;
use crate::cli::run::Run;
use crate::cli::times::{timeout, written};
use crate::client::destination::Destination;
use crate::client::exchanges::{self, Exchanges, RepeatArguments};
use crate::output::events::datagram::ReceivedDatagram;
use crate::output::printer::Printer;
use crate::output::system_error::describe;

const EXAMPLES: &str = "\
Examples:
  udp-client 127.0.0.1:8080                  send 'nice to meet you too', show the reply
  udp-client example.org 8080 ping -r 2      try three times: for 5, 10 and 20 seconds
  udp-client 127.0.0.1:8080 -c 100 -i 10ms   a hundred exchanges, and how fast they were

The exit code is 0 if a whole reply came (with --count, any reply), 1 if none did, and 2 for
wrong usage.";

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
    #[arg(short, long, value_name = "N", default_value_t = 0)]
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
    repeat: RepeatArguments,

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
        let request = text.unwrap_or(b"nice to meet you too");
        let addresses = server.resolve()?;
        let local = self.bind.as_deref().map(local).transpose()?;
        let task = ExchangeTask {
            servers: servers_for(addresses, local)?,
            name: server.to_string(),
            request,
            local,
            config: ExchangeConfig::new().with_timeout(self.timeout).with_retries(self.retries),
            buffer: vec![0; self.capacity].into_boxed_slice(),
            exchange: None,
            continues: false,
        };
        exchanges::run(self.repeat, printer, task)
    }
}

/// The address to send from.
fn local(argument: &str) -> Result<SocketAddr, Failure> {
    let words = [argument.to_owned()];
    Ok(HostPort::read_first(&words)?.0.resolve()?[0])
}

/// The server's addresses of the family that the local address has.
fn servers_for(
    addresses: Vec<SocketAddr>,
    local: Option<SocketAddr>,
) -> Result<VecDeque<SocketAddr>, Failure> {
    let fits = |server: &SocketAddr| local.is_none_or(|local| local.is_ipv4() == server.is_ipv4());
    let servers: VecDeque<_> = addresses.into_iter().filter(fits).collect();
    if servers.is_empty() {
        let message = "--bind: the server has no address of the same family (IPv4 or IPv6)";
        return Err(Failure::usage(message));
    }
    Ok(servers)
}

/// The task: one exchange after another.
struct ExchangeTask {
    /// The server's addresses: the first is asked, and if nobody is there, the next for good.
    servers: VecDeque<SocketAddr>,
    /// The server as the user named it.
    name: String,
    request: &'static [u8],
    local: Option<SocketAddr>,
    config: ExchangeConfig,
    buffer: Box<[u8]>,
    exchange: Option<(UdpClient, Exchange<'static>)>,
    /// The next exchange goes on with one that found nobody at another address.
    continues: bool,
}

impl Task<Exchanges<'_>> for ExchangeTask {
    fn turn(
        &mut self,
        exchanges: &mut Exchanges<'_>,
        cx: &mut Context<'_, Exchanges<'_>>,
    ) -> Poll<()> {
        while !cx.stopping() {
            match self.advance(exchanges, cx) {
                Ok(true) => {}
                Ok(false) => break,
                Err(nb::Error::WouldBlock) => return Poll::Pending,
                Err(nb::Error::Other(reason)) => {
                    self.close(cx);
                    if self.servers.len() > 1 {
                        log::debug!("{reason}; trying the next address");
                        self.servers.pop_front();
                        self.continues = true;
                    } else {
                        exchanges.fail(reason);
                    }
                }
            }
        }
        self.close(cx);
        Poll::Ready(())
    }
}

impl ExchangeTask {
    /// Takes the next step; false when there is no more to do.
    fn advance(
        &mut self,
        exchanges: &mut Exchanges<'_>,
        cx: &mut Context<'_, Exchanges<'_>>,
    ) -> nb::Result<bool, String> {
        let Some((socket, exchange)) = &mut self.exchange else {
            if !std::mem::take(&mut self.continues) {
                let Some(next) = exchanges.next_start() else { return Ok(false) };
                if cx.now() < next {
                    cx.set_deadline(Some(next));
                    return Err(nb::Error::WouldBlock);
                }
                exchanges.start(cx.now());
            }
            let socket = UdpClient::connect(self.servers[0], self.local);
            let socket = socket.map_err(|error| self.unsent(&error))?;
            let server = socket.peer_addr();
            self.exchange = Some((socket, Exchange::new(server, self.request, self.config)));
            exchanges.restart_clock();
            return Ok(true);
        };
        while let Ok(request) = exchange.poll_transmit() {
            match socket.send(request) {
                // A full send buffer loses the datagram, as the network might: the time-out sees
                // to it.
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                    return Err(nb::Error::Other(self.unsent(&error)));
                }
                _ => exchange.transmitted(cx.now()),
            }
        }
        let event = match socket.recv(cx, &mut self.buffer) {
            Ok(datagram) => exchange.handle_datagram(cx.now(), datagram),
            Err(nb::Error::WouldBlock) => exchange.handle_timeout(cx.now()),
            Err(nb::Error::Other(error)) => {
                let _ = exchange.handle_unreachable();
                return Err(nb::Error::Other(self.unreachable(&error)));
            }
        };
        match event {
            Ok(ExchangeEvent::Replied { reply, .. }) => {
                exchanges.printer.show(&ReceivedDatagram::from(&reply));
                let (truncated, length) = (reply.is_truncated(), reply.length);
                if truncated {
                    exchanges.succeed_in_part(format!(
                        "the reply of {} was truncated: {length} bytes, and --capacity is {}",
                        self.name,
                        self.buffer.len()
                    ));
                } else {
                    exchanges.succeed();
                }
                self.servers.truncate(1);
                self.close(cx);
                Ok(true)
            }
            Ok(ExchangeEvent::Retrying { left }) => {
                log::info!(
                    "no reply from {}: trying again ({left} more tries after this)",
                    self.name
                );
                Ok(true)
            }
            Ok(_) => Ok(true),
            Err(nb::Error::WouldBlock) => {
                cx.set_deadline(exchange.poll_deadline());
                Err(nb::Error::WouldBlock)
            }
            Err(nb::Error::Other(error)) => Err(nb::Error::Other(self.failed(error))),
        }
    }

    /// Ends the exchange.
    fn close(&mut self, cx: &mut Context<'_, Exchanges<'_>>) {
        if let Some((socket, _)) = self.exchange.take() {
            socket.close(cx);
        }
    }

    fn unsent(&self, error: &io::Error) -> String {
        match (error.kind(), self.local) {
            (io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable, Some(local)) => {
                format!("cannot send from {local}: {}", describe(error))
            }
            (io::ErrorKind::ConnectionRefused, _) => self.unreachable(error),
            _ => format!("cannot send to {}: {}", self.name, describe(error)),
        }
    }

    fn unreachable(&self, error: &io::Error) -> String {
        let advice = match error.kind() {
            io::ErrorKind::ConnectionRefused => " (is a server listening there?)",
            _ => "",
        };
        format!("cannot reach {}: {}{advice}", self.name, describe(error))
    }

    fn failed(&self, error: ExchangeError) -> String {
        let (name, timeout) = (&self.name, self.config.timeout);
        match (error, self.config.retries) {
            (ExchangeError::Unreachable, _) => format!("cannot reach {name}: {error}"),
            (ExchangeError::TimedOut, 0) => {
                format!("no reply from {name} in {timeout} (try again with --retries)")
            }
            (ExchangeError::TimedOut, retries) => {
                format!("no reply from {name}, tried {} times", u64::from(retries) + 1)
            }
            _ => format!("{name}: {error}"),
        }
    }
}

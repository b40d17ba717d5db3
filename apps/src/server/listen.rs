//! Where a server listens.

use std::io;
use std::num::NonZero;
use std::thread;

use barewire_core::time::Duration;
use barewire_linux::activation::Notifier;
use barewire_linux::address::Address;
use barewire_linux::job_control;
use barewire_linux::signals::Signals;
use clap::Args;

use crate::cli::addresses::ListenAddress;
use crate::cli::exit::Failure;
use crate::cli::numbers::{at_least, from_to};
use crate::cli::resource_limits::raise_descriptor_limit;
use crate::cli::times::{duration, written};
use crate::output::events::listening::Listening;
use crate::output::printer::Printer;
use crate::output::system_error::describe;
use crate::output::writable;

use super::capacity::{ClientLimits, PerSource};
use super::penalties::DEFAULT_MAX_PAUSE;
use super::service::Service;
use super::sockets::{Opened, ServerSocket, bind, open_passed};
use super::user;

/// Where a server listens, and how it serves.
#[derive(Args, Debug)]
pub(crate) struct ListenArguments {
    /// Where to listen, several if need be: HOST:PORT, or HOST and PORT as two arguments, at every address
    /// of the host; port 0 asks for a free one. A server of streams also at unix:PATH. Of several sockets
    /// passed by the service manager, fd:NAME serves those of that name only
    #[arg(value_name = "ADDR", num_args = 0.., default_value = DEFAULT_ADDRESS)]
    address: Vec<String>,

    #[command(flatten)]
    pub(crate) serve: ServeArguments,
}

pub(crate) const DEFAULT_ADDRESS: &str = "127.0.0.1:8080";

impl ListenArguments {
    /// As [`ServeArguments::open`], at the address given.
    pub(crate) fn open<S: ServerSocket>(&self) -> Result<Opened<S>, Failure> {
        self.serve.open(&ListenAddress::read_only(&self.address)?, 1)
    }
}

/// How a server serves.
#[derive(Args, Debug)]
pub(crate) struct ServeArguments {
    /// Exit after serving one client; with --key, one that has a key
    #[arg(long)]
    pub(crate) once: bool,

    #[command(flatten)]
    socket: SocketArguments,

    /// Serve with N threads, each with its own socket on the address [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "once",
          value_parser = from_to(1_u16, 256))]
    threads: Option<u16>,
}

impl ServeArguments {
    /// As [`open`], for the threads asked for, or else for `threads`.
    pub(crate) fn open<S: ServerSocket>(
        &self,
        address: &ListenAddress<'_>,
        threads: usize,
    ) -> Result<Opened<S>, Failure> {
        let permissions = self.socket.permissions(address)?;
        if let Some(passed) = open_passed(address)? {
            if self.threads > Some(1) {
                log::warn!(
                    "--threads is ignored: one thread serves what the service manager has passed"
                );
            }
            return Ok(passed);
        }
        let threads = match self.threads {
            Some(threads) => {
                check_threads(threads.into()).map_err(|error| {
                    let why = describe(&error);
                    Failure::Conversation(format!(
                        "cannot start {threads} threads: {why} (is there a limit, or a filter of system \
                         calls? --threads 1 needs no other)"
                    ))
                })?;
                threads.into()
            }
            None if self.once => 1,
            None => check_threads(threads).map_or_else(
                |error| {
                    log::debug!("serving with one thread: {}", describe(&error));
                    1
                },
                |()| threads,
            ),
        };
        bind(address, permissions, threads)
    }
}

/// How a server makes its sockets.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct SocketArguments {
    /// Who may connect to a Unix socket, as the permissions of its file: whoever may write to it may connect
    /// [default: 660, the owner and the group]
    #[arg(long, value_name = "MODE", value_parser = socket_mode)]
    socket_mode: Option<u32>,
}

const DEFAULT_SOCKET_MODE: u32 = 0o660;

impl SocketArguments {
    /// The permissions of those at `address`.
    fn permissions(self, address: &ListenAddress<'_>) -> Result<u32, Failure> {
        if self.socket_mode.is_some() && !address.has_unix() {
            return Err(Failure::usage(
                "--socket-mode is for Unix sockets, and no ADDR is unix:PATH",
            ));
        }
        Ok(self.socket_mode.unwrap_or(DEFAULT_SOCKET_MODE))
    }

    /// As [`ServeArguments::open`], for a server with one thread.
    pub(crate) fn open<S: ServerSocket>(
        self,
        address: &ListenAddress<'_>,
    ) -> Result<Opened<S>, Failure> {
        let permissions = self.permissions(address)?;
        open_passed(address)?.map_or_else(|| bind(address, permissions, 1), Ok)
    }
}

/// How many clients a server has at once.
#[derive(Args, Debug)]
pub(crate) struct ClientArguments {
    /// How many clients to serve at once; more are turned away [default: as many as the
    /// system allows open files for]
    #[arg(long, value_name = "N", value_parser = at_least(NonZero::<usize>::MIN))]
    max_clients: Option<NonZero<usize>>,

    /// How many connections from one source (an IPv4 address, an IPv6 network of 64 bits, or a user of a Unix
    /// socket) to serve at once; more are turned away [default: three quarters of --max-clients, but never all
    /// of several, if that is given, or else a quarter of what the system allows]
    #[arg(long, value_name = "N", value_parser = at_least(NonZero::<usize>::MIN))]
    max_per_source: Option<NonZero<usize>>,
}

impl ClientArguments {
    /// For clients that take so many descriptors each.
    pub(crate) fn limits(&self, descriptors_each: usize) -> ClientLimits {
        let chosen = self.max_per_source.map(NonZero::get);
        let per_source = chosen.map_or(PerSource::Share, PerSource::Chosen);
        ClientLimits { clients: self.max_clients, per_source, descriptors_each }
    }
}

/// What becomes of sources whose conversations fail.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct PenaltyArguments {
    /// The longest pause for a source whose conversations fail one after another: it is turned away for 5s at
    /// first, then for twice as long each time, except for one connection a second. 0 pauses nobody; users of a
    /// Unix socket are never paused
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = written(DEFAULT_MAX_PAUSE))]
    pub(crate) max_pause: Duration,
}

/// Whether there can be so many threads: to be known before anybody is told that the server listens.
fn check_threads(threads: usize) -> io::Result<()> {
    if threads > 1 {
        // It does nothing, and so does not panic.
        let _ = thread::Builder::new().spawn(|| {})?.join();
    }
    Ok(())
}

/// Gets ready to serve: raises the limit on descriptors, takes over the signals, has the process `confine`
/// itself, and says that the server listens, on standard output and to the service manager. From `confine` on
/// the process need not be able to reach anything new.
pub(crate) fn start(
    addresses: &[Address],
    printer: &mut Printer,
    confine: impl FnOnce() -> Result<(), Failure>,
) -> Result<Service, Failure> {
    raise_descriptor_limit();
    let signals = Signals::block().map_err(Failure::system)?;
    job_control::run_in_background().map_err(Failure::system)?;
    writable::interrupt_by(signals.caught());
    let notifier = Notifier::connect();
    confine()?;
    user::tell_root();
    for address in addresses {
        printer.show(&Listening { address: *address });
    }
    let is_stalled = writable::has_stalled(&io::stdout());
    if is_stalled {
        // Who does not read now reads it later, and clients are not to wait for that.
        printer.set_lossy();
    }
    printer.flush();
    if let Some(why) = printer.write_error() {
        // Whoever waits for that line would wait for ever.
        return Err(Failure::Conversation(why.to_owned()));
    }
    if !is_stalled {
        printer.set_lossy();
    }
    let notifier = notifier.and_then(|notifier| notifier.ready().map(|()| notifier));
    let notifier = notifier.unwrap_or_else(|error| {
        log::warn!("cannot notify the service manager: {}", describe(&error));
        Notifier::nobody()
    });
    Ok(Service { signals, notifier })
}

/// Reads permissions, in octal digits.
fn socket_mode(argument: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(argument, 8).ok().filter(|mode| *mode <= 0o777);
    let is_plain = argument.bytes().all(|byte| byte.is_ascii_digit());
    mode.filter(|_| is_plain).ok_or_else(|| "must be three octal digits, such as 660 or 666".into())
}

//! `file-server`: sends the files of a folder to everybody.

mod connection;
mod pacer;
mod reason;
mod recheck;
mod response;
mod sources;
mod store;
mod stores;

use std::iter;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use barewire_core::file::{DEFAULT_STALL, DEFAULT_TIMEOUT, Sender, TransferConfig};
use barewire_core::secure::Conversation;
use barewire_core::text::DEFAULT_QUIET;
use barewire_core::time::Duration;
use barewire_linux::link::RecordBuffers;
use barewire_linux::sandbox::{Allowed, Keep};
use barewire_linux::workers::WorkerPool;
use clap::Parser;

use crate::cli::addresses::{ListenAddress, is_like_an_address};
use crate::cli::arguments::Common;
use crate::cli::exit::Failure;
use crate::cli::keys::{KEY_HEADING, ServerKeyArguments};
use crate::cli::run::Run;
use crate::cli::sizes::rate;
use crate::cli::times::{duration, timeout, written};
use crate::output::printer::Printer;
use crate::server::links::Links;
use crate::server::listen::{
    self, ClientArguments, DEFAULT_ADDRESS, PenaltyArguments, ServeArguments,
};
use crate::server::serve::{AcceptLimits, Others, serve};
use crate::server::sockets::{Opened, removing};
use crate::server::user::UserArguments;

use connection::{ClientConnection, FileServerState};
use sources::{SourceLimits, Sources};
use stores::{KeyRoot, Stores, key_root};

const EXAMPLES: &str = "\
Examples:
  file-server                          the current folder, to this machine only
  file-server 0.0.0.0:8080 /srv/files  a folder, to everybody who can reach this host
  file-server 127.0.0.1:0 . --once     one connection on a free port, for a script
  file-server unix:/run/files/socket . to the owner and the group of that file
  file-server --key ben.key            to clients with this key only

Any client will do: file-client resumes and verifies; `printf 'NAME\\n' | nc HOST PORT` just \
downloads. Nothing outside the folder is ever read, whatever the links inside it say. SIGINT or \
SIGTERM stops the server with exit code 0, after 5 seconds at most; a second one stops it at once.";

/// Other servers do with one thread unless they are told.
const THREADS: &str = "Serve with N threads, each with its own socket on the address [default: as many \
    as there are processors]";

/// How many a client takes: its connection, and a file.
const DESCRIPTORS: usize = 2;

/// Of a channel: requests are small.
const RECORDS: RecordBuffers = RecordBuffers { receive: 4 << 10, send: 64 << 10 };

/// The fewest threads that read files, hash them, and list folders.
const WORKERS: usize = 4;

/// Sends the files of a folder to everybody who asks.
#[derive(Debug, Parser)]
#[command(name = FileServerProgram::NAME, version, after_help = EXAMPLES)]
#[command(mut_arg("threads", |threads| threads.help(THREADS)))]
pub(crate) struct FileServerProgram {
    /// Where to listen, several if need be: HOST:PORT, or HOST and PORT as two arguments, port 0 for a free one
    /// (127.0.0.1:8080); unix:PATH; or fd:NAME for the sockets of that name that the service manager has
    /// passed; and the folder to serve (the current one; write ./NAME if it looks like an address)
    #[arg(value_names = ["ADDR", "DIR"], num_args = 0..)]
    words: Vec<String>,

    #[command(flatten)]
    serve: ServeArguments,

    #[command(flatten)]
    clients: ClientArguments,

    #[command(flatten)]
    penalties: PenaltyArguments,

    /// How many bytes of contents to send each second, to all clients together: 500K, 1.5M or 2G, for
    /// powers of 1024 [default: no limit]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    limit_rate: Option<u64>,

    /// How many bytes of contents to send each second to one client, with all of its connections
    /// [default: no limit]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    limit_rate_client: Option<u64>,

    /// How long a client may take to say what it wants
    #[arg(short, long, value_name = "TIME", value_parser = timeout, default_value = written(DEFAULT_TIMEOUT))]
    timeout: Duration,

    /// How long a client may take nothing, or less than 16 bytes a second on average, of what it asked for
    #[arg(long, value_name = "TIME", value_parser = timeout, default_value = written(DEFAULT_STALL))]
    stall: Duration,

    /// How long a client must be silent for a name without a line feed to be complete
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = written(DEFAULT_QUIET))]
    quiet_period: Duration,

    /// Serve hidden files as well: what begins with a dot, and unfinished downloads (NAME.part). Without this
    /// option they are served only through a link that is not hidden
    #[arg(long)]
    hidden: bool,

    #[command(flatten)]
    user: UserArguments,

    #[command(flatten)]
    key: ServerKeyArguments,

    /// Serve clients with the key NAME (`ben` for ben.key) from the folder DIR, and from nowhere else. Give it
    /// again for other keys
    #[arg(long, value_name = "NAME=DIR", value_parser = key_root, help_heading = KEY_HEADING)]
    key_root: Vec<KeyRoot>,

    #[command(flatten)]
    common: Common,
}

impl Run for FileServerProgram {
    const NAME: &'static str = "file-server";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self, printer: &mut Printer) -> Result<(), Failure> {
        let default = [DEFAULT_ADDRESS.to_owned()];
        let words = if self.words.is_empty() { &default } else { self.words.as_slice() };
        let (address, folder) = address_and_folder(words)?;
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let Opened { shares, addresses } = self.serve.open(&address, processors)?;
        self.user.take_effect(Keep::Files)?;
        let keys = self.key.read(&addresses)?;
        let stores = Stores::open(&folder, &self.key_root, keys.as_ref(), self.hidden)?;
        // Before the threads begin, since each inherits it from this one.
        let service = listen::start(&addresses, printer, || {
            stores.confine(self.common.sandbox, removing(Allowed::nothing(), &shares))
        })?;
        let config = TransferConfig::new()
            .with_quiet(self.quiet_period)
            .with_timeout(self.timeout)
            .with_stall(self.stall);
        let workers = NonZero::new(processors.max(WORKERS)).unwrap_or(NonZero::<usize>::MIN);
        let source_limits = SourceLimits {
            rate: self.limit_rate_client.and_then(NonZero::new),
            total_rate: self.limit_rate.and_then(NonZero::new),
        };
        let sources = Sources::new(WorkerPool::new(workers), source_limits);
        let links = Links::new(keys, Conversation::File, RECORDS, self.timeout);
        let is_keyed = links.are_keyed();
        let state = Arc::new(FileServerState { stores, sources, config, links });
        let limits = AcceptLimits {
            once: self.serve.once,
            clients: self.clients.limits(DESCRIPTORS),
            others: Others::AreTold,
            max_pause: self.penalties.max_pause,
            grace: self.common.waits.grace,
            linger: self.common.waits.linger,
        }
        .under_keys(is_keyed);
        serve(
            shares,
            iter::repeat(state),
            service,
            limits,
            printer,
            |_, _| {},
            |state, now, peer, stream| {
                let source = state.sources.of(peer.address.source());
                let session = Sender::new(now, state.config);
                let link = state.links.link(now, stream)?;
                Ok(ClientConnection::new(link, session, peer, source))
            },
        )
    }
}

/// The address, and the folder behind it.
fn address_and_folder(words: &[String]) -> Result<(ListenAddress<'_>, PathBuf), Failure> {
    let (address, rest) = ListenAddress::read_first(words, |word| !is_like_an_address(word)).map_err(|failure| match words {
        [folder] if Path::new(folder).is_dir() => Failure::usage(format!(
            "'{folder}' is a folder, not an address (the folder comes behind the address: file-server {DEFAULT_ADDRESS} \
             {folder})"
        )),
        _ => failure,
    })?;
    match rest {
        [] => Ok((address, PathBuf::from("."))),
        [folder] => {
            let folder = PathBuf::from(folder);
            Ok((address, folder))
        }
        [_, extra, ..] => Err(Failure::unexpected_argument(extra)),
    }
}

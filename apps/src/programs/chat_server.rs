//! `chat-server`: hosts a chat room.

mod ban;
mod bans;
mod bans_file;
mod broadcaster;
mod greeting;
mod key_nicks;
mod log_file;
mod member;
mod moderation;
mod motd;
mod newcomer;
mod nick_rules;
mod operator;
mod operator_command;
mod recorder;
mod refusal;
mod replacement;
mod state;
mod unopened;

use std::path::PathBuf;

use barewire_core::chat::{
    DEFAULT_HISTORY, DEFAULT_JOIN_RATE, DEFAULT_LINE_RATE, DEFAULT_MAX_TEXT,
    DEFAULT_MEMBERS_PER_SOURCE, JoinError, RoomConfig, min_log_bytes,
};
use barewire_core::secure::{self, Conversation};
use barewire_core::text::DEFAULT_QUIET;
use barewire_core::time::Duration;
use barewire_linux::files::is_same_file;
use barewire_linux::link::RecordBuffers;
use barewire_linux::sandbox::{Allowed, Keep};
use clap::Parser;

use crate::cli::addresses::ListenAddress;
use crate::cli::arguments::Common;
use crate::cli::exit::Failure;
use crate::cli::keys::{Named, ServerKeyArguments};
use crate::cli::numbers::{at_least, from_to};
use crate::cli::run::Run;
use crate::cli::times::{duration, written};
use crate::cli::waits::Waits;
use crate::output::printer::Printer;
use crate::server::admission::Obstacle;
use crate::server::capacity::{ClientLimits, PerSource};
use crate::server::links::Links;
use crate::server::listen::{self, DEFAULT_ADDRESS, PenaltyArguments, SocketArguments};
use crate::server::serve::{AcceptLimits, Others, serve};
use crate::server::sockets::{Opened, removing};
use crate::server::user::UserArguments;

use bans::Bans;
use broadcaster::Broadcaster;
use log_file::LogFile;
use member::MemberConnection;
use motd::Motd;
use operator::Operator;
use recorder::Recorder;
use state::{ChatState, LINE_BUFFERS, empty_room};

const EXAMPLES: &str = "\
Examples:
  chat-server                              a room on 127.0.0.1:8080
  chat-server 0.0.0.0:9000 --log chat.log  for everybody who can reach this host, with a log file
  chat-server unix:/run/chat/socket        for the owner and the group of that file
  chat-server --key keys                   for clients with a key in this folder: ben.key is ben
  echo 'back at noon' | chat-server -q     send a line to whoever comes, show nothing

What is typed here is sent as 'server'; /help lists the commands, /kick NICK, /ban NICK [TIME], \
/unban ADDRESS and /bans among them. A ban is on the address, or the IPv6 network of 64 bits, or of \
a Unix socket on the user (uid:1000), and so on all who come from there. In the background of a \
terminal it serves on, and reads again in the foreground. Any client will do: chat-client, nc, or a \
few lines of Python.

With --key only clients that have the key can join, and nobody else can read a word. With several keys, \
or a folder of keys, the name of a key is the nick of its owner, and nobody else can have that nick (a \
second connection is ben-2).

SIGINT or SIGTERM stops the server with exit code 0, after 5 seconds at most; a second one stops it \
at once.";

/// Of a channel: members say little, and hear much.
const RECORDS: RecordBuffers = RecordBuffers { receive: 1 << 10, send: 4 << 10 };

/// How many a member takes: its connection.
const DESCRIPTORS: usize = 1;

/// What who is turned away is told, before anything is heard of it.
fn words(obstacle: Obstacle) -> &'static [u8] {
    let line = match obstacle {
        Obstacle::Full => JoinError::RoomFull.line(),
        Obstacle::SourceFull => JoinError::SourceFull.line(),
        Obstacle::Paused { .. } => {
            "* connections from this address keep failing: come back later\n"
        }
    };
    line.as_bytes()
}

/// Hosts a chat room.
#[derive(Debug, Parser)]
#[command(name = ChatServerProgram::NAME, version, after_help = EXAMPLES)]
pub(crate) struct ChatServerProgram {
    /// Where to listen, several if need be: HOST:PORT, or HOST and PORT as two arguments, at every address
    /// of the host, with port 0 for a free one; or unix:PATH. Of several sockets passed by the service
    /// manager, fd:NAME serves those of that name only
    #[arg(value_name = "ADDR", num_args = 0.., default_value = DEFAULT_ADDRESS)]
    address: Vec<String>,

    #[command(flatten)]
    socket: SocketArguments,

    /// How many of the last lines to send to a new member
    #[arg(long, value_name = "N", default_value_t = DEFAULT_HISTORY, value_parser = from_to(0, u16::MAX))]
    history: u16,

    /// The maximum number of members
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = from_to(1_u32, 1_000_000))]
    max_members: u32,

    /// The maximum number of members from one address (an IPv6 network of 64 bits counts as one, and so does
    /// a user of a Unix socket); as many more may be about to join
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MEMBERS_PER_SOURCE,
          value_parser = from_to(1_u32, 1_000_000))]
    max_per_source: u32,

    /// How many members a second may join from one address, after a burst of twice --max-per-source; 0 means
    /// no limit
    #[arg(long, value_name = "N", default_value_t = DEFAULT_JOIN_RATE, value_parser = at_least(0_u32))]
    join_rate: u32,

    /// How many unfinished lines from one address to hold at a time, of 256 in all; further ones wait
    #[arg(long, value_name = "N", default_value_t = LINE_BUFFERS / 4,
          value_parser = from_to(1, LINE_BUFFERS))]
    max_begun_per_source: u16,

    #[command(flatten)]
    penalties: PenaltyArguments,

    /// How many lines a second a member may send, after a burst of 100, and all members from one address
    /// four times as many; 0 means no limit
    #[arg(long, value_name = "N", default_value_t = DEFAULT_LINE_RATE, value_parser = at_least(0_u32))]
    rate: u32,

    /// How many bytes of lines to keep for members who read slowly
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20,
          value_parser = from_to(min_log_bytes(DEFAULT_MAX_TEXT) as u64, 1 << 31))]
    backlog: u64,

    /// Append what is said to a log file, with the time; SIGHUP reopens it, after it was renamed
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// Keep the bans of /ban in this regular file, a line for each, so that they hold after a restart
    #[arg(long, value_name = "FILE")]
    bans: Option<PathBuf>,

    /// Show the lines of this regular file to whoever joins: at most 20, and 4096 bytes as they are shown;
    /// SIGHUP reads it again
    #[arg(long, value_name = "FILE")]
    motd: Option<PathBuf>,

    /// How long a member who sends no line feeds must be silent for a line to be complete
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = written(DEFAULT_QUIET))]
    quiet_period: Duration,

    #[command(flatten)]
    user: UserArguments,

    #[command(flatten)]
    key: ServerKeyArguments,

    #[command(flatten)]
    common: Common,
}

impl Run for ChatServerProgram {
    const NAME: &'static str = "chat-server";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self, printer: &mut Printer) -> Result<(), Failure> {
        let address = ListenAddress::read_only(&self.address)?;
        self.check_files()?;
        // The room lives on one thread.
        let Opened { shares, addresses } = self.socket.open(&address)?;
        self.user.take_effect(Keep::Files)?;
        let keys = self.key.read_apart_from(&addresses, &self.named_files())?;
        keys.as_ref().map_or(Ok(()), key_nicks::check)?;
        let links = Links::new(keys, Conversation::Chat, RECORDS, secure::DEFAULT_TIMEOUT);
        let is_keyed = links.are_keyed();
        let log_file = self.log.as_deref().map(LogFile::open).transpose();
        let log_file = log_file.map_err(|failure| failure.about("--log"))?;
        let motd = self.motd.as_deref().map(Motd::open).transpose();
        let motd = motd.map_err(|failure| failure.about("--motd"))?;
        let mut bans = Bans::default();
        let confine = || {
            self.common.sandbox.confine_and_tell(&removing(self.files(), &shares))?;
            bans = Bans::open(self.bans.as_deref()).map_err(|failure| failure.about("--bans"))?;
            Ok(())
        };
        let mut service = listen::start(&addresses, printer, confine)?;
        if log_file.is_some() || motd.is_some() {
            let log_file = log_file.clone();
            let motd = motd.as_ref().map(Motd::reloader).transpose()?;
            service.on_hangup(move |reload| {
                if let Some(log_file) = &log_file {
                    log_file.reopen(reload.clone());
                }
                if let Some(motd) = &motd {
                    motd.reload(reload.clone());
                }
            });
        }
        let Waits { grace, linger, .. } = self.common.waits;
        let config = RoomConfig::new()
            .with_quiet(self.quiet_period)
            .with_history(self.history)
            .with_rate(self.rate)
            .with_members_per_source(self.max_per_source)
            .with_joins(self.join_rate, 2 * self.max_per_source)
            .with_line_buffers(LINE_BUFFERS)
            .with_line_buffers_per_source(self.max_begun_per_source)
            .with_nicks(nick_rules::UNICODE);
        let room = empty_room(self.max_members, self.backlog, config)
            .map_err(|error| Failure::usage(error.to_string()))?;
        let state = ChatState::new(room, Recorder::new(log_file.clone()), bans, motd, links);
        let limits = AcceptLimits {
            once: false,
            clients: client_limits(self.max_per_source),
            others: Others::AreClosed { words },
            max_pause: self.penalties.max_pause,
            grace,
            linger,
        }
        .under_keys(is_keyed);
        let served = serve(
            shares,
            [state],
            service,
            limits,
            printer,
            |executor, state| {
                state.broadcaster = Some(executor.spawn(Box::new(Broadcaster)));
                state.members.push(executor.spawn(Box::new(Operator::new())));
            },
            MemberConnection::new,
        );
        if let Some(log_file) = log_file {
            log_file.finish();
        }
        served
    }
}

/// How many connections there may be. Of one source the room has no more than its share, and there may be as
/// many besides that have not joined; but never all.
fn client_limits(members_per_source: u32) -> ClientLimits {
    let share = usize::try_from(members_per_source).unwrap_or(usize::MAX).saturating_mul(2);
    let per_source = PerSource::AtMost(share);
    ClientLimits { clients: None, per_source, descriptors_each: DESCRIPTORS }
}

impl ChatServerProgram {
    /// Each of them is another: one would spoil the other, or tell it.
    fn check_files(&self) -> Result<(), Failure> {
        let named = self.named_files();
        for (index, Named { option, path, .. }) in named.iter().enumerate() {
            for other in &named[..index] {
                if let (Some(path), Some(other_path)) = (path, other.path)
                    && is_same_file(path, other_path).unwrap_or(false)
                {
                    let (path, other) = (path.display(), other.option);
                    let message = format!("{option}: {path} is what {other} names");
                    return Err(Failure::usage(format!(
                        "{message} (each takes a file of its own)"
                    )));
                }
            }
        }
        Ok(())
    }

    fn named_files(&self) -> [Named<'_>; 3] {
        let Self { log, bans, motd, .. } = self;
        [
            Named::made("--log", log.as_deref()),
            Named::made("--bans", bans.as_deref()),
            Named::read("--motd", motd.as_deref()),
        ]
    }

    /// The files that it still opens while it serves.
    fn files(&self) -> Allowed<'static> {
        let Self { log, bans, motd, .. } = self;
        let written = log.iter().chain(bans);
        let allowed = written.fold(Allowed::nothing(), |all, file| all.writing_file(file));
        motd.iter().fold(allowed, |all, file| all.reading_file(file))
    }
}

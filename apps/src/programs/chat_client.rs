//! `chat-client`: chats with everybody in a room.

mod commands;
mod keyboard;
mod members;
mod mention;
mod notices;
mod piped_input;
mod reconnector;
mod replay_filter;
mod reporter;
mod server_profile;
mod session;
mod state;
mod style;

use std::io::{self, IsTerminal as _};

use barewire_core::chat::{DEFAULT_LINE_RATE, NickError, check_nick};
use barewire_core::secure::Conversation;
use barewire_core::text::DEFAULT_QUIET;
use barewire_core::time::Duration;
use barewire_linux::dialer::TIMEOUT;
use barewire_linux::link::RecordBuffers;
use barewire_linux::sandbox::Allowed;
use barewire_linux::standard_streams;
use clap::Parser;

use crate::cli::arguments::Common;
use crate::cli::exit::Failure;
use crate::cli::keys::ClientKeyArguments;
use crate::cli::numbers::at_least;
use crate::cli::privileges::give_up_privileges;
use crate::cli::run::Run;
use crate::cli::times::{duration, timeout, written};
use crate::cli::waits::Waits;
use crate::client::channel::ClientChannel;
use crate::client::destination::{Destination, FamilyArguments};
use crate::client::interruptible;
use crate::output::printer::Printer;
use crate::terminal::screen::Screen;

use keyboard::Keyboard;
use piped_input::PipedInput;
use reconnector::Reconnector;
use reporter::Reporter;
use state::{ChatClientState, Settings, Tasks};

/// Of a channel: much may come at once, and little goes.
const RECORDS: RecordBuffers = RecordBuffers { receive: 16 << 10, send: 4 << 10 };

const EXAMPLES: &str = "\
Examples:
  chat-client 127.0.0.1:8080                   chat under your own name (/help tells the commands)
  chat-client example.org 8080 --nick anna     chat as anna
  chat-client example.org 8080 --key ben.key   with a key that the server has, too
  echo done | chat-client 127.0.0.1:8080       send a line from a script, and show what comes

On a terminal it reconnects when the connection ends; /quit, or Ctrl-D on an empty line, exits with \
code 0. Tab completes nicks and commands, Ctrl-R searches your lines, Page Up shows what has left \
the screen. Several pasted lines are sent after one look. /ignore NICK hides what somebody says, and \
/unignore NICK undoes that. A line whose time is followed by ! mentions you.

Otherwise standard input is sent line by line, no faster than servers take it, and after its end \
what still comes is shown; with --nick nothing is sent before the server has given that nick. The exit \
code is 0 if the server closed the connection in order, 1 if it did not let you in or did not give the \
nick, or the connection was lost or could not be made, or lines were lost, 2 for wrong usage, and 128 \
and the number of the signal that ended it, such as 130 after SIGINT.";

/// Chats with everybody in a room.
#[derive(Debug, Parser)]
#[command(name = ChatClientProgram::NAME, version, after_help = EXAMPLES)]
pub(crate) struct ChatClientProgram {
    /// The server, HOST:PORT, or HOST and PORT as two arguments, or unix:PATH
    #[arg(value_name = "ADDR", num_args = 1..=2, required = true)]
    words: Vec<String>,

    /// Your nick; on a terminal, by default, the name of the user. Off one, a nick that the server does not
    /// give is an error
    #[arg(short, long, value_name = "NAME", value_parser = nick)]
    nick: Option<String>,

    /// How many lines a second to send, after a burst of about a hundred; 0 means no limit. A server
    /// refuses lines over its own limit
    #[arg(long, value_name = "N", default_value_t = DEFAULT_LINE_RATE, value_parser = at_least(0_u32))]
    rate: u32,

    /// Ring the terminal's bell when your nick is mentioned, or a private line comes
    #[arg(long)]
    bell: bool,

    /// Exit when the connection ends
    #[arg(long)]
    no_reconnect: bool,

    /// How long connecting may take
    #[arg(short, long, value_name = "TIME", value_parser = timeout, default_value = written(TIMEOUT))]
    timeout: Duration,

    /// How long a server that sends no line feeds must be silent for a line to be complete
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = written(DEFAULT_QUIET))]
    quiet_period: Duration,

    #[command(flatten)]
    family: FamilyArguments,

    #[command(flatten)]
    key: ClientKeyArguments,

    #[command(flatten)]
    common: Common,
}

impl Run for ChatClientProgram {
    const NAME: &'static str = "chat-client";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self, printer: &mut Printer) -> Result<(), Failure> {
        let (server, rest) = Destination::read_first(&self.words)?;
        if let [extra, ..] = rest {
            return Err(Failure::unexpected_argument(extra));
        }
        let on_terminal = self.is_on_terminal();
        let Waits { retry_pause, welcome_timeout, .. } = self.common.waits;
        let dialer = server.dialer(self.family, &self.common.waits, self.timeout)?;
        let key = self.key.read()?;
        let channel = ClientChannel::new(key, Conversation::Chat, RECORDS, self.timeout);
        let settings = Settings {
            server: server.to_string(),
            timeout: self.timeout,
            quiet: self.quiet_period,
            rate: self.rate,
            reconnects: on_terminal && !self.no_reconnect,
            retry_pause,
            welcome_timeout,
        };

        give_up_privileges(server.needs());
        self.common.sandbox.confine_and_tell(&Allowed::client())?;
        let nick = self.nick.or_else(|| on_terminal.then(user).flatten());
        let (mut executor, caught) = if on_terminal {
            interruptible::executor_on_terminal()?
        } else {
            interruptible::executor()?
        };
        let reconnector = executor.spawn(Box::new(Reconnector::new(dialer, channel, retry_pause)));
        let (input, reporter) = if on_terminal {
            let screen = Screen::enter().map_err(Failure::system)?;
            (
                executor.spawn(Box::new(Keyboard::new())),
                Reporter::on_terminal(printer, screen, self.bell),
            )
        } else {
            standard_streams::check_input().map_err(|why| {
                Failure::Conversation(format!("cannot read standard input: {why}"))
            })?;
            (executor.spawn(Box::new(PipedInput::new())), Reporter::to_stdout(printer))
        };
        let mut chat = ChatClientState::new(settings, nick, reporter, Tasks { reconnector, input });
        executor.run(&mut chat).map_err(Failure::system)?;
        let result = chat.end();
        caught.number().map_or(result, |signal| Err(Failure::Signal(signal)))
    }
}

impl ChatClientProgram {
    /// Whether a person sits there, before a terminal on which the cursor can be moved.
    fn is_on_terminal(&self) -> bool {
        let moves = std::env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb");
        !self.common.json && moves && io::stdin().is_terminal() && io::stdout().is_terminal()
    }
}

/// A nick, as far as it can be judged here: the server has the last word.
fn nick(argument: &str) -> Result<String, NickError> {
    check_nick(argument).map(|()| argument.to_owned())
}

/// The user's name, if it can be a nick.
fn user() -> Option<String> {
    let mut names = ["USER", "LOGNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    names.find_map(|name| nick(&name).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nick_that_no_server_takes_is_wrong_usage() {
        for good in ["anna", "7", "Anna-Lena_2.0", "日本", "अनिल"] {
            assert!(nick(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a b", "a\n", "a:", "\x1b", "xxxxxxxxxxxxxxxxxxxxxxxxx"] {
            assert!(nick(bad).is_err(), "{bad:?}");
        }
    }
}

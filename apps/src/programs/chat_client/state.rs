//! What the tasks share.

use std::collections::VecDeque;

use barewire_core::chat::{Kind, Line};
use barewire_core::text::MAX_TEXT;
use barewire_core::time::Duration;
use barewire_linux::dialer::DialError;
use barewire_linux::executor::{Context, TaskId};

use crate::cli::exit::Failure;
use crate::client::destination::connect_error;
use crate::terminal::line::EditOutcome;

use super::commands::{HELP, LocalCommand};
use super::members::Members;
use super::notices::Presence;
use super::replay_filter::ReplayFilter;
use super::reporter::Reporter;

/// So many lines may wait while there is a connection: many pastes.
const WAITING: usize = 1000;

/// So many may while there is none: a server takes them at once when there is one again.
const WAITING_UNCONNECTED: usize = 50;

/// What the user wants.
#[derive(Debug)]
pub(super) struct Settings {
    /// The server as the user named it.
    pub(super) server: String,
    pub(super) timeout: Duration,
    pub(super) quiet: Duration,
    /// How many lines a second a server takes.
    pub(super) rate: u32,
    pub(super) reconnects: bool,
    /// The pause before the first further try.
    pub(super) retry_pause: Duration,
    /// How long the server may take to welcome, or to show that it does not.
    pub(super) welcome_timeout: Duration,
}

/// The tasks, so that they can wake each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tasks {
    pub(super) reconnector: TaskId,
    pub(super) input: TaskId,
}

/// Everything that outlives a connection.
#[derive(Debug)]
pub(super) struct ChatClientState<'o> {
    pub(super) settings: Settings,
    pub(super) reporter: Reporter<'o>,
    pub(super) tasks: Tasks,
    /// Lines to say, the next first.
    pub(super) outbox: VecDeque<String>,
    /// There will be no more of them.
    pub(super) closing: bool,
    pub(super) connected: bool,
    /// The nick that the user has, if the server gives nicks.
    pub(super) nick: Option<String>,
    /// The nick that the user wants.
    pub(super) wanted_nick: Option<String>,
    pub(super) replay_filter: ReplayFilter,
    pub(super) members: Members,
    /// It was told that the server refuses lines.
    refusal_reported: bool,
    result: Result<(), Failure>,
}

impl<'o> ChatClientState<'o> {
    pub(super) fn new(
        settings: Settings,
        wanted_nick: Option<String>,
        reporter: Reporter<'o>,
        tasks: Tasks,
    ) -> Self {
        Self {
            settings,
            reporter,
            tasks,
            outbox: VecDeque::new(),
            closing: false,
            connected: false,
            nick: None,
            wanted_nick,
            replay_filter: ReplayFilter::default(),
            members: Members::default(),
            refusal_reported: false,
            result: Ok(()),
        }
    }

    /// Does what a key at the terminal means.
    pub(super) fn act_on(&mut self, outcome: EditOutcome) {
        match outcome {
            EditOutcome::Entered(line) => self.say_typed(line),
            EditOutcome::Pasted(lines) => self.say_pasted(lines),
            EditOutcome::Completing => {
                let own = self.nick.as_deref();
                if let Some((screen, _)) = self.reporter.screen() {
                    screen.complete(self.members.candidates(screen.left(), own));
                }
            }
            EditOutcome::EndOfInput => self.closing = true,
            _ => {}
        }
    }

    pub(super) fn say_typed(&mut self, line: String) {
        if line.trim().is_empty() {
            return;
        }
        if let Some(command) = LocalCommand::read(&line) {
            self.obey(command);
            return;
        }
        if line.len() > MAX_TEXT {
            self.reporter.fail(&format!(
                "not sent: {} bytes, and a line has at most {MAX_TEXT} (press Up to edit it)",
                line.len()
            ));
            return;
        }
        if self.room() == 0 {
            self.reporter.fail(&format!(
                "not sent: {} lines are queued already (press Up to get it back)",
                self.outbox.len()
            ));
            return;
        }
        self.reporter.own(self.nick.as_deref(), &line, !self.connected);
        if line.trim_end() == "/help" {
            self.reporter.answer(HELP);
        }
        self.outbox.push_back(line);
    }

    /// Says lines that were pasted, as if they were typed; but what does not fit is told once.
    fn say_pasted(&mut self, lines: Vec<String>) {
        let count = lines.len();
        for (said, line) in lines.into_iter().enumerate() {
            if self.closing {
                return;
            }
            if self.room() == 0 {
                let rest = count - said;
                self.reporter.fail(&format!(
                    "not sent: the last {rest} of the {count} lines that were pasted, since {} are queued already",
                    self.outbox.len()
                ));
                return;
            }
            self.say_typed(line);
        }
    }

    /// How many lines more may wait.
    fn room(&self) -> usize {
        let most = if self.connected { WAITING } else { WAITING_UNCONNECTED };
        most.saturating_sub(self.outbox.len())
    }

    fn obey(&mut self, command: LocalCommand<'_>) {
        let answer = match command {
            LocalCommand::Quit => {
                self.closing = true;
                return;
            }
            LocalCommand::Ignore("") => match self.members.ignored().as_slice() {
                [] => "nobody is ignored (/ignore NICK hides what somebody says)".to_owned(),
                nicks => format!("ignored: {} (/unignore NICK undoes that)", nicks.join(", ")),
            },
            LocalCommand::Ignore(nick) => {
                self.members.ignore(nick);
                format!("{nick} is ignored, also under another nick (/unignore NICK undoes that)")
            }
            LocalCommand::Unignore(nick) if self.members.unignore(nick) => {
                format!("{nick} is no longer ignored")
            }
            LocalCommand::Unignore("") => "write it as: /unignore NICK".to_owned(),
            LocalCommand::Unignore(nick) => format!("{nick} was not ignored"),
        };
        self.reporter.answer(&answer);
    }

    /// Takes a line of standard input, which is no person's.
    pub(super) fn say_piped(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = String::from_utf8_lossy(line).into_owned();
        if line.trim_end() == "/quit" {
            self.closing = true;
        } else if line.len() > MAX_TEXT {
            self.report_too_long();
        } else {
            self.outbox.push_back(line);
        }
    }

    pub(super) fn report_too_long(&mut self) {
        self.fail(&format!("not sent: a line of standard input has more than {MAX_TEXT} bytes"));
    }

    /// The server refuses lines that come too fast. A person sees its note.
    pub(super) fn report_refusal(&mut self) {
        if !self.reporter.is_on_terminal() && !std::mem::replace(&mut self.refusal_reported, true) {
            self.fail(
                "rate limited: the server refused lines that came too fast (set a lower --rate)",
            );
        }
    }

    /// A line of the server's has more than `longest` bytes, and is not shown.
    pub(super) fn report_omitted(&mut self, longest: usize) {
        let message = format!("not shown: a line is too long (more than {longest} bytes)");
        if self.reporter.is_on_terminal() {
            self.reporter.fail(&message);
        } else {
            self.fail(&message);
        }
    }

    /// Notes a failure that does not end the conversation.
    pub(super) fn fail(&mut self, message: &str) {
        self.reporter.fail(message);
        self.result = Err(Failure::Reported);
    }

    /// Takes note of what a line tells about the user's own nick, whenever it is shown. Tells whether
    /// the user has another by it.
    pub(super) fn update_nick(&mut self, line: Line<'_>) -> bool {
        if let Some(nick) = line.welcome() {
            self.rename(nick.to_owned());
        } else if let (Kind::Notice(notice), Some(own)) = (line.kind, &self.nick) {
            let notice = notice.to_string();
            if let Some(Presence::Renamed { old, new }) = Presence::read(&notice)
                && old == own
            {
                // After the next connection it is wanted again.
                self.wanted_nick = Some(new.to_owned());
                self.rename(new.to_owned());
                return true;
            }
        }
        false
    }

    fn rename(&mut self, nick: String) {
        self.reporter.rename(&nick);
        self.replay_filter.record_nick(&nick);
        self.nick = Some(nick);
    }

    /// The user leaves: what was not sent will not be.
    pub(super) fn report_unsent(&mut self) {
        if !self.outbox.is_empty() {
            self.reporter.fail(&format!("queued lines not sent: {}", self.outbox.len()));
        }
    }

    /// The chat is over: all tasks end.
    pub(super) fn finish<W>(&mut self, cx: &Context<'_, W>, result: Result<(), Failure>) {
        if self.result.is_ok() || matches!(result, Err(Failure::Conversation(_))) {
            self.result = result;
        }
        cx.stop();
    }

    /// Leaves the screen, and tells how it went.
    pub(super) fn end(self) -> Result<(), Failure> {
        self.reporter.end();
        self.result
    }

    /// Why there is no connection.
    pub(super) fn connect_error(&self, error: &DialError) -> String {
        connect_error(&self.settings.server, self.settings.timeout, error)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use core::task::Poll;

    use barewire_linux::executor::{Executor, Task};

    use super::*;
    use crate::output::format::Format;
    use crate::output::printer::Printer;

    struct Nobody;

    impl Task<()> for Nobody {
        fn turn(&mut self, (): &mut (), _: &mut Context<'_, ()>) -> Poll<()> {
            Poll::Ready(())
        }
    }

    /// Gives `act` a chat without a connection.
    pub(in super::super) fn test(act: impl FnOnce(&mut ChatClientState<'_>)) {
        let mut output = Printer::new("test", Format::Text, true);
        let mut executor = Executor::<()>::new().unwrap();
        let task = executor.spawn(Box::new(Nobody));
        let settings = Settings {
            server: "server:1".into(),
            timeout: Duration::from_secs(1),
            quiet: Duration::from_millis(200),
            rate: 10,
            reconnects: true,
            retry_pause: Duration::from_millis(500),
            welcome_timeout: Duration::from_secs(1),
        };
        let tasks = Tasks { reconnector: task, input: task };
        act(&mut ChatClientState::new(
            settings,
            Some("eve".into()),
            Reporter::to_stdout(&mut output),
            tasks,
        ));
    }

    impl ChatClientState<'_> {
        pub(in super::super) fn end_of_test(&self) -> Result<(), ()> {
            self.result.as_ref().map(drop).map_err(drop)
        }
    }

    #[test]
    fn what_is_typed_waits_within_bounds_and_quit_is_for_the_program() {
        test(|chat| {
            for line in ["", "  ", &"x".repeat(MAX_TEXT + 1)] {
                chat.say_typed(line.to_owned());
            }
            assert!(chat.outbox.is_empty());
            for number in 0..=WAITING_UNCONNECTED {
                chat.say_typed(format!("line {number}"));
            }
            assert_eq!(chat.outbox.len(), WAITING_UNCONNECTED);
            chat.connected = true;
            chat.say_typed("/quit it".into());
            assert_eq!(chat.outbox.len(), WAITING_UNCONNECTED + 1);
            assert!(!chat.closing);
            chat.say_typed("/quit ".into());
            assert!(chat.closing);
        });
    }

    #[test]
    fn the_users_nick_is_what_the_server_says() {
        test(|chat| {
            for (line, nick) in [
                ("* eve is now mallory", None),
                ("* welcome to barewire chat, you are guest7 (/help)", Some("guest7")),
                ("* guest71 is now bob", Some("guest7")),
                ("bob: * guest7 is now bob", Some("guest7")),
                ("* guest7 is now eve", Some("eve")),
                ("* eve is now ada", Some("ada")),
            ] {
                chat.update_nick(Line::read(line.as_bytes()));
                assert_eq!(chat.nick.as_deref(), nick, "{line}");
            }
            assert_eq!(chat.wanted_nick.as_deref(), Some("ada"), "after a reconnection, too");
        });
    }

    #[test]
    fn a_line_of_input_that_is_too_long_fails_the_program_and_no_other_line() {
        test(|chat| {
            chat.say_piped(b"one\r");
            chat.say_piped(&[b'x'; MAX_TEXT + 1]);
            chat.say_piped(b"t\xffo");
            assert_eq!(chat.outbox, ["one", "t\u{fffd}o"]);
            assert!(chat.result.is_err());
        });
    }
}

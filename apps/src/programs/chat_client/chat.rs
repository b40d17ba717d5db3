//! What the tasks share.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use barewire_core::chat::{Kind, Line};
use barewire_core::text::MAX_TEXT;
use barewire_core::time::Duration;
use barewire_linux::executor::{Context, TaskId};

use crate::failure::{Failure, words};

use super::known::Known;
use super::voice::Voice;

/// So many lines may wait while there is a connection: many pastes.
const WAITING: usize = 1000;

/// So many may while there is none: a server takes them at once when there is one again.
const WAITING_UNCONNECTED: usize = 50;

/// What the user wants.
#[derive(Debug)]
pub(super) struct Settings {
    /// The server as the user named it.
    pub(super) server: String,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) timeout: Duration,
    pub(super) quiet: Duration,
    pub(super) reconnects: bool,
}

/// The tasks, so that they can wake each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tasks {
    pub(super) conversation: TaskId,
    pub(super) input: TaskId,
}

/// Everything that outlives a connection.
#[derive(Debug)]
pub(super) struct Chat<'o> {
    pub(super) settings: Settings,
    pub(super) voice: Voice<'o>,
    pub(super) tasks: Tasks,
    /// Lines to say, the next first.
    pub(super) outbox: VecDeque<String>,
    /// There will be no more of them.
    pub(super) closing: bool,
    pub(super) connected: bool,
    /// The nick that the user has, if the server gives nicks.
    pub(super) nick: Option<String>,
    /// The nick that the user wants.
    pub(super) wanted: Option<String>,
    pub(super) known: Known,
    result: Result<(), Failure>,
}

impl<'o> Chat<'o> {
    pub(super) fn new(
        settings: Settings,
        wanted: Option<String>,
        voice: Voice<'o>,
        tasks: Tasks,
    ) -> Self {
        Self {
            settings,
            voice,
            tasks,
            outbox: VecDeque::new(),
            closing: false,
            connected: false,
            nick: None,
            wanted,
            known: Known::default(),
            result: Ok(()),
        }
    }

    /// Takes what the user has typed.
    pub(super) fn typed(&mut self, line: String) {
        if line.trim().is_empty() {
            return;
        }
        if line.trim_end() == "/quit" {
            self.closing = true;
            return;
        }
        if line.len() > MAX_TEXT {
            self.voice.note(&format!(
                "not sent: {} bytes, and a line has at most {MAX_TEXT} (the up key brings it back)",
                line.len()
            ));
            return;
        }
        let room = if self.connected { WAITING } else { WAITING_UNCONNECTED };
        if self.outbox.len() >= room {
            self.voice
                .note(&format!("not sent: {room} lines wait already (the up key brings it back)"));
            return;
        }
        self.voice.own(self.nick.as_deref(), &line, !self.connected);
        self.outbox.push_back(line);
    }

    /// Takes a line of standard input, which is no person's.
    pub(super) fn piped(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = String::from_utf8_lossy(line).into_owned();
        if line.trim_end() == "/quit" {
            self.closing = true;
        } else if line.len() > MAX_TEXT {
            self.too_long();
        } else {
            self.outbox.push_back(line);
        }
    }

    /// A line of standard input is too long to be said.
    pub(super) fn too_long(&mut self) {
        self.fail(&format!("not sent: a line of standard input has more than {MAX_TEXT} bytes"));
    }

    /// Notes a failure that does not end the conversation.
    pub(super) fn fail(&mut self, message: &str) {
        self.voice.fail(message);
        self.result = Err(Failure::Reported);
    }

    /// Takes note of what a line tells about the user's own nick, whenever it is shown.
    pub(super) fn learn(&mut self, line: Line<'_>) {
        if let Some(nick) = line.welcome() {
            self.rename(nick.to_owned());
        } else if let (Kind::Notice(notice), Some(own)) = (line.kind, &self.nick) {
            let notice = notice.to_string();
            let renamed = notice.strip_prefix(own.as_str());
            if let Some(new) = renamed.and_then(|rest| rest.strip_prefix(" is now ")) {
                let new = new.to_owned();
                // After the next connection it is wanted again.
                self.wanted = Some(new.clone());
                self.rename(new);
            }
        }
    }

    fn rename(&mut self, nick: String) {
        self.voice.rename(&nick);
        self.nick = Some(nick);
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
        self.voice.end();
        self.result
    }

    /// Why there is no connection.
    pub(super) fn unconnected(&self, error: &io::Error) -> String {
        let Settings { server, timeout, .. } = &self.settings;
        let why = words(error);
        match error.kind() {
            io::ErrorKind::TimedOut => format!(
                "cannot connect to {server}: no answer in {timeout} (check the address, and whether \
                 a firewall drops the packets)"
            ),
            io::ErrorKind::ConnectionRefused => {
                format!("cannot connect to {server}: {why} (is a server listening there?)")
            }
            _ => format!("cannot connect to {server}: {why}"),
        }
    }
}

//! One connection to the server.

use std::collections::VecDeque;
use std::io;

use barewire_core::chat::{Client, DEFAULT_LINE_BURST, Kind, Line, RateLimiter};
use barewire_core::session::Session as _;
use barewire_core::text::{MAX_TEXT, Text, TextReaderError};
use barewire_core::time::{Duration, Instant};
use barewire_linux::executor::Context;
use barewire_linux::link::{DriveError, Link};

use super::state::Chat;
use crate::output::system_error::describe;

/// The room for lines that have not gone out, in bytes.
const OUT: usize = 8192;

/// The longest line that is taken: a text whose every byte is shown as four, and what stands before.
const LINE: usize = 4 * MAX_TEXT + 128;

/// A server has so long to welcome, or to show that it does not. Until then it is taken for one that
/// limits how fast lines may come; and with a nick to tell, lines wait.
const WELCOME: Duration = Duration::from_secs(1);

/// So long after a welcome, what comes is taken for what was said before, unless an answer to the
/// user's nick shows that it is not.
const HISTORY: Duration = Duration::from_millis(300);

/// So long a server may take to close the connection when the user leaves.
const FAREWELL: Duration = Duration::from_secs(1);

/// So many lines are compared with those that are known.
const COMPARED: usize = 1000;

/// A silent peer is asked whether it is there: after half a minute, then three times within another.
const IDLE: Duration = Duration::from_secs(30);
const PROBE: Duration = Duration::from_secs(10);
const PROBES: u8 = 3;

/// How a connection has ended.
#[derive(Debug)]
pub(super) enum End {
    /// The server closed it, in order; or the user has left.
    Closed,
    Broken(String),
}

/// A connection and what belongs to it.
#[derive(Debug)]
pub(super) struct Talk {
    link: Link,
    ears: Ears,
    client: Client<OUT, LINE>,
    pace: RateLimiter,
    /// Lines that may not have gone out.
    said: VecDeque<String>,
    finished: bool,
    farewell: Option<Instant>,
}

/// What is known of the server by what it says.
#[derive(Debug)]
struct Ears {
    /// It is not the first connection: what the server sends again is known.
    again: bool,
    /// The nick that the server is to be told, once it is known to understand.
    nick: Option<String>,
    welcomed: bool,
    /// Until when there may be a welcome.
    awaited: Option<Instant>,
    /// Until when lines are taken for old ones.
    history: Option<Instant>,
    /// They, to be compared with those that are known.
    replay: Option<Vec<String>>,
}

impl Talk {
    pub(super) fn begin(link: Link, again: bool, now: Instant, chat: &mut Chat<'_>) -> Self {
        if let Some(stream) = link.stream() {
            // Without it a dead server is noticed later, no more.
            let _ = stream.set_keepalive(IDLE, PROBE, PROBES);
        }
        let ears = Ears {
            again,
            nick: chat.wanted.clone(),
            welcomed: false,
            awaited: Some(now + WELCOME),
            history: None,
            replay: None,
        };
        Self {
            link,
            ears,
            client: Client::new(chat.settings.quiet),
            pace: RateLimiter::new(),
            said: VecDeque::new(),
            finished: false,
            farewell: None,
        }
    }

    /// Carries the conversation on.
    pub(super) fn carry_on(
        &mut self,
        chat: &mut Chat<'_>,
        cx: &mut Context<'_, Chat<'_>>,
    ) -> nb::Result<(), End> {
        let now = cx.now();
        loop {
            self.ears.pass(now, chat);
            let fed = self.feed(chat, now);
            let (ears, client) = (&mut self.ears, &mut self.client);
            match self.link.drive(cx, client, |line| ears.hear(now, line, chat)) {
                Ok(()) => return Err(nb::Error::Other(End::Closed)),
                Err(nb::Error::Other(fault)) => return Err(nb::Error::Other(broken(&fault))),
                Err(nb::Error::WouldBlock) => {}
            }
            if self.client.has_room(OUT - 1) {
                self.said.clear();
            }
            // What was heard, and what went out, may let more lines go.
            if !(fed || self.can_feed(chat, now)) {
                break;
            }
        }
        if self.farewell.is_some_and(|at| at <= now) {
            return Err(nb::Error::Other(End::Closed));
        }
        let Ears { awaited, history, .. } = self.ears;
        let next = Some(self.next(chat)).filter(|&next| !chat.outbox.is_empty() && next > now);
        let deadlines = [awaited, history, next, self.farewell, self.client.poll_deadline()];
        cx.set_deadline(deadlines.into_iter().flatten().min());
        Err(nb::Error::WouldBlock)
    }

    /// Whether [`feed`](Self::feed) would do something.
    fn can_feed(&self, chat: &Chat<'_>, now: Instant) -> bool {
        let tells = self.ears.welcomed && self.ears.nick.is_some();
        let says = chat.outbox.front().is_some_and(|line| self.may_say(line, chat, now));
        let ends = chat.closing && chat.outbox.is_empty() && !self.finished;
        tells || (!self.ears.hold_lines() && (says || ends))
    }

    fn may_say(&self, line: &str, chat: &Chat<'_>, now: Instant) -> bool {
        self.client.has_room(line.len()) && self.next(chat) <= now
    }

    /// When the server takes the next line, as far as is known.
    fn next(&self, chat: &Chat<'_>) -> Instant {
        let rate = if self.ears.may_limit() { chat.settings.rate } else { 0 };
        // A second's lines are held back: so many may come to arrive together.
        self.pace.next_allowed(rate, DEFAULT_LINE_BURST.saturating_sub(rate).max(1))
    }

    /// Says what waits, as far as there is room. Tells whether it did.
    fn feed(&mut self, chat: &mut Chat<'_>, now: Instant) -> bool {
        let mut fed = false;
        if self.ears.welcomed
            && let Some(nick) = self.ears.nick.take()
            && chat.nick.as_ref() != Some(&nick)
        {
            fed |= self.say(&format!("/nick {nick}"), chat, now);
        }
        if self.ears.hold_lines() {
            return fed;
        }
        if chat.closing && chat.voice.is_on_terminal() {
            // Whether or not it takes what is left to say.
            self.farewell.get_or_insert(now + FAREWELL);
        }
        while let Some(line) = chat.outbox.front() {
            if !self.may_say(line, chat, now) {
                return fed;
            }
            let Some(line) = chat.outbox.pop_front() else { break };
            if self.say(&line, chat, now) {
                chat.known.say(chat.nick.as_deref().unwrap_or_default(), &line);
                self.said.push_back(line);
            }
            fed = true;
        }
        if chat.closing && !self.finished {
            self.client.finish();
            self.finished = true;
            fed = true;
        }
        fed
    }

    /// Whether the line was one, and was said.
    fn say(&mut self, line: &str, chat: &Chat<'_>, now: Instant) -> bool {
        let said = Text::new(line).is_ok_and(|text| self.client.say(text).is_ok());
        if said {
            self.pace.record(now, chat.settings.rate);
        }
        said
    }

    /// Ends the user's part, at once: the server gets an end of the stream rather than a reset.
    pub(super) fn leave(&mut self, chat: &mut Chat<'_>, cx: &mut Context<'_, Chat<'_>>) {
        self.client.finish();
        let (now, ears) = (cx.now(), &mut self.ears);
        let _ = self.link.drive(cx, &mut self.client, |line| ears.hear(now, line, chat));
        self.ears.settle(chat);
        self.link.give_up(cx);
    }

    /// The connection is over. Lines that may not have gone out wait again.
    pub(super) fn end(mut self, chat: &mut Chat<'_>, cx: &mut Context<'_, Chat<'_>>) {
        self.ears.settle(chat);
        self.link.give_up(cx);
        while let Some(line) = self.said.pop_back() {
            chat.outbox.push_front(line);
        }
    }
}

impl Ears {
    /// Whether lines wait for the nick to be told before them.
    fn hold_lines(&self) -> bool {
        self.nick.is_some() && self.awaited.is_some()
    }

    /// Whether the server may refuse lines that come too fast.
    fn may_limit(&self) -> bool {
        self.welcomed || self.awaited.is_some()
    }

    /// A line has come.
    fn hear(&mut self, now: Instant, line: Result<Line<'_>, TextReaderError>, chat: &mut Chat<'_>) {
        // Whatever it is, the server is not one that waits to welcome.
        self.awaited = None;
        let Ok(line) = line else {
            chat.left_out(LINE);
            return;
        };
        if line.is_refusal() {
            chat.refused();
        }
        if chat.learn(line) {
            // What was said before comes before all that is new.
            self.settle(chat);
        }
        if self.again && is_left_by(line, chat) {
            self.nick.clone_from(&chat.wanted);
        }
        if line.welcome().is_some() {
            self.welcomed = true;
            self.history = Some(now + HISTORY);
            self.replay = self.again.then(Vec::new);
            show(line, false, chat);
            return;
        }
        match &mut self.replay {
            Some(replay) => {
                replay.push(line.printable().to_string());
                if replay.len() >= COMPARED {
                    self.settle(chat);
                }
            }
            None => show(line, self.history.is_some(), chat),
        }
    }

    /// Ends the times that are over.
    fn pass(&mut self, now: Instant, chat: &mut Chat<'_>) {
        self.awaited = self.awaited.filter(|&at| now < at);
        if self.history.is_some_and(|at| at <= now) {
            self.settle(chat);
        }
    }

    /// What comes from now on is new. Of what came until now, what was missed is shown.
    fn settle(&mut self, chat: &mut Chat<'_>) {
        self.history = None;
        let Some(mut lines) = self.replay.take() else { return };
        chat.known.drop_known(&mut lines);
        for line in lines {
            show(Line::read(line.as_bytes()), true, chat);
        }
    }
}

/// Whether the one who had the nick that the user wants has left: after a connection that broke that
/// was the user, whom the server took to be there for a while.
fn is_left_by(line: Line<'_>, chat: &Chat<'_>) -> bool {
    let (Kind::Notice(notice), Some(wanted)) = (line.kind, &chat.wanted) else { return false };
    let notice = notice.to_string();
    let left = notice.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.starts_with(" left"));
    left && chat.nick.as_ref() != Some(wanted)
}

fn show(line: Line<'_>, earlier: bool, chat: &mut Chat<'_>) {
    // The welcome is of this connection only.
    if line.welcome().is_none() {
        chat.known.heard(line);
    }
    // Of a notice it cannot be known whether it is an old one, and most are not.
    let earlier = earlier && !matches!(line.kind, Kind::Notice(_));
    chat.voice.line(line, chat.nick.as_deref(), earlier);
}

fn broken(fault: &DriveError<barewire_core::chat::ClientError>) -> End {
    End::Broken(match fault {
        DriveError::Connection(error) if error.kind() == io::ErrorKind::TimedOut => {
            "the server no longer answers".to_owned()
        }
        DriveError::Connection(error) => describe(error).to_string(),
        other => other.to_string(),
    })
}

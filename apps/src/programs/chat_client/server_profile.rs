//! What is known of the server by what it says.

use core::mem;

use barewire_core::chat::{Kind, Line, NickError};
use barewire_core::text::{MAX_TEXT, TextReaderError};
use barewire_core::time::{Duration, Instant};

use super::notices::Presence;
use super::replay_filter::Undelivered;
use super::state::ChatClientState;

/// The longest line that is taken: a text whose every byte is shown as four, and what stands before.
pub(super) const MAX_LINE: usize = 4 * MAX_TEXT + 128;

/// So long after a welcome, and after each line that follows, what comes is taken for what was said
/// before, unless an answer to the user's nick shows that it is not.
const HISTORY_PAUSE: Duration = Duration::from_millis(300);

/// No longer than so long after the welcome.
const HISTORY_TIME: Duration = Duration::from_secs(2);

/// So many lines are compared with those that are known.
const COMPARED: usize = 1000;

/// What a server answers to who cannot have a nick.
const NICK_ERRORS: [NickError; 8] = [
    NickError::Length,
    NickError::Characters,
    NickError::NotAscii,
    NickError::Scripts,
    NickError::Marks,
    NickError::Reserved,
    NickError::Taken,
    NickError::Given,
];

/// What a server has said.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    /// One notice and no more, which is no welcome: if it closes now, it lets nobody in.
    Notice(String),
    More,
}

#[derive(Debug)]
pub(super) struct ServerProfile {
    /// It is not the first connection: what the server sends again is known.
    is_reconnect: bool,
    /// The nick that the server is to be told, once it is known to understand.
    unsent_nick: Option<String>,
    /// Until when the server is to give the nick, without which nothing is said.
    nick_deadline: Option<Instant>,
    /// Why it does not.
    nick_refusal: Option<String>,
    welcomed: bool,
    heard: Heard,
    /// Until when there may be a welcome.
    welcome_deadline: Option<Instant>,
    /// Until when lines are taken for old ones, and until when at most.
    history_deadline: Option<(Instant, Instant)>,
    /// They, to be compared with those that are known.
    replay: Option<Vec<String>>,
    /// It is still to be told which of the user's lines did not arrive over the connections before.
    owes_undelivered: bool,
}

impl ServerProfile {
    /// The server has until `welcome_deadline` to welcome, or to show that it does not. Until then it
    /// is taken for one that limits how fast lines may come; and with a nick to tell, lines wait.
    pub(super) fn new(is_reconnect: bool, welcome_deadline: Instant, nick: Option<String>) -> Self {
        Self {
            is_reconnect,
            unsent_nick: nick,
            nick_deadline: None,
            nick_refusal: None,
            welcomed: false,
            heard: Heard::Nothing,
            welcome_deadline: Some(welcome_deadline),
            history_deadline: None,
            replay: None,
            owes_undelivered: is_reconnect,
        }
    }

    pub(super) fn has_nick_to_send(&self) -> bool {
        self.welcomed && self.unsent_nick.is_some()
    }

    /// The nick to tell the server now, if there is one.
    pub(super) fn take_nick(&mut self) -> Option<String> {
        self.unsent_nick.take_if(|_| self.welcomed)
    }

    /// Nothing is to be said before the server has given the nick that it was told.
    pub(super) fn insist_on_nick(&mut self, until: Instant) {
        self.nick_deadline = Some(until);
    }

    /// Why the server does not give the nick that was insisted on, if it does not.
    pub(super) fn take_nick_refusal(&mut self) -> Option<String> {
        self.nick_refusal.take()
    }

    /// Whether lines wait for the nick to be told before them, or given.
    pub(super) fn holds_lines(&self) -> bool {
        self.nick_deadline.is_some()
            || self.nick_refusal.is_some()
            || self.unsent_nick.is_some() && self.welcome_deadline.is_some()
    }

    /// Whether the server may refuse lines that come too fast.
    pub(super) fn may_rate_limit(&self) -> bool {
        self.welcomed || self.welcome_deadline.is_some()
    }

    /// Whether it has said anything.
    pub(super) fn was_heard(&self) -> bool {
        self.heard != Heard::Nothing
    }

    /// Why the server has let nobody in, if it closes now.
    pub(super) fn take_rejection(&mut self) -> Option<String> {
        match mem::replace(&mut self.heard, Heard::More) {
            Heard::Notice(why) => Some(why),
            Heard::Nothing | Heard::More => None,
        }
    }

    pub(super) fn on_line(
        &mut self,
        now: Instant,
        line: Result<Line<'_>, TextReaderError>,
        chat: &mut ChatClientState<'_>,
    ) {
        // Whatever it is, the server is not one that waits to welcome.
        self.welcome_deadline = None;
        let is_first = mem::replace(&mut self.heard, Heard::More) == Heard::Nothing;
        let Ok(line) = line else {
            chat.report_omitted(MAX_LINE);
            return;
        };
        if line.is_refusal() {
            chat.report_refusal();
        }
        chat.settings.reconnects &= !line.is_dismissal();
        if is_first
            && line.welcome().is_none()
            && let Kind::Notice(notice) = line.kind
        {
            self.heard = Heard::Notice(notice.to_string());
        }
        chat.members.update(line);
        if chat.update_nick(line) {
            self.nick_deadline = None;
            // What was said before comes before all that is new.
            self.end_history(chat);
        }
        if self.nick_deadline.is_some() {
            self.nick_refusal = self.nick_refusal.take().or_else(|| nick_refusal(line));
        }
        if self.is_reconnect && is_left_by(line, chat) {
            self.unsent_nick.clone_from(&chat.wanted_nick);
        }
        if let Some(nick) = line.welcome() {
            self.welcomed = true;
            if !nick.starts_with("guest") {
                // By the user's key: it keeps that. No person is there who could go on under it.
                let is_other = self.unsent_nick.take().is_some_and(|wanted| wanted != nick);
                if is_other && !chat.reporter.is_on_terminal() {
                    self.nick_refusal = Some(format!("your key makes you {nick}"));
                }
            }
            self.history_deadline = Some((now + HISTORY_PAUSE, now + HISTORY_TIME));
            self.replay = self.is_reconnect.then(Vec::new);
            show(line, false, chat);
            return;
        }
        if let Some((until, at_most)) = &mut self.history_deadline {
            *until = (now + HISTORY_PAUSE).min(*at_most);
        }
        if !self.welcomed {
            self.has_no_history(chat);
        }
        match &mut self.replay {
            Some(replay) => {
                replay.push(line.printable().to_string());
                if replay.len() >= COMPARED {
                    self.end_history(chat);
                }
            }
            None => show(line, self.history_deadline.is_some(), chat),
        }
    }

    pub(super) fn poll_deadline(&self) -> Option<Instant> {
        let history_deadline = self.history_deadline.map(|(until, _)| until);
        [self.welcome_deadline, self.nick_deadline, history_deadline].into_iter().flatten().min()
    }

    /// Ends the times that are over.
    pub(super) fn expire(&mut self, now: Instant, chat: &mut ChatClientState<'_>) {
        if self.welcome_deadline.is_some_and(|at| at <= now) {
            self.welcome_deadline = None;
            self.has_no_history(chat);
        }
        if self.history_deadline.is_some_and(|(until, _)| until <= now) {
            self.end_history(chat);
        }
        if self.nick_deadline.is_some_and(|at| at <= now) {
            let timeout = chat.settings.timeout;
            self.nick_refusal =
                Some(format!("it did not answer within {timeout} (--timeout allows more)"));
        }
    }

    /// What comes from now on is new. Of what came until now, what was missed is shown, and which of
    /// the user's lines are not among it is told.
    fn end_history(&mut self, chat: &mut ChatClientState<'_>) {
        let undelivered = match &self.replay {
            Some(lines) if mem::take(&mut self.owes_undelivered) => {
                chat.replay_filter.take_undelivered(lines)
            }
            _ => Undelivered::default(),
        };
        self.show_missed(chat);
        chat.reporter.undelivered(&undelivered);
    }

    /// Shows what of it was missed, also if there would have been more.
    pub(super) fn show_missed(&mut self, chat: &mut ChatClientState<'_>) {
        self.history_deadline = None;
        let Some(mut lines) = self.replay.take() else { return };
        chat.replay_filter.remove_known(&mut lines);
        for line in lines {
            show(Line::read(line.as_bytes()), true, chat);
        }
    }

    /// The server is one that sends nothing again.
    fn has_no_history(&mut self, chat: &mut ChatClientState<'_>) {
        if mem::take(&mut self.owes_undelivered) {
            chat.reporter.undelivered(&chat.replay_filter.take_undelivered(&[]));
        }
    }
}

/// Why the user cannot have a nick, if that is what the server says.
fn nick_refusal(line: Line<'_>) -> Option<String> {
    let Kind::Notice(notice) = line.kind else { return None };
    let notice = notice.to_string();
    let is_error = NICK_ERRORS.iter().any(|error| error.to_string() == notice);
    (is_error || line.is_refusal()).then_some(notice)
}

/// Whether the one who had the nick that the user wants has left: after a connection that broke that
/// was the user, whom the server took to be there for a while.
fn is_left_by(line: Line<'_>, chat: &ChatClientState<'_>) -> bool {
    let (Kind::Notice(notice), Some(wanted)) = (line.kind, &chat.wanted_nick) else { return false };
    let notice = notice.to_string();
    let left = Presence::read(&notice).is_some_and(|presence| presence == Presence::Left(wanted));
    left && chat.nick.as_ref() != Some(wanted)
}

fn show(line: Line<'_>, earlier: bool, chat: &mut ChatClientState<'_>) {
    // The welcome is of this connection only.
    if line.welcome().is_none() {
        chat.replay_filter.record_received(line);
    }
    // Of a notice it cannot be known whether it is an old one, and most are not.
    let earlier = earlier && !matches!(line.kind, Kind::Notice(_));
    if !chat.members.hides(line) {
        chat.reporter.line(line, chat.nick.as_deref(), earlier);
    }
}

//! What comes after a connection has ended, and when: rules without input or output.

use std::io;

use barewire_core::file::ReceiverError;
use barewire_core::secure::ChannelError;
use barewire_core::time::Duration;
use barewire_linux::dialer::DialError;
use barewire_linux::link::LinkError;

use crate::client::hints::is_turned_away;
use crate::client::retry_delay::next_retry_delay;

use super::sink::Abort;

/// How a connection has ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// It was not made.
    Unconnected(DialError),
    /// In order.
    Closed,
    Broken(LinkError<ReceiverError>),
    /// By this side.
    Aborted(Abort),
}

/// What is left to do when a connection has ended.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Left {
    /// Something was achieved since the last connection.
    pub(super) progressed: bool,
    /// Something is held that only the framed form can go on with.
    pub(super) is_framed: bool,
    /// What comes next is a folder, which the plain form does not have.
    pub(super) is_listing: bool,
    /// What comes next was written in part, and the plain form cannot go on with it.
    pub(super) is_half_written: bool,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next connection, at once.
    Connect,
    /// The next connection, at once, in the plain form.
    ConnectPlainly,
    /// The next connection, after a pause.
    Retry { attempt: u32, of: u32, pause: Duration },
    /// The next transfer has failed; the others go on.
    Skip,
    /// All has failed: there is nobody to ask, or only the plain form to ask for folders in.
    Fail,
    /// All that is left has failed.
    GiveUp,
    /// The program ends without a failure of the transfers.
    End,
}

/// How often in a row it is tried again at most where a server that has not answered yet ends as one does that has
/// a key, or another. That may be chance as well, such as a server that is just being stopped, or a bit that was
/// damaged under way; but who has the wrong key, or none, is not to wait for long to be told so.
const KEY_RETRIES: u32 = 2;

/// Decides what comes next by what has happened so far.
#[derive(Clone, Debug)]
pub(super) struct RetryPolicy {
    /// How often in a row it is tried again without progress.
    retries: u32,
    first_pause: Duration,
    attempts: u32,
    form: Form,
    /// A connection has been made.
    was_reached: bool,
    /// The server has answered; under a key also if only that there is a channel.
    pub(super) was_heard: bool,
    is_keyed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Framed,
    Plain,
    /// Plain since the last connection, as the server does not know the other.
    FellBack,
}

impl RetryPolicy {
    /// Tries again `retries` times in a row, for the first time after `first_pause`.
    pub(super) fn new(retries: u32, first_pause: Duration, is_plain: bool) -> Self {
        let form = if is_plain { Form::Plain } else { Form::Framed };
        Self {
            retries,
            first_pause,
            attempts: 0,
            form,
            was_reached: false,
            was_heard: false,
            is_keyed: false,
        }
    }

    /// The same for who speaks under a key, if there is one: no server of such speaks the plain form only.
    pub(super) fn under_key(self, is_keyed: bool) -> Self {
        Self { is_keyed, ..self }
    }

    /// A connection has been made.
    pub(super) fn reach(&mut self) {
        self.was_reached = true;
        if self.fell_back() {
            self.form = Form::Plain;
        }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.form != Form::Framed
    }

    /// Whether no connection was made since the server turned out to know the plain form only.
    pub(super) fn fell_back(&self) -> bool {
        self.form == Form::FellBack
    }

    /// Whether a server without a key, which has not answered yet, may have refused to speak to one with it, or
    /// the other way about.
    pub(super) fn may_want_key(&self) -> bool {
        !self.was_heard && !self.is_keyed
    }

    /// How often in a row it is tried again after an ending of this kind.
    fn retries(&self, ending: &Ending) -> u32 {
        let is_about_a_key = match ending {
            Ending::Broken(LinkError::Connection(error)) => {
                self.may_want_key() && is_turned_away(error)
            }
            Ending::Broken(LinkError::Session(ReceiverError::NotFramed)) => self.may_want_key(),
            Ending::Broken(LinkError::Channel(ChannelError::WrongKey)) => !self.was_heard,
            _ => false,
        };
        if is_about_a_key { self.retries.min(KEY_RETRIES) } else { self.retries }
    }

    pub(super) fn after(&mut self, ending: &Ending, left: Left) -> Step {
        if left.progressed {
            self.attempts = 0;
        }
        let stays = self.is_plain() || self.is_keyed || self.was_heard || left.is_framed;
        match ending {
            // One that was made and reset at once is not one that was refused.
            Ending::Unconnected(error)
                if self.fell_back()
                    || !self.was_reached && error.kind() != io::ErrorKind::ConnectionReset =>
            {
                Step::Fail
            }
            Ending::Closed if self.is_plain() => Step::Connect,
            // That is how a server ends that knows the plain form only: in order, or with words. A
            // reset tells nothing; it is also what a server that is being stopped leaves. And where
            // something came in the framed form, a server that is only short of something for the
            // moment must not make the plain form overwrite it.
            Ending::Broken(LinkError::Session(ReceiverError::NotFramed)) if !stays => {
                if left.is_listing {
                    return Step::Fail;
                }
                self.form = Form::FellBack;
                Step::ConnectPlainly
            }
            Ending::Broken(LinkError::Session(ReceiverError::Nothing))
            | Ending::Aborted(Abort::Skip(_)) => {
                self.attempts = 0;
                Step::Skip
            }
            Ending::Broken(
                LinkError::Session(
                    ReceiverError::Malformed
                    | ReceiverError::OtherVersion
                    | ReceiverError::Unverified,
                )
                | LinkError::Channel(
                    ChannelError::NotKeyed
                    | ChannelError::OtherVersion
                    | ChannelError::OtherConversation
                    | ChannelError::Malformed,
                ),
            )
            | Ending::Aborted(Abort::GiveUp(_)) => Step::GiveUp,
            // That is how a server refuses another key; but one that has taken it before is full, say.
            Ending::Broken(LinkError::Channel(ChannelError::Refused)) if !self.was_heard => {
                Step::GiveUp
            }
            Ending::Aborted(Abort::ReaderGone | Abort::Interrupted) => Step::End,
            Ending::Unconnected(_)
            | Ending::Closed
            | Ending::Broken(_)
            | Ending::Aborted(Abort::Busy | Abort::Changed) => {
                let retries = self.retries(ending);
                if self.attempts >= retries || self.is_plain() && left.is_half_written {
                    return Step::GiveUp;
                }
                self.attempts += 1;
                Step::Retry {
                    attempt: self.attempts,
                    of: retries,
                    pause: pause(self.first_pause, self.attempts),
                }
            }
        }
    }
}

/// How long to wait before an attempt, of which the first is 1.
fn pause(first: Duration, attempt: u32) -> Duration {
    (1..attempt).fold(first, |pause, _| next_retry_delay(pause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::waits::FIRST_RETRY_DELAY;

    /// A server that has answered in the framed form, and is to be tried again twice.
    fn policy() -> RetryPolicy {
        let mut policy = RetryPolicy::new(2, FIRST_RETRY_DELAY, false);
        policy.reach();
        policy.was_heard = true;
        policy
    }

    fn broken(error: ReceiverError) -> Ending {
        Ending::Broken(LinkError::Session(error))
    }

    fn retry(attempt: u32) -> Step {
        Step::Retry { attempt, of: 2, pause: pause(FIRST_RETRY_DELAY, attempt) }
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let seconds: Vec<String> =
            (1..8).map(|attempt| pause(FIRST_RETRY_DELAY, attempt).to_string()).collect();
        assert_eq!(seconds, ["0.5 s", "1 s", "2 s", "4 s", "8 s", "10 s", "10 s"]);
    }

    #[test]
    fn attempts_are_counted_until_there_is_progress() {
        let (mut policy, nothing) = (policy(), Left::default());
        assert_eq!(policy.after(&broken(ReceiverError::Stalled), nothing), retry(1));
        assert_eq!(policy.after(&Ending::Aborted(Abort::Busy), nothing), retry(2));
        let progressed = Left { progressed: true, ..nothing };
        assert_eq!(policy.after(&Ending::Closed, progressed), retry(1));
        assert_eq!(policy.after(&broken(ReceiverError::CutShort), nothing), retry(2));
        assert_eq!(policy.after(&broken(ReceiverError::Corrupt), nothing), Step::GiveUp);
    }

    #[test]
    fn the_plain_form_is_for_servers_that_know_no_other() {
        let ending = broken(ReceiverError::NotFramed);
        let new = || RetryPolicy::new(2, FIRST_RETRY_DELAY, false);
        let (none, held) = (Left::default(), Left { is_framed: true, ..Left::default() });
        assert_eq!(policy().after(&ending, none), retry(1));
        assert_eq!(new().after(&ending, held), retry(1));
        let folders = Left { is_listing: true, ..none };
        assert_eq!(new().after(&ending, folders), Step::Fail);

        let mut policy = new();
        assert_eq!(policy.after(&ending, none), Step::ConnectPlainly);
        assert!(policy.is_plain() && policy.fell_back());
        policy.reach();
        assert!(policy.is_plain() && !policy.fell_back());
        assert_eq!(policy.after(&Ending::Closed, none), Step::Connect);
        let half_written = Left { is_half_written: true, ..none };
        assert_eq!(policy.after(&broken(ReceiverError::Stalled), half_written), Step::GiveUp);
    }

    #[test]
    fn under_a_key_there_is_no_plain_form_and_who_has_another_is_not_asked_again() {
        let new = || RetryPolicy::new(2, FIRST_RETRY_DELAY, false).under_key(true);
        let left = Left::default();
        assert_eq!(new().after(&broken(ReceiverError::NotFramed), left), retry(1));
        let failed = |error| Ending::Broken(LinkError::Channel(error));
        for error in [ChannelError::NotKeyed, ChannelError::Refused] {
            assert_eq!(new().after(&failed(error), left), Step::GiveUp, "{error}");
        }
        // Who has another key does not answer: what came may have been damaged under way.
        let damaged = [ChannelError::WrongKey, ChannelError::Cut, ChannelError::Forged];
        for error in damaged.into_iter().chain([ChannelError::TimedOut]) {
            assert_eq!(new().after(&failed(error), left), retry(1), "{error}");
        }
        // The server has taken the key before.
        let mut policy = new();
        policy.was_heard = true;
        assert_eq!(policy.after(&failed(ChannelError::Refused), left), retry(1));
    }

    #[test]
    fn who_may_lack_the_key_is_not_kept_waiting() {
        let attempts = |mut policy: RetryPolicy, ending: &Ending| {
            let step = |_| policy.after(ending, Left { is_framed: true, ..Left::default() });
            (0..9).map(step).take_while(|step| matches!(step, Step::Retry { .. })).count()
        };
        let new = |is_keyed| RetryPolicy::new(5, FIRST_RETRY_DELAY, false).under_key(is_keyed);
        let heard = |is_keyed| RetryPolicy { was_heard: true, ..new(is_keyed) };
        let broken = |kind: io::ErrorKind| Ending::Broken(LinkError::Connection(kind.into()));
        let reset = broken(io::ErrorKind::ConnectionReset);
        let closed = Ending::Broken(LinkError::Session(ReceiverError::NotFramed));
        for ending in [&reset, &broken(io::ErrorKind::BrokenPipe), &closed] {
            assert_eq!(attempts(new(false), ending), 2, "{ending:?}");
            assert_eq!(attempts(heard(false), ending), 5, "{ending:?}");
            assert_eq!(attempts(new(true), ending), 5, "{ending:?}");
        }
        assert_eq!(attempts(new(false), &broken(io::ErrorKind::TimedOut)), 5);
        let plain = RetryPolicy::new(5, FIRST_RETRY_DELAY, true);
        assert_eq!(attempts(plain, &reset), 2);
        let few = RetryPolicy::new(1, FIRST_RETRY_DELAY, false);
        assert_eq!(attempts(few, &reset), 1);
        let damaged = Ending::Broken(LinkError::Channel(ChannelError::WrongKey));
        assert_eq!((attempts(new(true), &damaged), attempts(heard(true), &damaged)), (2, 5));
    }

    #[test]
    fn a_server_that_was_reached_once_may_be_so_again() {
        let unconnected = |kind: io::ErrorKind| {
            Ending::Unconnected(DialError::Unreached { tried: 1, last: kind.into() })
        };
        let refused = unconnected(io::ErrorKind::ConnectionRefused);
        let reset = unconnected(io::ErrorKind::ConnectionReset);
        let left = Left::default();
        assert_eq!(RetryPolicy::new(2, FIRST_RETRY_DELAY, false).after(&refused, left), Step::Fail);
        assert_eq!(RetryPolicy::new(2, FIRST_RETRY_DELAY, false).after(&reset, left), retry(1));
        assert_eq!(policy().after(&refused, left), retry(1));
    }

    #[test]
    fn one_transfer_may_fail_and_the_reader_may_go() {
        let left = Left::default();
        for (abort, step) in [
            (Abort::Skip(String::new()), Step::Skip),
            (Abort::GiveUp(String::new()), Step::GiveUp),
            (Abort::ReaderGone, Step::End),
            (Abort::Interrupted, Step::End),
        ] {
            assert_eq!(policy().after(&Ending::Aborted(abort), left), step);
        }
        assert_eq!(policy().after(&broken(ReceiverError::Nothing), left), Step::Skip);
        assert_eq!(policy().after(&broken(ReceiverError::Malformed), left), Step::GiveUp);
    }
}

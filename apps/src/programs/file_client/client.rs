//! The course of the program from one connection to the next.

use std::io;
use std::net::SocketAddr;

use barewire_core::file::{ReceiverError, TransferConfig};
use barewire_core::text::DEFAULT_QUIET;
use barewire_core::time::{Duration, Instant};
use barewire_linux::link::DriveError;

use crate::client::repeat::{PAUSE, longer, unconnected};

use super::connection::Connection;
use super::messages::{self, Why};
use super::queue::{Stop, Work};
use super::report::Voice;
use super::transfer::Job;

/// What the user wants, as far as it is the same for all files.
#[expect(clippy::struct_excessive_bools, reason = "independent wishes")]
#[derive(Debug)]
pub(super) struct Settings {
    /// The server as the user named it.
    pub(super) server: String,
    pub(super) addresses: Vec<SocketAddr>,
    /// Speak the plain form.
    pub(super) plain: bool,
    pub(super) verify: bool,
    pub(super) resume: bool,
    pub(super) force: bool,
    pub(super) timeout: Duration,
    pub(super) stall: Duration,
    pub(super) retries: u32,
}

impl Settings {
    pub(super) fn config(&self) -> TransferConfig {
        TransferConfig { quiet: DEFAULT_QUIET, timeout: self.timeout, stall: self.stall }
    }
}

/// What the tasks share: one connection after another works on it.
#[derive(Debug)]
pub(super) struct Client<'o> {
    pub(super) settings: Settings,
    pub(super) voice: Voice<'o>,
    pub(super) work: Work,
    /// A connection has been made.
    pub(super) reached: bool,
    /// The server has answered in the framed form.
    pub(super) heard: bool,
    /// The server did not, and has taken no connection since.
    fell_back: bool,
    /// How often in a row it was tried again without progress.
    tries: u32,
}

/// How a connection has ended.
#[derive(Debug)]
pub(super) enum End {
    /// It was not made.
    Unconnected(io::Error),
    /// In order.
    Closed,
    Broken(DriveError<ReceiverError>),
    /// By this side.
    Stopped(Stop),
}

impl<'o> Client<'o> {
    pub(super) fn new(settings: Settings, voice: Voice<'o>, work: Work) -> Self {
        Self { settings, voice, work, reached: false, heard: false, fell_back: false, tries: 0 }
    }

    /// A connection has been made.
    pub(super) fn reach(&mut self) {
        self.reached = true;
        self.fell_back = false;
    }

    /// What comes after a connection that has ended so; `None` if nothing does.
    pub(super) fn after(&mut self, end: End, now: Instant) -> Option<Connection> {
        self.work.rewind();
        if self.work.is_empty() {
            // What was asked for is proven, whatever the end.
            return None;
        }
        match end {
            End::Unconnected(error) => self.after_unconnected(&error, now),
            End::Closed if self.settings.plain => Some(Connection::begin()),
            End::Closed => self.retry(&Why::BrokeOff("the connection was closed".into()), now),
            End::Broken(fault) if self.is_plain_only(&fault) => self.fall_back(),
            End::Broken(DriveError::Session(ReceiverError::Nothing)) => {
                self.drop_first(|client, job| messages::nothing(job, &client.settings))
            }
            End::Broken(fault) => {
                let why = messages::fault(&fault, self.heard, &self.settings);
                match fault {
                    DriveError::Session(ReceiverError::Malformed) => self.end(&why),
                    _ => self.retry(&why, now),
                }
            }
            End::Stopped(Stop::Busy) => {
                let why = Why::Other(format!("{} is busy", self.settings.server));
                self.retry(&why, now)
            }
            End::Stopped(Stop::One(why)) => self.drop_first(|_, _| why),
            End::Stopped(Stop::All(why)) => {
                let why = self.and_more(why);
                self.voice.fail(&why);
                None
            }
            End::Stopped(Stop::Reader) => None,
            End::Stopped(Stop::Signal) => {
                self.interrupt();
                None
            }
        }
    }

    fn after_unconnected(&mut self, error: &io::Error, now: Instant) -> Option<Connection> {
        if self.fell_back {
            self.voice.fail(&messages::one_shot(&self.settings, error));
            return None;
        }
        let Settings { server, timeout, .. } = &self.settings;
        let why = unconnected(server, *timeout, error);
        // One that was made and reset at once is not one that was refused.
        if self.reached || error.kind() == io::ErrorKind::ConnectionReset {
            return self.retry(&Why::Other(why), now);
        }
        self.voice.fail(&why);
        None
    }

    /// Whether that is how a server ends a conversation that knows the plain form only: in order, or
    /// with words. A reset tells nothing; it is also what a server that is being stopped leaves.
    fn is_plain_only(&self, fault: &DriveError<ReceiverError>) -> bool {
        // What is held came in the framed form, so a server that is only short of something for the
        // moment must not make the plain form overwrite it.
        let knew_better = self.heard || self.work.jobs().any(|job| job.kept().0 > 0);
        let is_unknown = matches!(fault, DriveError::Session(ReceiverError::NotFramed));
        is_unknown && !self.settings.plain && !knew_better
    }

    /// Goes over to the plain form.
    fn fall_back(&mut self) -> Option<Connection> {
        let server = &self.settings.server;
        if let Some(job) = self.work.jobs().find(|job| job.is_listing()) {
            let name = job.shown();
            self.voice.fail(&format!(
                "{name}: {server} speaks the plain form only, which has no folders (ask for files \
                 by their names)"
            ));
            return None;
        }
        self.voice.warn(&format!(
            "{server} speaks the plain form only: nothing can prove that what it sends is whole"
        ));
        self.settings.plain = true;
        self.fell_back = true;
        Some(Connection::begin())
    }

    /// Goes on without the next job, which has failed.
    fn drop_first(&mut self, why: impl FnOnce(&Self, &Job) -> String) -> Option<Connection> {
        let job = self.work.drop_first()?;
        let why = why(self, &job);
        self.voice.fail(&why);
        self.tries = 0;
        (!self.work.is_empty()).then(Connection::begin)
    }

    /// Tries again, after a pause and a limited number of times.
    fn retry(&mut self, why: &Why, now: Instant) -> Option<Connection> {
        if std::mem::take(&mut self.work.progressed) {
            self.tries = 0;
        }
        let half_written =
            self.settings.plain && self.work.jobs().next().is_some_and(Job::is_half_written);
        let retries = self.settings.retries;
        if self.tries >= retries || half_written {
            return self.end(why);
        }
        let pause = pause(self.tries);
        self.tries += 1;
        let again = format!("trying again in {pause} ({} of {retries})", self.tries);
        self.voice.warn(&match self.work.jobs().next() {
            Some(job) => format!("{}; {again}", messages::broke(job, why, &self.settings)),
            None => again,
        });
        Some(Connection::after_pause(now + pause))
    }

    /// Gives everything up that is not done.
    fn end(&mut self, why: &Why) -> Option<Connection> {
        let job = self.work.jobs().next()?;
        let message = self.and_more(messages::broke_off(job, why, &self.settings));
        self.voice.fail(&message);
        None
    }

    /// Adds how many there are besides the first.
    fn and_more(&self, message: String) -> String {
        match self.work.len() {
            0 | 1 => message,
            left => format!("{message}; {} more not downloaded", left - 1),
        }
    }

    /// A signal ends the program.
    pub(super) fn interrupt(&mut self) {
        self.work.rewind();
        if let Some(job) = self.work.jobs().next() {
            let (_, kept) = job.kept();
            self.voice.warn(&format!("{}: interrupted ({kept})", job.shown()));
        }
    }
}

/// How long to wait before the next of `tries`.
fn pause(tries: u32) -> Duration {
    (0..tries).fold(PAUSE, |pause, _| longer(pause))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use barewire_core::file::ResponseHeader;
    use barewire_linux::files::{Download, DownloadOptions};

    use super::*;
    use crate::output::format::Format;
    use crate::output::printer::Printer;
    use crate::programs::file_client::file_sink::Target;
    use crate::programs::file_client::progress::Progress;

    fn client(output: &mut Printer, jobs: Vec<Job>) -> Client<'_> {
        let settings = Settings {
            server: "server:1".into(),
            addresses: Vec::new(),
            plain: false,
            verify: true,
            resume: true,
            force: false,
            timeout: Duration::from_secs(1),
            stall: Duration::from_secs(1),
            retries: 2,
        };
        let voice = Voice::new(output, Progress::new(false, false));
        Client::new(settings, voice, Work::new(jobs))
    }

    fn output() -> Printer {
        Printer::new("test", Format::Text, true)
    }

    fn reset() -> End {
        End::Broken(DriveError::Connection(io::ErrorKind::ConnectionReset.into()))
    }

    fn not_framed() -> End {
        End::Broken(DriveError::Session(ReceiverError::NotFramed))
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let seconds: Vec<String> = (0..7).map(|tries| pause(tries).to_string()).collect();
        assert_eq!(seconds, ["0.5 s", "1 s", "2 s", "4 s", "8 s", "10 s", "10 s"]);
    }

    #[test]
    fn a_server_that_never_answers_in_the_framed_form_is_asked_plainly() {
        let mut output = output();
        let mut client = client(&mut output, vec![Job::pipe("x".into())]);
        client.reach();
        assert!(client.after(not_framed(), Instant::ZERO).is_some());
        assert!(client.settings.plain);
        // That it takes no second connection is told at once.
        let refused = End::Unconnected(io::ErrorKind::ConnectionRefused.into());
        assert!(client.after(refused, Instant::ZERO).is_none());
        assert!(client.voice.has_failed());
    }

    /// It may be one that stops, or starts anew.
    #[test]
    fn a_server_that_resets_is_asked_again_in_the_framed_form() {
        let mut output = output();
        let mut client = client(&mut output, vec![Job::pipe("x".into())]);
        client.reach();
        for _ in 0..client.settings.retries {
            assert!(client.after(reset(), Instant::ZERO).is_some());
        }
        assert!(client.after(reset(), Instant::ZERO).is_none());
        assert!(client.voice.has_failed() && !client.settings.plain);
    }

    /// The reset may come before this side has seen that the connection is made.
    #[test]
    fn a_reset_is_no_refusal() {
        let mut output = output();
        let mut client = client(&mut output, vec![Job::pipe("x".into())]);
        let reset = || End::Unconnected(io::ErrorKind::ConnectionReset.into());
        assert!(client.after(reset(), Instant::ZERO).is_some());
        assert!(!client.voice.has_failed());
    }

    #[test]
    fn what_has_verified_is_not_given_up_for_the_plain_form() {
        let folder = tempfile::TempDir::new().unwrap();
        let target = Target::open(folder.path().to_owned()).unwrap();
        let mut part = Download::begin(&target.folder, b"x", DownloadOptions::default()).unwrap();
        part.start(0, Some(5), 7).unwrap();
        part.write(b"abc").unwrap();
        part.verified(3).unwrap();
        drop(part);

        let mut output = output();
        let job = Job::file("x".into(), Rc::new(target), b"x".to_vec());
        let mut client = client(&mut output, vec![job]);
        client.reach();
        assert!(client.work.prepare(&client.settings, &mut client.voice));
        assert!(client.after(not_framed(), Instant::ZERO).is_some());
        assert!(!client.settings.plain);
    }

    #[test]
    fn the_plain_form_has_no_folders() {
        let mut output = output();
        let jobs = vec![Job::show(String::new(), false)];
        let mut client = client(&mut output, jobs);
        assert!(client.after(not_framed(), Instant::ZERO).is_none());
        assert!(client.voice.has_failed() && !client.settings.plain);
    }

    #[test]
    fn what_breaks_off_is_tried_again_until_nothing_comes_of_it() {
        let mut output = output();
        let mut client = client(&mut output, vec![Job::pipe("x".into())]);
        client.reach();
        client.heard = true;
        assert!(client.after(reset(), Instant::ZERO).is_some());
        assert!(!client.settings.plain);
        let refused = || End::Unconnected(io::ErrorKind::ConnectionRefused.into());
        assert!(client.after(refused(), Instant::ZERO).is_some());
        client.work.progressed = true;
        assert!(client.after(refused(), Instant::ZERO).is_some());
        assert!(client.after(reset(), Instant::ZERO).is_some());
        assert!(!client.voice.has_failed());
        assert!(client.after(reset(), Instant::ZERO).is_none());
        assert!(client.voice.has_failed());
    }

    #[test]
    fn what_cannot_become_better_is_not_tried_again() {
        for end in [
            End::Unconnected(io::ErrorKind::ConnectionRefused.into()),
            End::Broken(DriveError::Session(ReceiverError::Malformed)),
            End::Stopped(Stop::All("the disk is full".into())),
        ] {
            let mut output = output();
            let mut client = client(&mut output, vec![Job::pipe("x".into())]);
            assert!(client.after(end, Instant::ZERO).is_none());
            assert!(client.voice.has_failed());
        }
    }

    #[test]
    fn one_that_fails_does_not_keep_the_others() {
        let mut output = output();
        let jobs = ["x", "y"].map(|name| Job::pipe(name.into())).into();
        let mut client = client(&mut output, jobs);
        client.settings.plain = true;
        let nothing = || End::Broken(DriveError::Session(ReceiverError::Nothing));
        assert!(client.after(nothing(), Instant::ZERO).is_some());
        assert!(client.after(nothing(), Instant::ZERO).is_none());
        assert!(client.voice.has_failed());
    }

    #[test]
    fn a_file_without_room_does_not_keep_the_others() {
        let folder = tempfile::TempDir::new().unwrap();
        let target = Rc::new(Target::open(folder.path().to_owned()).unwrap());
        let mut output = output();
        let jobs = ["x", "y"].map(|it| Job::file(it.into(), Rc::clone(&target), it.into())).into();
        let mut client = client(&mut output, jobs);
        assert!(client.work.prepare(&client.settings, &mut client.voice));
        assert_eq!(client.and_more("why".into()), "why; 1 more not downloaded");
        let mut job = client.work.drop_first().unwrap();
        let answer = ResponseHeader { offset: 0, size: u64::MAX, tag: 1, verified: true };
        let stopped = job.answered(&answer, Some(u64::MAX), 0, &mut client.voice);
        assert!(matches!(stopped, Err(Stop::One(_))));
    }

    #[test]
    fn a_reader_who_has_gone_and_a_late_reset_fail_nothing() {
        let mut output = output();
        let mut client = client(&mut output, vec![Job::pipe("x".into())]);
        assert!(client.after(End::Stopped(Stop::Reader), Instant::ZERO).is_none());
        client.work.drop_first();
        assert!(client.after(reset(), Instant::ZERO).is_none());
        assert!(!client.voice.has_failed());
    }
}

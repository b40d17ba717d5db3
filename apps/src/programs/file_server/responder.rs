//! The task of one client: its requests, one after another.

use core::ops::Range;
use core::task::Poll;
use std::io;
use std::os::fd::AsFd as _;

use barewire_core::file::{
    Digest, Digester, Operation, Pending, Refusal, Request, RequestEvent, SEGMENT, Sender,
    SenderError,
};
use barewire_core::printable::printable;
use barewire_core::time::Instant;
use barewire_linux::executor::{Context, Task};
use barewire_linux::files::{FileChange, ServedFile};
use barewire_linux::link::{DriveError, Link};

use super::House;
use super::store::Store;

use crate::output::events::file_server::Served;
use crate::output::system_error::describe;
use crate::server::serve::{Guest, Hall};

/// How many requests are answered in one turn before everybody else's turn comes.
const REQUESTS: usize = 64;

pub(super) struct Download {
    link: Link,
    session: Sender,
    guest: Guest,
    job: Option<Job>,
}

/// A request at work.
struct Job {
    name: Vec<u8>,
    begun: Instant,
    opened: ServedFile,
    /// What goes out of it.
    range: Range<u64>,
    /// Of all digests supplied.
    supplied: Digest,
    proof: Option<Proof>,
}

/// A file that has grown is read once more before its last digest is supplied: what was sent before
/// must be what it still holds.
struct Proof {
    last: Digest,
    position: u64,
    found: Digest,
}

/// A request that was heard, and what was found.
struct Heard {
    name: Vec<u8>,
    found: Result<ServedFile, Refusal>,
    is_list: bool,
}

impl Job {
    fn new(name: Vec<u8>, begun: Instant, opened: ServedFile, range: Range<u64>) -> Self {
        Self { name, begun, opened, range, supplied: Digest::default(), proof: None }
    }

    /// Makes sure that the file is still what was offered; growing does no harm.
    fn check(&mut self) -> Result<FileChange, String> {
        let standing = self.opened.check();
        match self.given(standing)? {
            FileChange::Changed => Err(self.changed()),
            standing => Ok(standing),
        }
    }

    fn changed(&self) -> String {
        format!("got a part of {}: it changed meanwhile", printable(&self.name))
    }

    /// The digest of the segment at `offset`, once it may be supplied.
    fn digest(
        &mut self,
        store: &Store,
        offset: u64,
        length: u64,
        buffer: &mut [u8],
    ) -> nb::Result<Digest, String> {
        if let Some(Proof { position, .. }) = self.proof {
            let end = (position - position % SEGMENT + SEGMENT).min(offset);
            let digest = store.digest(&self.opened, position, end - position, buffer);
            let digest = self.given(digest)?;
            let Some(proof) = &mut self.proof else { return Err(nb::Error::WouldBlock) };
            proof.found = chain(&proof.found, &digest);
            proof.position = end;
            if end < offset {
                return Err(nb::Error::WouldBlock);
            }
            let last = proof.last;
            return if proof.found == self.supplied {
                Ok(last)
            } else {
                Err(self.changed().into())
            };
        }
        let digest = store.digest(&self.opened, offset, length, buffer);
        let digest = self.given(digest)?;
        // The digest could be right and yet of another version than was offered.
        let standing = self.check()?;
        let is_last = offset + length == self.range.end && offset > self.range.start;
        if is_last && standing == FileChange::Grown {
            let position = self.range.start;
            self.proof = Some(Proof { last: digest, position, found: Digest::default() });
            return Err(nb::Error::WouldBlock);
        }
        self.supplied = chain(&self.supplied, &digest);
        Ok(digest)
    }

    /// What the system gave, or why it did not.
    fn given<T>(&self, result: io::Result<T>) -> Result<T, String> {
        let name = printable(&self.name);
        result.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => format!("got a part of {name}: it became shorter"),
            _ => format!("cannot have {name}: {}", describe(&error)),
        })
    }
}

impl Download {
    pub(super) fn new(link: Link, session: Sender, guest: Guest) -> Self {
        Self { link, session, guest, job: None }
    }

    /// Goes on as far as it can without waiting and within the turn's budget. `Ok`: the
    /// conversation is over. An error is to be told to the operator.
    fn advance<'h>(
        &mut self,
        hall: &mut Hall<'h, House>,
        cx: &mut Context<'_, Hall<'h, House>>,
    ) -> nb::Result<(), String> {
        let store = &hall.house.store;
        let mut hashed = 0;
        for _ in 0..REQUESTS {
            let Self { link, session, guest, job } = self;
            let mut heard = None;
            let contents = job.as_ref().map(|job| job.opened.as_fd());
            let advanced = link.advance(cx, session, contents, |asked| match asked {
                RequestEvent::Request(request) => {
                    let found = store.find(&request);
                    let is_list = request.operation == Operation::List;
                    heard = Some(Heard { name: shown_name(&request), found, is_list });
                }
                RequestEvent::Refused { refusal, name } => {
                    hall.output.show_unless_quiet(&Served::refused(guest.peer, name, refusal));
                }
                _ => {}
            });
            match advanced {
                Err(nb::Error::WouldBlock) => {}
                Err(nb::Error::Other(fault)) => {
                    return Err(nb::Error::Other(self.reason(hall, &fault)));
                }
                Ok(()) => return Ok(()),
            }
            match session.pending() {
                None => return Err(nb::Error::WouldBlock),
                Some(Pending::Response) => {
                    if let Some(heard) = heard {
                        let is_list = heard.is_list;
                        self.answer(hall, cx.now(), heard);
                        // Which may have taken long: the others come first.
                        if is_list {
                            break;
                        }
                    }
                }
                Some(Pending::Digest { offset, length }) => {
                    if hashed >= SEGMENT {
                        break;
                    }
                    hashed += length;
                    let Some(job) = &mut self.job else { break };
                    match job.digest(store, offset, length, cx.scratch()) {
                        Ok(digest) => self.session.provide_digest(cx.now(), digest),
                        // There is more to read than one turn allows.
                        Err(nb::Error::WouldBlock) => break,
                        Err(error) => return Err(error),
                    }
                }
                Some(Pending::Confirm) => self.confirm(hall, cx.now())?,
                Some(other) => return Err(nb::Error::Other(format!("not known here: {other:?}"))),
            }
        }
        cx.yield_now();
        Err(nb::Error::WouldBlock)
    }

    fn answer(&mut self, hall: &mut Hall<'_, House>, now: Instant, heard: Heard) {
        let Heard { name, found, .. } = heard;
        let peer = self.guest.peer;
        match found {
            Ok(opened) => match self.session.offer(now, opened.size(), opened.tag()) {
                Some(range) => self.job = Some(Job::new(name, now, opened, range)),
                None => {
                    hall.output.show_unless_quiet(&Served::refused(peer, &name, Refusal::PastEnd));
                }
            },
            Err(refusal) => {
                self.session.refuse(now, refusal);
                hall.output.show_unless_quiet(&Served::refused(peer, &name, refusal));
            }
        }
    }

    /// All of the file has gone out. If it is no longer what was offered, the client must not take
    /// what it got for the whole.
    fn confirm(&mut self, hall: &mut Hall<'_, House>, now: Instant) -> nb::Result<(), String> {
        let Some(mut job) = self.job.take() else { return Ok(()) };
        job.check().map_err(nb::Error::Other)?;
        self.session.confirm(now);
        let bytes = job.range.end - job.range.start;
        let seconds = now.since(job.begun);
        hall.output.show_unless_quiet(&Served::sent(self.guest.peer, &job.name, bytes, seconds));
        Ok(())
    }

    /// In what it broke off, if in anything.
    fn during(&self) -> String {
        let job = self.job.as_ref();
        job.map(|job| format!(" in {}", printable(&job.name))).unwrap_or_default()
    }

    /// What went wrong, in words that follow the client's address.
    fn reason(&self, hall: &Hall<'_, House>, fault: &DriveError<SenderError>) -> String {
        let during = self.during();
        match fault {
            DriveError::Connection(error) => format!("broke off{during}: {}", describe(error)),
            DriveError::Contents => format!("was cut off{during}: it became shorter"),
            DriveError::Session(SenderError::CutShort) => {
                "closed in the middle of a request".into()
            }
            DriveError::Session(SenderError::TimedOut) => {
                format!("did not say what it wants within {}", hall.house.config.timeout)
            }
            DriveError::Session(SenderError::Stalled) => {
                format!("took nothing for {}{during}", hall.house.config.stall)
            }
            _ => fault.to_string(),
        }
    }
}

/// A digest that stands for all before, and one more.
fn chain(before: &Digest, next: &Digest) -> Digest {
    let mut digester = Digester::new();
    digester.update(before);
    digester.update(next);
    digester.finish()
}

/// The name in reports; that of a listing ends in a slash.
fn shown_name(request: &Request<'_>) -> Vec<u8> {
    match (request.operation, request.name) {
        (Operation::List, b"") => b"./".to_vec(),
        (Operation::List, name) => [name.strip_suffix(b"/").unwrap_or(name), b"/"].concat(),
        (_, name) => name.to_vec(),
    }
}

impl<'h> Task<Hall<'h, House>> for Download {
    fn turn(
        &mut self,
        hall: &mut Hall<'h, House>,
        cx: &mut Context<'_, Hall<'h, House>>,
    ) -> Poll<()> {
        if cx.stopping() {
            if self.session.is_unasked() {
                // An end in order would be an answer, and a wrong one.
                self.abandon(hall);
                hall.leave(cx, &mut self.guest);
                return Poll::Ready(());
            }
            self.session.stop(cx.now());
        }
        let advanced = match self.advance(hall, cx) {
            Err(nb::Error::WouldBlock) => {
                // What takes more than a turn may be rewritten meanwhile.
                if let Some(job) = &mut self.job
                    && let Err(error) = job.opened.mark()
                {
                    log::debug!("{}: {error}", printable(&job.name));
                }
                let flushed = self.link.flush(cx, &self.session);
                flushed.map_err(|error| error.map(|fault| self.reason(hall, &fault)))
            }
            over => over,
        };
        if hall.output.has_pending() {
            hall.print(cx);
        }
        match advanced {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Err(nb::Error::Other(reason)) => {
                self.link.abort();
                hall.fail(cx, &self.guest, &reason);
            }
            Ok(()) => {}
        }
        hall.leave(cx, &mut self.guest);
        Poll::Ready(())
    }

    fn abandon(&mut self, hall: &mut Hall<'h, House>) {
        hall.note(&self.guest, &format!("was cut off by the stop{}", self.during()));
        self.link.abort();
    }
}

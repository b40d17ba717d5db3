//! The task of one client: its requests, one after another.

use core::task::Poll;
use std::os::fd::AsFd as _;

use barewire_core::file::{
    Operation, Pending, Refusal, Request, RequestEvent, SEGMENT, Sender, SenderError,
    TransferConfig,
};
use barewire_core::printable::printable;
use barewire_core::time::Instant;
use barewire_linux::executor::{Context, Task};
use barewire_linux::files::ServedFile;
use barewire_linux::link::{DriveError, Link};

use super::response::Response;
use super::store::Store;

use crate::output::events::file_server::Served;
use crate::output::system_error::describe;
use crate::server::serve::{Guest, Hall};

/// How many requests are answered in one turn before everybody else's turn comes.
const REQUESTS: usize = 64;

pub(super) struct ClientConnection {
    link: Link,
    session: Sender,
    guest: Guest,
    response: Option<Response>,
}

/// What the whole server has.
pub(super) struct FileServerState {
    pub(super) store: Store,
    pub(super) config: TransferConfig,
}

/// A request, and what was found.
struct Requested {
    name: Vec<u8>,
    found: Result<ServedFile, Refusal>,
    is_list: bool,
}

impl ClientConnection {
    pub(super) fn new(link: Link, session: Sender, guest: Guest) -> Self {
        Self { link, session, guest, response: None }
    }

    /// Goes on as far as it can without waiting and within the turn's budget. `Ok`: the
    /// conversation is over. An error is to be told to the operator.
    fn advance<'h>(
        &mut self,
        hall: &mut Hall<'h, FileServerState>,
        cx: &mut Context<'_, Hall<'h, FileServerState>>,
    ) -> nb::Result<(), String> {
        let store = &hall.house.store;
        let mut hashed = 0;
        for _ in 0..REQUESTS {
            let Self { link, session, guest, response } = self;
            let mut requested = None;
            let contents = response.as_ref().map(|response| response.file.as_fd());
            let advanced = link.advance(cx, session, contents, |event| match event {
                RequestEvent::Request(request) => {
                    let found = store.find(&request);
                    let is_list = request.operation == Operation::List;
                    requested = Some(Requested { name: shown_name(&request), found, is_list });
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
                    if let Some(requested) = requested {
                        let is_list = requested.is_list;
                        self.answer(hall, cx.now(), requested);
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
                    let Some(response) = &mut self.response else { break };
                    match response.digest(store, offset, length, cx.scratch()) {
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

    fn answer(&mut self, hall: &mut Hall<'_, FileServerState>, now: Instant, requested: Requested) {
        let Requested { name, found, .. } = requested;
        let peer = self.guest.peer;
        match found {
            Ok(opened) => match self.session.offer(now, opened.size(), opened.tag()) {
                Some(range) => self.response = Some(Response::new(name, now, opened, range)),
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
    fn confirm(
        &mut self,
        hall: &mut Hall<'_, FileServerState>,
        now: Instant,
    ) -> nb::Result<(), String> {
        let Some(mut response) = self.response.take() else { return Ok(()) };
        response.check().map_err(nb::Error::Other)?;
        self.session.confirm(now);
        let bytes = response.range.end - response.range.start;
        let seconds = now.since(response.begun);
        hall.output.show_unless_quiet(&Served::sent(
            self.guest.peer,
            &response.name,
            bytes,
            seconds,
        ));
        Ok(())
    }

    /// In what it broke off, if in anything.
    fn during(&self) -> String {
        let response = self.response.as_ref();
        response.map(|response| format!(" in {}", printable(&response.name))).unwrap_or_default()
    }

    /// What went wrong, in words that follow the client's address.
    fn reason(&self, hall: &Hall<'_, FileServerState>, fault: &DriveError<SenderError>) -> String {
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

/// The name in reports; that of a listing ends in a slash.
fn shown_name(request: &Request<'_>) -> Vec<u8> {
    match (request.operation, request.name) {
        (Operation::List, b"") => b"./".to_vec(),
        (Operation::List, name) => [name.strip_suffix(b"/").unwrap_or(name), b"/"].concat(),
        (_, name) => name.to_vec(),
    }
}

impl<'h> Task<Hall<'h, FileServerState>> for ClientConnection {
    fn turn(
        &mut self,
        hall: &mut Hall<'h, FileServerState>,
        cx: &mut Context<'_, Hall<'h, FileServerState>>,
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
                if let Some(response) = &mut self.response
                    && let Err(error) = response.file.mark()
                {
                    log::debug!("{}: {error}", printable(&response.name));
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

    fn abandon(&mut self, hall: &mut Hall<'h, FileServerState>) {
        hall.note(&self.guest, &format!("was cut off by the stop{}", self.during()));
        self.link.abort();
    }
}

//! The task of one client: its requests, one after another.

use core::task::Poll;
use std::os::fd::AsFd as _;
use std::sync::Arc;

use barewire_core::file::{
    Offer, Operation, Pending, Refusal, Request, RequestEvent, SegmentSize, Sender, SenderError,
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
use crate::server::context::{ServedPeer, ServerContext};

/// How many requests are answered in one turn before everybody else's turn comes.
const REQUESTS: usize = 64;

pub(super) struct ClientConnection {
    link: Link,
    session: Sender,
    peer: ServedPeer,
    response: Option<Response>,
}

/// What all threads of the server share.
#[derive(Debug)]
pub(super) struct FileServerState {
    pub(super) store: Store,
    pub(super) config: TransferConfig,
}

type FileContext = ServerContext<Arc<FileServerState>>;

/// A request, and what was found.
struct Requested {
    name: Vec<u8>,
    found: Result<ServedFile, Refusal>,
    is_list: bool,
}

impl ClientConnection {
    pub(super) fn new(link: Link, session: Sender, peer: ServedPeer) -> Self {
        Self { link, session, peer, response: None }
    }

    /// Goes on as far as it can without waiting and within the turn's budget. `Ok`: the
    /// conversation is over. An error is to be told to the operator.
    fn advance(
        &mut self,
        context: &mut FileContext,
        cx: &mut Context<'_, FileContext>,
    ) -> nb::Result<(), String> {
        let mut hashed = 0;
        for _ in 0..REQUESTS {
            let Self { link, session, peer, response } = self;
            let mut requested = None;
            let contents = response.as_ref().map(|response| response.file.as_fd());
            let advanced = link.advance(cx, session, contents, |event| match event {
                RequestEvent::Request(request) => {
                    let found = context.state.store.find(&request);
                    let is_list = request.operation == Operation::List;
                    requested = Some(Requested { name: shown_name(&request), found, is_list });
                }
                RequestEvent::Refused { refusal, name } => {
                    context.printer.show_unless_quiet(&Served::refused(
                        peer.address,
                        name,
                        refusal,
                    ));
                }
                _ => {}
            });
            match advanced {
                Err(nb::Error::WouldBlock) => {}
                Err(nb::Error::Other(fault)) => {
                    return Err(nb::Error::Other(self.reason(context, &fault)));
                }
                Ok(()) => return Ok(()),
            }
            match session.pending() {
                None => return Err(nb::Error::WouldBlock),
                Some(Pending::Response) => {
                    if let Some(requested) = requested {
                        let is_list = requested.is_list;
                        self.answer(context, cx.now(), requested);
                        // Which may have taken long: the others come first.
                        if is_list {
                            break;
                        }
                    }
                }
                Some(Pending::Digest(segment)) => {
                    if hashed >= SegmentSize::MAX.bytes() {
                        break;
                    }
                    hashed += segment.end() - segment.start();
                    let Some(response) = &mut self.response else { break };
                    match response.digest(&context.state.store, segment, cx.scratch()) {
                        Ok(digest) => self.session.provide_digest(cx.now(), digest),
                        // There is more to read than one turn allows.
                        Err(nb::Error::WouldBlock) => break,
                        Err(error) => return Err(error),
                    }
                }
                Some(Pending::Confirm) => self.confirm(context, cx.now())?,
                Some(other) => return Err(nb::Error::Other(format!("not known here: {other:?}"))),
            }
        }
        cx.yield_now();
        Err(nb::Error::WouldBlock)
    }

    fn answer(&mut self, context: &mut FileContext, now: Instant, requested: Requested) {
        let Requested { name, found, .. } = requested;
        let peer = self.peer.address;
        match found {
            Ok(opened) => {
                let offer =
                    Offer { size: opened.size(), tag: opened.tag(), modified: opened.modified() };
                let segments = self
                    .session
                    .request()
                    .map_or_else(SegmentSize::default, |request| request.segment);
                match self.session.offer(now, offer) {
                    Some(range) => {
                        self.response = Some(Response::new(name, now, opened, range, segments));
                    }
                    None => {
                        context.printer.show_unless_quiet(&Served::refused(
                            peer,
                            &name,
                            Refusal::PastEnd,
                        ));
                    }
                }
            }
            Err(refusal) => {
                self.session.refuse(now, refusal);
                context.printer.show_unless_quiet(&Served::refused(peer, &name, refusal));
            }
        }
    }

    /// All of the file has gone out. If it is no longer what was offered, the client must not take
    /// what it got for the whole.
    fn confirm(&mut self, context: &mut FileContext, now: Instant) -> nb::Result<(), String> {
        let Some(mut response) = self.response.take() else { return Ok(()) };
        response.check().map_err(nb::Error::Other)?;
        self.session.confirm(now);
        let bytes = response.range.end - response.range.start;
        let seconds = now.duration_since(response.begun);
        context.printer.show_unless_quiet(&Served::sent(
            self.peer.address,
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
    fn reason(&self, context: &FileContext, fault: &DriveError<SenderError>) -> String {
        let during = self.during();
        match fault {
            DriveError::Connection(error) => {
                format!("connection lost{during}: {}", describe(error))
            }
            DriveError::Contents => {
                format!("was cut off{during}: the file was truncated while it was sent")
            }
            DriveError::Session(SenderError::CutShort) => {
                "closed in the middle of a request".into()
            }
            DriveError::Session(SenderError::TimedOut) => {
                format!("did not send a request within {}", context.state.config.timeout)
            }
            DriveError::Session(SenderError::Stalled) => {
                format!("took nothing for {}{during}", context.state.config.stall)
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

impl Task<FileContext> for ClientConnection {
    fn turn(&mut self, context: &mut FileContext, cx: &mut Context<'_, FileContext>) -> Poll<()> {
        if cx.stopping() {
            if self.session.is_unasked() {
                // An end in order would be an answer, and a wrong one.
                self.abandon(context);
                context.peer_served(cx, &mut self.peer);
                return Poll::Ready(());
            }
            self.session.stop(cx.now());
        }
        let advanced = match self.advance(context, cx) {
            Err(nb::Error::WouldBlock) => {
                // What takes more than a turn may be rewritten meanwhile.
                if let Some(response) = &mut self.response
                    && let Err(error) = response.file.mark()
                {
                    log::debug!("{}: {error}", printable(&response.name));
                }
                let flushed = self.link.flush(cx, &self.session);
                flushed.map_err(|error| error.map(|fault| self.reason(context, &fault)))
            }
            over => over,
        };
        context.flush_later(cx);
        match advanced {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Err(nb::Error::Other(reason)) => {
                self.link.abort();
                context.peer_failed(cx, &self.peer, &reason);
            }
            Ok(()) => {}
        }
        context.peer_served(cx, &mut self.peer);
        Poll::Ready(())
    }

    fn abandon(&mut self, context: &mut FileContext) {
        context.peer_abandoned(&self.peer, &format!("aborted by the shutdown{}", self.during()));
        self.link.abort();
    }
}

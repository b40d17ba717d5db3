//! The task of one client: its requests, one after another.

use core::task::Poll;
use std::sync::Arc;

use barewire_core::file::{
    Offer, Pending, Refusal, RequestEvent, SegmentSize, Sender, SenderError, TransferConfig,
};
use barewire_core::session::{Output, Session as _};
use barewire_core::time::Instant;
use barewire_linux::executor::{Context, Task};
use barewire_linux::files::Asker;
use barewire_linux::link::{Link, LinkError};

use super::reason::reason;
use super::response::Response;
use super::sources::{SourceShare, Sources};
use super::store::{Found, told};
use super::stores::Stores;

use crate::output::events::file_server::{Served, reported_name};
use crate::output::peer_text::shown;
use crate::server::admission::Standing;
use crate::server::context::{ServedPeer, ServerContext};
use crate::server::links::{Links, channel_penalty, has_no_key};
use crate::server::penalties::Penalty;

/// How many requests are answered in one turn before everybody else's turn comes.
const REQUESTS: usize = 64;

/// How many bytes are hashed in one turn.
const HASHED: u64 = 1 << 20;

pub(super) struct ClientConnection {
    link: Link,
    session: Sender,
    source: Arc<SourceShare>,
    peer: ServedPeer,
    /// Its place is another's, so it ends.
    is_replaced: bool,
    requested: Option<Requested>,
    response: Option<Response>,
    /// Since when the client waits for this side's disk.
    waits_since: Option<Instant>,
    /// Contents are kept back, for the disk or for the rate.
    withholds: bool,
    /// Since when nothing is asked, if nothing is.
    idle_since: Option<Instant>,
    /// What it costs the client's source if it ends the conversation now.
    penalty: Option<Penalty>,
    /// It has shown that it has none of the server's keys.
    has_no_key: bool,
}

/// What all threads of the server share.
#[derive(Debug)]
pub(super) struct FileServerState {
    pub(super) stores: Stores,
    pub(super) sources: Sources,
    pub(super) config: TransferConfig,
    pub(super) links: Links,
}

type FileContext = ServerContext<Arc<FileServerState>>;

/// A request, and what was found.
struct Requested {
    name: Vec<u8>,
    found: Found,
}

impl ClientConnection {
    pub(super) fn new(
        link: Link,
        session: Sender,
        peer: ServedPeer,
        source: Arc<SourceShare>,
    ) -> Self {
        Self {
            link,
            session,
            source,
            peer,
            is_replaced: false,
            requested: None,
            response: None,
            waits_since: None,
            withholds: false,
            idle_since: None,
            penalty: Some(Penalty::NoData),
            has_no_key: false,
        }
    }

    /// Goes on as far as it can without waiting and within the turn's budget. `Ok`: the
    /// conversation is over. An error is to be told to the operator.
    fn advance(
        &mut self,
        context: &mut FileContext,
        cx: &mut Context<'_, FileContext>,
    ) -> nb::Result<(), String> {
        let (waker, source) = (cx.waker(), Arc::clone(&self.source));
        let asker = Asker { share: &source.share, waker: &|| waker.clone() };
        let state = Arc::clone(&context.state);
        if self.withholds {
            self.session.excuse(cx.now());
        }
        let mut hashed = 0;
        for _ in 0..REQUESTS {
            let Self { link, session, response, idle_since, penalty, .. } = self;
            let mut contents = response.as_ref().map(Response::contents);
            let (mut requested, mut refused) = (None, None);
            let advanced = link.advance(cx, session, contents.as_mut(), |event| match event {
                RequestEvent::Request(request) => {
                    requested = Some((request.operation, request.name.to_vec()));
                    *idle_since = None;
                    *penalty = penalty.filter(|penalty| *penalty != Penalty::NoData);
                }
                RequestEvent::Refused { refusal, name } => {
                    (*idle_since, *penalty) = (None, Some(Penalty::Failed));
                    refused = Some((name.to_vec(), refusal));
                }
                _ => {}
            });
            // Once the channel is open, which it is before anything is asked.
            let store = state.stores.of(self.link.peer_key());
            if let Some((operation, name)) = requested {
                let found = match self.peer.standing() {
                    Standing::Served => store.find(operation, &name, &asker),
                    _ => Found::Now(Err(Refusal::Busy)),
                };
                self.requested = Some(Requested { name: reported_name(operation, name), found });
            }
            if let Some((name, refusal)) = refused {
                let refused = Served::refused(self.peer.address, &name, refusal);
                let key = state.links.key_of(&self.link);
                context.printer.show_unless_quiet(&refused.with_key(key));
            }
            match advanced {
                Err(nb::Error::WouldBlock) => {}
                Err(nb::Error::Other(fault)) => {
                    match &fault {
                        LinkError::Session(SenderError::TimedOut) => {
                            self.penalty = self.penalty.and(Some(Penalty::Failed));
                        }
                        LinkError::Channel(error) => {
                            self.penalty = self.penalty.and(Some(channel_penalty(*error)));
                            self.has_no_key = has_no_key(*error);
                        }
                        _ => {}
                    }
                    return Err(nb::Error::Other(reason(
                        &fault,
                        &self.during(),
                        &context.state.config,
                    )));
                }
                Ok(()) => return Ok(()),
            }
            let stopped_at = contents.and_then(|contents| contents.stopped_at());
            self.withholds = stopped_at.is_some();
            let mut goes_on = false;
            if let (Some(position), Some(response)) = (stopped_at, &mut self.response) {
                let supplied = response.supply(store, &asker, cx.now(), position);
                goes_on |= self.supplied(&state, cx.now(), supplied)? == Some(true);
            }
            match self.session.pending() {
                None => {}
                Some(Pending::Response) => goes_on |= self.answer(context, cx.now(), &asker),
                Some(Pending::Digest(segment)) => {
                    if hashed >= HASHED {
                        break;
                    }
                    // What is larger others hash.
                    let length = segment.end() - segment.start();
                    hashed += if length <= cx.scratch().len() as u64 { length } else { 0 };
                    let Some(response) = &mut self.response else { break };
                    let digest = response.digest(store, &asker, segment, cx.scratch());
                    if let Some(digest) = self.supplied(&state, cx.now(), digest)? {
                        self.session.provide_digest(cx.now(), digest);
                        goes_on = true;
                    }
                }
                Some(Pending::Confirm) => {
                    self.confirm(context, cx.now())?;
                    goes_on = true;
                }
                Some(other) => return Err(nb::Error::Other(format!("not known here: {other:?}"))),
            }
            if !goes_on {
                return Err(nb::Error::WouldBlock);
            }
        }
        cx.yield_now();
        Err(nb::Error::WouldBlock)
    }

    /// What the disk has given, if it has; a disk that gives nothing for too long is an error.
    fn supplied<T>(
        &mut self,
        state: &FileServerState,
        now: Instant,
        supplied: nb::Result<T, String>,
    ) -> Result<Option<T>, String> {
        match supplied {
            Ok(supplied) => {
                self.waits_since = None;
                Ok(Some(supplied))
            }
            Err(nb::Error::Other(error)) => Err(error),
            Err(nb::Error::WouldBlock) if self.has_waited(state, now) => {
                let stall = state.config.stall;
                Err(format!("was cut off{}: no data from the disk for {stall}", self.during()))
            }
            Err(nb::Error::WouldBlock) => Ok(None),
        }
    }

    /// Whether the disk has given nothing for too long.
    fn has_waited(&mut self, state: &FileServerState, now: Instant) -> bool {
        let since = *self.waits_since.get_or_insert(now);
        now.duration_since(since) >= state.config.stall
    }

    /// Answers the request, if that is possible yet.
    fn answer(&mut self, context: &mut FileContext, now: Instant, asker: &Asker<'_>) -> bool {
        let Some(Requested { name, found }) = self.requested.take() else { return false };
        let found = match found {
            Found::Now(found) => found,
            Found::Later(ticket) => match ticket.poll(asker.waker) {
                Ok(opened) => told(&name, opened).map(|opened| opened.again()),
                Err(nb::Error::WouldBlock) if !self.has_waited(&context.state, now) => {
                    self.requested = Some(Requested { name, found: Found::Later(ticket) });
                    return false;
                }
                Err(_) => Err(Refusal::Failed),
            },
        };
        self.waits_since = None;
        let refused = match found {
            Ok(opened) => {
                let (size, tag, modified) = (opened.size(), opened.tag(), opened.modified());
                let request = self.session.request();
                let segments = request.map_or_else(SegmentSize::default, |request| request.segment);
                match self.session.offer(now, Offer { size, tag, modified }) {
                    Some(range) => {
                        let pace = context.state.sources.pace(&self.source);
                        let range = (range, segments);
                        self.response = Some(Response::new(name, now, opened, range, pace));
                        return true;
                    }
                    None => Refusal::PastEnd,
                }
            }
            Err(refusal) => {
                self.session.refuse(now, refusal);
                refusal
            }
        };
        let from = self.peer.address;
        let refused = match self.peer.obstacle() {
            Some(obstacle) => Served::turned_away(from, &name, obstacle),
            None => Served::refused(from, &name, refused),
        };
        let key = context.state.links.key_of(&self.link);
        context.printer.show_unless_quiet(&refused.with_key(key));
        if self.peer.standing() != Standing::Served {
            self.session.stop(now);
        }
        true
    }

    /// When it goes on by itself, if it waits for the disk or for its turn.
    fn resumes_at(&self, state: &FileServerState) -> Option<Instant> {
        let disk = self.waits_since.map(|since| since + state.config.stall);
        let pace = self.response.as_ref().and_then(Response::resumes_at);
        let own = disk.into_iter().chain(pace).min()?;
        // What is kept back is not for the client to take in time.
        let session = self.session.poll_deadline().filter(|_| !self.withholds);
        Some(session.map_or(own, |at| at.min(own)))
    }

    /// All of the file has gone out. If it is no longer what was offered, the client must not take
    /// what it got for the whole.
    fn confirm(&mut self, context: &mut FileContext, now: Instant) -> nb::Result<(), String> {
        let Some(mut response) = self.response.take() else { return Ok(()) };
        response.check().map_err(nb::Error::Other)?;
        self.session.confirm(now);
        self.peer.clear_penalties();
        let bytes = response.range.end - response.range.start;
        let seconds = now.duration_since(response.begun);
        let sent = Served::sent(self.peer.address, &response.name, bytes, seconds);
        let key = context.state.links.key_of(&self.link);
        context.printer.show_unless_quiet(&sent.with_key(key));
        Ok(())
    }

    /// Whether this side has nothing more to say.
    fn has_stopped(&self) -> bool {
        self.session.pending().is_none() && self.session.poll_transmit() == Output::Nothing
    }

    /// In what it broke off, if in anything.
    fn during(&self) -> String {
        let response = self.response.as_ref();
        response.map(|response| format!(" in {}", shown(&response.name))).unwrap_or_default()
    }
}

impl Task<FileContext> for ClientConnection {
    fn turn(&mut self, context: &mut FileContext, cx: &mut Context<'_, FileContext>) -> Poll<()> {
        if context.serves_another(&self.peer) {
            self.link.abort();
            return Poll::Ready(());
        }
        if !self.peer.keep_place() && !self.is_replaced {
            log::debug!("{}: idle, and its place is another's", self.peer.address);
            self.is_replaced = true;
            if self.session.is_unasked() {
                self.link.abort();
                return Poll::Ready(());
            }
            self.session.stop(cx.now());
        }
        if cx.stopping() {
            if self.session.is_unasked() {
                // An end in order would be an answer, and a wrong one.
                self.abandon(context);
                self.peer.served(cx);
                return Poll::Ready(());
            }
            self.session.stop(cx.now());
        }
        let advanced = match self.advance(context, cx) {
            Err(nb::Error::WouldBlock) => {
                // What takes more than a turn may be rewritten meanwhile.
                let waker = cx.waker();
                let asker = Asker { share: &self.source.share, waker: &|| waker.clone() };
                if let Some(response) = &mut self.response {
                    response.mark(context.state.stores.of(self.link.peer_key()), &asker);
                }
                let flushed = self.link.flush(cx, &mut self.session);
                if let (Err(nb::Error::WouldBlock), Some(at)) =
                    (&flushed, self.resumes_at(&context.state))
                {
                    cx.set_deadline(Some(at));
                }
                flushed.map_err(|error| {
                    error.map(|fault| reason(&fault, &self.during(), &context.state.config))
                })
            }
            over => over,
        };
        if self.link.is_open() {
            context.peer_begun(&mut self.peer);
        }
        context.flush_later(cx);
        let is_over = !matches!(advanced, Err(nb::Error::WouldBlock));
        if let Some(penalty) = self.penalty.filter(|_| is_over && !self.is_replaced) {
            self.peer.penalize(penalty, cx.now());
        }
        match advanced {
            Err(nb::Error::WouldBlock) if self.is_replaced && self.has_stopped() => {
                // Who does nothing is not waited for to end its side.
                self.link.give_up(cx);
            }
            Err(nb::Error::WouldBlock) => {
                if self.session.is_idle() {
                    let idle_since = *self.idle_since.get_or_insert(cx.now());
                    self.peer.offer_place(idle_since, || cx.waker());
                } else {
                    self.idle_since = None;
                }
                return Poll::Pending;
            }
            Err(nb::Error::Other(reason)) => {
                self.link.abort();
                if self.has_no_key {
                    context.peer_without_key(cx, &self.peer, &reason);
                } else {
                    context.peer_failed(cx, &self.peer, &reason);
                }
            }
            Ok(()) => {}
        }
        self.peer.served(cx);
        Poll::Ready(())
    }

    fn abandon(&mut self, context: &mut FileContext) {
        context.peer_abandoned(&self.peer, &format!("aborted by the shutdown{}", self.during()));
        self.link.abort();
    }
}

//! Looking a name up without waiting.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::sync::Arc;

use barewire_core::time::{Duration, Instant};

use super::error::DialError;
use crate::address::Family;
use crate::executor::Context;
use crate::resolve::{UnknownHost, lookup};
use crate::workers::{Share, SingleFlight, Ticket, WorkerPool};

/// How long a look-up may take unless the owner chooses another limit: as long as the system's own needs
/// to go on to the second of its name servers, and the third (`resolv.conf(5)`).
pub const LOOKUP_TIMEOUT: Duration = Duration::from_secs(15);

/// Of these a look-up has half: one that hangs does not keep the next from beginning.
const THREADS: NonZero<usize> = NonZero::new(4).unwrap();

/// Finds the addresses of a host, anew each time that it is asked.
///
/// A name is looked up by a thread of its own, so that nobody waits for the name service: neither the
/// executor, nor the end of the process. An address needs none.
#[derive(Debug)]
pub struct Resolver {
    host: Arc<str>,
    port: u16,
    /// The addresses, if the host is one itself.
    known: Option<Vec<SocketAddr>>,
    family: Option<Family>,
    timeout: Duration,
    lookups: SingleFlight<(), Found>,
    share: Share,
    under_way: Option<(Option<Ticket<Found>>, Instant)>,
}

type Found = Result<Vec<SocketAddr>, Arc<UnknownHost>>;

impl Resolver {
    /// Will look up `host`, a name or an address, for a server's `port`.
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            known: host.parse::<IpAddr>().ok().map(|ip| vec![SocketAddr::new(ip, port)]),
            family: None,
            timeout: LOOKUP_TIMEOUT,
            lookups: SingleFlight::new(),
            share: WorkerPool::new(THREADS).share(),
            under_way: None,
        }
    }

    /// One that always finds `addresses`.
    #[cfg(test)]
    pub(super) fn knowing(addresses: Vec<SocketAddr>) -> Self {
        Self { known: Some(addresses), ..Self::new("known", 0) }
    }

    /// Leaves out the addresses of another family.
    #[must_use]
    pub fn with_family(self, family: Option<Family>) -> Self {
        Self { family, ..self }
    }

    /// Changes how long a look-up may take; [`LOOKUP_TIMEOUT`] otherwise.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Goes on as far as it can without waiting. To be called in every turn of the task until it gives
    /// the addresses, at least one, the best first ([`lookup`]). It sets the task's deadline.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: the look-up is under way. Otherwise why there is no address.
    pub fn poll<W>(&mut self, cx: &mut Context<'_, W>) -> nb::Result<Vec<SocketAddr>, DialError> {
        let found = match &self.known {
            Some(known) => known.clone(),
            None => self.look_up(cx)?,
        };
        let Some(family) = self.family else { return Ok(found) };
        let found: Vec<_> = found.into_iter().filter(|address| family.has(*address)).collect();
        if found.is_empty() {
            let host = Arc::clone(&self.host);
            return Err(nb::Error::Other(DialError::NoAddress { host, family }));
        }
        Ok(found)
    }

    fn look_up<W>(&mut self, cx: &mut Context<'_, W>) -> nb::Result<Vec<SocketAddr>, DialError> {
        let result = self.advance(cx);
        if !matches!(result, Err(nb::Error::WouldBlock)) {
            self.give_up(cx);
        }
        result
    }

    fn advance<W>(&mut self, cx: &mut Context<'_, W>) -> nb::Result<Vec<SocketAddr>, DialError> {
        let Self { host, port, timeout, lookups, share, under_way, .. } = self;
        let (ticket, deadline) = under_way.get_or_insert_with(|| (None, cx.now() + *timeout));
        if ticket.is_none() {
            let (host, port) = (Arc::clone(host), *port);
            let asked = lookups.ask(
                share,
                (),
                || cx.waker(),
                move |_| lookup(&host, port).map_err(Arc::new),
            );
            *ticket = asked.ok();
        }
        match ticket.as_ref().map(|ticket| ticket.poll(|| cx.waker())) {
            Some(Ok(Ok(found))) => Ok(found),
            Some(Ok(Err(unknown))) => Err(nb::Error::Other(DialError::UnknownHost(unknown))),
            Some(Err(nb::Error::Other(lost))) => {
                let (host, error) = (host.to_string(), io::Error::other(lost));
                let unknown = Arc::new(UnknownHost { host, error });
                Err(nb::Error::Other(DialError::UnknownHost(unknown)))
            }
            None | Some(Err(nb::Error::WouldBlock)) if cx.now() < *deadline => {
                cx.set_deadline(Some(*deadline));
                Err(nb::Error::WouldBlock)
            }
            None | Some(Err(nb::Error::WouldBlock)) => {
                let (host, limit) = (Arc::clone(host), *timeout);
                Err(nb::Error::Other(DialError::LookupTimedOut { host, limit }))
            }
        }
    }

    /// Ends a look-up that is under way: what it finds is dropped. For a task that goes on without it.
    pub fn give_up<W>(&mut self, cx: &mut Context<'_, W>) {
        self.under_way = None;
        cx.set_deadline(None);
    }
}

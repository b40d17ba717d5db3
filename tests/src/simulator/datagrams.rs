//! A network of datagrams: it loses, doubles and reorders them, and never alters one. Sockets come and
//! go, and machines fail.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use barewire_core::datagram::Datagram;
use barewire_core::time::{Duration, Instant};

use super::random::Random;
use super::schedule::Schedule;

/// What a network does to each datagram.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// How long it is under way. The wider the range, the more overtake each other.
    pub delay: RangeInclusive<Duration>,
    /// How many of a hundred are lost; refusals too.
    pub loss: u8,
    /// How many of a hundred arrive twice.
    pub doubling: u8,
    /// Whether the sender hears of it when nobody is at the address (ICMP destination
    /// unreachable, RFC 792).
    pub refuses: bool,
}

/// How often the network did what it may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Datagrams that were sent.
    pub sent: usize,
    /// Datagrams that never arrived.
    pub lost: usize,
    /// Datagrams that arrived twice.
    pub doubled: usize,
    /// Arrivals of datagrams that a later one of the same sender and receiver had overtaken.
    pub overtaken: usize,
    /// Refusals that reached the sender.
    pub refused: usize,
    /// Datagrams for a machine that had failed.
    pub swallowed: usize,
}

/// What happens to one socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A datagram.
    Datagram {
        /// Who sent it.
        source: SocketAddr,
        /// All of it.
        bytes: Vec<u8>,
    },
    /// The news that nobody is at the address that it sent to.
    Refusal,
    /// The time that it asked for ([`Datagrams::wake`]).
    Time,
}

impl Arrival {
    /// The datagram, if it is one.
    pub fn datagram(&self) -> Option<Datagram<'_>> {
        match self {
            Self::Datagram { source, bytes } => Some(Datagram::whole(*source, bytes)),
            Self::Refusal | Self::Time => None,
        }
    }
}

/// The network, its sockets, and the time that they share.
#[derive(Debug)]
pub struct Datagrams {
    schedule: Schedule<Letter>,
    random: Random,
    conditions: Conditions,
    /// What each bound socket has received: the number of the latest from each source.
    sockets: BTreeMap<SocketAddr, BTreeMap<SocketAddr, usize>>,
    /// Where a machine has failed.
    dark: BTreeSet<SocketAddr>,
    tally: Tally,
}

/// Something under way to a socket.
#[derive(Debug)]
struct Letter {
    to: SocketAddr,
    /// Its place in the order of sending.
    number: usize,
    arrival: Arrival,
}

impl Datagrams {
    /// A network without sockets. Its clock starts anywhere, as clocks do.
    pub fn new(mut random: Random, conditions: Conditions) -> Self {
        let start = Instant::ZERO + random.span(Duration::ZERO..=Duration::from_secs(1 << 32));
        Self {
            schedule: Schedule::new(start),
            random,
            conditions,
            sockets: BTreeMap::new(),
            dark: BTreeSet::new(),
            tally: Tally::default(),
        }
    }

    /// The time.
    pub const fn now(&self) -> Instant {
        self.schedule.now()
    }

    /// What the network has done so far.
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// Opens a socket, on a machine that has power again if it had failed.
    pub fn bind(&mut self, address: SocketAddr) {
        self.dark.remove(&address);
        let before = self.sockets.insert(address, BTreeMap::new());
        assert!(before.is_none(), "{address} is taken");
    }

    /// Closes a socket, as the system does for a program that is killed: nobody is at the address.
    pub fn close(&mut self, address: SocketAddr) {
        assert!(self.sockets.remove(&address).is_some(), "nobody is at {address}");
    }

    /// The machine at an address fails. Until a socket is [bound](Self::bind) there again, what comes
    /// to it is lost, and no sender hears of it.
    pub fn lose_power(&mut self, address: SocketAddr) {
        self.close(address);
        self.dark.insert(address);
    }

    /// Sends a datagram.
    pub fn send(&mut self, source: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        self.tally.sent += 1;
        if self.random.chance(self.conditions.loss) {
            self.tally.lost += 1;
            return;
        }
        let doubled = self.random.chance(self.conditions.doubling);
        self.tally.doubled += usize::from(doubled);
        for _ in 0..=usize::from(doubled) {
            self.post(to, Arrival::Datagram { source, bytes: bytes.to_vec() });
        }
    }

    /// Gives a socket its turn at `at`, with [`Arrival::Time`].
    pub fn wake(&mut self, address: SocketAddr, at: Instant) {
        let number = self.tally.sent;
        self.schedule.enter(at, Letter { to: address, number, arrival: Arrival::Time });
    }

    /// Lets time pass until something happens to a socket. `None`: nothing will ever happen again.
    pub fn advance(&mut self) -> Option<(SocketAddr, Arrival)> {
        loop {
            let Letter { to, number, arrival } = self.schedule.advance()?;
            let socket = self.sockets.get_mut(&to);
            match (socket, arrival) {
                (Some(received), Arrival::Datagram { source, bytes }) => {
                    let latest = received.entry(source).or_default();
                    self.tally.overtaken += usize::from(number < *latest);
                    *latest = number.max(*latest);
                    return Some((to, Arrival::Datagram { source, bytes }));
                }
                (Some(_), arrival) => {
                    self.tally.refused += usize::from(arrival == Arrival::Refusal);
                    return Some((to, arrival));
                }
                (None, Arrival::Datagram { .. }) if self.dark.contains(&to) => {
                    self.tally.swallowed += 1;
                }
                (None, Arrival::Datagram { source, .. }) => self.refuse(source),
                (None, Arrival::Refusal | Arrival::Time) => {}
            }
        }
    }

    fn refuse(&mut self, source: SocketAddr) {
        if self.conditions.refuses && !self.random.chance(self.conditions.loss) {
            self.post(source, Arrival::Refusal);
        }
    }

    fn post(&mut self, to: SocketAddr, arrival: Arrival) {
        let at = self.now() + self.random.span(self.conditions.delay.clone());
        self.schedule.enter(at, Letter { to, number: self.tally.sent, arrival });
    }
}

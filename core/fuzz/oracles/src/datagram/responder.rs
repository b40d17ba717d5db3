//! The server: whom it answers, and that it can never run away.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use arbitrary::Arbitrary;
use barewire_core::datagram::{
    Action, Datagram, DropReason, HashKey, MUTE_THRESHOLD, REFLECTING_PORTS, Rate, Reply,
    Responder, ResponderConfig,
};
use barewire_core::time::Instant;

use super::limits::Limits;
use crate::script::{START, Span};

const PORT: u16 = 8_080;
const TEXT: &[u8] = b"pong";

/// What comes to a responder.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    echo: bool,
    key: [u8; 8],
    /// Answers a second to one source, and to all; 8 for no limit.
    rate: u8,
    total: u8,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Datagram {
        host: u8,
        port: u8,
        bytes: &'a [u8],
        lost: u8,
    },
    /// Many of them, with so much time between them.
    Flood {
        host: u8,
        count: u8,
        every: Span,
    },
    /// One datagram each from many addresses.
    Storm(u8),
    Wait(Span),
}

struct Simulation<'t> {
    responder: Responder<'t, 16, 8>,
    echo: bool,
    now: Instant,
    limits: Limits,
}

fn host(number: u8) -> IpAddr {
    match number % 4 {
        0 => IpAddr::V4(Ipv4Addr::LOCALHOST),
        1 => IpAddr::V4(Ipv4Addr::new(192, 0, 2, number >> 4)),
        2 => IpAddr::V6(Ipv6Addr::LOCALHOST),
        // All in one network.
        _ => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into())),
    }
}

fn port(number: u8) -> u16 {
    match usize::from(number % 32) {
        0 => 0,
        1 => PORT,
        number => REFLECTING_PORTS.get(number - 2).copied().unwrap_or(50_000),
    }
}

impl Simulation<'_> {
    fn receive(&mut self, source: SocketAddr, bytes: &[u8], length: usize) {
        let datagram = Datagram { source, bytes, length };
        let action = self.responder.handle_datagram(self.now, datagram);
        let reason = match action {
            Action::Reply(reply) => {
                assert_eq!(reply, if self.echo { bytes } else { TEXT });
                None
            }
            Action::Drop(reason) => Some(reason),
            other => unreachable!("{other:?}"),
        };
        let is_own = !self.echo && length == TEXT.len() && TEXT.starts_with(bytes);
        let by_itself = match source.port() {
            PORT => Some(DropReason::OwnPort),
            port if port == 0 || REFLECTING_PORTS.contains(&port) => {
                Some(DropReason::ReflectingPort)
            }
            _ if is_own => Some(DropReason::OwnReply),
            _ if self.echo && length > bytes.len() => Some(DropReason::Truncated),
            _ => None,
        };
        match by_itself {
            Some(_) => assert_eq!(reason, by_itself),
            None => self.limits.judge(self.now, source, reason),
        }
    }
}

/// Nothing that could start a loop is answered, and nobody gets more than the rate.
pub fn check(input: &Input<'_>) {
    let rate = Some(u32::from(input.rate % 9)).filter(|rate| *rate < 8);
    let total = Some(u32::from(input.total % 9)).filter(|total| *total < 8).map(|total| 10 * total);
    let rate_of = |limit: Option<u32>| limit.map_or(Rate::Unlimited, Rate::PerSecond);
    let config = ResponderConfig::new().with_rate(rate_of(rate)).with_total_rate(rate_of(total));
    let reply = if input.echo { Reply::Echo } else { Reply::Text(TEXT) };
    let responder = Responder::new(&[PORT], reply, HashKey::new(input.key), config);
    let limits = Limits::new(rate, total, MUTE_THRESHOLD);
    let mut simulation = Simulation { responder, echo: input.echo, now: START, limits };
    for step in input.steps.iter().take(64) {
        match step {
            Step::Datagram { host: number, port: to, bytes, lost } => {
                let source = SocketAddr::new(host(*number), port(*to));
                simulation.receive(source, bytes, bytes.len() + usize::from(*lost));
            }
            Step::Flood { host: number, count, every } => {
                for _ in 0..*count % 64 {
                    simulation.receive(SocketAddr::new(host(*number), 50_000), b"ping", 4);
                    simulation.now += every.duration();
                }
            }
            Step::Storm(count) => {
                for number in 0..*count {
                    let address = Ipv4Addr::new(198, 51, 100, number);
                    simulation.receive(SocketAddr::new(address.into(), 50_000), b"ping", 4);
                }
            }
            Step::Wait(span) => simulation.now += span.duration(),
        }
    }
}

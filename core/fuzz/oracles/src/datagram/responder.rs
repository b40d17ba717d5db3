//! The server: whom it answers, and that it can never run away.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use arbitrary::Arbitrary;
use barewire_core::datagram::{
    Action, Datagram, DropReason, MUTE_DURATION, MUTE_THRESHOLD, REFLECTING_PORTS, Rate, Reply,
    Responder,
};
use barewire_core::time::{Duration, Instant};

use crate::script::{START, Span};

const PORT: u16 = 8_080;
const TEXT: &[u8] = b"pong";
const SECOND: Duration = Duration::from_secs(1);

/// What comes to a responder.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    echo: bool,
    /// Answers a second; 8 for no limit.
    rate: u8,
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

/// What one source has sent, of that which only the rate limiter could drop.
#[derive(Default)]
struct Source {
    /// When each came, and what came of it.
    seen: Vec<(Instant, Option<DropReason>)>,
    muted_until: Option<Instant>,
}

struct Simulation<'t> {
    responder: Responder<'t, 16>,
    echo: bool,
    rate: Option<u32>,
    now: Instant,
    sources: BTreeMap<IpAddr, Source>,
    /// So many addresses have come that some may have been forgotten.
    forgets: bool,
}

fn host(number: u8) -> IpAddr {
    match number % 3 {
        0 => IpAddr::V4(Ipv4Addr::LOCALHOST),
        1 => IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        _ => IpAddr::V6(Ipv6Addr::LOCALHOST),
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
            None => self.judge(source.ip(), reason),
        }
    }

    /// What the rate limiter decided, by what is promised of it.
    fn judge(&mut self, address: IpAddr, reason: Option<DropReason>) {
        let Some(rate) = self.rate else {
            assert_eq!(reason, None, "there is no limit");
            return;
        };
        let now = self.now;
        let source = self.sources.entry(address).or_default();
        let within = |span: Duration, seen: &&(Instant, Option<DropReason>)| {
            now.duration_since(seen.0) < span
        };
        let recent = source.seen.iter().rev().take_while(|seen| within(SECOND, seen));
        let (mut count, mut answers) = (1, 1);
        for (_, reason) in recent {
            count += 1;
            answers += u32::from(reason.is_none());
        }
        match reason {
            None => {
                // Two seconds of the limiter's can lie in one of ours.
                assert!(self.forgets || answers <= 2 * rate, "{answers} answers in a second");
                let is_muted = source.muted_until.is_some_and(|until| now < until);
                assert!(self.forgets || !is_muted, "answered though muted");
            }
            Some(DropReason::OverRate) => assert!(count > rate, "{count} in a second are too many"),
            Some(DropReason::MutedNow) => {
                // It was over its rate all the time, without a pause of two seconds.
                let mut last = now;
                for (at, _) in source
                    .seen
                    .iter()
                    .rev()
                    .take_while(|(at, _)| now.duration_since(*at) < MUTE_THRESHOLD)
                {
                    assert!(last.duration_since(*at) < SECOND + SECOND, "muted though it paused");
                    last = *at;
                }
                let first = source.seen.iter().find(|(_, why)| *why == Some(DropReason::OverRate));
                assert!(
                    first.is_some_and(|(at, _)| now.duration_since(*at) >= MUTE_THRESHOLD),
                    "too early"
                );
                source.muted_until = Some(now + MUTE_DURATION);
            }
            Some(DropReason::Muted) => {
                assert!(source.muted_until.is_some_and(|until| now < until), "not muted");
            }
            Some(other) => panic!("{other:?} for no reason"),
        }
        source.seen.push((now, reason));
    }
}

/// Nothing that could start a loop is answered, and nobody gets more than the rate.
pub fn check(input: &Input<'_>) {
    let rate = Some(u32::from(input.rate % 9)).filter(|rate| *rate < 8);
    let reply = if input.echo { Reply::Echo } else { Reply::Text(TEXT) };
    let limit = rate.map_or(Rate::Unlimited, Rate::PerSecond);
    let responder = Responder::new(PORT, reply, limit);
    let (now, sources) = (START, BTreeMap::new());
    let mut simulation =
        Simulation { responder, echo: input.echo, rate, now, sources, forgets: false };
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
                simulation.forgets |= *count > 0;
                for number in 0..*count {
                    let address = Ipv4Addr::new(198, 51, 100, number);
                    simulation.receive(SocketAddr::new(address.into(), 50_000), b"ping", 4);
                }
            }
            Step::Wait(span) => simulation.now += span.duration(),
        }
    }
}

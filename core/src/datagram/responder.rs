//! The server: one reply a datagram, unless answering would do harm.

use core::fmt;

use super::config::ResponderConfig;
use super::keyed_hash::HashKey;
use super::rate_limiter::{Admission, SourceRateLimiter};
use super::received::Datagram;
use crate::logging::debug;
use crate::source::Source;
use crate::time::Instant;

/// Source ports whose owners answer anything, so that answering them can start a loop or serve a
/// forged flood (CVE-2024-2169): echo, daytime, quotd, chargen, time, domain, tftp, ntp,
/// snmp, ldap, ssdp, mdns and memcached.
pub const REFLECTING_PORTS: [u16; 13] =
    [7, 13, 17, 19, 37, 53, 69, 123, 161, 389, 1900, 5353, 11211];

/// What a [`Responder`] answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Reply<'t> {
    /// The same bytes for everybody.
    Text(&'t [u8]),
    /// What came.
    Echo,
}

/// What a [`Responder`] does with one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Action<'d> {
    /// Send these bytes to the datagram's source, from the address that it was sent to.
    Reply(&'d [u8]),
    /// Send nothing.
    Drop(DropReason),
}

/// Why a datagram gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DropReason {
    /// It is the responder's own reply text: another responder sent it.
    OwnReply,
    /// It comes from a port that the responder itself has: another responder's.
    OwnPort,
    /// It comes from one of the [`REFLECTING_PORTS`].
    ReflectingPort,
    /// It was to be echoed, but was received in part only.
    Truncated,
    /// Its source has had its answers of this second ([`ResponderConfig::rate`]).
    OverRate,
    /// All sources together have had theirs ([`ResponderConfig::total_rate`]).
    OverTotalRate,
    /// Its address and port have been over the rate for [so long](ResponderConfig::mute_threshold): in each
    /// second more of theirs was refused than one may have answered. They get no answer for
    /// [`MUTE_DURATION`](super::MUTE_DURATION). Said once; the operator wants to know.
    MutedNow,
    /// Its address and port are muted.
    Muted,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OwnReply => "it is this server's own reply text",
            Self::OwnPort => "it comes from this server's own port number",
            Self::ReflectingPort => "it comes from a port that answers anything",
            Self::Truncated => "it was received in part only",
            Self::OverRate => "over the rate of one source",
            Self::OverTotalRate => "over the rate of all sources together",
            Self::MutedNow => "over the rate for long, and muted now",
            Self::Muted => "muted for a minute",
        })
    }
}

/// Answers datagrams, and never starts a loop.
///
/// Two responders aimed at each other fall silent at once if they say the same text or stand on
/// the same port, and are held to the [rate](ResponderConfig::rate) otherwise.
///
/// `SOURCES` is how many sources it keeps count of in one second, and `MUTES` how many addresses and
/// ports can be muted: powers of two, and at least 8. Each source takes 24 bytes and each mute 32, the
/// rest of the machine at most 104 (64-bit). A datagram costs the same work, whatever came before: 8
/// entries of each are looked at.
///
/// ```
/// use barewire_core::datagram::{
///     Action, Datagram, DropReason, HashKey, Reply, Responder, ResponderConfig,
/// };
/// use barewire_core::time::Instant;
///
/// # fn random_bytes() -> [u8; 8] { [7; 8] }
/// let key = HashKey::new(random_bytes());
/// let (ports, reply) = (&[8080], Reply::Text(b"pong"));
/// let mut responder = Responder::<16, 8>::new(ports, reply, key, ResponderConfig::new());
/// let source = "192.0.2.7:50000".parse()?;
/// let ping = Datagram::whole(source, b"ping");
/// assert_eq!(responder.handle_datagram(Instant::ZERO, ping), Action::Reply(b"pong"));
/// let pong = Datagram::whole(source, b"pong");
/// let dropped = Action::Drop(DropReason::OwnReply);
/// assert_eq!(responder.handle_datagram(Instant::ZERO, pong), dropped);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug)]
pub struct Responder<'t, const SOURCES: usize, const MUTES: usize> {
    ports: &'t [u16],
    reply: Reply<'t>,
    config: ResponderConfig,
    limiter: SourceRateLimiter<SOURCES, MUTES>,
}

impl<'t, const SOURCES: usize, const MUTES: usize> Responder<'t, SOURCES, MUTES> {
    /// A responder on these ports, which share its limits.
    pub const fn new(
        ports: &'t [u16],
        reply: Reply<'t>,
        key: HashKey,
        config: ResponderConfig,
    ) -> Self {
        Self { ports, reply, config, limiter: SourceRateLimiter::new(key) }
    }

    /// Decides what to do with one datagram.
    pub fn handle_datagram<'d>(&mut self, now: Instant, datagram: Datagram<'d>) -> Action<'d>
    where
        't: 'd,
    {
        let reply = match self.reply {
            Reply::Text(text) => text,
            Reply::Echo => datagram.bytes,
        };
        match self.reason_to_drop(now, &datagram) {
            Some(reason) => Action::Drop(reason),
            None => Action::Reply(reply),
        }
    }

    fn reason_to_drop(&mut self, now: Instant, datagram: &Datagram<'_>) -> Option<DropReason> {
        let port = datagram.source.port();
        if self.ports.contains(&port) {
            return Some(DropReason::OwnPort);
        }
        // No one can be answered on port 0 (RFC 768: "if not used, a value of zero is inserted").
        if port == 0 || REFLECTING_PORTS.contains(&port) {
            return Some(DropReason::ReflectingPort);
        }
        match self.reply {
            // Of a truncated one, what is left and the length tell.
            Reply::Text(text)
                if text.len() == datagram.length && text.starts_with(datagram.bytes) =>
            {
                return Some(DropReason::OwnReply);
            }
            Reply::Echo if datagram.is_truncated() => return Some(DropReason::Truncated),
            Reply::Text(_) | Reply::Echo => {}
        }
        let source = Source::from(datagram.source.ip());
        match self.limiter.admit(now, (source, port), &self.config) {
            Admission::Admitted => None,
            Admission::OverTotalRate => Some(DropReason::OverTotalRate),
            Admission::OverRate => Some(DropReason::OverRate),
            Admission::MutedNow => {
                debug!("over its rate for long, and muted: {}", datagram.source);
                Some(DropReason::MutedNow)
            }
            Admission::Muted => Some(DropReason::Muted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Rate;
    use super::*;
    use crate::time::Duration;
    use core::net::{Ipv4Addr, SocketAddr};

    const NOW: Instant = Instant::ZERO;

    const CONFIG: ResponderConfig = ResponderConfig::new().with_rate(Rate::PerSecond(2));

    fn from(port: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), port))
    }

    fn responder_with(reply: Reply<'_>, config: ResponderConfig) -> Responder<'_, 16, 8> {
        Responder::new(&[8080, 9090], reply, HashKey::new([0; 8]), config)
    }

    fn responder(reply: Reply<'_>) -> Responder<'_, 16, 8> {
        responder_with(reply, CONFIG)
    }

    #[track_caller]
    fn dropped(reply: Reply<'_>, datagram: Datagram<'_>, why: DropReason) {
        assert_eq!(responder(reply).handle_datagram(NOW, datagram), Action::Drop(why));
    }

    #[test]
    fn the_owner_chooses_when_who_stays_over_the_rate_is_muted() {
        let config = CONFIG.with_mute_threshold(Duration::from_secs(2));
        let mut responder = responder_with(Reply::Echo, config);
        let muted = (0..).step_by(100).map(Instant::from_millis).find(|now| {
            let datagram = Datagram::whole(from(50_000), b"more");
            responder.handle_datagram(*now, datagram) == Action::Drop(DropReason::MutedNow)
        });
        // Over it since 200 ms; the third of this second that is refused.
        assert_eq!(muted, Some(Instant::from_millis(2_400)));
    }

    #[test]
    fn all_ports_of_a_responder_share_its_limits() {
        let config = CONFIG.with_total_rate(Rate::PerSecond(3));
        let mut responder = responder_with(Reply::Echo, config);
        let mut handle = |host: u8, port| {
            let source = SocketAddr::from((Ipv4Addr::new(192, 0, 2, host), port));
            responder.handle_datagram(NOW, Datagram::whole(source, b"more"))
        };
        let reply = Action::Reply(b"more");
        assert_eq!((handle(1, 5000), handle(1, 5001)), (reply, reply));
        assert_eq!(handle(1, 5002), Action::Drop(DropReason::OverRate));
        assert_eq!(handle(2, 5000), reply);
        assert_eq!(handle(3, 5000), Action::Drop(DropReason::OverTotalRate));
    }

    #[test]
    fn everybody_gets_the_text_or_their_own_bytes() {
        let ping = Datagram::whole(from(5000), b"ping");
        let text = Reply::Text(b"pong");
        assert_eq!(responder(text).handle_datagram(NOW, ping), Action::Reply(b"pong"));
        assert_eq!(responder(Reply::Echo).handle_datagram(NOW, ping), Action::Reply(b"ping"));
        let empty = Datagram::whole(from(5000), b"");
        assert_eq!(responder(Reply::Echo).handle_datagram(NOW, empty), Action::Reply(b""));
    }

    #[test]
    fn what_could_start_a_loop_gets_no_answer() {
        let text = Reply::Text(b"pong");
        dropped(text, Datagram::whole(from(5000), b"pong"), DropReason::OwnReply);
        dropped(text, Datagram::whole(from(8080), b"ping"), DropReason::OwnPort);
        dropped(text, Datagram::whole(from(9090), b"ping"), DropReason::OwnPort);
        dropped(Reply::Echo, Datagram::whole(from(8080), b"ping"), DropReason::OwnPort);
        dropped(text, Datagram::whole(from(0), b"ping"), DropReason::ReflectingPort);
        for port in REFLECTING_PORTS {
            dropped(text, Datagram::whole(from(port), b"ping"), DropReason::ReflectingPort);
        }
    }

    #[test]
    fn a_part_is_not_taken_for_the_whole() {
        let part = Datagram { source: from(5000), bytes: b"pong", length: 5 };
        dropped(Reply::Echo, part, DropReason::Truncated);
        // Its text only begins like the reply.
        let text = Reply::Text(b"pong");
        assert_eq!(responder(text).handle_datagram(NOW, part), Action::Reply(b"pong"));
    }

    #[test]
    fn its_own_reply_is_known_by_its_part() {
        let part = Datagram { source: from(5000), bytes: b"po", length: 4 };
        dropped(Reply::Text(b"pong"), part, DropReason::OwnReply);
        let other = Datagram { source: from(5000), bytes: b"pa", length: 4 };
        let action = responder(Reply::Text(b"pong")).handle_datagram(NOW, other);
        assert_eq!(action, Action::Reply(b"pong"));
    }

    #[test]
    fn two_responders_aimed_at_each_other_stay_bounded() {
        let (mut one, mut two) = (responder(Reply::Text(b"one")), responder(Reply::Text(b"two")));
        let mut text: &[u8] = b"hello";
        let mut passes = 0;
        loop {
            let responder = if passes % 2 == 0 { &mut one } else { &mut two };
            match responder.handle_datagram(NOW, Datagram::whole(from(5000), text)) {
                Action::Reply(reply) => text = reply,
                Action::Drop(why) => break assert_eq!(why, DropReason::OverRate),
            }
            passes += 1;
        }
        assert_eq!(passes, 4);
    }

    #[test]
    fn what_is_not_answered_does_not_count() {
        let mut responder = responder(Reply::Text(b"pong"));
        for _ in 0..9 {
            responder.handle_datagram(NOW, Datagram::whole(from(5000), b"pong"));
        }
        let ping = Datagram::whole(from(5000), b"ping");
        assert_eq!(responder.handle_datagram(NOW, ping), Action::Reply(b"pong"));
    }
}

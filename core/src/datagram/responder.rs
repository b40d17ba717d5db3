//! The server: one reply a datagram, unless answering would do harm.

use core::fmt;

use super::rate_limiter::{Admission, MUTE_THRESHOLD, Rate, SourceRateLimiter};
use super::received::Datagram;
use crate::logging::debug;
use crate::time::{Duration, Instant};

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
    /// It comes from the port that the responder itself has: another responder's.
    OwnPort,
    /// It comes from one of the [`REFLECTING_PORTS`].
    ReflectingPort,
    /// It was to be echoed, but was received in part only.
    Truncated,
    /// Its source has had its answers of this second ([`Rate`]).
    OverRate,
    /// Its source has been over its rate for [`MUTE_THRESHOLD`], and gets no answer for
    /// [`MUTE_DURATION`](super::MUTE_DURATION). Said once; the operator wants to know.
    MutedNow,
    /// Its source is muted.
    Muted,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OwnReply => "it is this server's own reply text",
            Self::OwnPort => "it comes from this server's own port number",
            Self::ReflectingPort => "it comes from a port that answers anything",
            Self::Truncated => "it was received in part only",
            Self::OverRate => "its source is over the rate",
            Self::MutedNow => "its source stayed over the rate and is muted",
            Self::Muted => "its source is muted",
        })
    }
}

/// Answers datagrams, and never starts a loop.
///
/// Two responders aimed at each other fall silent at once if they say the same text or stand on
/// the same port, and are held to the [`Rate`] otherwise. `SOURCES`, a power of two, is how many
/// sources it keeps count of; each takes 40 bytes, the rest of the machine at most 32 (64-bit).
///
/// ```
/// use barewire_core::datagram::{Action, Datagram, DropReason, Rate, Reply, Responder};
/// use barewire_core::time::Instant;
///
/// let mut responder = Responder::<16>::new(8080, Reply::Text(b"pong"), Rate::default());
/// let source = "192.0.2.7:50000".parse()?;
/// let ping = Datagram::whole(source, b"ping");
/// assert_eq!(responder.handle_datagram(Instant::ZERO, ping), Action::Reply(b"pong"));
/// let pong = Datagram::whole(source, b"pong");
/// let dropped = Action::Drop(DropReason::OwnReply);
/// assert_eq!(responder.handle_datagram(Instant::ZERO, pong), dropped);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug)]
pub struct Responder<'t, const SOURCES: usize> {
    port: u16,
    /// In milliseconds, which cost no more memory than the fields around leave.
    mute_threshold: u32,
    reply: Reply<'t>,
    limiter: SourceRateLimiter<SOURCES>,
}

impl<'t, const SOURCES: usize> Responder<'t, SOURCES> {
    /// A responder on `port`.
    pub const fn new(port: u16, reply: Reply<'t>, rate: Rate) -> Self {
        let mute_threshold = whole_millis(MUTE_THRESHOLD);
        Self { port, mute_threshold, reply, limiter: SourceRateLimiter::new(rate) }
    }

    /// Changes how long a source may stay over its rate before it is muted;
    /// [`MUTE_THRESHOLD`] otherwise. It is kept in milliseconds, 49 days at most.
    #[must_use]
    pub const fn with_mute_threshold(mut self, threshold: Duration) -> Self {
        self.mute_threshold = whole_millis(threshold);
        self
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
        if port == self.port {
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
        match self.limiter.admit(now, datagram.source.ip(), self.mute_threshold) {
            Admission::Admitted => None,
            Admission::OverRate => Some(DropReason::OverRate),
            Admission::MutedNow => {
                debug!("a source stayed over its rate and is muted: {}", datagram.source.ip());
                Some(DropReason::MutedNow)
            }
            Admission::Muted => Some(DropReason::Muted),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it was looked at")]
const fn whole_millis(span: Duration) -> u32 {
    let millis = span.as_millis_ceil();
    if millis > u32::MAX as u64 { u32::MAX } else { millis as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, SocketAddr};

    const NOW: Instant = Instant::ZERO;

    fn from(port: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), port))
    }

    fn responder(reply: Reply<'_>) -> Responder<'_, 16> {
        Responder::new(8080, reply, Rate::PerSecond(2))
    }

    #[track_caller]
    fn dropped(reply: Reply<'_>, datagram: Datagram<'_>, why: DropReason) {
        assert_eq!(responder(reply).handle_datagram(NOW, datagram), Action::Drop(why));
    }

    #[test]
    fn the_owner_chooses_when_who_stays_over_the_rate_is_muted() {
        let mut responder = responder(Reply::Echo).with_mute_threshold(Duration::from_secs(2));
        let muted = (0..).step_by(100).map(Instant::from_millis).find(|now| {
            let datagram = Datagram::whole(from(50_000), b"more");
            responder.handle_datagram(*now, datagram) == Action::Drop(DropReason::MutedNow)
        });
        assert_eq!(muted, Some(Instant::from_millis(2_200)));
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

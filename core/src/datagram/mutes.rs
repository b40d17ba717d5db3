//! Whose datagrams are not answered for a while: an address and a port, so that who forges the address of
//! another does not silence it, unless it forges the port as well.
//!
//! An entry counts what was refused of one address and port in a second. Where a row is full of such, the one
//! with the lowest count leaves; who is muted stays until the end of it. Forged ports can so keep somebody from
//! being muted, who then has its rate and no more.

use super::keyed_hash::{HashKey, halves};
use super::source_counts::row;
use crate::source::Source;
use crate::time::{Duration, Instant};

/// How long a muted port of a source gets no answer.
pub const MUTE_DURATION: Duration = Duration::from_secs(60);

/// A port of a source.
pub(super) type Peer = (Source, u16);

/// A peer that was refused more often than its rate, or is about to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mute {
    /// Beside each other: as a pair they would take eight bytes more.
    source: Source,
    port: u16,
    /// When it was refused last, and how often in that second.
    second: u32,
    refused: u32,
    is_muted: bool,
    /// When one that stays over the rate is muted, and when one that is muted is forgiven.
    until: Instant,
}

impl Mute {
    pub(super) const FREE: Self = Self {
        source: Source(0),
        port: 0,
        second: 0,
        refused: 0,
        is_muted: false,
        until: Instant::ZERO,
    };

    fn is_of(&self, (source, port): Peer) -> bool {
        self.source == source && self.port == port
    }

    /// Whether it says anything of this second: that it is muted, or was refused in it or the one before.
    fn is_live(&self, now: Instant, second: u32) -> bool {
        if self.is_muted { now < self.until } else { second.wrapping_sub(self.second) <= 1 }
    }
}

/// Whether this peer is muted.
pub(super) fn is_muted(table: &mut [Mute], key: HashKey, now: Instant, peer: Peer) -> bool {
    let is_it = |mute: &Mute| mute.is_muted && mute.is_of(peer) && now < mute.until;
    row(table, hash(key, peer)).is_some_and(|row| row.iter().any(is_it))
}

/// Counts that this peer was refused in a second, as its source is over the rate. Whether it is muted now,
/// since by itself it has been over it for so long.
pub(super) fn refuse(
    table: &mut [Mute],
    key: HashKey,
    (now, second): (Instant, u32),
    peer: Peer,
    (rate, threshold): (u32, Duration),
) -> bool {
    // Its own, or one that is free, or the one with the lowest count; at last one that is muted.
    let rank = |mute: &Mute| match mute {
        mute if !mute.is_live(now, second) => 1,
        mute if mute.is_of(peer) => 0,
        mute if mute.is_muted => u32::MAX,
        mute if mute.second == second => mute.refused.saturating_add(2),
        _ => 2,
    };
    let row = row(table, hash(key, peer));
    let Some(mute) = row.and_then(|row| row.iter_mut().min_by_key(|mute| rank(mute))) else {
        return false;
    };
    let (source, port) = peer;
    match rank(mute) {
        u32::MAX => return false,
        0 if mute.second == second => {}
        // It was over the rate in the second before as well.
        0 if mute.refused > rate => (mute.second, mute.refused) = (second, 0),
        _ => *mute = Mute { source, port, second, until: now + threshold, ..Mute::FREE },
    }
    mute.refused = mute.refused.saturating_add(1);
    if mute.refused <= rate || now < mute.until {
        return false;
    }
    mute.is_muted = true;
    mute.until = now + MUTE_DURATION;
    true
}

fn hash(key: HashKey, (source, port): Peer) -> u32 {
    let [low, high] = halves(source.0);
    key.hash([low, high, port.into()])
}

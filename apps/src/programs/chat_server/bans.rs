//! Bans: from which addresses nobody may come in, and until when.

use std::collections::BTreeMap;
use std::path::Path;

use barewire_core::source::Source;
use jiff::{SignedDuration, Timestamp};

use crate::cli::exit::Failure;

use super::ban::Ban;
use super::bans_file::BansFile;

/// Who is banned, by source.
#[derive(Debug, Default)]
pub(super) struct Bans {
    bans: BTreeMap<Source, Ban>,
    file: Option<BansFile>,
}

/// A ban that is over is kept for so long: the clock may be wrong, and be set right.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

impl Bans {
    /// Those of a file, which from then on has those that hold.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::default()) };
        let (file, bans) = BansFile::open(path)?;
        Ok(Self { bans, file: Some(file) })
    }

    /// The ban on a source, if there is one.
    pub(super) fn find(&self, source: Source, now: Timestamp) -> Option<&Ban> {
        self.bans.get(&source).filter(|ban| !ban.is_over(now))
    }

    pub(super) fn add(&mut self, source: Source, ban: Ban, now: Timestamp) {
        self.bans.insert(source, ban);
        self.save(now);
    }

    /// Lifts a ban. Gives it, if there was one.
    pub(super) fn lift(&mut self, source: Source, now: Timestamp) -> Option<Ban> {
        let ban = self.bans.remove(&source).filter(|ban| !ban.is_over(now))?;
        self.save(now);
        Some(ban)
    }

    /// Those that hold, by address.
    pub(super) fn current(&self, now: Timestamp) -> impl Iterator<Item = (&Source, &Ban)> {
        self.bans.iter().filter(move |(_, ban)| !ban.is_over(now))
    }

    fn save(&mut self, now: Timestamp) {
        let earliest = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        self.bans.retain(|_, ban| !ban.is_over(earliest));
        if let Some(file) = &self.file {
            file.write(&self.bans);
        }
    }
}

#[cfg(test)]
mod tests {
    use barewire_linux::address::read_source;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn until(second: i64) -> Ban {
        Ban { until: Some(at(second)), nick: None }
    }

    #[test]
    fn a_ban_holds_until_its_end_and_no_longer() {
        let mut bans = Bans::default();
        let [one, other] = ["192.0.2.1", "2001:db8::/64"].map(|text| read_source(text).unwrap());
        bans.add(one, until(100), at(0));
        bans.add(other, Ban { until: None, nick: Some("eve".into()) }, at(0));
        assert!(bans.find(one, at(99)).is_some());
        assert!(bans.find(one, at(100)).is_none());
        assert!(bans.find(other, at(1 << 33)).is_some());
        bans.add(one, until(200), at(100));
        assert_eq!(bans.current(at(150)).count(), 2);
        assert_eq!(bans.current(at(200)).count(), 1);
        assert_eq!(bans.lift(one, at(200)), None);
        assert!(bans.lift(other, at(200)).is_some() && bans.lift(other, at(200)).is_none());
        assert_eq!(bans.current(at(200)).count(), 0);
    }

    /// By hours, say, as where the time zone is mistaken.
    #[test]
    fn a_clock_that_is_set_right_again_brings_back_what_it_had_ended() {
        let mut bans = Bans::default();
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| read_source(text).unwrap());
        let (hour, day) = (3600, 86_400);
        bans.add(one, until(100), at(0));
        assert!(bans.find(one, at(9 * hour)).is_none() && bans.current(at(9 * hour)).count() == 0);
        bans.add(other, until(10 * day), at(9 * hour));
        assert!(bans.find(one, at(99)).is_some());
        bans.add(other, until(10 * day), at(100 + day));
        assert!(bans.find(one, at(99)).is_none(), "that long ago it has ended");
    }
}

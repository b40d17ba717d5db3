//! Bans: from which addresses nobody may come in, and until when.

use std::collections::BTreeMap;
use std::path::Path;

use barewire_core::source::Source;
use jiff::Timestamp;

use crate::cli::exit::Failure;

use super::ban::Ban;
use super::bans_file::{self, BansFile};

/// Who is banned, by source.
#[derive(Debug, Default)]
pub(super) struct Bans {
    bans: BTreeMap<Source, Ban>,
    file: Option<BansFile>,
}

impl Bans {
    /// Those of a file, which from then on has those that hold.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::default()) };
        let bans = bans_file::read(path)?;
        let file = Some(BansFile::open(path, &bans)?);
        Ok(Self { bans, file })
    }

    /// The ban on a source, if there is one.
    pub(super) fn find(&mut self, source: Source, now: Timestamp) -> Option<&Ban> {
        if self.bans.get(&source)?.is_over(now) {
            self.bans.remove(&source);
        }
        self.bans.get(&source)
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
    pub(super) fn current(&mut self, now: Timestamp) -> &BTreeMap<Source, Ban> {
        self.bans.retain(|_, ban| !ban.is_over(now));
        &self.bans
    }

    fn save(&mut self, now: Timestamp) {
        self.bans.retain(|_, ban| !ban.is_over(now));
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
        assert!(bans.find(one, at(99)).is_none(), "it is forgotten");
        assert!(bans.find(other, at(1 << 33)).is_some());
        bans.add(one, until(200), at(100));
        assert_eq!(bans.current(at(150)).len(), 2);
        assert_eq!(bans.current(at(200)).len(), 1);
        assert_eq!(bans.lift(one, at(200)), None);
        assert!(bans.lift(other, at(200)).is_some() && bans.lift(other, at(200)).is_none());
        assert!(bans.current(at(200)).is_empty());
    }
}

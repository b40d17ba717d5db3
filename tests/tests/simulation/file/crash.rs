//! A download on a disk that crashes, and whose part others edit, again and again: its name stands for
//! nothing or for all of it, what is held is what was proven, and nothing that was made to last is
//! asked for again.

mod corners;
mod version;

use std::collections::BTreeSet;
use std::io;

use barewire_core::file::SegmentSize;
use barewire_linux::files::{self, Download, DownloadOptions};
use barewire_tests::simulator::disk::{Disk, Nature};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::{Sometimes, for_seeds};

use version::{SEGMENT, Version, digest, place, starts};

const NAME: &[u8] = b"file";
const PART: &[u8] = b"file.part";
const USUAL_MODE: u32 = 0o640;
const EVERY: usize = 2048;

/// How a run of the program ends before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crash {
    Kill,
    PowerCut,
}

#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
struct Simulation {
    random: Random,
    nature: Nature,
    disk: Disk,
    /// Each run makes so few changes that crashes strike between any two of them often.
    is_short: bool,
    /// All versions have one tag.
    lies: bool,
    /// The last is what the server has.
    versions: Vec<Version>,
    /// What had the name before, which is to be replaced.
    old: Option<Vec<u8>>,
    /// The starts of the segments that the next run must find.
    kept: BTreeSet<usize>,
    /// Of these, what outlasts the failure of the system.
    synced: BTreeSet<usize>,
    /// How many bytes were proven since.
    unsynced: usize,
    /// The program was told that the file is complete, or has ended while it was being told.
    is_done: bool,
    may_be_done: bool,
    /// The program has ended in order, without the file.
    gave_up: bool,
    /// Whole, it had no name yet.
    was_unnamed: bool,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let nature = Nature::draw(&mut random);
        let disk = Disk::new(random.fork(), nature);
        let old = random.chance(30).then(|| b"what was there before".to_vec());
        if let Some(old) = &old {
            let mut download = Download::begin(&disk, NAME, DownloadOptions::default()).unwrap();
            download.start(0, None, 0).unwrap();
            download.write(old).unwrap();
            download.finish().unwrap();
        }
        let mut simulation = Self {
            is_short: random.chance(50),
            lies: random.chance(30),
            random,
            nature,
            disk,
            versions: Vec::new(),
            old,
            kept: BTreeSet::new(),
            synced: BTreeSet::new(),
            unsynced: 0,
            is_done: false,
            may_be_done: false,
            gave_up: false,
            was_unnamed: false,
        };
        simulation.change();
        simulation
    }

    fn version(&self) -> Version {
        self.versions.last().unwrap().clone()
    }

    /// The server gets another version, perhaps of the same size, and with the same beginning; or an
    /// old one comes back.
    fn change(&mut self) {
        if self.versions.len() > 1 && self.random.chance(30) {
            let old = self.random.count(0..=self.versions.len() - 2);
            return self.versions.push(self.versions[old].clone());
        }
        let most = self.random.pick(&[0, 40, 3_000, 8_000]);
        let short = self.random.pick(&[(1, 1_000), (1_050, 1_100)]);
        let (least, most) = if self.is_short { short } else { (0, most) };
        let (first, count) = (self.random.count(0..=255), self.random.count(least..=most));
        let byte = |place: usize| u8::try_from((first + place * 7 + place / 256) % 256).unwrap();
        let mut contents: Vec<u8> = (0..count).map(byte).collect();
        if let Some(last) = self.versions.last().filter(|_| self.random.chance(60)) {
            let from = self.random.count(0..=last.contents.len());
            contents.resize(last.contents.len(), 1);
            contents[..from].copy_from_slice(&last.contents[..from]);
        }
        let number = self.versions.len();
        let tag = if self.lies { 1 } else { number as u64 + 1 };
        let modified = (!number.is_multiple_of(3)).then(|| i64::try_from(number).unwrap() - 5);
        self.versions.push(Version { tag, contents, modified });
    }

    fn forget_all(&mut self) {
        self.kept.clear();
        self.synced.clear();
    }

    /// One run of the program. An error is the end of the program: a crash is not told otherwise.
    fn run(&mut self, options: DownloadOptions) -> io::Result<()> {
        (self.unsynced, self.gave_up) = (0, false);
        let disk = self.disk.restarted();
        let mut download = Download::begin(&disk, NAME, options)?;
        let mut is_all_checked = false;
        while !is_all_checked && self.random.chance(90) {
            is_all_checked = !download.check_next(&mut [0; 700])?;
        }
        self.check_held(&download);
        if options.resume && is_all_checked && self.nature.is_ordered {
            let held: BTreeSet<usize> = starts(&download).into_iter().map(place).collect();
            assert!(held.is_superset(&self.kept), "{held:?}, and there was {:?}", self.kept);
        } else {
            self.forget_all();
        }
        let mut is_first = true;
        let version = loop {
            if !is_first && self.random.chance(20) {
                self.change();
            }
            is_first = false;
            let version = self.version();
            self.compare(&mut download, &version)?;
            let is_all = if self.random.chance(50) {
                self.fetch_in_order(&mut download, &version)?
            } else {
                self.fill(&mut download, &version)?
            };
            self.check_held(&download);
            if is_all {
                break version;
            }
            if self.random.chance(30) {
                self.gave_up = true;
                return Err(io::Error::other("given up"));
            }
        };
        assert!(download.is_proven());
        assert_eq!(download.hash()?, Some(blake3::hash(&version.contents).into()));
        self.may_be_done = true;
        self.was_unnamed = download.part_name().is_none();
        download.set_modified(version.modified);
        download.finish()?;
        self.is_done = true;
        Ok(())
    }

    /// Asks the server for its digests of what is held, and forgets what differs: always, where tags
    /// say nothing.
    fn compare(&mut self, download: &mut Download<Disk>, version: &Version) -> io::Result<()> {
        let Some(held) = download.held().filter(|held| held.size == version.size()) else {
            return Ok(());
        };
        if !self.lies && held.tag != 0 && self.random.chance(50) {
            return Ok(());
        }
        let digests: Vec<_> = download.digests().collect::<io::Result<_>>()?;
        for (start, end, digest) in digests {
            if digest != version.digest(start) {
                self.kept.remove(&place(start));
                self.synced.remove(&place(start));
                download.forget(start, end)?;
            }
        }
        if download.held().is_some() { download.adopt(version.tag) } else { Ok(()) }
    }

    /// What comes over one connection, from the first byte on that is missing; tells whether that was
    /// all.
    fn fetch_in_order(
        &mut self,
        download: &mut Download<Disk>,
        version: &Version,
    ) -> io::Result<bool> {
        let (size, tag) = (version.size(), version.tag);
        let held = download.held().filter(|held| (held.tag, held.size) == (tag, size));
        let start = held.map_or(0, |held| held.verified);
        let mut at = place(start);
        self.kept.retain(|it| *it < at);
        self.synced.retain(|it| *it < at);
        download.start(start, Some(size), tag)?;
        let bytes = &version.contents;
        while at < bytes.len() {
            if self.random.chance(2) {
                return Ok(false);
            }
            let end = bytes.len().min((at / SEGMENT + 1) * SEGMENT);
            let next = if self.is_short { end } else { self.random.count(at + 1..=end) };
            download.write(&bytes[at..next])?;
            at = next;
            if at == end {
                self.prove(download, version, (end - 1) / SEGMENT * SEGMENT)?;
            }
        }
        Ok(true)
    }

    /// What comes over several connections: the missing segments in any order.
    fn fill(&mut self, download: &mut Download<Disk>, version: &Version) -> io::Result<bool> {
        let (size, tag) = (version.size(), version.tag);
        if download.held().is_none_or(|held| (held.tag, held.size) != (tag, size)) {
            self.forget_all();
        }
        download.fill(size, tag)?;
        let mut missing: Vec<usize> =
            download.missing().flat_map(|range| range.step_by(SEGMENT)).map(place).collect();
        while !missing.is_empty() {
            if self.random.chance(2) {
                return Ok(false);
            }
            let last = missing.len() - 1;
            let start = missing.swap_remove(self.random.count(0..=last));
            let bytes = &version.contents[start..version.contents.len().min(start + SEGMENT)];
            let cut = if self.is_short { 0 } else { self.random.count(0..=bytes.len() - 1) };
            for (from, piece) in [(0, &bytes[..cut]), (cut, &bytes[cut..])] {
                download.write_at((start + from) as u64, piece)?;
            }
            self.prove(download, version, start)?;
        }
        Ok(true)
    }

    /// A segment verifies: from now on it may be held, and from then on it must be.
    fn prove(
        &mut self,
        download: &mut Download<Disk>,
        version: &Version,
        start: usize,
    ) -> io::Result<()> {
        let end = version.contents.len().min(start + SEGMENT);
        let digest = version.digest(start as u64);
        download.verified(start as u64, end as u64, &digest)?;
        if download.part_name().is_some() {
            self.kept.insert(start);
        }
        self.unsynced += end - start;
        if self.unsynced >= EVERY {
            self.unsynced = 0;
            self.synced.clone_from(&self.kept);
        }
        Ok(())
    }

    /// What is held is of one version, as far as tags tell, and in the part; or else the program will
    /// compare it.
    fn check_held(&self, download: &Download<Disk>) {
        if self.disk.has_crashed() {
            return;
        }
        // What has no name is this run's alone.
        let Some(part) = download.part_name() else { return };
        let part = self.disk.contents(part).unwrap_or_default();
        let Some(held) = download.held() else { return };
        for start in starts(download) {
            let is = digest(&part, held.size, start);
            let is_of = |version: &&Version| {
                (version.tag, version.size()) == (held.tag, held.size)
                    && Some(version.digest(start)) == is
            };
            assert!(self.versions.iter().any(|it| is_of(&it)), "{held:?}, and not at {start}");
        }
    }

    /// The name stands for what it stood for, or for all of a version, with its time.
    fn check_name(&self) {
        let is = self.disk.contents(NAME);
        if is.is_some() && is != self.old && self.disk.is_ordered() {
            let versions = self.versions.iter();
            let named = versions.filter(|version| Some(&version.contents) == is.as_ref());
            let times: Vec<_> = named.map(|version| version.modified).collect();
            let (mode, time) = self.disk.attributes(NAME).unwrap();
            assert!(mode == USUAL_MODE && times.contains(&time), "{mode:o}, {time:?} of {times:?}");
        }
        if self.is_done {
            let last = self.versions.last().map(|version| &version.contents);
            assert_eq!(is.as_ref(), last, "it was said to be complete");
        } else if is != self.old {
            assert!(self.may_be_done, "complete, and nothing had begun to complete it");
            let is_version = self.versions.iter().any(|it| Some(&it.contents) == is.as_ref());
            assert!(is_version, "not a whole version");
        }
    }

    fn crash(&mut self, crash: Crash) {
        match crash {
            Crash::Kill => self.disk.kill(),
            Crash::PowerCut => {
                self.disk.lose_power();
                self.kept.clone_from(&self.synced);
            }
        }
        self.check_name();
    }

    /// Somebody edits the part while no program runs; tells whether there is one.
    fn edit(&mut self) -> bool {
        let Some(part) = self.disk.contents(PART).filter(|part| !part.is_empty()) else {
            return false;
        };
        let at = self.random.count(0..=part.len() - 1);
        self.disk.edit(PART, at, &[part[at] ^ 0x55]);
        for kept in [&mut self.kept, &mut self.synced] {
            kept.remove(&(at / SEGMENT * SEGMENT));
        }
        true
    }

    /// Runs until the file is there, with crashes at first.
    fn play(&mut self, sometimes: &mut Sometimes) {
        for _ in 0..self.random.count(0..=6) {
            if self.random.chance(40) {
                self.change();
            }
            let options = Self::options(self.old.is_some()).with_resume(self.random.chance(80));
            if !options.resume {
                self.forget_all();
            }
            let most = if self.is_short { 24 } else { self.random.pick(&[4, 30, 100]) };
            self.disk.restarted().crash_after(self.random.count(0..=most));
            let result = self.run(options);
            let crash = self.random.pick(&[Crash::Kill, Crash::PowerCut]);
            let has_crashed = self.disk.has_crashed();
            assert!(result.is_ok() || has_crashed || self.gave_up, "{result:?}");
            sometimes.note("killed", has_crashed && crash == Crash::Kill);
            sometimes.note("cut off", has_crashed && crash == Crash::PowerCut);
            sometimes.note("killed while it was completed", has_crashed && self.may_be_done);
            let had_none = has_crashed && self.may_be_done && self.was_unnamed;
            sometimes.note("it ended while a file without a name got one", had_none);
            sometimes.note("something was given up in order", self.gave_up && !has_crashed);
            self.crash(crash);
            if self.is_done || self.disk.contents(NAME) != self.old {
                break;
            }
            sometimes.note("something is to be resumed", !self.kept.is_empty());
            let is_synced = crash == Crash::PowerCut && !self.synced.is_empty();
            sometimes.note("what was synced outlasts a power cut", is_synced);
            sometimes.note("the part was edited", self.random.chance(30) && self.edit());
            self.may_be_done = false;
        }
        // Nothing goes wrong any more.
        let is_there = self.disk.contents(NAME) != self.old;
        if !self.is_done {
            let options = Self::options(self.old.is_some() || is_there);
            if is_there {
                self.forget_all();
            }
            while let Err(error) = self.run(options) {
                assert!(self.gave_up, "{error}");
            }
            self.crash(Crash::PowerCut);
        }
        sometimes.note("named, and not said so", is_there && self.is_done);
        let left = self.disk.names();
        assert!(!self.nature.is_ordered || left == ["file"], "{left:?}");
        sometimes.note("a part without a journal was left alone", left.len() > 1);
    }

    fn options(force: bool) -> DownloadOptions {
        DownloadOptions::new().with_force(force).with_segment_size(SegmentSize::MIN)
    }
}

#[test]
fn whatever_crashes_the_name_is_absent_or_complete_and_the_next_run_resumes() {
    assert_eq!(<Disk as files::Storage>::SYNC_EVERY, EVERY as u64);
    for_seeds(8_000, |seed, sometimes| Simulation::new(seed).play(sometimes));
}

//! A download on a disk that crashes, again and again: its name stands for nothing or for all of
//! it, what is resumed is right, and nothing that was made to last is asked for again.

use std::io;

use barewire_linux::files::{self, Download, DownloadOptions, Held};
use barewire_tests::simulator::disk::{Disk, Nature};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::{Sometimes, for_seeds};

const NAME: &[u8] = b"file";
const USUAL_MODE: u32 = 0o640;
const EVERY: u64 = <Disk as files::Storage>::SYNC_EVERY;

/// How a run of the program ends before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crash {
    Kill,
    PowerCut,
}

/// When a version was modified, if its server tells.
fn modified(tag: u64) -> Option<i64> {
    tag.checked_sub(2).and_then(|tag| i64::try_from(tag).ok())
}

struct Simulation {
    random: Random,
    nature: Nature,
    disk: Disk,
    /// Each run makes so few changes that crashes strike between any two of them often.
    is_short: bool,
    /// What the server has had under the name; the last is what it has.
    versions: Vec<Vec<u8>>,
    /// What had the name before, which is to be replaced.
    old: Option<Vec<u8>>,
    /// The least that the next run must find: the version's tag, and how many bytes.
    kept: Option<(u64, u64)>,
    /// Of these, what outlasts the failure of the system.
    synced: u64,
    /// The program was told that the file is complete, or has ended while it was being told.
    is_done: bool,
    may_be_done: bool,
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
            is_short: random.chance(60),
            random,
            nature,
            disk,
            versions: Vec::new(),
            old,
            kept: None,
            synced: 0,
            is_done: false,
            may_be_done: false,
        };
        simulation.change();
        simulation
    }

    /// The server gets another version.
    fn change(&mut self) {
        let most = self.random.pick(&[0, 40, 600, 4_000]);
        let most = if self.is_short { 1_100 } else { most };
        let least = if self.is_short { 1_050 } else { 0 };
        let (first, count) = (self.random.count(0..=255), self.random.count(least..=most));
        let byte = |place: usize| u8::try_from((first + place * 7 + place / 256) % 256).unwrap();
        self.versions.push((0..count).map(byte).collect());
    }

    fn version(&self, tag: u64) -> &[u8] {
        &self.versions[usize::try_from(tag).unwrap() - 1]
    }

    /// One run of the program. An error is the end of the program: a crash is not told otherwise.
    fn run(&mut self, options: DownloadOptions) -> io::Result<()> {
        let disk = self.disk.restarted();
        let mut download = Download::begin(&disk, NAME, options)?;
        self.check_held(download.held(), options.resume);
        let tag = self.versions.len() as u64;
        let contents = self.version(tag).to_vec();
        let size = contents.len() as u64;
        loop {
            let held = download.held().filter(|held| held.tag == tag);
            let start = held.map_or(0, |held| held.verified);
            if start == 0 {
                (self.kept, self.synced) = (None, 0);
            }
            download.start(start, Some(size), tag)?;
            if self.fetch(&mut download, &contents, tag)? {
                break;
            }
        }
        self.may_be_done = true;
        download.set_modified(modified(tag));
        download.finish()?;
        self.is_done = true;
        Ok(())
    }

    /// What comes over one connection; tells whether that was all.
    fn fetch(&mut self, download: &mut Download<Disk>, bytes: &[u8], tag: u64) -> io::Result<bool> {
        let mut at = usize::try_from(download.position()).unwrap();
        let segment = if self.is_short { 1_060 } else { self.random.pick(&[100, 700, 2_000]) };
        while at < bytes.len() {
            if self.random.chance(2) {
                return Ok(false);
            }
            let end = bytes.len().min((at / segment + 1) * segment);
            let next = if self.is_short { end } else { self.random.count(at + 1..=end) };
            download.write(&bytes[at..next])?;
            at = next;
            if at == end {
                let end = at as u64;
                // From now on it may be held; from then on it must be.
                download.verified(end)?;
                self.kept = Some((tag, end));
                self.synced = self.synced.max((end + 1).saturating_sub(EVERY));
            }
        }
        Ok(true)
    }

    /// What a run finds is right, and no less than the last one had.
    fn check_held(&self, held: Option<Held>, resumes: bool) {
        if let Some(held) = held {
            let version = self.version(held.tag);
            assert_eq!(held.size, version.len() as u64);
            let right = &version[..usize::try_from(held.verified).unwrap()];
            let names = self.disk.names();
            let mut files = names.iter().filter_map(|name| self.disk.contents(name.as_bytes()));
            assert!(files.any(|file| file.starts_with(right)), "{held:?}, and it is not so");
        }
        if let Some((tag, least)) = self.kept.filter(|_| resumes && self.nature.is_ordered) {
            let is_kept = held.is_some_and(|held| held.tag == tag && held.verified >= least);
            assert!(is_kept, "{held:?}, and {least} of {tag} were there before");
        }
    }

    /// The name stands for what it stood for, or for all of a version, with its time.
    fn check_name(&self) {
        let is = self.disk.contents(NAME);
        if is.is_some() && is != self.old && self.disk.is_ordered() {
            let is_of = |tag: u64| is.as_deref() == Some(self.version(tag));
            let tags = (1..=self.versions.len() as u64).filter(|tag| is_of(*tag));
            let times: Vec<_> = tags.map(modified).collect();
            let (mode, time) = self.disk.attributes(NAME).unwrap();
            assert!(mode == USUAL_MODE && times.contains(&time), "{mode:o}, {time:?} of {times:?}");
        }
        if self.is_done {
            assert_eq!(is.as_ref(), self.versions.last(), "it was said to be complete");
        } else if is != self.old {
            assert!(self.may_be_done, "complete, and nothing had begun to complete it");
            assert!(is.is_some_and(|is| self.versions.contains(&is)), "not a whole version");
        }
    }

    fn crash(&mut self, crash: Crash) {
        match crash {
            Crash::Kill => self.disk.kill(),
            Crash::PowerCut => {
                self.disk.lose_power();
                self.kept = self.kept.map(|(tag, _)| (tag, self.synced));
                self.kept = self.kept.filter(|(_, kept)| *kept > 0);
            }
        }
        self.check_name();
    }

    /// Runs until the file is there, with crashes at first.
    fn play(&mut self, sometimes: &mut Sometimes) {
        for _ in 0..self.random.count(0..=6) {
            if self.random.chance(40) {
                self.change();
            }
            let options = DownloadOptions::new()
                .with_force(self.old.is_some())
                .with_resume(self.random.chance(80));
            if !options.resume {
                (self.kept, self.synced) = (None, 0);
            }
            let most = if self.is_short { 14 } else { self.random.pick(&[4, 20, 80]) };
            self.disk.restarted().crash_after(self.random.count(0..=most));
            let result = self.run(options);
            let crash = self.random.pick(&[Crash::Kill, Crash::PowerCut]);
            assert!(result.is_ok() || self.disk.has_crashed(), "{result:?}");
            sometimes.note("killed", result.is_err() && crash == Crash::Kill);
            sometimes.note("cut off", result.is_err() && crash == Crash::PowerCut);
            sometimes.note("killed while it was completed", result.is_err() && self.may_be_done);
            self.crash(crash);
            if self.is_done || self.disk.contents(NAME) != self.old {
                break;
            }
            sometimes.note("something is to be resumed", self.kept.is_some());
            let is_synced = crash == Crash::PowerCut && self.synced > 0;
            sometimes.note("what was synced outlasts a power cut", is_synced);
            self.may_be_done = false;
        }
        // Nothing goes wrong any more.
        let is_there = self.disk.contents(NAME) != self.old;
        if !self.is_done {
            let options = DownloadOptions::new().with_force(self.old.is_some() || is_there);
            (self.kept, self.synced) = if is_there { (None, 0) } else { (self.kept, self.synced) };
            self.run(options).unwrap();
            self.crash(Crash::PowerCut);
        }
        sometimes.note("named, and not said so", is_there && self.is_done);
        let left = self.disk.names();
        assert!(!self.nature.is_ordered || left == ["file"], "{left:?}");
        sometimes.note("a part without a journal was left alone", left.len() > 1);
    }
}

#[test]
fn whatever_crashes_the_name_is_absent_or_complete_and_the_next_run_resumes() {
    for_seeds(8_000, |seed, sometimes| Simulation::new(seed).play(sometimes));
}

/// Two power cuts at the beginning, when nothing is synced: a journal may outlive its part, and come
/// back although it was written anew.
#[test]
fn no_crash_at_the_beginning_leaves_anything_in_the_way() {
    for_seeds(2_000, |seed, sometimes| {
        let nature = Nature { is_ordered: true, tells_births: seed % 2 == 0 };
        let disk = Disk::new(Random::new(seed), nature);
        for _ in 0..2 {
            let disk = disk.restarted();
            let mut download = Download::begin(&disk, NAME, DownloadOptions::default()).unwrap();
            download.start(0, Some(8), 77).unwrap();
            download.write(b"contents").unwrap();
            disk.lose_power();
            sometimes.note("a journal without a part", disk.names() == ["file.part.journal"]);
        }
        let disk = disk.restarted();
        let mut download = Download::begin(&disk, NAME, DownloadOptions::default()).unwrap();
        assert_eq!(download.held(), None, "nothing had verified");
        download.start(0, Some(8), 77).unwrap();
        download.write(b"contents").unwrap();
        download.finish().unwrap();
        assert_eq!(disk.names(), ["file"]);
    });
}

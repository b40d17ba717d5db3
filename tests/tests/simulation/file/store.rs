//! Files that change.

use barewire_core::file::SegmentSize;
use barewire_tests::simulator::random::Random;

/// The files of a server, in all the versions that they have had.
#[derive(Debug)]
pub(super) struct Store {
    files: Vec<File>,
    /// How often they may still change.
    pub(super) changes: usize,
    /// In how many of a hundred turns of their server they do.
    pub(super) haste: u8,
    /// Contents change, and neither their size nor their mark does.
    pub(super) is_secretive: bool,
    /// What its clients have contents cut into.
    pub(super) segment: SegmentSize,
}

#[derive(Debug)]
struct File {
    versions: Vec<Vec<u8>>,
    /// Its digests are known from before.
    is_cached: bool,
}

/// One version of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    file: usize,
    /// Its place among the versions of the file, from 1 on.
    pub(super) tag: u64,
}

fn some_bytes(random: &mut Random, count: usize) -> Vec<u8> {
    let block: Vec<u8> = (0..251).map(|_| random.pick(b"\0\x01BW\nabc\xff")).collect();
    let mut bytes = block.repeat(count.div_ceil(block.len()));
    bytes.truncate(count);
    bytes
}

impl Store {
    /// Files of a few bytes.
    pub(super) fn new(random: &mut Random) -> Self {
        let sizes: Vec<_> = (0..random.count(1..=4))
            .map(|_| {
                let most = random.pick(&[0, 1, 20, 300, 3_000]);
                random.count(0..=most)
            })
            .collect();
        let segment = SegmentSize::new(random.pick(&[0, 1, 10])).unwrap();
        Self::of_sizes(random, &sizes, segment)
    }

    /// Files of several segments that change again and again, and look the same.
    pub(super) fn secretive(random: &mut Random, haste: u8) -> Self {
        let changes = random.pick(&[1, 5, 20]);
        let sizes = [random.count(1_025..=9_000), random.count(0..=3_000)];
        let store = Self::of_sizes(random, &sizes, SegmentSize::MIN);
        Self { is_secretive: true, haste, changes, ..store }
    }

    /// One file of so many segments of the largest kind and a few bytes more or less.
    pub(super) fn large(random: &mut Random, segments: usize) -> Self {
        let segment = SegmentSize::MAX;
        let size = segments * usize::try_from(segment.bytes()).unwrap();
        let size = size + random.count(0..=2_002) - 2;
        Self::of_sizes(random, &[size], segment)
    }

    fn of_sizes(random: &mut Random, sizes: &[usize], segment: SegmentSize) -> Self {
        let files = sizes.iter().map(|size| File {
            versions: vec![some_bytes(random, *size)],
            is_cached: random.chance(50),
        });
        Self {
            files: files.collect(),
            changes: random.pick(&[0, 0, 1, 2]),
            haste: 3,
            is_secretive: false,
            segment,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    /// The sum of the sizes.
    pub(super) fn bytes(&self) -> usize {
        self.files.iter().map(|file| file.versions[0].len()).sum()
    }

    /// The files are named by their numbers.
    pub(super) fn find(&self, name: &[u8]) -> Option<Version> {
        let file: usize = str::from_utf8(name).ok()?.parse().ok()?;
        let versions = &self.files.get(file)?.versions;
        Some(Version { file, tag: versions.len() as u64 })
    }

    /// What a version was when it was the latest.
    pub(super) fn bytes_of(&self, Version { file, tag }: Version) -> &[u8] {
        &self.files[file].versions[usize::try_from(tag).unwrap() - 1]
    }

    /// What the file was while it had this mark.
    pub(super) fn had(&self, file: usize, mark: u64) -> impl Iterator<Item = &[u8]> {
        let is_marked = move |tag: u64| self.mark(Version { file, tag }) == mark;
        (1..).zip(self.versions(file)).filter(move |(tag, _)| is_marked(*tag)).map(|(_, all)| all)
    }

    /// What tells a version from others, as far as the server can.
    pub(super) fn mark(&self, version: Version) -> u64 {
        if self.is_secretive { 1 } else { version.tag }
    }

    pub(super) fn versions(&self, file: usize) -> impl Iterator<Item = &[u8]> {
        self.files[file].versions.iter().map(Vec::as_slice)
    }

    /// What whoever reads the file of a version now would read.
    pub(super) fn live(&self, Version { file, .. }: Version) -> &[u8] {
        self.files[file].versions.last().unwrap()
    }

    pub(super) fn is_cached(&self, Version { file, .. }: Version) -> bool {
        self.files[file].is_cached
    }

    /// Whether a file looks as if it still were that version, as far as that goes: it may have grown.
    pub(super) fn is_unchanged(&self, version: Version) -> bool {
        self.is_secretive || self.live(version).starts_with(self.bytes_of(version))
    }

    /// Changes a file, if it may.
    pub(super) fn change(&mut self, random: &mut Random) {
        let Some(changes) = self.changes.checked_sub(1) else { return };
        self.changes = changes;
        let file = random.count(0..=self.files.len() - 1);
        let versions = &mut self.files[file].versions;
        let mut next = versions.last().unwrap().clone();
        match if self.is_secretive { 2 } else { random.count(0..=2) } {
            0 => next.extend(some_bytes(random, 100)),
            1 => next.truncate(random.count(0..=next.len())),
            // Rewritten, all of it or the end.
            _ => {
                let start = random.count(0..=next.len());
                let start = random.pick(&[0, start]);
                next[start..].iter_mut().for_each(|byte| *byte = byte.wrapping_add(1));
            }
        }
        // What is no other is the same version.
        if versions.last() != Some(&next) {
            versions.push(next);
        }
    }
}

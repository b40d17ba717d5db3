//! Tests of a download from its beginning to its name, and of every way to be cut short.

mod publish;
mod resume;
mod segments;
mod unnamed;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

use barewire_core::file::{SegmentDigester, SegmentSize};
use tempfile::TempDir;

use super::*;

const SIZE: u64 = 3_500;
/// Three segments and some.
const CONTENTS: &[u8; 3_500] = &{
    let mut bytes = [0; 3_500];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = (at % 251).to_le_bytes()[0];
        at += 1;
    }
    bytes
};
const SEGMENT: u64 = 1024;
const TAG: u64 = 77;
const HERE: BootId = [1; 16];
const LATER: BootId = [2; 16];

fn options() -> DownloadOptions {
    DownloadOptions::new().with_segment_size(SegmentSize::MIN).with_source(b"server", b"name")
}

/// A folder to download to.
struct Fixture {
    target: TempDir,
    folder: Folder,
}

impl Fixture {
    fn new() -> Self {
        let target = tempfile::tempdir().unwrap();
        let folder = Folder::open(target.path()).unwrap();
        Self { target, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.target.path().join(name)
    }

    fn try_begin(&self, options: DownloadOptions) -> io::Result<Download> {
        self.try_begin_in(HERE, options)
    }

    fn try_begin_in(&self, boot: BootId, options: DownloadOptions) -> io::Result<Download> {
        let mut download = Download::begin_in(boot, &self.folder, b"file", options)?;
        while download.check_next(&mut [0; 300])? {}
        Ok(download)
    }

    fn begin(&self) -> Download {
        self.try_begin(options()).unwrap()
    }

    /// Begins after the system was started anew.
    fn begin_later(&self) -> Download {
        self.try_begin_in(LATER, options()).unwrap()
    }

    fn force(&self) -> Download {
        self.try_begin(options().with_force(true)).unwrap()
    }

    /// Leaves a part of which so many segments have verified, and half of another is there.
    fn leave(&self, segments: u64) {
        let mut download = self.begin();
        download.start(0, Some(SIZE), TAG).unwrap();
        download.write(to((segments * 2 + 1) * SEGMENT / 2)).unwrap();
        (0..segments).for_each(|number| download.prove(number));
        download.kill();
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.target.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[track_caller]
    fn assert_done(&self) {
        assert_eq!(fs::read(self.path("file")).unwrap(), CONTENTS);
        assert_eq!(self.names(), ["file"]);
    }
}

impl Download {
    /// What is left when the process is killed.
    fn kill(mut self) {
        self.phase = Phase::Over;
    }

    /// Gives the part its final name as older means can.
    fn link(&mut self) -> io::Result<()> {
        self.disk.rename_by_link(self.part.name().unwrap(), &self.name)?;
        self.phase = Phase::Over;
        Ok(())
    }

    /// A segment verifies, as it is in the contents.
    fn prove(&mut self, number: u64) {
        self.try_prove(number, CONTENTS).unwrap();
    }

    fn try_prove(&mut self, number: u64, contents: &[u8]) -> io::Result<()> {
        let (start, end, digest) = proof(number, contents);
        self.verified(start, end, &digest)
    }

    /// All verifies that is written and did not yet.
    fn prove_all(&mut self) {
        let missing: Vec<_> = self.missing().map(|range| range.start / SEGMENT).collect();
        let from = missing.first().copied().unwrap_or(u64::MAX);
        (from..SIZE.div_ceil(SEGMENT)).for_each(|number| self.prove(number));
    }

    /// Goes on from what is held, to the end.
    fn complete(mut self) -> io::Result<()> {
        let from = self.held().map_or(0, |held| held.verified);
        self.start(from, Some(SIZE), TAG)?;
        self.write(&CONTENTS[to_usize(from)..])?;
        self.prove_all();
        self.finish()
    }
}

fn to_usize(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

/// The contents before the offset.
fn to(end: u64) -> &'static [u8] {
    &CONTENTS[..to_usize(end).min(CONTENTS.len())]
}

/// Where a segment of the contents starts and ends, and its digest.
fn proof(number: u64, contents: &[u8]) -> (u64, u64, Digest) {
    let segment = SegmentSize::MIN.segment(number * SEGMENT, contents.len() as u64);
    let mut digester = SegmentDigester::new(segment);
    digester.update(&contents[to_usize(segment.start())..to_usize(segment.end())]);
    (segment.start(), segment.end(), digester.finish())
}

/// So many segments, from the beginning.
fn held(segments: u64) -> Held {
    Held { tag: TAG, size: SIZE, verified: SIZE.min(segments * SEGMENT) }
}

#[test]
fn a_file_appears_when_it_is_complete() {
    let fixture = Fixture::new();
    let mut download = Download::begin(&fixture.folder, b"file", options()).unwrap();
    assert_eq!(download.held(), None);
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(&CONTENTS[..400]).unwrap();
    assert_eq!(fixture.names(), ["file.part", "file.part.journal"]);
    assert_eq!(download.part_name(), Some(&b"file.part"[..]));
    download.write(&CONTENTS[400..]).unwrap();
    assert!(!download.is_proven());
    download.prove_all();
    assert!(download.is_proven());
    assert_eq!(download.position(), SIZE);
    assert_eq!(download.hash().unwrap(), Some(blake3::hash(CONTENTS).into()));
    download.finish().unwrap();
    fixture.assert_done();
}

#[test]
fn of_several_each_has_its_own_result() {
    let fixture = Fixture::new();
    let inner = fixture.folder.sub(b"inner").unwrap();
    let begin = |folder: &Folder, name: &[u8]| {
        let mut download = Download::begin(folder, name, options()).unwrap();
        download.start(0, Some(SIZE), TAG).unwrap();
        download.write(CONTENTS).unwrap();
        download
    };
    let mut short = Download::begin(&fixture.folder, b"short", options()).unwrap();
    short.start(0, Some(SIZE), TAG).unwrap();
    let all = vec![
        begin(&fixture.folder, b"a"),
        short,
        begin(&inner, b"a"),
        begin(&fixture.folder, b"taken"),
        begin(&fixture.folder, b"b"),
    ];
    fs::write(fixture.path("taken"), "meanwhile").unwrap();
    let results = Download::finish_all(all).into_iter().map(|result| result.map_err(|e| e.kind()));
    let (short, taken) = (io::ErrorKind::UnexpectedEof, io::ErrorKind::AlreadyExists);
    assert!(results.eq([Ok(()), Err(short), Ok(()), Err(taken), Ok(())]));
    assert_eq!(fixture.names(), ["a", "b", "inner", "taken"]);
    for name in ["a", "b", "inner/a"] {
        assert_eq!(fs::read(fixture.path(name)).unwrap(), CONTENTS);
    }
    assert_eq!(fs::read(fixture.path("taken")).unwrap(), b"meanwhile");
    assert!(Download::<Folder>::finish_all(Vec::new()).is_empty());
}

#[test]
fn without_a_size_and_without_a_tag_it_works_as_well_and_nothing_is_left_to_resume() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    download.start(0, None, 0).unwrap();
    download.write(CONTENTS).unwrap();
    drop(download);
    assert_eq!(fixture.names(), [""; 0]);
    for size in [None, Some(SIZE)] {
        let mut download = fixture.force();
        download.start(0, size, 0).unwrap();
        download.write(CONTENTS).unwrap();
        let error = download.try_prove(0, CONTENTS).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "there is no telling of what");
        assert!(!download.is_proven() && download.hash().unwrap().is_none());
        download.finish().unwrap();
        fixture.assert_done();
    }
}

#[test]
fn an_empty_file_is_a_file() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    download.start(0, Some(0), TAG).unwrap();
    assert!(download.is_proven() && download.missing().next().is_none());
    assert_eq!(download.hash().unwrap(), Some(blake3::hash(b"").into()));
    download.finish().unwrap();
    assert_eq!(fs::read(fixture.path("file")).unwrap(), b"");
    assert_eq!(fixture.names(), ["file"]);
}

#[test]
fn dropped_it_leaves_what_has_verified_and_only_that() {
    let fixture = Fixture::new();
    drop(fixture.begin());
    let mut download = fixture.begin();
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(to(3 * SEGMENT)).unwrap();
    drop(download);
    assert_eq!(fixture.names(), [""; 0]);

    let mut download = fixture.begin();
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(to(3 * SEGMENT)).unwrap();
    (0..2).for_each(|number| download.prove(number));
    drop(download);
    assert_eq!(fs::read(fixture.path("file.part")).unwrap(), to(2 * SEGMENT));
    // As it was found, unless something has started.
    drop(fixture.begin());
    let download = fixture.begin();
    assert_eq!(download.held(), Some(held(2)));
    download.complete().unwrap();
    fixture.assert_done();
}

#[test]
fn discarded_it_leaves_nothing() {
    let fixture = Fixture::new();
    fixture.leave(2);
    fixture.begin().discard().unwrap();
    assert_eq!(fixture.names(), [""; 0]);
}

#[test]
fn after_a_broken_connection_it_goes_on_or_starts_over() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(to(2 * SEGMENT)).unwrap();
    download.prove(0);
    assert_eq!(download.held(), Some(held(1)));
    download.start(SEGMENT, Some(SIZE), TAG).unwrap();
    download.write(b"XYZ").unwrap();
    // The file has another version now.
    download.start(0, Some(4), 78).unwrap();
    assert_eq!(download.held(), None);
    download.write(b"2nd.").unwrap();
    download.finish().unwrap();
    assert_eq!(fs::read(fixture.path("file")).unwrap(), b"2nd.");
}

#[test]
fn what_does_not_fit_is_refused() {
    let fixture = Fixture::new();
    let kind = |result: io::Result<()>| result.unwrap_err().kind();
    let mut download = fixture.begin();
    assert_eq!(kind(download.write(b"x")), io::ErrorKind::InvalidInput);
    assert_eq!(kind(download.try_prove(0, CONTENTS)), io::ErrorKind::InvalidInput);
    assert_eq!(kind(download.start(1, Some(SIZE), TAG)), io::ErrorKind::InvalidInput);
    assert_eq!(kind(download.start(0, Some(u64::MAX), TAG)), io::ErrorKind::FileTooLarge);
    download.start(0, Some(SIZE), TAG).unwrap();
    assert_eq!(kind(download.write(&[0; 3_501])), io::ErrorKind::InvalidInput);
    assert_eq!(kind(download.try_prove(0, CONTENTS)), io::ErrorKind::InvalidInput);
    download.write(to(SEGMENT - 1)).unwrap();
    assert_eq!(kind(download.try_prove(0, CONTENTS)), io::ErrorKind::InvalidInput);
    download.write(&to(2 * SEGMENT)[to_usize(SEGMENT) - 1..]).unwrap();
    let (start, end, digest) = proof(0, CONTENTS);
    for (start, end) in [(start + 1, end), (start, end - 1), (start, end + 1), (start, 2 * end)] {
        assert_eq!(kind(download.verified(start, end, &digest)), io::ErrorKind::InvalidInput);
    }
    download.prove(0);
    assert_eq!(kind(download.try_prove(0, CONTENTS)), io::ErrorKind::InvalidInput);
    for (offset, size, tag) in [
        (1, Some(SIZE), TAG),
        (2 * SEGMENT, Some(SIZE), TAG),
        (SEGMENT, Some(SIZE), 1),
        (SEGMENT, Some(SIZE - 1), TAG),
        (SEGMENT, None, TAG),
    ] {
        assert_eq!(kind(download.start(offset, size, tag)), io::ErrorKind::InvalidInput);
    }
    assert_eq!(kind(download.finish()), io::ErrorKind::UnexpectedEof);
    assert_eq!(fixture.begin().held(), Some(held(1)));
    assert_eq!(kind(fixture.begin().finish()), io::ErrorKind::UnexpectedEof);
}

#[test]
fn where_there_is_no_such_rename_it_is_linked() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(CONTENTS).unwrap();
    download.sync_contents().unwrap();
    download.link().unwrap();
    download.clean().unwrap();
    drop(download);
    fixture.assert_done();
}

#[test]
fn a_part_that_was_moved_or_cut_is_not_published() {
    let fixture = Fixture::new();
    for moved in [true, false] {
        let mut download = fixture.begin();
        download.start(0, Some(SIZE), TAG).unwrap();
        download.write(CONTENTS).unwrap();
        if moved {
            fs::write(fixture.path("new"), CONTENTS).unwrap();
            fs::rename(fixture.path("new"), fixture.path("file.part")).unwrap();
        } else {
            fs::write(fixture.path("file.part"), "short").unwrap();
        }
        assert_eq!(download.finish().unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(fixture.names(), [""; 0]);
    }
}

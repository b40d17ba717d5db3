//! Tests of a download from its beginning to its name, and of every way to be cut short.

mod publish;
mod resume;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

const SIZE: u64 = 9;
const CONTENTS: &[u8; 9] = b"some text";
const TAG: u64 = 77;
const HERE: BootId = [1; 16];
const LATER: BootId = [2; 16];

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
        Download::begin_in(HERE, &self.folder, b"file", options)
    }

    fn begin(&self) -> Download {
        self.try_begin(DownloadOptions::default()).unwrap()
    }

    /// Begins after the system was started anew.
    fn begin_later(&self) -> Download {
        Download::begin_in(LATER, &self.folder, b"file", DownloadOptions::default()).unwrap()
    }

    fn force(&self) -> Download {
        self.try_begin(DownloadOptions { force: true, resume: true }).unwrap()
    }

    /// Leaves a part of which this many bytes have verified.
    fn leave(&self, verified: u64) {
        let mut download = self.begin();
        download.start(0, Some(SIZE), TAG).unwrap();
        download.write(&CONTENTS[..8]).unwrap();
        download.verified(verified).unwrap();
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
        self.over = true;
    }

    /// Gives the part its final name as older means can.
    fn link(&mut self) -> io::Result<()> {
        self.disk.rename_by_link(&self.part.name, &self.name)?;
        self.over = true;
        Ok(())
    }

    /// Goes on from what is held, to the end.
    fn complete(mut self) -> io::Result<()> {
        let from = self.held().map_or(0, |held| held.verified);
        self.start(from, Some(SIZE), TAG)?;
        self.write(&CONTENTS[usize::try_from(from).unwrap()..])?;
        self.verified(SIZE)?;
        self.finish()
    }
}

fn held(verified: u64) -> Held {
    Held { tag: TAG, size: SIZE, verified }
}

#[test]
fn a_file_appears_when_it_is_complete() {
    let fixture = Fixture::new();
    let mut download =
        Download::begin(&fixture.folder, b"file", DownloadOptions::default()).unwrap();
    assert_eq!(download.held(), None);
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(&CONTENTS[..4]).unwrap();
    assert_eq!(fixture.names(), ["file.part", "file.part.journal"]);
    assert_eq!(download.part_name(), b"file.part");
    download.write(&CONTENTS[4..]).unwrap();
    download.verified(SIZE).unwrap();
    assert_eq!(download.position(), SIZE);
    download.finish().unwrap();
    fixture.assert_done();
}

#[test]
fn of_several_each_has_its_own_result() {
    let fixture = Fixture::new();
    let inner = fixture.folder.sub(b"inner").unwrap();
    let begin = |folder: &Folder, name: &[u8]| {
        let mut download = Download::begin(folder, name, DownloadOptions::default()).unwrap();
        download.start(0, Some(SIZE), TAG).unwrap();
        download.write(CONTENTS).unwrap();
        download
    };
    let mut short = Download::begin(&fixture.folder, b"short", DownloadOptions::default()).unwrap();
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
    let mut download = fixture.begin();
    download.start(0, None, 0).unwrap();
    download.write(CONTENTS).unwrap();
    download.finish().unwrap();
    fixture.assert_done();
}

#[test]
fn an_empty_file_is_a_file() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    download.start(0, Some(0), TAG).unwrap();
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
    download.write(&CONTENTS[..7]).unwrap();
    drop(download);
    assert_eq!(fixture.names(), [""; 0]);

    let mut download = fixture.begin();
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(&CONTENTS[..7]).unwrap();
    download.verified(5).unwrap();
    drop(download);
    assert_eq!(fs::read(fixture.path("file.part")).unwrap(), &CONTENTS[..5]);
    // As it was found, unless something has started.
    drop(fixture.begin());
    let download = fixture.begin();
    assert_eq!(download.held(), Some(held(5)));
    download.complete().unwrap();
    fixture.assert_done();
}

#[test]
fn discarded_it_leaves_nothing() {
    let fixture = Fixture::new();
    fixture.leave(5);
    fixture.begin().discard().unwrap();
    assert_eq!(fixture.names(), [""; 0]);
}

#[test]
fn after_a_broken_connection_it_goes_on_or_starts_over() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(b"some").unwrap();
    download.verified(2).unwrap();
    assert_eq!(download.held(), Some(held(2)));
    download.start(2, Some(SIZE), TAG).unwrap();
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
    assert_eq!(kind(download.verified(0)), io::ErrorKind::InvalidInput);
    assert_eq!(kind(download.start(1, Some(SIZE), TAG)), io::ErrorKind::InvalidInput);
    assert_eq!(kind(download.start(0, Some(u64::MAX), TAG)), io::ErrorKind::FileTooLarge);
    download.start(0, Some(SIZE), TAG).unwrap();
    assert_eq!(kind(download.write(b"ten bytes!")), io::ErrorKind::InvalidInput);
    assert_eq!(kind(download.verified(1)), io::ErrorKind::InvalidInput);
    download.write(b"some").unwrap();
    download.verified(2).unwrap();
    assert_eq!(kind(download.verified(1)), io::ErrorKind::InvalidInput);
    for (offset, size, tag) in
        [(1, Some(SIZE), TAG), (2, Some(SIZE), 1), (2, Some(8), TAG), (2, None, TAG)]
    {
        assert_eq!(kind(download.start(offset, size, tag)), io::ErrorKind::InvalidInput);
    }
    assert_eq!(kind(download.finish()), io::ErrorKind::UnexpectedEof);
    assert_eq!(fixture.begin().held(), Some(held(2)));
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
fn a_part_that_was_moved_or_changed_is_not_published() {
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

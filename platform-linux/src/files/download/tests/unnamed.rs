//! Tests of files of one segment, which have no name until they are whole.

use super::*;
use crate::testing::folder_in_memory;

const SMALL: &[u8] = CONTENTS.first_chunk::<1000>().unwrap();

/// A folder on a file system that has files without names.
fn fixture() -> Fixture {
    let target = folder_in_memory();
    let folder = Folder::open(target.path()).unwrap();
    Fixture { target, folder }
}

fn write(download: &mut Download, contents: &[u8]) {
    download.start(0, Some(contents.len() as u64), TAG).unwrap();
    download.write(contents).unwrap();
    download.try_prove(0, contents).unwrap();
}

#[test]
fn nothing_has_a_name_before_it_is_whole() {
    let fixture = fixture();
    let mut download = fixture.begin();
    write(&mut download, SMALL);
    assert_eq!((download.part_name(), fixture.names().len()), (None, 0));
    assert_eq!(download.hash().unwrap(), Some(blake3::hash(SMALL).into()));
    // Whatever ends it.
    drop(download);
    assert_eq!(fixture.names(), [""; 0]);
    let mut download = fixture.begin();
    assert_eq!(download.held(), None);
    write(&mut download, SMALL);
    download.set_modified(Some(1_000_000_000));
    download.finish().unwrap();
    assert_eq!(fs::read(fixture.path("file")).unwrap(), SMALL);
    assert_eq!(fixture.names(), ["file"]);
    let status = fs::metadata(fixture.path("file")).unwrap();
    assert_eq!((status.mtime(), status.mode() & 0o7777), (1, fixture.folder.usual_mode()));
}

#[test]
fn another_version_may_take_a_part_with_a_name() {
    let fixture = fixture();
    let mut download = fixture.begin();
    write(&mut download, SMALL);
    download.start(0, Some(SIZE), TAG + 1).unwrap();
    assert_eq!(download.held(), None);
    download.write(CONTENTS).unwrap();
    download.prove_all();
    assert_eq!(fixture.names(), ["file.part", "file.part.journal"]);
    download.finish().unwrap();
    fixture.assert_done();
    // And the other way round: it stays there.
    let mut download = fixture.force();
    download.start(0, Some(SIZE), TAG).unwrap();
    write(&mut download, SMALL);
    download.finish().unwrap();
    assert_eq!(fs::read(fixture.path("file")).unwrap(), SMALL);
    assert_eq!(fixture.names(), ["file"]);
}

#[test]
fn what_gets_the_name_meanwhile_is_replaced_by_force_only() {
    for is_forced in [false, true] {
        let fixture = fixture();
        let mut download = if is_forced { fixture.force() } else { fixture.begin() };
        write(&mut download, SMALL);
        assert_eq!(download.part_name(), None);
        fs::write(fixture.path("file"), "another's").unwrap();
        let result = download.finish().map_err(|error| error.kind());
        let is = fs::read(fixture.path("file")).unwrap();
        if is_forced {
            assert_eq!((result, &is[..]), (Ok(()), SMALL));
        } else {
            let taken = Err(io::ErrorKind::AlreadyExists);
            assert_eq!((result, &is[..]), (taken, &b"another's"[..]));
        }
        assert_eq!(fixture.names(), ["file"]);
    }
}

#[test]
fn what_an_earlier_run_has_left_is_gone_on_with_or_cleared_away() {
    let fixture = fixture();
    fixture.leave(2);
    write(&mut fixture.begin(), SMALL);
    fixture.leave(2);
    fs::remove_file(fixture.path("file.part")).unwrap();
    let mut download = fixture.begin();
    write(&mut download, SMALL);
    download.finish().unwrap();
    assert_eq!(fixture.names(), ["file"]);
}

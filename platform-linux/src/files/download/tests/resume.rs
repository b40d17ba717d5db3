//! Tests of what the next run makes of what the last one has left.

use super::*;
use crate::files::SYNC_EVERY;

#[test]
fn killed_at_any_step_the_name_is_absent_or_complete_and_the_next_run_succeeds() {
    for step in 0..=9 {
        let fixture = Fixture::new();
        let mut download = fixture.begin();
        let mut steps = 0..step;
        let mut go = || steps.next().is_some();
        let _ = (|| {
            go().then(|| download.start(0, Some(SIZE), TAG).unwrap())?;
            go().then(|| download.write(b"so").unwrap())?;
            go().then(|| download.verified(2).unwrap())?;
            go().then(|| download.write(&CONTENTS[2..5]).unwrap())?;
            go().then(|| download.write(&CONTENTS[5..]).unwrap())?;
            go().then(|| download.verified(SIZE).unwrap())?;
            go().then(|| download.sync_contents().unwrap())?;
            go().then(|| download.publish().unwrap())?;
            go().then(|| download.clean().unwrap())
        })();
        download.kill();
        let published = step >= 8;
        assert_eq!(fixture.path("file").exists(), published, "step {step}");
        if published {
            let error = fixture.try_begin(DownloadOptions::default()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(fixture.path("file")).unwrap(), CONTENTS);
            fixture.force().complete().unwrap();
        } else {
            let download = fixture.begin();
            let verified = if step < 3 { None } else { Some(if step < 6 { 2 } else { SIZE }) };
            assert_eq!(download.held(), verified.map(held), "step {step}");
            download.complete().unwrap();
        }
        fixture.assert_done();
    }
}

#[test]
fn killed_between_two_versions_nothing_of_the_old_one_is_trusted() {
    let fixture = Fixture::new();
    fixture.leave(8);
    let mut download = fixture.begin();
    download.start(0, Some(SIZE), 78).unwrap();
    download.write(b"XXXXXXXX").unwrap();
    download.kill();
    assert_eq!(fixture.begin().held(), None);
    fixture.begin().complete().unwrap();
    fixture.assert_done();
}

#[test]
fn what_is_not_to_be_resumed_is_not_trusted_later_either() {
    let fixture = Fixture::new();
    fixture.leave(8);
    let mut download = fixture.try_begin(DownloadOptions { force: false, resume: false }).unwrap();
    assert_eq!(download.held(), None);
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(b"XXXXXXXX").unwrap();
    download.kill();
    assert_eq!(fixture.begin().held(), None);
}

#[test]
fn after_a_crash_of_the_system_only_what_reached_the_disk_counts() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(&CONTENTS[..8]).unwrap();
    download.verified(3).unwrap();
    download.sync(download.verified).unwrap();
    download.verified(8).unwrap();
    download.kill();
    assert_eq!(fixture.begin().held(), Some(held(8)));
    let mut download = fixture.begin_later();
    assert_eq!(download.held(), Some(held(3)));
    download.start(3, Some(SIZE), TAG).unwrap();
    download.write(b"XXXXX").unwrap();
    download.kill();
    assert_eq!(fixture.begin_later().held(), Some(held(3)));
    fixture.begin_later().complete().unwrap();
    fixture.assert_done();

    let fixture = Fixture::new();
    fixture.leave(8);
    assert_eq!(fixture.begin_later().held(), None);
    assert_eq!(fixture.begin().held(), Some(held(8)));
}

#[test]
fn every_so_often_it_reaches_the_disk() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    download.start(0, None, TAG).unwrap();
    // As if they had been written.
    download.position = 2 * SYNC_EVERY;
    download.verified(SYNC_EVERY - 1).unwrap();
    assert_eq!((download.synced, download.vouched), (0, 0));
    download.verified(SYNC_EVERY).unwrap();
    assert_eq!((download.synced, download.vouched), (SYNC_EVERY, SYNC_EVERY));
    download.verified(2 * SYNC_EVERY - 1).unwrap();
    assert_eq!(download.synced, SYNC_EVERY);
    download.start(0, None, 78).unwrap();
    assert_eq!((download.synced, download.vouched), (0, 0));
}

#[test]
fn a_part_shorter_than_the_journal_says_is_not_trusted() {
    let fixture = Fixture::new();
    fixture.leave(8);
    let part = fs::File::options().write(true).open(fixture.path("file.part")).unwrap();
    part.set_len(7).unwrap();
    let download = fixture.begin();
    assert_eq!(download.held(), None);
    download.complete().unwrap();
    fixture.assert_done();
}

#[test]
fn with_a_torn_journal_it_starts_over() {
    for length in [0, 79] {
        let fixture = Fixture::new();
        fixture.leave(8);
        let journal = fs::File::options().write(true).open(fixture.path("file.part.journal"));
        journal.unwrap().set_len(length).unwrap();
        let download = fixture.begin();
        assert_eq!(download.held(), None);
        download.complete().unwrap();
        fixture.assert_done();
    }
}

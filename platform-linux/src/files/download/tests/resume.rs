//! Tests of what the next run makes of what the last one has left.

use super::*;

/// Changes a byte of the part as somebody else might, who sets its time back afterwards.
fn edit(fixture: &Fixture, at: u64) {
    use std::os::unix::fs::FileExt as _;
    let part = fs::File::options().read(true).write(true).open(fixture.path("file.part")).unwrap();
    let modified = part.metadata().unwrap().modified().unwrap();
    let mut byte = [0];
    part.read_exact_at(&mut byte, at).unwrap();
    part.write_all_at(&[byte[0] ^ 1], at).unwrap();
    part.set_modified(modified).unwrap();
}

#[test]
fn killed_at_any_step_the_name_is_absent_or_complete_and_the_next_run_succeeds() {
    for step in 0..=9 {
        let fixture = Fixture::new();
        let mut download = fixture.begin();
        let mut steps = 0..step;
        let mut go = || steps.next().is_some();
        let _ = (|| {
            go().then(|| download.start(0, Some(SIZE), TAG).unwrap())?;
            go().then(|| download.write(to(SEGMENT)).unwrap())?;
            go().then(|| download.prove(0))?;
            go().then(|| download.write(&CONTENTS[to_usize(SEGMENT)..2_000]).unwrap())?;
            go().then(|| download.write(&CONTENTS[2_000..]).unwrap())?;
            go().then(|| download.prove_all())?;
            go().then(|| download.sync_contents().unwrap())?;
            go().then(|| download.publish().unwrap())?;
            go().then(|| download.clean().unwrap())
        })();
        download.kill();
        let published = step >= 8;
        assert_eq!(fixture.path("file").exists(), published, "step {step}");
        if published {
            let error = fixture.try_begin(options()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(fixture.path("file")).unwrap(), CONTENTS);
            fixture.force().complete().unwrap();
        } else {
            let download = fixture.begin();
            let segments = if step < 3 { None } else { Some(if step < 6 { 1 } else { 4 }) };
            assert_eq!(download.held(), segments.map(held), "step {step}");
            download.complete().unwrap();
        }
        fixture.assert_done();
    }
}

#[test]
fn what_was_edited_between_kill_and_resume_does_not_count_and_the_rest_does() {
    for later in [false, true] {
        let fixture = Fixture::new();
        fixture.leave(3);
        edit(&fixture, SEGMENT + 5);
        let download = if later { fixture.begin_later() } else { fixture.begin() };
        let missing: Vec<_> = download.missing().collect();
        assert_eq!(missing, [SEGMENT..2 * SEGMENT, 3 * SEGMENT..SIZE]);
        assert_eq!(download.held(), Some(held(1)));
        download.complete().unwrap();
        fixture.assert_done();
    }
}

#[test]
fn nothing_is_held_before_it_was_checked() {
    let fixture = Fixture::new();
    fixture.leave(3);
    let mut download = Download::begin_in(HERE, &fixture.folder, b"file", options()).unwrap();
    assert_eq!((download.held(), download.unchecked()), (None, 3 * SEGMENT));
    assert_eq!(download.check_next(&mut []).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert!(download.check_next(&mut [0; 1000]).unwrap());
    assert_eq!((download.held(), download.unchecked()), (Some(held(1)), 2 * SEGMENT));
    // Whoever cannot wait goes on with less.
    download.start(SEGMENT, Some(SIZE), TAG).unwrap();
    assert!(!download.check_next(&mut [0; 1000]).unwrap());
    download.kill();
    assert_eq!(fixture.begin().held(), Some(held(1)));
}

/// What an orderly end leaves is not read again, unless it was touched or the system started anew.
#[test]
fn what_is_sealed_need_not_be_checked() {
    let fixture = Fixture::new();
    let seal = |download: &mut Download| {
        let changed = download.part.file.changed().unwrap()?;
        download.record(Some(Seal { boot: HERE, changed })).unwrap();
        Some(())
    };
    let unchecked = |boot| {
        let download = Download::begin_in(boot, &fixture.folder, b"file", options()).unwrap();
        (download.held(), download.unchecked())
    };
    fixture.leave(3);
    let mut download = fixture.begin();
    download.start(3 * SEGMENT, Some(SIZE), TAG).unwrap();
    download.part.file.settle();
    let Some(()) = seal(&mut download) else {
        println!("nothing can be sealed on this file system");
        return;
    };
    download.kill();
    assert_eq!(unchecked(HERE), (Some(held(3)), 0));
    assert_eq!(unchecked(LATER), (None, 3 * SEGMENT));
    edit(&fixture, 5);
    assert_eq!(unchecked(HERE), (None, 3 * SEGMENT));
    let mut download = fixture.begin();
    assert_eq!(download.held(), Some(Held { verified: 0, ..held(0) }));
    seal(&mut download).unwrap();
    // What goes on breaks the seal.
    download.fill(SIZE, TAG).unwrap();
    download.kill();
    assert_eq!(unchecked(HERE), (None, 2 * SEGMENT));
}

#[test]
fn killed_between_two_versions_nothing_of_the_old_one_is_trusted() {
    // Neither of a version with another tag, nor if the server's tags lie.
    for tag in [78, TAG] {
        let fixture = Fixture::new();
        fixture.leave(3);
        let journal = fs::read(fixture.path("file.part.journal")).unwrap();
        let mut download = fixture.begin();
        download.start(0, Some(SIZE), tag).unwrap();
        download.write(to(2 * SEGMENT)).unwrap();
        download.kill();
        // A crash brings digests of the old one back, and the part holds what has them.
        let new = fs::read(fixture.path("file.part.journal")).unwrap();
        fs::write(fixture.path("file.part.journal"), [&new[..512], &journal[512..]].concat())
            .unwrap();
        assert_eq!(fixture.begin_later().held(), None);
        fixture.begin().complete().unwrap();
        fixture.assert_done();
    }
}

#[test]
fn what_is_not_to_be_resumed_is_not_trusted_later_either() {
    let fixture = Fixture::new();
    fixture.leave(3);
    let mut download = fixture.try_begin(options().with_resume(false)).unwrap();
    assert_eq!(download.held(), None);
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(to(3 * SEGMENT)).unwrap();
    download.kill();
    assert_eq!(fixture.begin().held(), None);
}

#[test]
fn segments_of_another_size_are_not_gone_on_with() {
    let fixture = Fixture::new();
    fixture.leave(3);
    let larger = options().with_segment_size(SegmentSize::MAX);
    assert_eq!(fixture.try_begin(larger).unwrap().held(), None);
    assert_eq!(fixture.begin().held(), Some(held(3)));
}

#[test]
fn every_so_often_it_reaches_the_disk() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(CONTENTS).unwrap();
    download.prove(0);
    assert_eq!((download.unsynced, download.has_synced), (SEGMENT, false));
    // As if so much had been proven before.
    download.unsynced = Folder::SYNC_EVERY - SEGMENT;
    download.prove(1);
    assert_eq!((download.unsynced, download.has_synced), (0, true));
    download.prove(2);
    assert_eq!(download.unsynced, SEGMENT);
}

#[test]
fn what_a_part_is_too_short_for_is_not_trusted() {
    let fixture = Fixture::new();
    fixture.leave(3);
    let part = fs::File::options().write(true).open(fixture.path("file.part")).unwrap();
    part.set_len(3 * SEGMENT - 1).unwrap();
    let download = fixture.begin();
    assert_eq!(download.held(), Some(held(2)));
    download.complete().unwrap();
    fixture.assert_done();
}

#[test]
fn with_a_torn_journal_it_starts_over() {
    for length in [0, 5, 119] {
        let fixture = Fixture::new();
        fixture.leave(3);
        let journal = fs::File::options().write(true).open(fixture.path("file.part.journal"));
        journal.unwrap().set_len(length).unwrap();
        let download = fixture.begin();
        assert_eq!(download.held(), None);
        download.complete().unwrap();
        fixture.assert_done();
    }
}

#[test]
fn the_journal_takes_40_bytes_for_each_mib() {
    let fixture = Fixture::new();
    let mut download = fixture.try_begin(DownloadOptions::new()).unwrap();
    let mib = vec![7; 1 << 20];
    download.start(0, Some(3 << 20), TAG).unwrap();
    for number in 0..3 {
        download.write(&mib).unwrap();
        download.verified(number << 20, (number + 1) << 20, &[7; 32]).unwrap();
    }
    let journal = fs::metadata(fixture.path("file.part.journal")).unwrap();
    assert_eq!(journal.len(), 512 + 3 * 40);
}

//! Tests of what a file is when it gets its name, and of what had the name before; and of room.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, UNIX_EPOCH};

use super::super::room::LEAST_RESERVED;
use super::*;

fn mode(fixture: &Fixture, name: &str) -> u32 {
    fs::metadata(fixture.path(name)).unwrap().permissions().mode() & 0o7777
}

#[test]
fn an_existing_file_is_replaced_by_force_only() {
    let fixture = Fixture::new();
    fs::write(fixture.path("outside"), "untouched").unwrap();
    for existing in ["file", "link", "dangling link", "socket", "device", "directory"] {
        let path = fixture.path("file");
        match existing {
            "file" => fs::write(&path, "old").unwrap(),
            "link" => symlink("outside", &path).unwrap(),
            "dangling link" => symlink("gone", &path).unwrap(),
            "device" => symlink("/dev/null", &path).unwrap(),
            "socket" => drop(std::os::unix::net::UnixListener::bind(&path).unwrap()),
            _ => fs::create_dir(&path).unwrap(),
        }
        let error = fixture.try_begin(options()).unwrap_err();
        let forced = fixture.try_begin(options().with_force(true));
        let never = match existing {
            "directory" => Some(io::ErrorKind::IsADirectory),
            "socket" | "device" => Some(io::ErrorKind::Unsupported),
            _ => None,
        };
        if let Some(kind) = never {
            assert_eq!((error.kind(), forced.unwrap_err().kind()), (kind, kind));
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
            continue;
        }
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{existing}");
        forced.unwrap().complete().unwrap();
        assert!(path.symlink_metadata().unwrap().is_file(), "{existing}");
        assert_eq!(fs::read(&path).unwrap(), CONTENTS);
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(fs::read(fixture.path("outside")).unwrap(), b"untouched");
    assert_eq!(fixture.names(), ["outside"]);
}

#[test]
fn a_file_that_appears_meanwhile_is_not_replaced() {
    for by_link in [false, true] {
        let fixture = Fixture::new();
        let mut download = fixture.begin();
        download.start(0, Some(SIZE), TAG).unwrap();
        download.write(CONTENTS).unwrap();
        download.prove_all();
        fs::write(fixture.path("file"), "another's").unwrap();
        let result = if by_link { download.link() } else { download.publish() };
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        drop(download);
        assert_eq!(fs::read(fixture.path("file")).unwrap(), b"another's");
        let download = fixture.force();
        assert_eq!(download.held(), Some(held(4)), "nothing need be asked for again");
        download.complete().unwrap();
        fixture.assert_done();
    }
}

/// After the last step but one, by either way to a name.
#[test]
fn what_is_left_of_a_run_that_was_killed_when_the_file_had_its_name_is_cleared_away() {
    for (by_link, is_taken) in [(false, false), (false, true), (true, false), (true, true)] {
        let fixture = Fixture::new();
        if is_taken {
            fs::write(fixture.path("file.part"), "another's").unwrap();
        }
        let mut download = fixture.begin();
        download.start(0, Some(SIZE), TAG).unwrap();
        download.write(CONTENTS).unwrap();
        download.prove_all();
        download.sync_contents().unwrap();
        let part = if is_taken { "file.2.part" } else { "file.part" };
        let journal = format!("{part}.journal");
        if by_link {
            fs::hard_link(fixture.path(part), fixture.path("file")).unwrap();
            download.kill();
        } else {
            download.publish().unwrap();
        }
        assert!(fixture.path(&journal).exists());
        assert_eq!(fixture.try_begin(options()).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        if is_taken {
            assert_eq!(fs::read(fixture.path("file.part")).unwrap(), b"another's");
            fs::remove_file(fixture.path("file.part")).unwrap();
        }
        fixture.assert_done();
    }
}

#[test]
fn the_journal_of_another_part_than_the_file_was_is_left() {
    let fixture = Fixture::new();
    fixture.leave(2);
    fs::remove_file(fixture.path("file.part")).unwrap();
    fs::write(fixture.path("file"), "another's").unwrap();
    assert_eq!(fixture.try_begin(options()).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fixture.names(), ["file", "file.part.journal"]);
}

#[test]
fn it_is_private_until_it_has_its_name_and_then_as_the_user_lets_new_files_be() {
    let fixture = Fixture::new();
    fs::write(fixture.path("other"), "").unwrap();
    fixture.leave(2);
    for name in ["file.part", "file.part.journal"] {
        assert_eq!(mode(&fixture, name), 0o600, "{name}");
    }
    // Killed when it was about to get its name.
    fs::set_permissions(fixture.path("file.part"), fs::Permissions::from_mode(0o666)).unwrap();
    let download = fixture.begin();
    assert_eq!(mode(&fixture, "file.part"), 0o600);
    download.complete().unwrap();
    assert_eq!(mode(&fixture, "file"), mode(&fixture, "other"));
}

#[test]
fn a_part_that_cannot_get_its_name_stays_private() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(CONTENTS).unwrap();
    download.prove_all();
    fs::write(fixture.path("file"), "another's").unwrap();
    assert_eq!(download.finish().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(mode(&fixture, "file.part"), 0o600);
}

#[test]
fn what_is_replaced_hands_its_permissions_on() {
    let fixture = Fixture::new();
    for (before, after) in [(0o600, 0o600), (0o751, 0o751), (0o4755, 0o755)] {
        fs::write(fixture.path("file"), "old").unwrap();
        fs::set_permissions(fixture.path("file"), fs::Permissions::from_mode(before)).unwrap();
        fixture.force().complete().unwrap();
        assert_eq!(mode(&fixture, "file"), after);
        fixture.assert_done();
    }
}

#[test]
fn it_bears_the_time_that_was_told() {
    let fixture = Fixture::new();
    let modified = || fs::metadata(fixture.path("file")).unwrap().modified().unwrap();
    let before = modified_now(&fixture);
    fixture.begin().complete().unwrap();
    assert!(modified() >= before);
    for (time, is) in [
        (1_700_000_000_123_456_789, UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789)),
        (-1_500_000_000, UNIX_EPOCH - Duration::from_millis(1_500)),
    ] {
        let mut download = fixture.force();
        download.set_modified(Some(time));
        download.complete().unwrap();
        assert_eq!(modified(), is);
    }
    // What the file system has no room for is no reason to fail.
    for time in [i64::MIN, i64::MAX] {
        let mut download = fixture.force();
        download.set_modified(Some(time));
        download.complete().unwrap();
    }
}

/// The time by which the system stamps files.
fn modified_now(fixture: &Fixture) -> std::time::SystemTime {
    fs::write(fixture.path("now"), "").unwrap();
    let now = fs::metadata(fixture.path("now")).unwrap().modified().unwrap();
    fs::remove_file(fixture.path("now")).unwrap();
    now
}

#[test]
fn a_disk_too_small_is_reported_at_once() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    let error = download.start(0, Some(1 << 60), TAG).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    drop(download);
    assert_eq!(fixture.names(), [""; 0]);
}

#[test]
fn room_is_reserved_as_contents_come_and_given_back() {
    let fixture = Fixture::new();
    let allocated = || fs::metadata(fixture.path("file.part")).unwrap().blocks() * 512;
    let mut download = fixture.begin();
    download.start(0, Some(4 * LEAST_RESERVED), TAG).unwrap();
    assert_eq!(allocated(), 0, "what is only announced takes none");
    download.write(to(SEGMENT)).unwrap();
    let reserved = allocated();
    assert!(reserved < 2 * LEAST_RESERVED, "{reserved}");
    download.verified(0, SEGMENT, &[7; 32]).unwrap();
    drop(download);
    assert_eq!(fs::metadata(fixture.path("file.part")).unwrap().len(), SEGMENT);
    // Where the file system can reserve at all.
    assert!(reserved < LEAST_RESERVED || allocated() < LEAST_RESERVED);
}

#[test]
fn the_more_has_come_the_more_is_reserved_and_never_more_than_the_whole() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    let size = 8 * LEAST_RESERVED;
    download.start(0, Some(size), TAG).unwrap();
    for (come, reserved) in [(0, 1), (3, 6), (4, 6), (7, 8)] {
        download.position = come * LEAST_RESERVED;
        download.reserve(download.position, download.position + 1).unwrap();
        assert_eq!(download.reserved.div_euclid(LEAST_RESERVED), reserved);
    }
    // What comes to a place far behind is not what has come.
    download.start(0, Some(size), TAG).unwrap();
    download.reserve(4 * LEAST_RESERVED, 4 * LEAST_RESERVED + 1).unwrap();
    assert_eq!(download.reserved, 5 * LEAST_RESERVED + 1);
    download.start(0, None, 0).unwrap();
    download.reserve(0, size).unwrap();
    assert_eq!(download.reserved, 0, "nobody knows how much will come");
}

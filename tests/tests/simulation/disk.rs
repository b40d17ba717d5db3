//! The disk of the simulator: what it keeps, and what it may lose.

use std::io::ErrorKind;

use barewire_linux::files::{Found, Storage as _, StorageFile as _};
use barewire_tests::simulator::disk::{Disk, Nature, OpenFile, UnnamedFiles};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;

const SECTOR: usize = 512;
const ORDERLY: Nature = Nature {
    is_ordered: true,
    tells_births: true,
    tells_changes: true,
    sector: SECTOR,
    unnamed: UnnamedFiles::Plain,
};

fn disk(seed: u64, nature: Nature) -> Disk {
    Disk::new(Random::new(seed), nature)
}

fn create(disk: &Disk, name: &str) -> OpenFile {
    disk.create(name.as_bytes()).unwrap()
}

#[test]
fn what_is_synced_stays_and_what_is_not_is_as_it_was_at_some_time() {
    for_seeds(300, |seed, sometimes| {
        let disk = disk(seed, ORDERLY);
        let file = create(&disk, "a");
        file.write(&[1; 3 * SECTOR], 0).unwrap();
        file.sync().unwrap();
        disk.sync().unwrap();
        file.write(&[2; 3 * SECTOR], 0).unwrap();
        file.write(&[3; SECTOR], 3 * SECTOR as u64).unwrap();
        file.truncate(3 * SECTOR as u64 + 1).unwrap();
        disk.lose_power();
        let bytes = disk.contents(b"a").unwrap();
        let lengths = [3 * SECTOR, 4 * SECTOR, 3 * SECTOR + 1];
        assert!(lengths.contains(&bytes.len()), "{} bytes", bytes.len());
        for sector in bytes[..3 * SECTOR].chunks(SECTOR) {
            assert!(sector == [1; SECTOR] || sector == [2; SECTOR], "half a sector");
        }
        assert!(bytes[3 * SECTOR..].iter().all(|byte| [0, 3].contains(byte)));
        sometimes.note("all is kept", bytes[..] == [&[2; 3 * SECTOR][..], &[3]].concat());
        sometimes.note("all is lost", bytes == [1; 3 * SECTOR]);
        let is_torn = bytes[..3 * SECTOR].iter().any(|byte| *byte != bytes[0]);
        sometimes.note("some is lost", is_torn);
        sometimes.note("longer, and nothing there", bytes[3 * SECTOR..].contains(&0));
    });
}

#[test]
fn permissions_and_times_last_when_all_is_synced() {
    for_seeds(50, |seed, sometimes| {
        let disk = disk(seed, ORDERLY);
        let file = create(&disk, "a");
        assert_eq!(disk.attributes(b"a"), Some((0o600, None)), "nobody else's at first");
        disk.sync().unwrap();
        file.set_mode(0o644).unwrap();
        file.set_modified(-5).unwrap();
        file.sync_all().unwrap();
        file.set_mode(0o600).unwrap();
        file.sync().unwrap();
        disk.lose_power();
        let (mode, modified) = disk.attributes(b"a").unwrap();
        assert_eq!(modified, Some(-5));
        sometimes.note("the last is kept", mode == 0o600);
        sometimes.note("the last is lost", mode == 0o644);
    });
}

#[test]
fn names_change_in_order_or_on_some_disks_without() {
    for_seeds(300, |seed, sometimes| {
        let is_ordered = seed % 2 == 0;
        let disk = disk(seed, Nature { is_ordered, ..ORDERLY });
        create(&disk, "a");
        disk.sync().unwrap();
        create(&disk, "b");
        disk.rename(b"a", b"c", false).unwrap();
        disk.remove(b"b").unwrap();
        disk.lose_power();
        let names = disk.names().concat();
        let orderly = ["a", "ab", "bc", "c"];
        assert!(!is_ordered || orderly.contains(&&names[..]), "{names}");
        sometimes.note("nothing has happened", names == "a");
        sometimes.note("a renaming has not", is_ordered && names == "ab");
        sometimes.note("all has happened", names == "c");
        sometimes.note("a removal has not", is_ordered && names == "bc");
        sometimes.note("only the renaming has, or what comes before", !is_ordered && names == "c");
        let is_one = disk.contents(b"a").is_some() ^ disk.contents(b"c").is_some();
        assert!(is_one, "a renaming by half: {names}");
    });
}

#[test]
fn who_is_killed_changes_nothing_more_and_leaves_all_as_it_is() {
    let old = disk(1, ORDERLY);
    let file = create(&old, "a");
    file.lock().unwrap();
    file.write(b"some", 0).unwrap();
    old.kill();
    assert!(file.write(b"more", 4).is_err() && file.sync().is_err());
    assert!(old.remove(b"a").is_err() && old.look(b"a").is_err());
    let new = old.restarted();
    assert_eq!((new.names(), new.boot()), (vec!["a".to_owned()], old.boot()));
    assert_eq!(new.contents(b"a").unwrap(), b"some");
    let Found::File(again) = new.open_found(b"a").unwrap() else { panic!("it is there") };
    again.lock().expect("who has ended holds no lock");
    drop(file);
    let Found::File(other) = new.open_found(b"a").unwrap() else { panic!("it is there") };
    assert_eq!(other.lock().unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(again);
    other.lock().unwrap();
    new.lose_power();
    assert_ne!(new.boot(), 1_u128.to_be_bytes());
}

#[test]
fn a_program_ends_in_the_middle_of_the_change_that_it_is_told() {
    for_seeds(100, |seed, sometimes| {
        let disk = disk(seed, ORDERLY);
        disk.crash_after(2);
        let file = create(&disk, "a");
        file.write(&[1; SECTOR], 0).unwrap();
        assert!(!disk.has_crashed());
        assert!(file.write(&[2; 2 * SECTOR], 0).is_err() && disk.has_crashed());
        assert!(file.truncate(0).is_err(), "it has ended");
        disk.kill();
        let bytes = disk.contents(b"a").unwrap();
        let count = bytes.iter().take_while(|byte| **byte == 2).count();
        assert!(!bytes[count..].contains(&2), "from the beginning on");
        sometimes.note("a part was written", count > 0 && count < 2 * SECTOR);
    });
}

#[test]
fn a_file_without_a_name_is_gone_when_it_is_closed_or_its_program_ends() {
    let disk = disk(1, ORDERLY);
    let file = disk.create_unnamed().unwrap();
    file.write(b"some", 0).unwrap();
    file.sync_all().unwrap();
    assert_eq!((disk.names().len(), file.status().unwrap().links), (0, 0));
    create(&disk, "a");
    assert_eq!(disk.link(&file, b"a").unwrap_err().kind(), ErrorKind::AlreadyExists);
    disk.link(&file, b"b").unwrap();
    drop(file);
    assert_eq!(disk.contents(b"b").unwrap(), b"some");
    let file = disk.create_unnamed().unwrap();
    disk.kill();
    assert!(disk.restarted().link(&file, b"c").is_err());
}

/// What had no name when it was synced is whole under its name, or there is no such name; but where only the
/// folder is synced afterwards, that may not be so.
#[test]
fn what_had_no_name_is_synced_again_or_may_be_torn() {
    for_seeds(300, |seed, sometimes| {
        let unnamed = if seed % 2 == 0 { UnnamedFiles::Plain } else { UnnamedFiles::SyncedAgain };
        let disk = disk(seed, Nature { unnamed, ..ORDERLY });
        let file = disk.create_unnamed().unwrap();
        file.write(b"some", 0).unwrap();
        file.sync_all().unwrap();
        disk.link(&file, b"a").unwrap();
        let (again, named) = (seed % 3 == 0, seed % 5 != 0);
        if again {
            file.sync_all().unwrap();
        }
        if named {
            disk.sync().unwrap();
        }
        disk.lose_power();
        let is = disk.contents(b"a");
        let is_certain = again || !named || unnamed == UnnamedFiles::Plain;
        let is_whole = is.as_deref() == Some(b"some");
        assert!(is_whole || !named && is.is_none() || !is_certain, "{is:?}");
        sometimes.note("torn", is.is_some() && !is_whole);
        sometimes.note("there is no such name", is.is_none());
    });
}

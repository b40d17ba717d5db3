//! Crashes at moments that chance seldom hits.

use barewire_core::file::SegmentSize;
use barewire_linux::files::{Download, DownloadOptions};
use barewire_tests::simulator::disk::{Disk, Nature, UnnamedFiles};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;

use super::NAME;
use super::version::{SEGMENT, digest, starts};

/// Two power cuts at the beginning, when nothing is synced: a journal may outlive its part, and come
/// back although it was written anew.
#[test]
fn no_crash_at_the_beginning_leaves_anything_in_the_way() {
    for_seeds(2_000, |seed, sometimes| {
        let nature = Nature {
            is_ordered: true,
            tells_births: seed % 2 == 0,
            tells_changes: true,
            sector: 512,
            unnamed: UnnamedFiles::Missing,
        };
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
        download.verified(0, 8, blake3::hash(b"contents").as_bytes()).unwrap();
        download.finish().unwrap();
        assert_eq!(disk.names(), ["file"]);
    });
}

/// What is held of a version becomes what is held of another, which begins alike.
#[test]
fn no_crash_brings_an_old_tag_back_beside_what_is_new() {
    for_seeds(2_000, |seed, sometimes| {
        let mut random = Random::new(seed);
        let nature = Nature { is_ordered: true, ..Nature::draw(&mut random) };
        let disk = Disk::new(random, nature);
        let options = DownloadOptions::new().with_segment_size(SegmentSize::MIN);
        let [old, new] = [1, 2].map(|byte| [&[7; 2 * SEGMENT][..], &[byte; SEGMENT]].concat());
        let prove = |download: &mut Download<Disk>, contents: &[u8], start: usize| {
            let (end, size) = (start + SEGMENT, contents.len() as u64);
            download.write_at(start as u64, &contents[start..end]).unwrap();
            let digest = digest(contents, size, start as u64).unwrap();
            download.verified(start as u64, end as u64, &digest).unwrap();
        };
        let mut download = Download::begin(&disk, NAME, options).unwrap();
        download.fill(old.len() as u64, 1).unwrap();
        (0..2).for_each(|number| prove(&mut download, &old, number * SEGMENT));
        download.adopt(2).unwrap();
        download.fill(new.len() as u64, 2).unwrap();
        prove(&mut download, &new, 2 * SEGMENT);
        disk.lose_power();
        let mut download = Download::begin(&disk.restarted(), NAME, options).unwrap();
        while download.check_next(&mut [0; SEGMENT]).unwrap() {}
        let held = download.held().unwrap();
        assert!(held.tag == 2 || starts(&download).len() == 2, "{held:?}");
        sometimes.note("the new is held", starts(&download).len() == 3);
        sometimes.note("the new is lost", starts(&download).len() == 2);
    });
}

/// The folder is synced when all of them have been, under their names.
#[test]
fn of_files_that_get_their_names_together_each_is_whole_or_absent() {
    for_seeds(2_000, |seed, sometimes| {
        let mut random = Random::new(seed);
        let nature = Nature { is_ordered: true, ..Nature::draw(&mut random) };
        let crash_after = random.count(0..=30);
        let disk = Disk::new(random, nature);
        let names = [b"a", b"b", b"c"];
        let begin = |name: &[u8]| {
            let mut download = Download::begin(&disk, name, DownloadOptions::default()).unwrap();
            download.start(0, Some(8), 77).unwrap();
            download.write(b"contents").unwrap();
            download.verified(0, 8, blake3::hash(b"contents").as_bytes()).unwrap();
            download
        };
        let all = names.map(|name| begin(name)).into();
        disk.crash_after(crash_after);
        let are_done = Download::finish_all(all).iter().all(Result::is_ok);
        disk.lose_power();
        let there = names.map(|name| disk.contents(name));
        assert!(there.iter().flatten().all(|contents| contents == b"contents"), "{there:?}");
        let count = there.iter().flatten().count();
        assert!(!are_done || count == names.len(), "{there:?}");
        sometimes.note("some are there", (1..names.len()).contains(&count));
        sometimes.note("it was done", are_done);
    });
}

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

/// Whatever ends it, and whenever, each name stands for what it stood for, or for all of the new; and what was
/// said to be complete lasts.
#[test]
fn of_files_that_get_their_names_together_each_is_as_it_was_or_whole() {
    for_seeds(4_000, |seed, sometimes| {
        let mut random = Random::new(seed);
        let disk = Disk::new(random.fork(), Nature::draw(&mut random));
        let fetch = |disk: &Disk, name: &[u8], contents: &[u8]| {
            let options = DownloadOptions::new().with_force(true);
            let mut download = Download::begin(disk, name, options).unwrap();
            let size = contents.len() as u64;
            download.start(0, Some(size), 77).unwrap();
            download.write(contents).unwrap();
            download.verified(0, size, blake3::hash(contents).as_bytes()).unwrap();
            download
        };
        let names = [b"a", b"b", b"c", b"d", b"e"];
        let old = names.map(|name| random.chance(30).then(|| [&name[..], b" as it was"].concat()));
        for (name, old) in names.iter().zip(&old) {
            if let Some(old) = old {
                fetch(&disk, *name, old).finish().unwrap();
            }
        }
        let lengths = [(); 5].map(|()| random.count(1..=1_500));
        let new = [0, 1, 2, 3, 4].map(|at| vec![names[at][0]; lengths[at]]);
        let all = [0, 1, 2, 3, 4].map(|at| fetch(&disk, names[at], &new[at])).into();
        disk.crash_after(random.count(0..=60));
        let results = Download::finish_all(all);
        let has_ended = disk.has_crashed();
        let is_cut = random.chance(80);
        if is_cut {
            disk.lose_power();
        } else {
            disk.kill();
        }
        let mut count = 0;
        for (at, result) in results.iter().enumerate() {
            let is = disk.contents(names[at]);
            let is_new = is.as_ref() == Some(&new[at]);
            count += usize::from(is_new);
            assert!(is_new || is == old[at], "neither the old nor the new: {is:?}");
            assert!(is_new || result.is_err(), "it was said to be complete");
            assert!(has_ended || result.is_ok(), "{result:?}");
        }
        let some = (1..names.len()).contains(&count);
        sometimes.note("some are new, and the power failed", some && is_cut);
        sometimes.note("some are new, and it was killed", some && !is_cut);
        sometimes.note(
            "one was to be replaced, and was not",
            has_ended && count == 0 && old.iter().any(Option::is_some),
        );
        sometimes.note("all was done, and the power failed", !has_ended && is_cut);
    });
}

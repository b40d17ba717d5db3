//! Tests of what is fetched, how far ahead, and for whom.

use core::num::NonZero;
use core::task::Poll;
use std::fs::File;
use std::sync::mpsc::{Sender, channel};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use tempfile::TempDir;

use super::*;
use crate::executor::Executor;
use crate::files::Root;
use crate::files::file_system::FileSystem;
use crate::testing::task;
use crate::workers::WorkerPool;

const MIB: u64 = 1 << 20;

/// A pool, and a share of it.
fn pool(threads: usize) -> (WorkerPool, Share) {
    let pool = WorkerPool::new(NonZero::new(threads).unwrap());
    let share = pool.share();
    (pool, share)
}

/// A pool whose only thread does nothing until it is let go, by the sender.
fn held() -> (WorkerPool, Share, Sender<()>, Ticket<()>) {
    let (pool, share) = pool(1);
    let ((go, wait), (start, started)) = (channel(), channel());
    let hold = SingleFlight::new().ask(&pool.share(), (), nobody, move |_| {
        start.send(()).unwrap();
        wait.recv().unwrap();
    });
    started.recv().unwrap();
    (pool, share, go, hold.unwrap())
}

fn nobody() -> Waker {
    Executor::<()>::new().unwrap().waker()
}

fn contents(length: u64) -> Vec<u8> {
    let numbers = 0..u32::try_from(length.div_ceil(4)).unwrap();
    let mut bytes: Vec<u8> = numbers.flat_map(u32::to_le_bytes).collect();
    bytes.truncate(usize::try_from(length).unwrap());
    bytes
}

/// A file that another machine has, as far as its server knows.
fn remote(contents: &[u8]) -> ServedFile {
    ServedFile::from_bytes(contents).unwrap().with_file_system(FileSystem::Remote)
}

/// Waits until `poll` gives something, as a task does.
fn wait<T: 'static>(
    mut poll: impl FnMut(&dyn Fn() -> Waker) -> nb::Result<T, Arc<io::Error>> + 'static,
) -> Result<T, io::ErrorKind> {
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |result: &mut Option<_>, cx| {
        let waker = cx.waker();
        *result = Some(match poll(&|| waker.clone()) {
            Ok(value) => Ok(value),
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Err(nb::Error::Other(error)) => Err(error.kind()),
        });
        Poll::Ready(())
    }));
    let mut result = None;
    executor.run(&mut result).unwrap();
    result.unwrap()
}

/// All digests of `segments` of a file of the size that it had when it was opened.
fn digests(
    jobs: &FileJobs,
    share: &Share,
    opened: &ServedFile,
    segments: SegmentSize,
) -> Result<Vec<Digest>, io::ErrorKind> {
    let (jobs, share, opened, size) = (jobs.clone(), share.clone(), opened.again(), opened.size());
    let (mut supply, mut next, mut all) = (Supply::default(), 0, Vec::new());
    wait(move |waker| {
        let asker = Asker { share: &share, waker };
        while next < size {
            let segment = segments.segment(next, size);
            let row = (segment, segments, size);
            all.push(supply.digest(&jobs, &asker, &opened, row, &mut [0; 4096])?);
            next = segment.end();
        }
        Ok(all.clone())
    })
}

#[test]
fn what_is_in_memory_needs_no_other_thread() {
    let (_pool, share, go, hold) = held();
    let (jobs, opened) = (FileJobs::default(), ServedFile::from_bytes(&contents(3 * MIB)).unwrap());
    let asker = Asker { share: &share, waker: &nobody };
    let mut supply = Supply::default();
    assert_eq!(supply.ready(&jobs, &asker, &opened, 0, 3 * MIB).unwrap(), READ_AHEAD);
    assert_eq!(supply.ready(&jobs, &asker, &opened, 2 * MIB, 3 * MIB).unwrap(), 3 * MIB);
    // Nor does the digest of what is little.
    let little = ServedFile::from_bytes(b"little").unwrap();
    let row = (SegmentSize::MAX.segment(0, 6), SegmentSize::MAX, 6);
    let digest = supply.digest(&jobs, &asker, &little, row, &mut [0; 64]).unwrap();
    assert_eq!(digest, *blake3::hash(b"little").as_bytes());
    go.send(()).unwrap();
    drop(hold);
}

#[test]
fn what_is_not_in_memory_is_read_in_ahead_of_what_goes_out() {
    let (_pool, share, go, hold) = held();
    let (jobs, opened) = (FileJobs::default(), remote(&contents(3 * MIB + 5)));
    let mut supply = Supply::default();
    let asker = Asker { share: &share, waker: &nobody };
    let first = supply.ready(&jobs, &asker, &opened, 7, 3 * MIB + 5);
    assert!(matches!(first, Err(nb::Error::WouldBlock)), "it was read by the loop");
    go.send(()).unwrap();
    drop(hold);
    let mut position = 7;
    let seen = wait(move |waker| {
        let asker = Asker { share: &share, waker };
        let mut seen = Vec::new();
        while position < 3 * MIB + 5 {
            let ready = supply.ready(&jobs, &asker, &opened, position, 3 * MIB + 5)?;
            // To the end of the stretch in which what is read ahead of it ends.
            assert!(ready > position && ready < position + READ_AHEAD + STRETCH);
            position = ready;
            seen.push(ready);
        }
        Ok(seen)
    });
    assert_eq!(seen.unwrap().last(), Some(&(3 * MIB + 5)));
}

/// As far as the file system can tell what of a file is in memory.
#[test]
fn what_the_system_has_forgotten_is_read_in() {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, contents(MIB)).unwrap();
    let file = File::open(&path).unwrap();
    file.sync_all().unwrap();
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED).unwrap();
    let opened = Root::open(folder.path()).unwrap().open_file(b"file").unwrap();
    let was_cached = opened.is_cached(0, MIB);
    let ((_pool, share), jobs, mut supply) = (pool(1), FileJobs::default(), Supply::default());
    let looked_at = opened.again();
    let ready =
        wait(move |waker| supply.ready(&jobs, &Asker { share: &share, waker }, &looked_at, 0, MIB));
    assert_eq!(ready, Ok(MIB));
    assert!(opened.is_cached(0, MIB), "it was before: {was_cached}");
}

/// However many want it: what is queued is counted.
#[test]
fn a_piece_is_read_once_and_hashed_once_for_all_who_need_it() {
    let (pool, share, go, hold) = held();
    let (jobs, opened) = (FileJobs::default(), remote(&contents(8 * MIB)));
    let asker = Asker { share: &share, waker: &nobody };
    let mut supplies: Vec<_> = (0..50).map(|_| Supply::default()).collect();
    for supply in &mut supplies {
        let ready = supply.ready(&jobs, &asker, &opened, 0, 8 * MIB);
        assert!(matches!(ready, Err(nb::Error::WouldBlock)));
    }
    assert_eq!(pool.queued(), 1);
    let row = (SegmentSize::MAX.segment(0, 8 * MIB), SegmentSize::MAX, 8 * MIB);
    for supply in &mut supplies {
        let digest = supply.digest(&jobs, &asker, &opened, row, &mut []);
        assert!(matches!(digest, Err(nb::Error::WouldBlock)));
    }
    // Three digests, of which two are ahead of the one that is needed.
    assert_eq!(pool.queued(), 1 + 3);
    // All have left but one, who needs the digests.
    supplies.truncate(1);
    supplies[0].reading = None;
    go.send(()).unwrap();
    drop(hold);
    let mut supply = supplies.remove(0);
    let digest = wait(move |waker| {
        supply.digest(&jobs, &Asker { share: &share, waker }, &opened, row, &mut [])
    });
    let whole = contents(8 * MIB);
    let mut digester = barewire_core::file::SegmentDigester::new(row.0);
    digester.update(&whole[..1 << 20]);
    assert_eq!(digest, Ok(digester.finish()));
}

#[test]
fn who_hashes_a_piece_reads_it_in() {
    let (pool, share, go, hold) = held();
    let (jobs, opened) = (FileJobs::default(), remote(&contents(MIB)));
    let asker = Asker { share: &share, waker: &nobody };
    let mut supply = Supply::default();
    let row = (SegmentSize::MAX.segment(0, MIB), SegmentSize::MAX, MIB);
    assert!(supply.digest(&jobs, &asker, &opened, row, &mut []).is_err());
    assert!(supply.ready(&jobs, &asker, &opened, 0, MIB).is_err());
    assert_eq!(pool.queued(), 1);
    go.send(()).unwrap();
    drop(hold);
    let ready =
        wait(move |waker| supply.ready(&jobs, &Asker { share: &share, waker }, &opened, 0, MIB));
    assert_eq!(ready, Ok(MIB));
}

/// Of every size, and wherever the file ends.
#[test]
fn digests_are_those_of_their_segments() {
    let ((_pool, share), jobs) = (pool(3), FileJobs::default());
    for length in [1, 5000, MIB, 2 * MIB + 70_001, 5 * MIB] {
        let whole = contents(length);
        for opened in [ServedFile::from_bytes(&whole).unwrap(), remote(&whole)] {
            for exponent in [2, 7, 10] {
                let segments = SegmentSize::new(exponent).unwrap();
                let found = digests(&jobs, &share, &opened, segments).unwrap();
                let mut root = barewire_core::file::RootDigester::<16>::new();
                for digest in found {
                    root.push(digest).unwrap();
                }
                let expected = *blake3::hash(&whole).as_bytes();
                assert_eq!(root.finish(), Some(expected), "{length} in {segments:?}");
            }
        }
    }
}

#[test]
fn a_file_that_ends_before_it_should_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, contents(3 * MIB)).unwrap();
    let opened = Root::open(folder.path()).unwrap().open_file(b"file").unwrap();
    File::options().write(true).open(&path).unwrap().set_len(MIB + 1).unwrap();
    let ((_pool, share), jobs) = (pool(2), FileJobs::default());
    for segments in [SegmentSize::MAX, SegmentSize::MIN] {
        let error = digests(&jobs, &share, &opened, segments).unwrap_err();
        assert_eq!(error, io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn what_nobody_needs_any_more_is_neither_read_nor_hashed() {
    let (pool, share, go, hold) = held();
    let (jobs, opened) = (FileJobs::default(), remote(&contents(8 * MIB)));
    let asker = Asker { share: &share, waker: &nobody };
    let mut supply = Supply::default();
    assert!(supply.ready(&jobs, &asker, &opened, 0, 8 * MIB).is_err());
    assert_eq!(pool.queued(), 1);
    drop(supply);
    // The job that is left has nobody to be done for, which its turn finds.
    let version = opened.version().unwrap();
    let again = jobs.read(&asker, &opened, version, 0..MIB).unwrap();
    assert_eq!(pool.queued(), 2);
    go.send(()).unwrap();
    drop(hold);
    assert!(wait(move |waker| poll(&Asker { share: &share, waker }, &again)).is_ok());
}

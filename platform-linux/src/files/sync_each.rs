//! Many files that reach the disk at once.

use std::fs::File;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use super::file_system::FileSystem;
use crate::sys;

/// How many wait for the disk at once.
const AT_ONCE: usize = 16;

/// Syncs all (`fsync(2)`), with the results in their order.
///
/// One after another, each would have a wait for the disk of its own, even where all were written by one commit
/// of the file system's journal: the disk is told to empty its cache. Those who wait at once share that.
pub(super) fn sync_each(files: &[&File]) -> Vec<io::Result<()>> {
    let results: Vec<OnceLock<io::Result<()>>> = files.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((file, result)) = files.iter().zip(&results).nth(next.fetch_add(1, Relaxed))
        {
            let _ = result.set(sys::sync_all(file));
        }
    };
    thread::scope(|scope| {
        let others = if is_worth_threads(files) { files.len().min(AT_ONCE) - 1 } else { 0 };
        for _ in 0..others {
            let thread = thread::Builder::new().name("sync".into());
            if thread.spawn_scoped(scope, work).is_err() {
                // Fewer do as well.
                break;
            }
        }
        work();
    });
    results.into_iter().map(|result| result.into_inner().unwrap_or_else(unsynced)).collect()
}

/// What of which nothing has come has come to: nobody knows whether it reached the disk.
pub(super) fn unsynced() -> io::Result<()> {
    Err(io::Error::other("it was not synced"))
}

/// In memory there is nothing to wait for.
fn is_worth_threads(files: &[&File]) -> bool {
    files.len() > 1 && FileSystem::of(files[0]).is_ok_and(|it| it != FileSystem::Memory)
}

#[cfg(test)]
mod tests {
    use std::env;

    use nix::errno::Errno;
    use nix::fcntl::{OFlag, open};
    use nix::sys::stat::Mode;

    use super::*;
    use crate::sys::errno;

    #[test]
    fn each_has_its_own_result() {
        // What is open so cannot be synced (`open(2)`).
        let broken = File::from(open("/", OFlag::O_PATH, Mode::empty()).unwrap());
        for folder in [env::temp_dir(), "/dev/shm".into()] {
            if !folder.is_dir() {
                crate::testing::not_tried(&format!(
                    "writing to disk in {}, which is not there",
                    folder.display()
                ));
                continue;
            }
            let new = |_| tempfile::tempfile_in(&folder).unwrap();
            let all: Vec<File> = (0..3 * AT_ONCE).map(new).collect();
            let mut files: Vec<&File> = all.iter().collect();
            files.insert(AT_ONCE, &broken);
            let results = sync_each(&files);
            let failed = results.iter().map(|it| it.as_ref().err().map(errno));
            let is = |number| (number == AT_ONCE).then_some(Errno::EBADF);
            assert!(failed.eq((0..files.len()).map(is)), "{results:?}");
        }
        assert!(sync_each(&[]).is_empty());
    }
}

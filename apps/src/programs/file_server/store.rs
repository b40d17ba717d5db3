//! What a file server has to give: the files and listings of one folder.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

use barewire_core::file::{Entry, ListingLine, Operation, Refusal};
use barewire_linux::files::{Asker, FileJobs, FolderEntry, OpenError, Reason, Root, ServedFile};
use barewire_linux::sandbox::Allowed;
use barewire_linux::workers::{SingleFlight, Ticket};

use crate::cli::exit::Failure;
use crate::cli::sandbox::{Confined, SandboxArguments};
use crate::output::peer_text::shown;
use crate::output::system_error::describe;

/// What came of it, for all who asked for it.
type Opened = Result<Arc<ServedFile>, OpenError>;

/// What was found.
pub(super) enum Found {
    Now(Result<ServedFile, Refusal>),
    /// It is being opened, or made.
    Later(Ticket<Opened>),
}

/// A folder, and what is known of its files.
#[derive(Debug)]
pub(super) struct Store {
    root: Arc<Root>,
    listings: SingleFlight<Vec<u8>, Opened>,
    openings: SingleFlight<Vec<u8>, Opened>,
    pub(super) jobs: FileJobs,
    /// As the user named it.
    name: String,
}

impl Store {
    /// The folder, with what is hidden in it or without.
    pub(super) fn open(folder: &Path, shows_hidden: bool) -> Result<Self, Failure> {
        let name = folder.display().to_string();
        let unusable = |error: io::Error| {
            let advice = match error.kind() {
                io::ErrorKind::NotFound => " (the folder comes behind the address)",
                io::ErrorKind::NotADirectory => " (give the folder that holds it)",
                io::ErrorKind::PermissionDenied => {
                    " (the user that this runs as must be able to enter it)"
                }
                _ => "",
            };
            Failure::Conversation(format!("cannot serve {name}: {}{advice}", describe(&error)))
        };
        let root = Root::open(folder).map_err(unusable)?.with_hidden(shows_hidden);
        if !root.is_listable().map_err(unusable)? {
            log::warn!(
                "{name} cannot be listed (permission denied): its files are served by their names"
            );
        }
        if let Err(error) = ServedFile::from_bytes(&[])
            && matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
        {
            return Err(Failure::Conversation(format!(
                "cannot make listings of {name}: this system refuses memfd_create: {} (is there a \
                 filter of system calls? allow it)",
                describe(&error)
            )));
        }
        let (listings, openings) = (SingleFlight::begun_later(), SingleFlight::begun_later());
        let (root, jobs) = (Arc::new(root), FileJobs::default());
        Ok(Self { root, listings, openings, jobs, name })
    }

    /// What is `allowed`, and to read these files.
    pub(super) fn allow<'a>(&'a self, allowed: Allowed<'a>) -> Allowed<'a> {
        allowed.reading(&*self.root)
    }

    /// Gives up, for this thread and those it starts, all rights on files but to read these, as far as
    /// that is wanted, and what is `allowed` besides; and says what holds from then on.
    pub(super) fn confine(
        &self,
        sandbox: SandboxArguments,
        allowed: Allowed<'_>,
    ) -> Result<(), Failure> {
        let Self { root, name, .. } = self;
        let Confined { said, level } = sandbox.confine(&self.allow(allowed))?;
        log::log!(level.min(log::Level::Info), "serving {name}, {said}; {}", root.resolution());
        Ok(())
    }

    /// Opens what is asked for. What has to be waited for is opened by another thread, and so is a listing
    /// made.
    pub(super) fn find(&self, operation: Operation, name: &[u8], asker: &Asker<'_>) -> Found {
        if let Operation::Get | Operation::Hashes = operation
            && let Some(opened) = self.root.open_file_at_once(name).transpose()
        {
            return Found::Now(told(name, opened));
        }
        let (root, name) = (Arc::clone(&self.root), name.to_vec());
        let (share, key, waker) = (asker.share, name.clone(), asker.waker);
        let begun = match operation {
            Operation::Get | Operation::Hashes => {
                self.openings.ask(share, key, waker, move |_| root.open_file(&name).map(Arc::new))
            }
            Operation::List => {
                let key = without_detours(&key);
                self.listings.ask(share, key, waker, move |interest| {
                    list(&root, &name, || interest.is_there()).map(Arc::new)
                })
            }
            _ => return Found::Now(Err(Refusal::NotSupported)),
        };
        begun.map_or(Found::Now(Err(Refusal::Busy)), Found::Later)
    }
}

/// One spelling of a folder's name for many: without the parts that lead nowhere.
fn without_detours(name: &[u8]) -> Vec<u8> {
    let parts = name.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    parts.collect::<Vec<_>>().join(&b'/')
}

/// A listing is a file made for the occasion.
fn list(root: &Root, name: &[u8], is_wanted: impl Fn() -> bool) -> Result<ServedFile, OpenError> {
    let mut lines = String::new();
    let mut write = |line: ListingLine<'_>| {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{line}");
    };
    let listing = root.list_while(name, is_wanted)?;
    for FolderEntry { size, modified, name, kind } in &listing.entries {
        let (size, modified, kind) = (*size, *modified, *kind);
        write(ListingLine::Entry(Entry { size, modified, name, kind }));
    }
    if listing.left_out > 0 {
        write(ListingLine::LeftOut(listing.left_out));
    }
    let made = ServedFile::from_bytes(lines.as_bytes());
    made.map_err(|error| OpenError::Busy(Reason::System(error.raw_os_error().unwrap_or_default())))
}

/// What the client is told of what was not found; the operator, why.
pub(super) fn told<T>(name: &[u8], found: Result<T, OpenError>) -> Result<T, Refusal> {
    found.map_err(|why| {
        let level = match why {
            // The operator's disk, and no client's mistake.
            OpenError::Failed(_) => log::Level::Warn,
            // Nor is what looks like a file.
            OpenError::Refused(Reason::Size) => log::Level::Info,
            _ => log::Level::Debug,
        };
        log::log!(level, "{}: {why}", shown(name));
        match why {
            OpenError::NotFound | OpenError::Hidden => Refusal::NotFound,
            OpenError::Refused(_) => Refusal::Refused,
            OpenError::Busy(_) => Refusal::Busy,
            _ => Refusal::Failed,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;
    use std::sync::mpsc::channel;

    use barewire_linux::executor::Executor;
    use barewire_linux::workers::WorkerPool;

    use super::*;

    /// They asked while no thread was free, so one look at the folder is all that it takes.
    #[test]
    fn those_who_ask_for_a_folder_at_once_get_one_listing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "contents").unwrap();
        let store = Store::open(folder.path(), false).unwrap();
        let (pool, waker) = (WorkerPool::new(NonZero::<usize>::MIN), waker());
        let asker = Asker { share: &pool.share(), waker: &|| waker.clone() };
        let ((go, wait), (start, started)) = (channel(), channel());
        let hold = SingleFlight::new().ask(asker.share, (), asker.waker, move |_| {
            start.send(()).unwrap();
            wait.recv().unwrap();
        });
        started.recv().unwrap();
        let found: Vec<_> = (0..24).map(|_| store.find(Operation::List, b"", &asker)).collect();
        assert_eq!(pool.queued(), 1);
        std::fs::write(folder.path().join("later"), "").unwrap();
        go.send(()).unwrap();
        let listings: Vec<_> = found.into_iter().map(|found| listed(found).unwrap()).collect();
        assert!(listings.iter().all(|listing| Arc::ptr_eq(listing, &listings[0])));
        let mut read = [0; 100];
        let count = listings[0].read_at(0, &mut read).unwrap();
        let read = String::from_utf8_lossy(&read[..count]);
        assert!(read.contains("\tfile\n") && read.contains("\tlater\n"), "{read}");
        drop(hold);
    }

    /// A source that asks for more than its place in the queue is told to wait.
    #[test]
    fn a_source_that_asks_for_too_much_at_once_finds_the_server_busy() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), false).unwrap();
        let (pool, waker) = (WorkerPool::new(NonZero::<usize>::MIN), waker());
        let asker = Asker { share: &pool.share(), waker: &|| waker.clone() };
        let (go, wait) = channel::<()>();
        let hold = SingleFlight::new().ask(asker.share, (), asker.waker, move |_| {
            let _ = wait.recv();
        });
        let mut begun = Vec::new();
        let refusal = loop {
            let name = format!("folder-{}", begun.len());
            match store.find(Operation::List, name.as_bytes(), &asker) {
                Found::Now(found) => break found.err(),
                found @ Found::Later(_) => begun.push(found),
            }
        };
        assert_eq!(refusal, Some(Refusal::Busy));
        assert!(begun.len() >= 100, "{}", begun.len());
        let another = Asker { share: &pool.share(), waker: asker.waker };
        assert!(matches!(store.find(Operation::List, b"", &another), Found::Later(_)));
        drop((go, hold, begun));
    }

    fn waker() -> barewire_linux::executor::Waker {
        Executor::<()>::new().unwrap().waker()
    }

    /// What came of it, when it is there.
    fn listed(found: Found) -> Opened {
        let Found::Later(ticket) = found else { panic!("it is no listing") };
        loop {
            match ticket.poll(waker) {
                Ok(listed) => return listed,
                Err(nb::Error::WouldBlock) => std::thread::yield_now(),
                Err(nb::Error::Other(lost)) => panic!("{lost}"),
            }
        }
    }
}

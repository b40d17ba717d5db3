//! Folders that last: the names in them, and their own in those above.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;

use crate::files::sync_each::sync_each;
use crate::sys::errno;

/// The name of a folder in the one above.
#[derive(Debug)]
pub(super) struct OwnName {
    /// The folder was not there before.
    pub(super) is_new: bool,
    state: Mutex<State>,
}

/// Whether the name lasts, and those of the folders that it is in.
#[derive(Debug)]
enum State {
    /// The folder above is to be synced, and whatever its own name needs.
    Unsynced(Arc<File>, Option<Arc<OwnName>>),
    Lasting,
    /// It may not last, whatever is done: an error of `fsync(2)` is told once.
    Lost(Errno),
}

impl OwnName {
    /// Of a folder in the one `above`, where it was there before unless it `is_new`.
    pub(super) fn within((above, its_name): OpenFolder<'_>, is_new: bool) -> Self {
        let state = State::Unsynced(Arc::clone(above), its_name.cloned());
        Self { is_new, state: Mutex::new(state) }
    }

    /// Nothing in it can be left half-changed by a panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder above, and its own name, if this may not last yet.
    fn unsynced(&self) -> Option<(Arc<File>, Option<Arc<Self>>)> {
        match &*self.lock() {
            State::Unsynced(above, its_name) => Some((Arc::clone(above), its_name.clone())),
            State::Lasting | State::Lost(_) => None,
        }
    }

    /// What is known when the round is over.
    fn conclude(&self, round: &Round) -> Result<(), Errno> {
        let mut state = self.lock();
        if let State::Unsynced(above, its_name) = &*state {
            let lasts = its_name.as_ref().map_or(Ok(()), |name| name.conclude(round));
            *state = match lasts.and_then(|()| round.result(above)) {
                Ok(()) => State::Lasting,
                Err(errno) => State::Lost(errno),
            };
        }
        if let State::Lost(errno) = *state { Err(errno) } else { Ok(()) }
    }
}

/// A folder, and its own name.
pub(super) type OpenFolder<'a> = (&'a Arc<File>, Option<&'a Arc<OwnName>>);

/// Makes the names in the folders last, and their own, with the results in their order.
pub(super) fn sync_folders(folders: &[OpenFolder<'_>]) -> Vec<io::Result<()>> {
    let mut round = Round::default();
    for (folder, own_name) in folders {
        round.add(folder);
        round.add_above(*own_name);
    }
    round.sync();
    let result = |(folder, own_name): &OpenFolder<'_>| {
        round.result(folder)?;
        Ok(own_name.map_or(Ok(()), |name| name.conclude(&round))?)
    };
    folders.iter().map(result).collect()
}

/// A folder that was created, and may not be there after a crash of the system.
#[derive(Clone, Debug)]
pub struct NewFolder(pub(super) Arc<OwnName>);

impl NewFolder {
    /// Makes it last that they are there (`fsync(2)`), with the results in their order. The disk is waited for
    /// little longer than for one.
    ///
    /// # Errors
    /// Those of `fsync(2)`, for each.
    pub fn sync_all(folders: &[Self]) -> Vec<io::Result<()>> {
        let mut round = Round::default();
        for folder in folders {
            round.add_above(Some(&folder.0));
        }
        round.sync();
        folders.iter().map(|folder| Ok(folder.0.conclude(&round)?)).collect()
    }
}

/// Folders that are synced at once, each one time.
#[derive(Default)]
struct Round {
    folders: Vec<Arc<File>>,
    results: Vec<Result<(), Errno>>,
}

impl Round {
    fn add(&mut self, folder: &Arc<File>) {
        if self.place(folder).is_none() {
            self.folders.push(Arc::clone(folder));
        }
    }

    /// Adds the folders above as far as names in them may not last.
    fn add_above(&mut self, name: Option<&Arc<OwnName>>) {
        let mut next = name.cloned();
        while let Some((above, its_name)) = next.and_then(|name| name.unsynced()) {
            self.add(&above);
            next = its_name;
        }
    }

    fn place(&self, folder: &Arc<File>) -> Option<usize> {
        // What was added last comes again soonest.
        self.folders.iter().rposition(|it| Arc::ptr_eq(it, folder))
    }

    fn sync(&mut self) {
        let files: Vec<&File> = self.folders.iter().map(|folder| &**folder).collect();
        let results = sync_each(&files);
        self.results = results.into_iter().map(|it| it.map_err(|error| errno(&error))).collect();
    }

    fn result(&self, folder: &Arc<File>) -> Result<(), Errno> {
        let result = self.place(folder).and_then(|place| self.results.get(place));
        result.copied().unwrap_or(Err(Errno::EIO))
    }
}

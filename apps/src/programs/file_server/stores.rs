//! The folders of a file server: one for all, and those of who has a certain key.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use barewire_linux::sandbox::Allowed;

use crate::cli::exit::Failure;
use crate::cli::keys::ServerKeys;
use crate::cli::sandbox::SandboxArguments;

use super::store::Store;

/// A key by its name, and the folder that whoever has it is served.
#[derive(Clone, Debug)]
pub(super) struct KeyRoot {
    name: String,
    folder: PathBuf,
}

/// Reads `NAME=FOLDER`.
pub(super) fn key_root(argument: &str) -> Result<KeyRoot, String> {
    let (name, folder) = argument.split_once('=').ok_or("must be NAME=DIR")?;
    Ok(KeyRoot { name: name.to_owned(), folder: folder.into() })
}

/// All folders that are served.
#[derive(Debug)]
pub(super) struct Stores {
    common: Store,
    /// By the place of the key.
    by_key: HashMap<usize, Store>,
}

impl Stores {
    pub(super) fn open(
        folder: &Path,
        roots: &[KeyRoot],
        keys: Option<&ServerKeys>,
        shows_hidden: bool,
    ) -> Result<Self, Failure> {
        let mut by_key = HashMap::new();
        for KeyRoot { name, folder } in roots {
            let refuse = |why: &str| Failure::usage(format!("--key-root: {why} '{name}'"));
            let keys = keys.ok_or_else(|| refuse("there is no key, so none called"))?;
            let place = keys.names().iter().position(|other| other == name);
            let place = place.ok_or_else(|| refuse("no key is called"))?;
            let store =
                Store::open(folder, shows_hidden).map_err(|failure| failure.about("--key-root"))?;
            if by_key.insert(place, store).is_some() {
                return Err(refuse("there are two folders for the key"));
            }
        }
        let common = Store::open(folder, shows_hidden)?;
        if let Some(keys) = keys.filter(|keys| keys.are_personal()) {
            let folders = roots.iter().map(|root| root.folder.as_path()).chain([folder]);
            folders.into_iter().try_for_each(|folder| check_keys(folder, keys))?;
        }
        Ok(Self { common, by_key })
    }

    /// That of who has the key in this place.
    pub(super) fn of(&self, key: Option<usize>) -> &Store {
        key.and_then(|place| self.by_key.get(&place)).unwrap_or(&self.common)
    }

    /// As [`Store::confine`], to all of them.
    pub(super) fn confine(
        &self,
        sandbox: SandboxArguments,
        allowed: Allowed<'_>,
    ) -> Result<(), Failure> {
        let others = self.by_key.values();
        self.common.confine(sandbox, others.fold(allowed, |all, store| store.allow(all)))
    }
}

/// Nobody is to be sent the key of somebody else.
fn check_keys(folder: &Path, keys: &ServerKeys) -> Result<(), Failure> {
    let Some(file) = keys.file_within(folder) else { return Ok(()) };
    Err(Failure::usage(format!(
        "--key: {} is in {}, which is served: who has another key could fetch it (keep keys elsewhere)",
        file.display(),
        folder.display()
    )))
}

//! Where a program has its key from.

mod surroundings;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use barewire_core::secure::{Key, MAX_KEYS};
use barewire_linux::address::Address;
use barewire_linux::files::{follow_links, is_same_file};
use barewire_linux::resource_limits::forbid_core_dumps;
use clap::Args;

use crate::cli::exit::Failure;
use crate::output::system_error::describe;

use surroundings::{EXTENSION, Found, Origin, Surroundings, is_key, keys_in};

pub(crate) const KEY_HEADING: &str = "Key";

/// The key of a client.
#[derive(Args, Debug)]
#[command(next_help_heading = KEY_HEADING)]
pub(crate) struct ClientKeyArguments {
    /// Speak under the key in FILE, with servers that have the same key and with no others: nobody else can
    /// read or change what is said. Without --key the key is the file that `BAREWIRE_KEY_FILE` names, or else
    /// the credential barewire.key of a service; without any of these all is plain text
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

impl ClientKeyArguments {
    /// The key, if there is one. To be called before the program is confined.
    pub(crate) fn read(&self) -> Result<Option<Key>, Failure> {
        Ok(self.read_apart_from(&[])?.map(|client| client.key))
    }

    /// The same, with its file, which none of `others` may be: options, and what they name.
    pub(crate) fn read_apart_from(
        &self,
        others: &[Named<'_>],
    ) -> Result<Option<ClientKey>, Failure> {
        let surroundings = Surroundings::of_process();
        let Some(found) = surroundings.find(self.key.as_slice())? else { return Ok(None) };
        keep_secret();
        let client = ClientKey::read(found, &surroundings)?;
        keep_apart(&[&client.file], &[], others)?;
        Ok(Some(client))
    }
}

/// The key of a client, and where it is kept.
#[derive(Clone, Debug)]
pub(crate) struct ClientKey {
    pub(crate) key: Key,
    file: PathBuf,
}

impl ClientKey {
    /// Whether it is kept there.
    pub(crate) fn is_in(&self, path: &Path) -> bool {
        holds(&self.file, path)
    }

    fn read((origin, paths): Found, surroundings: &Surroundings) -> Result<Self, Failure> {
        let file = paths.into_iter().next().unwrap_or_default();
        Ok(Self { key: surroundings.read(origin, &file)?, file })
    }
}

/// The keys of a server.
#[derive(Args, Debug)]
#[command(next_help_heading = KEY_HEADING)]
pub(crate) struct ServerKeyArguments {
    /// Serve only clients that have the key in FILE, a file that only its owner can read. Give it again for
    /// more keys, one for each client, or name a folder: all files *.key in it are keys. Without --key the
    /// key is the file that `BAREWIRE_KEY_FILE` names, or else the credential barewire.key of a service;
    /// without any of these all is plain text
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
}

impl ServerKeyArguments {
    /// The keys, if there are any; no Unix socket among `addresses` may have been made in the place of one. To be
    /// called once the server is its user, and before it is confined.
    pub(crate) fn read(&self, addresses: &[Address]) -> Result<Option<ServerKeys>, Failure> {
        self.read_apart_from(addresses, &[])
    }

    /// The same, whose files none of `others` may be, nor become.
    pub(crate) fn read_apart_from(
        &self,
        addresses: &[Address],
        others: &[Named<'_>],
    ) -> Result<Option<ServerKeys>, Failure> {
        let surroundings = Surroundings::of_process();
        let Some(found) = surroundings.find(&self.key)? else { return Ok(None) };
        keep_secret();
        let found = KeyFiles::list(found)?;
        let sockets = addresses.iter().filter_map(|address| match address {
            Address::Unix(socket) => Some(Named::made("ADDR", socket.path())),
            Address::Ip(_) => None,
        });
        let others: Vec<_> = others.iter().copied().chain(sockets).collect();
        keep_apart(&found.files, &found.folders, &others)?;
        let keys = ServerKeys::read(found, &surroundings)?;
        log::debug!("serving clients with a key only: {}", keys.names.join(", "));
        Ok(Some(keys))
    }
}

/// An option or argument, and the file that it names, if it is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'n> {
    pub(crate) option: &'n str,
    pub(crate) path: Option<&'n Path>,
    /// It is made, if it is not there.
    is_made: bool,
}

impl<'n> Named<'n> {
    pub(crate) const fn made(option: &'n str, path: Option<&'n Path>) -> Self {
        Self { option, path, is_made: true }
    }

    pub(crate) const fn read(option: &'n str, path: Option<&'n Path>) -> Self {
        Self { option, path, is_made: false }
    }
}

/// A crash is not to write what will be read to a disk.
pub(crate) fn keep_secret() {
    if let Err(error) = forbid_core_dumps() {
        log::warn!("if this program crashes, a core file may have the key: {}", describe(&error));
    }
}

/// Whether both are one file.
fn holds(key: &Path, path: &Path) -> bool {
    is_same_file(key, path).unwrap_or(false)
}

/// Refuses an option that names the file of a key, which would be spoilt, or told; or what is not there yet, or a
/// socket, and would be read as a key from one of the folders.
fn keep_apart(
    files: &[impl AsRef<Path>],
    folders: &[PathBuf],
    others: &[Named<'_>],
) -> Result<(), Failure> {
    for Named { option, path, is_made } in others {
        let Some(path) = path else { continue };
        let shown = path.display();
        let is_new = *is_made && !path.is_file();
        let mut folders = folders.iter().filter(|_| is_new);
        let why = if let Some(folder) = folders.find(|folder| would_be_key(folder, path)) {
            let folder = folder.display();
            format!("{shown} would be read as a key, since those of {folder} are (name another)")
        } else if files.iter().any(|file| holds(file.as_ref(), path)) {
            format!("{shown} is the file of a key (name another)")
        } else {
            continue;
        };
        return Err(Failure::usage(format!("{option}: {why}")));
    }
    Ok(())
}

/// Whether the file that is made at `path` would be one of the keys in `folder`.
fn would_be_key(folder: &Path, path: &Path) -> bool {
    let target = follow_links(path);
    target.file_name().is_some_and(|name| is_key(name) && holds(&folder.join(name), path))
}

/// Where the keys of a server are; there may be too many.
#[derive(Debug)]
struct KeyFiles {
    origin: Origin,
    files: Vec<PathBuf>,
    /// Of which all keys are taken.
    folders: Vec<PathBuf>,
}

impl KeyFiles {
    fn list((origin, paths): Found) -> Result<Self, Failure> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for path in paths {
            if path.is_dir() {
                files.extend(files_of(origin, &path)?);
                folders.push(path);
            } else {
                files.push(path);
            }
        }
        Ok(Self { origin, files, folders })
    }
}

/// The keys that clients may have, each with a name.
#[derive(Clone, Debug)]
pub(crate) struct ServerKeys {
    keys: Arc<[Key]>,
    names: Arc<[String]>,
    files: Arc<[PathBuf]>,
    /// A folder was given, or several keys: each is somebody's own.
    are_personal: bool,
}

impl ServerKeys {
    /// All of them; at least one, and at most [`MAX_KEYS`].
    pub(crate) fn keys(&self) -> &Arc<[Key]> {
        &self.keys
    }

    /// What they are called: their files, without `.key`.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Whose the key in this place is, unless all who come share one.
    pub(crate) fn owner(&self, place: usize) -> Option<&str> {
        self.names.get(place).filter(|_| self.are_personal).map(String::as_str)
    }

    /// Whether each key is somebody's own: there are several, or a folder for them.
    pub(crate) fn are_personal(&self) -> bool {
        self.are_personal
    }

    /// The first of them that is kept somewhere in a folder.
    pub(crate) fn file_within(&self, folder: &Path) -> Option<&Path> {
        let folder = fs::canonicalize(folder).ok()?;
        let is_within =
            |file: &&PathBuf| fs::canonicalize(file).is_ok_and(|it| it.starts_with(&folder));
        self.files.iter().find(is_within).map(PathBuf::as_path)
    }

    fn read(found: KeyFiles, surroundings: &Surroundings) -> Result<Self, Failure> {
        let KeyFiles { origin, files, folders } = found;
        if files.len() > MAX_KEYS {
            let count = files.len();
            let why = format!("there are {count} keys, and a server has at most {MAX_KEYS}");
            return Err(Failure::Conversation(why).about(origin.name()));
        }
        let (mut keys, mut names) = (Vec::<Key>::new(), Vec::<String>::new());
        for (place, file) in files.iter().enumerate() {
            let (key, name) = (surroundings.read(origin, file)?, name_of(file));
            let is_like = |other: usize| {
                let why = if files[other] == *file {
                    return Some(format!("{} is given twice (leave one out)", file.display()));
                } else if holds(&files[other], file) {
                    "are the same file (leave one out)".into()
                } else if names[other] == name {
                    format!("are both called '{name}' (rename one)")
                } else if keys[other].as_bytes() == key.as_bytes() {
                    "are the same key (leave one out)".into()
                } else {
                    return None;
                };
                Some(format!("{} and {} {why}", files[other].display(), file.display()))
            };
            if let Some(why) = (0..place).find_map(is_like) {
                return Err(Failure::Conversation(why).about(origin.name()));
            }
            keys.push(key);
            names.push(name);
        }
        let are_personal = !folders.is_empty() || keys.len() > 1;
        Ok(Self { keys: keys.into(), names: names.into(), files: files.into(), are_personal })
    }
}

/// The keys in a folder, of which there must be one.
fn files_of(origin: Origin, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let files = keys_in(folder);
    let files = files.map_err(|error| origin.cannot_use(folder, &describe(&error).to_string()))?;
    if files.is_empty() {
        return Err(origin.cannot_use(folder, "no file there ends in .key (--new-key makes one)"));
    }
    Ok(files)
}

fn name_of(file: &Path) -> String {
    let name = file.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    name.strip_suffix(EXTENSION).unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests;

//! Where a program has its key from.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use barewire_core::secure::{KEY_LENGTH, Key, MAX_KEYS};
use barewire_linux::files::{KeyFileError, KeyGuard, read_key};
use clap::Args;

use crate::cli::exit::Failure;
use crate::output::shell::quoted;
use crate::output::system_error::describe;

pub(crate) const KEY_HEADING: &str = "Key";

/// What the file of a key ends in.
const EXTENSION: &str = ".key";

/// The key among the credentials that a service manager passes ("Credentials" in `systemd.exec(5)`).
const CREDENTIAL: &str = "barewire.key";

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
        client_key(self.key.as_deref(), &Surroundings::of_process())
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
    /// The keys, if there are any. To be called once the server is its user, and before it is confined.
    pub(crate) fn read(&self) -> Result<Option<ServerKeys>, Failure> {
        let keys = ServerKeys::read(&self.key, &Surroundings::of_process())?;
        if let Some(ServerKeys { names, .. }) = &keys {
            log::debug!("serving clients with a key only: {}", names.join(", "));
        }
        Ok(keys)
    }
}

/// The keys that clients may have, each with a name.
#[derive(Clone, Debug)]
pub(crate) struct ServerKeys {
    keys: Arc<[Key]>,
    names: Arc<[String]>,
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

    fn read(given: &[PathBuf], surroundings: &Surroundings) -> Result<Option<Self>, Failure> {
        let Some((origin, paths)) = surroundings.find(given) else { return Ok(None) };
        let (mut files, mut are_personal) = (Vec::new(), false);
        for path in paths {
            if path.is_dir() {
                are_personal = true;
                files.extend(files_of(origin, &path)?);
            } else {
                files.push(path);
            }
        }
        if files.len() > MAX_KEYS {
            let count = files.len();
            let why = format!("there are {count} keys, and a server has at most {MAX_KEYS}");
            return Err(Failure::Conversation(why).about(origin.name()));
        }
        let (mut keys, mut names) = (Vec::<Key>::new(), Vec::<String>::new());
        for (place, file) in files.iter().enumerate() {
            let (key, name) = (surroundings.read(origin, file)?, name_of(file));
            let is_like = |other: usize| {
                let why = if names[other] == name {
                    format!("are both called '{name}'")
                } else if keys[other].as_bytes() == key.as_bytes() {
                    "are the same key".into()
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
        are_personal |= keys.len() > 1;
        Ok(Some(Self { keys: keys.into(), names: names.into(), are_personal }))
    }
}

fn client_key(given: Option<&Path>, surroundings: &Surroundings) -> Result<Option<Key>, Failure> {
    let given = given.map(Path::to_owned);
    let Some((origin, paths)) = surroundings.find(given.as_slice()) else { return Ok(None) };
    paths.first().map(|path| surroundings.read(origin, path)).transpose()
}

/// By what a key was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Option,
    Variable,
    Credential,
}

impl Origin {
    const fn name(self) -> &'static str {
        match self {
            Self::Option => "--key",
            Self::Variable => "BAREWIRE_KEY_FILE",
            Self::Credential => "CREDENTIALS_DIRECTORY",
        }
    }
}

/// What the process was started with.
#[derive(Debug, Default)]
struct Surroundings {
    key_file: Option<PathBuf>,
    credentials: Option<PathBuf>,
}

impl Surroundings {
    fn of_process() -> Self {
        let path = |name| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        Self { key_file: path("BAREWIRE_KEY_FILE"), credentials: path("CREDENTIALS_DIRECTORY") }
    }

    /// Where keys are: as given, or else where the surroundings say.
    fn find(&self, given: &[PathBuf]) -> Option<(Origin, Vec<PathBuf>)> {
        if !given.is_empty() {
            return Some((Origin::Option, given.to_vec()));
        }
        if let Some(path) = &self.key_file {
            return Some((Origin::Variable, vec![path.clone()]));
        }
        let credential = self.credentials.as_ref()?.join(CREDENTIAL);
        // One that cannot be looked at is no reason to speak in plain text.
        let is_missing = matches!(credential.try_exists(), Ok(false));
        (!is_missing).then(|| (Origin::Credential, vec![credential]))
    }

    fn read(&self, origin: Origin, path: &Path) -> Result<Key, Failure> {
        let is_credential = self.credentials.as_ref().is_some_and(|all| path.starts_with(all));
        let guard = if is_credential { KeyGuard::ServiceManager } else { KeyGuard::Permissions };
        read_key(path, guard).map_err(|error| cannot_use(origin, path, &why_not(path, &error)))
    }
}

/// The keys in a folder, in the order of their names.
fn files_of(origin: Origin, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot_list = |error| cannot_use(origin, folder, &describe(&error).to_string());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot_list)? {
        let path = entry.map_err(cannot_list)?.path();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        // As a shell reads `*.key`.
        if name.ends_with(EXTENSION.as_bytes()) && !name.starts_with(b".") {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(cannot_use(origin, folder, "no file there ends in .key (--new-key makes one)"));
    }
    files.sort();
    Ok(files)
}

fn name_of(file: &Path) -> String {
    let name = file.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    name.strip_suffix(EXTENSION).unwrap_or(&name).to_owned()
}

fn cannot_use(origin: Origin, path: &Path, why: &str) -> Failure {
    Failure::Conversation(format!("cannot use the key in {}: {why}", path.display()))
        .about(origin.name())
}

/// What is wrong with a key, and what to do.
fn why_not(path: &Path, error: &KeyFileError) -> String {
    let quoted = quoted(path);
    match error {
        KeyFileError::System(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("{} (--new-key makes one)", describe(error))
        }
        KeyFileError::System(error) => describe(error).to_string(),
        KeyFileError::Exposed { .. } => format!(
            "{error} (chmod 600 {quoted} mends that; if somebody may have read it, make a new one by --new-key)"
        ),
        KeyFileError::Foreign { user, .. } => format!("{error} (chown {user} {quoted} mends that)"),
        KeyFileError::Length(_) => {
            format!("{error}, which are random and no text (--new-key makes one)")
        }
        KeyFileError::NotRandom => {
            format!("{error}, and what can be guessed is no key (--new-key makes one)")
        }
        KeyFileError::NotRegular => {
            format!("{error} (a key is kept in a file of {KEY_LENGTH} bytes)")
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests;

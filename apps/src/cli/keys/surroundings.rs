//! Where a program finds keys: as given, or as the process was started.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};

use barewire_core::secure::{KEY_LENGTH, Key};
use barewire_linux::files::{KeyFileError, KeyGuard, read_key};

use crate::cli::exit::Failure;
use crate::output::shell::quoted;
use crate::output::system_error::describe;

/// What the file of a key ends in.
pub(super) const EXTENSION: &str = ".key";

/// The key among the credentials that a service manager passes ("Credentials" in `systemd.exec(5)`).
const CREDENTIAL: &str = "barewire.key";

/// By what a key was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Option,
    Variable,
    Credential,
}

impl Origin {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Option => "--key",
            Self::Variable => "BAREWIRE_KEY_FILE",
            Self::Credential => "CREDENTIALS_DIRECTORY",
        }
    }

    pub(super) fn cannot_use(self, path: &Path, why: &str) -> Failure {
        self.refuse(&format!("cannot use the key in {}: {why}", path.display()))
    }

    fn refuse(self, why: &str) -> Failure {
        Failure::Conversation(why.to_owned()).about(self.name())
    }
}

/// By what keys are named, and where they are.
pub(super) type Found = (Origin, Vec<PathBuf>);

/// What the process was started with.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    pub(super) key_file: Option<PathBuf>,
    pub(super) credentials: Option<PathBuf>,
}

impl Surroundings {
    pub(super) fn of_process() -> Self {
        let path = |origin: Origin| env::var_os(origin.name()).map(PathBuf::from);
        Self { key_file: path(Origin::Variable), credentials: path(Origin::Credential) }
    }

    /// Where keys are: as given, or else where the surroundings say. `None` is for who has not named any: what
    /// cannot be looked at, or leads nowhere, is no reason to speak in plain text.
    pub(super) fn find(&self, given: &[PathBuf]) -> Result<Option<Found>, Failure> {
        if !given.is_empty() {
            return Ok(Some((Origin::Option, given.to_vec())));
        }
        if let Some(file) = named(Origin::Variable, self.key_file.as_deref())? {
            return Ok(Some((Origin::Variable, vec![file.to_owned()])));
        }
        let Some(folder) = named(Origin::Credential, self.credentials.as_deref())? else {
            return Ok(None);
        };
        let credential = folder.join(CREDENTIAL);
        match fs::symlink_metadata(&credential) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            _ => return Ok(Some((Origin::Credential, vec![credential]))),
        }
        match keys_in(folder) {
            Ok(others) => others.first().map_or(Ok(None), |other| Err(misnamed(other))),
            Err(_) if was_removed(folder) => {
                log::debug!("no key: there are no credentials in {}", folder.display());
                Ok(None)
            }
            Err(error) => {
                let (folder, why) = (folder.display(), describe(&error));
                Err(Origin::Credential.refuse(&format!(
                    "cannot look for a key in {folder}: {why} (unset it for plain text)"
                )))
            }
        }
    }

    pub(super) fn read(&self, origin: Origin, path: &Path) -> Result<Key, Failure> {
        let is_credential = self.is_credential(path);
        let guard = if is_credential { KeyGuard::ServiceManager } else { KeyGuard::Permissions };
        read_key(path, guard).map_err(|error| origin.cannot_use(path, &why_not(path, &error)))
    }

    /// Whether a file is in the folder of credentials, wherever its path goes and leads.
    fn is_credential(&self, path: &Path) -> bool {
        let folder = self.credentials.as_ref().and_then(|folder| fs::canonicalize(folder).ok());
        let file = fs::canonicalize(path).ok();
        folder.is_some() && file.as_deref().and_then(Path::parent) == folder.as_deref()
    }
}

/// Whether nothing has the name of this folder, not even a link, in a folder that is there: where there are no
/// credentials to pass, systemd names one and removes it (`setup_credentials` in its
/// `src/core/exec-credential.c`).
fn was_removed(folder: &Path) -> bool {
    // Whatever it is written like: from the working folder, or with a `/` at the end, which follows a link.
    let whole = path::absolute(folder).unwrap_or_default();
    let Some((parent, name)) = whole.parent().zip(whole.file_name()) else { return false };
    let found = fs::symlink_metadata(parent.join(name));
    found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) && parent.is_dir()
}

/// What a variable names, if it is set.
fn named(origin: Origin, value: Option<&Path>) -> Result<Option<&Path>, Failure> {
    if value == Some(Path::new("")) {
        let why = "it is set, and empty, so it names no key (unset it for plain text)";
        return Err(origin.refuse(why));
    }
    Ok(value)
}

/// There is a key that nobody looks for.
fn misnamed(key: &Path) -> Failure {
    let (path, quoted) = (key.display(), quoted(key));
    Origin::Credential.refuse(&format!(
        "there is {path}, but no {CREDENTIAL}, which is how a key is called there (rename the credential, or \
         use --key {quoted}; without {} all is plain text)",
        Origin::Credential.name()
    ))
}

/// The keys in a folder, in the order of their names.
pub(super) fn keys_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_key(&entry.file_name()) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file of this name is a key in a folder of them: as a shell reads `*.key`.
pub(super) fn is_key(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.ends_with(EXTENSION.as_bytes()) && !name.starts_with(b".")
}

/// What is wrong with a key, and what to do.
fn why_not(path: &Path, error: &KeyFileError) -> String {
    let quoted = quoted(path);
    match error {
        KeyFileError::System(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("{} (--new-key makes one)", describe(error))
        }
        KeyFileError::System(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            format!("{} (it has to be readable for the user that this runs as)", describe(error))
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

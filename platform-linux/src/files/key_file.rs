//! The file that a key is kept in.

use core::error::Error;
use core::fmt;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use barewire_core::secure::{KEY_LENGTH, Key};
use nix::errno::Errno;
use nix::libc::{O_NOCTTY, O_NONBLOCK};
use nix::unistd::geteuid;
use zeroize::Zeroizing;

use super::links::folder_of;
use crate::randomness::SystemRandom;
use crate::sys;

/// What the owner alone may do with a key: read and write it.
const PERMISSIONS: u32 = 0o600;

/// All that others may do with a file.
const OTHERS: u32 = 0o077;

/// Who sees to it that nobody else reads a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyGuard {
    /// The permissions of its file, which are looked at.
    Permissions,
    /// A service manager, in a folder that it makes for one service: of its files, group and owner are its own
    /// affair ("Credentials" in `systemd.exec(5)`).
    ServiceManager,
}

/// Why a key is not read, or not made.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The system refused it: `open(2)`, `read(2)`, `write(2)` and `fsync(2)` name the errors.
    System(io::Error),
    /// It is no regular file.
    NotRegular,
    /// It belongs to the user `owner`, who is neither root nor the `user` of the process.
    Foreign {
        /// To whom it belongs.
        owner: u32,
        /// Who wants to read it.
        user: u32,
    },
    /// Others can read or change it: these are its permissions.
    Exposed {
        /// As `chmod(2)` has them.
        mode: u32,
    },
    /// It has so many bytes, and a key has [`KEY_LENGTH`].
    Length(u64),
    /// Its bytes are all the same, or all can be typed: nobody left them to chance.
    NotRandom,
}

/// Reads the key that the file at `path` holds, as it is: [`KEY_LENGTH`] bytes. What was read is wiped
/// from memory, but for the key that is given.
///
/// # Errors
/// [`KeyFileError`].
pub fn read_key(path: &Path, guard: KeyGuard) -> Result<Key, KeyFileError> {
    let user = geteuid().as_raw();
    let opened = OpenOptions::new().read(true).custom_flags(O_NONBLOCK | O_NOCTTY).open(path);
    let mut file = opened.map_err(|error| refused(path, user, error))?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(KeyFileError::NotRegular);
    }
    if guard == KeyGuard::Permissions {
        check_owner(&metadata, user)?;
        check_permissions(&metadata)?;
    }
    if metadata.len() != KEY_LENGTH as u64 {
        return Err(KeyFileError::Length(metadata.len()));
    }
    let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
    file.read_exact(&mut *bytes)?;
    if bytes.iter().all(|byte| *byte == bytes[0]) || bytes.iter().all(|byte| can_be_typed(*byte)) {
        return Err(KeyFileError::NotRandom);
    }
    Ok(Key::new(*bytes))
}

/// Makes a new key in a new file at `path`, which only its owner can read, whatever the umask; it is
/// there for good (`fsync(2)`) when this returns. What is there already stays as it is.
///
/// # Errors
/// [`KeyFileError::System`], with [`AlreadyExists`](io::ErrorKind::AlreadyExists) if something has that
/// name; [`KeyFileError::Exposed`] if the file system keeps no such permissions. Then there is no new file.
pub fn create_key(path: &Path) -> Result<(), KeyFileError> {
    let key = Key::generate(&mut SystemRandom::<32>::new()?);
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(PERMISSIONS).open(path)?;
    write(&file, &key, path).inspect_err(|_| {
        // The first error is the one to tell.
        let _ = fs::remove_file(path);
    })
}

fn write(mut file: &File, key: &Key, path: &Path) -> Result<(), KeyFileError> {
    file.set_permissions(Permissions::from_mode(PERMISSIONS))?;
    check_permissions(&file.metadata()?)?;
    file.write_all(key.as_bytes())?;
    sys::sync_all(file)?;
    let synced = match File::open(folder_of(path)) {
        Ok(folder) => sys::sync_all(&folder),
        // One that may be written to and not listed.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            sys::sync_file_system(file)
        }
        Err(error) => Err(error),
    };
    match synced.map_err(|error| (sys::errno(&error), error)) {
        // Some file systems cannot do that with folders.
        Err((errno, error)) if errno != Errno::EINVAL => Err(error.into()),
        _ => Ok(()),
    }
}

/// Why a file was not opened: who may not read another's is told whose it is.
fn refused(path: &Path, user: u32, error: io::Error) -> KeyFileError {
    if error.kind() == io::ErrorKind::PermissionDenied
        && let Ok(metadata) = fs::metadata(path)
        && let Err(foreign) = check_owner(&metadata, user)
    {
        return foreign;
    }
    error.into()
}

fn check_owner(metadata: &Metadata, user: u32) -> Result<(), KeyFileError> {
    let owner = metadata.uid();
    if owner == user || owner == 0 { Ok(()) } else { Err(KeyFileError::Foreign { owner, user }) }
}

fn check_permissions(metadata: &Metadata) -> Result<(), KeyFileError> {
    let mode = metadata.mode() & 0o7777;
    if mode & OTHERS == 0 { Ok(()) } else { Err(KeyFileError::Exposed { mode }) }
}

const fn can_be_typed(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
}

impl From<io::Error> for KeyFileError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::NotRegular => f.write_str("it is not a regular file"),
            Self::Foreign { owner, user } => {
                write!(f, "it belongs to user {owner}, neither to root nor to user {user}")
            }
            Self::Exposed { mode } => {
                write!(f, "others can read or change it: its permissions are {mode:03o}")
            }
            Self::Length(length) => {
                write!(f, "it has {length} bytes, and a key has {KEY_LENGTH}")
            }
            Self::NotRandom => f.write_str("its bytes are not random"),
        }
    }
}

impl Error for KeyFileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::System(error) => error.source(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::thread;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;
    use crate::sandbox::{Keep, drop_capabilities};

    fn make(folder: &Path, name: &str, bytes: &[u8], mode: u32) -> std::path::PathBuf {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    fn read(path: &Path) -> Result<Key, KeyFileError> {
        read_key(path, KeyGuard::Permissions)
    }

    const RANDOM: [u8; 32] = *b"\x80123456789abcdef0123456789abcdef";

    #[test]
    fn a_new_key_is_its_owners_alone_and_no_two_are_alike() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        create_key(&one).unwrap();
        create_key(&other).unwrap();
        let (read_one, read_other) = (read(&one).unwrap(), read(&other).unwrap());
        assert_ne!(read_one.as_bytes(), read_other.as_bytes());
        assert_eq!(fs::metadata(&one).unwrap().mode() & 0o7777, PERMISSIONS);
        assert_eq!(fs::read(&one).unwrap(), read_one.as_bytes());
    }

    /// As anybody but root, to whom nothing is closed.
    #[test]
    fn a_key_is_made_where_nobody_may_list_and_not_where_nobody_may_write() {
        let folder = tempfile::tempdir().unwrap();
        let allow =
            |mode| fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        let path = folder.path().join("key");
        let make = || {
            let unprivileged = || {
                drop_capabilities(Keep::Nothing).unwrap();
                create_key(&path)
            };
            thread::scope(|scope| scope.spawn(unprivileged).join().unwrap())
        };
        allow(0o500);
        let Err(KeyFileError::System(error)) = make() else { panic!("it is made") };
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        allow(0o300);
        make().unwrap();
        assert_eq!(read(&path).unwrap().as_bytes()[..], fs::read(&path).unwrap());
        allow(0o700);
    }

    #[test]
    fn nothing_that_is_there_is_overwritten_not_even_by_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let file = make(folder.path(), "file", b"precious", 0o600);
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        symlink(&target, &link).unwrap();
        for path in [&file, &link, folder.path()] {
            let Err(KeyFileError::System(error)) = create_key(path) else { panic!("{path:?}") };
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read(&file).unwrap(), b"precious");
        assert!(!target.exists());
    }

    #[test]
    fn a_file_that_others_may_read_or_change_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o660, 0o777] {
            let path = make(folder.path(), "key", &RANDOM, mode);
            let Err(KeyFileError::Exposed { mode: told }) = read(&path) else { panic!("{mode:o}") };
            assert_eq!(told, mode);
            // Whose folder the service manager makes is not asked.
            assert!(read_key(&path, KeyGuard::ServiceManager).is_ok());
        }
        for mode in [0o600, 0o400, 0o700] {
            let path = make(folder.path(), "key", &RANDOM, mode);
            assert_eq!(read(&path).unwrap().as_bytes(), &RANDOM);
            fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_key_has_its_length_and_was_left_to_chance() {
        let folder = tempfile::tempdir().unwrap();
        let told = |bytes: &[u8]| {
            let path = make(folder.path(), "key", bytes, 0o600);
            read(&path).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(told(&RANDOM), Ok(()));
        for length in [0_usize, 1, 31, 33, 64, 10_000] {
            let why = format!("it has {length} bytes, and a key has 32");
            assert_eq!(told(&vec![0x93; length]), Err(why));
        }
        for weak in [&[0; 32], &[0xff; 32], b"correct horse battery staple 42\n"] {
            assert_eq!(told(weak), Err("its bytes are not random".into()), "{weak:?}");
        }
    }

    #[test]
    fn what_is_no_file_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        for path in [&fifo, folder.path(), Path::new("/dev/zero")] {
            assert!(matches!(read(path), Err(KeyFileError::NotRegular)), "{path:?}");
        }
        let missing = read(&folder.path().join("none"));
        let Err(KeyFileError::System(error)) = missing else { panic!("{missing:?}") };
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_key_is_its_users_or_roots() {
        let path = Path::new("/proc/self/exe");
        let metadata = fs::metadata(path).unwrap();
        let owner = metadata.uid();
        assert!(check_owner(&metadata, owner).is_ok());
        let root = fs::metadata("/").unwrap();
        assert!(root.uid() != 0 || check_owner(&root, owner + 1).is_ok());
        if owner != 0 {
            let foreign = check_owner(&metadata, owner + 1).unwrap_err();
            let told =
                format!("it belongs to user {owner}, neither to root nor to user {}", owner + 1);
            assert_eq!(foreign.to_string(), told);
        }
    }
}

//! What of files, folders and TCP sockets can still be reached.

#[cfg(test)]
mod tests;

use core::fmt;
use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    PathBeneath, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use nix::errno::Errno;
use nix::libc::O_PATH;

use super::system_calls::Work;
use crate::files::{folder_of, follow_links};
use crate::sys::errno;

/// The version of Landlock that has all that is asked for here (Linux 6.12).
const WANTED: ABI = ABI::V6;

/// Where the system keeps what programs read that look names up: the C library's and the run-time linker's
/// files, the modules of name services (`nsswitch.conf(5)`) and what those keep, the time zones, and what the
/// kernel tells. No home, no mounted disk, nothing for a while (`hier(7)`). What is not there is left out.
const SYSTEM: [&str; 24] = [
    "/etc",
    "/gnu/store",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/proc",
    "/run/NetworkManager",
    "/run/avahi-daemon",
    "/run/connman",
    "/run/current-system",
    "/run/dnsmasq",
    "/run/host",
    "/run/netconfig",
    "/run/nscd",
    "/run/resolvconf",
    "/run/systemd",
    "/sys",
    "/usr",
    "/var/cache",
    "/var/db",
    "/var/lib",
    "/var/nis",
    "/var/yp",
];

/// Some of what is there is a link to another place.
const LINKS: [&str; 4] = ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/localtime"];

/// Names a file of the same kind (`hostname(7)`).
const ALIASES: &str = "HOSTALIASES";

/// Names a folder of the same kind (`tzset(3)`).
const TIME_ZONES: &str = "TZDIR";

/// What of it the kernel could do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileConfinement {
    /// All of it.
    Full {
        /// The version of Landlock that does it (`landlock(7)`).
        abi: u32,
    },
    /// What an older kernel can do: at least, of files only those that are allowed are read, and
    /// written to. See [`confine`](super::confine()) for what came with which version.
    Partial {
        /// The version of Landlock that does it (`landlock(7)`).
        abi: u32,
    },
    /// Nothing: the kernel has no Landlock, or it is switched off.
    Unavailable,
}

/// What stays possible behind [`confine`](super::confine()).
#[derive(Debug, Default)]
pub struct Allowed<'a> {
    held: Vec<(BorrowedFd<'a>, BitFlags<AccessFs>)>,
    opened: Vec<(File, BitFlags<AccessFs>)>,
    work: Work,
}

impl<'a> Allowed<'a> {
    /// Nothing but what is open.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// What a client needs to find a server and to be connected: TCP connections go out, and what belongs to
    /// the system is read, which the name services need again at each look-up.
    pub fn client() -> Self {
        let mut allowed = Self::default();
        allowed.work.connects = true;
        let links = LINKS.iter().filter_map(|link| fs::canonicalize(link).ok());
        let links = links.filter_map(|file| Some(file.parent()?.as_os_str().to_owned()));
        for path in
            SYSTEM.into_iter().map(OsString::from).chain(links).chain(env::var_os(TIME_ZONES))
        {
            // If it is not there, nothing is to be allowed.
            let _ = allowed.open(Path::new(&path), reading());
        }
        if let Some(file) = env::var_os(ALIASES) {
            let _ = allowed.open(Path::new(&file), AccessFs::ReadFile.into());
        }
        allowed
    }

    /// The files beneath the folder `at` are read, and folders listed.
    #[must_use]
    pub fn reading(mut self, at: &'a impl AsFd) -> Self {
        self.work.reads = true;
        self.held.push((at.as_fd(), reading()));
        self
    }

    /// Beneath the folder `at`, files are removed, as by who [listens](crate::listener::Listener::folder) at a
    /// Unix socket there.
    #[must_use]
    pub fn removing_beneath(mut self, at: BorrowedFd<'a>) -> Self {
        self.work.removes = true;
        self.held.push((at, AccessFs::RemoveFile.into()));
        self
    }

    /// Beneath the folder at `path`, the current one if that is empty, all is possible but to execute. If it
    /// cannot be opened, nothing is allowed.
    #[must_use]
    pub fn writing_beneath(mut self, path: &Path) -> Self {
        self.work.writes = true;
        let _ = self.open(or_current(path), writing());
        self
    }

    /// The file at `path` is read, and whatever has that name later: so are the others in its folder, and in
    /// that which links lead to now. What cannot be opened of these is not allowed.
    #[must_use]
    pub fn reading_file(mut self, path: &Path) -> Self {
        self.work.reads = true;
        for path in [path, &follow_links(path)] {
            let _ = self.open(folder_of(path), reading());
        }
        self
    }

    /// The file at `path` is created, read, written to, renamed and removed; so are the others in its folder,
    /// save if what has that name is no file, as a device. If neither can be opened, nothing is allowed.
    #[must_use]
    pub fn writing_file(mut self, path: &Path) -> Self {
        self.work.writes = true;
        // Where links lead, what is there is written to.
        let path = &follow_links(path);
        let is_other = fs::metadata(path).is_ok_and(|found| !found.is_file());
        let _ = if is_other {
            self.open(path, writing() & AccessFs::from_file(WANTED))
        } else {
            self.open(folder_of(path), writing())
        };
        self
    }

    pub(super) fn work(&self) -> Work {
        self.work
    }

    fn open(&mut self, path: &Path, access: BitFlags<AccessFs>) -> io::Result<()> {
        let file = File::options().read(true).custom_flags(O_PATH).open(path)?;
        self.opened.push((file, access));
        Ok(())
    }
}

fn reading() -> BitFlags<AccessFs> {
    AccessFs::ReadFile | AccessFs::ReadDir
}

fn writing() -> BitFlags<AccessFs> {
    AccessFs::from_all(WANTED) & !AccessFs::Execute
}

fn or_current(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// As [`confine`](super::confine()), what is told there of Landlock.
pub(super) fn confine(allowed: &Allowed<'_>) -> io::Result<FileConfinement> {
    let Allowed { held, opened, work } = allowed;
    let (mut sockets, mut scope) = (AccessNet::from_all(WANTED), Scope::from_all(WANTED));
    if work.connects {
        // A client on a terminal stops its whole job (Ctrl-Z).
        (sockets, scope) = (AccessNet::BindTcp.into(), Scope::AbstractUnixSocket.into());
    }
    let rules = held.iter().map(|(fd, access)| (*fd, *access));
    let rules = rules.chain(opened.iter().map(|(file, access)| (file.as_fd(), *access)));
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))
        .and_then(|ruleset| ruleset.handle_access(sockets))
        .and_then(|ruleset| ruleset.scope(scope))
        .and_then(Ruleset::create)
        .map_err(system)?;
    for (fd, access) in rules {
        // What can be mounted nowhere, as pipes without a name, has no rules: it is open to all.
        if let Err(error) = (&mut ruleset).add_rule(PathBeneath::new(fd, access)).map_err(system)
            && errno(&error) != Errno::EBADFD
        {
            return Err(error);
        }
    }
    let status = ruleset.restrict_self().map_err(system)?;
    let LandlockStatus::Available { effective_abi, .. } = status.landlock else {
        return Ok(FileConfinement::Unavailable);
    };
    let abi = effective_abi as u32;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => FileConfinement::Full { abi },
        RulesetStatus::PartiallyEnforced => FileConfinement::Partial { abi },
        RulesetStatus::NotEnforced => FileConfinement::Unavailable,
    })
}

/// The system's error, which the library wraps in words of its own.
fn system(error: RulesetError) -> io::Error {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        let code = error.downcast_ref().and_then(io::Error::raw_os_error);
        if let Some(code) = code {
            return io::Error::from_raw_os_error(code);
        }
        cause = error.source();
    }
    io::Error::other(error)
}

impl FileConfinement {
    /// Whether there is any.
    pub fn is_confined(&self) -> bool {
        *self != Self::Unavailable
    }
}

/// What does it, in words.
impl fmt::Display for FileConfinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { abi } => write!(f, "Landlock (version {abi})"),
            Self::Partial { abi } => {
                write!(f, "Landlock, as far as this kernel can (version {abi} of 6)")
            }
            Self::Unavailable => f.write_str("this kernel has no Landlock"),
        }
    }
}

//! Names that lead beneath a folder, and nowhere else.
//!
//! The kernel resolves them (`openat2(2)`, Linux 5.6). Where that call is refused, since the kernel is
//! too old or a filter does not know it, they are walked here part by part, and links followed here.
//! Both ways hold the same:
//!
//! - neither `..` nor a link leaves the folder, not even while folders and links are swapped;
//! - absolute links are refused, also those that lead back in, and so are those of `/proc` that are no
//!   paths at all;
//! - a name leads through 40 links at most; what is mounted beneath the folder belongs to it.
//!
//! What a mount (`nosymfollow`, `mount(8)`) or the system (`protected_symlinks`, `proc_sys_fs(5)`) forbids
//! of links besides, the kernel alone heeds. A walk has the folders on its way open until it is over.

#[cfg(test)]
mod tests;

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2, readlinkat};
use nix::libc;
use nix::sys::stat::{Mode, SFlag};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};

use super::{errno, retry, statx};

/// How often a name is resolved anew that was renamed meanwhile.
const ATTEMPTS: u32 = 32;

/// How many links a name leads through at most (`MAXSYMLINKS`, `path_resolution(7)`).
const MAX_LINKS: u32 = 40;

/// How long a name can be, with a byte behind it (`limits.h(0p)`).
const PATH_MAX: usize = 4096;

const BENEATH: ResolveFlag = ResolveFlag::RESOLVE_BENEATH.union(ResolveFlag::RESOLVE_NO_MAGICLINKS);

/// Only by what of the folders is in memory (Linux 5.12), and on the device of the folder.
const AT_ONCE: ResolveFlag = BENEATH
    .union(ResolveFlag::RESOLVE_NO_XDEV)
    .union(ResolveFlag::from_bits_retain(libc::RESOLVE_CACHED));

/// Who resolves names beneath a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The kernel, in one call.
    Kernel,
    /// This process, part by part, as the kernel refuses that call.
    Walk,
}

impl Resolution {
    /// What this system offers; looked at once in a process.
    pub(crate) fn of_system(root: impl AsFd) -> Self {
        static FOUND: OnceLock<Resolution> = OnceLock::new();
        *FOUND.get_or_init(|| match Self::Kernel.open(root, b".", OFlag::O_PATH) {
            Err(error) if matches!(errno(&error), Errno::ENOSYS | Errno::EPERM) => Self::Walk,
            _ => Self::Kernel,
        })
    }

    /// Opens whatever `name` leads to beneath `root`. Always close-on-exec.
    pub(crate) fn open(self, root: impl AsFd, name: &[u8], flags: OFlag) -> io::Result<OwnedFd> {
        let mut left = ATTEMPTS;
        retry(|| {
            loop {
                match self.try_open(root.as_fd(), name, flags) {
                    Err(Errno::EAGAIN) if left > 0 => left -= 1,
                    result => return result,
                }
            }
        })
    }

    /// As [`open`](Self::open), unless that might have to wait: for a disk, or for whoever is behind what is
    /// mounted beneath the folder. Then it gives `None`. A walk waits; and so does a kernel that cannot tell.
    pub(crate) fn open_at_once(
        self,
        root: impl AsFd,
        name: &[u8],
        flags: OFlag,
    ) -> io::Result<Option<OwnedFd>> {
        static KNOWS_AT_ONCE: AtomicBool = AtomicBool::new(true);
        if self == Self::Walk || !KNOWS_AT_ONCE.load(Relaxed) {
            return self.open(root, name, flags).map(Some);
        }
        let how = OpenHow::new().flags(flags | OFlag::O_CLOEXEC).resolve(AT_ONCE);
        match retry(|| openat2(&root, name, how)) {
            Err(error) => match errno(&error) {
                Errno::EAGAIN | Errno::EXDEV => Ok(None),
                // It may be about the name.
                Errno::EINVAL => {
                    let opened = self.open(root, name, flags)?;
                    KNOWS_AT_ONCE.store(false, Relaxed);
                    Ok(Some(opened))
                }
                _ => Err(error),
            },
            opened => opened.map(Some),
        }
    }

    fn try_open(self, root: BorrowedFd<'_>, name: &[u8], flags: OFlag) -> nix::Result<OwnedFd> {
        let flags = flags | OFlag::O_CLOEXEC;
        match self {
            Self::Kernel => openat2(root, name, OpenHow::new().flags(flags).resolve(BENEATH)),
            Self::Walk => walk(root, name, flags),
        }
    }
}

/// In words that can follow which folder is served.
impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kernel => "names resolved by the kernel (openat2)",
            Self::Walk => "names resolved part by part, as the kernel refuses openat2",
        })
    }
}

/// Opens part by part what `name` leads to.
///
/// Each is opened by itself in the folder before it, and is never a link, so it cannot lead elsewhere.
/// `..` goes back to where the walk has come from, wherever that folder may be by now.
fn walk(root: BorrowedFd<'_>, name: &[u8], flags: OFlag) -> nix::Result<OwnedFd> {
    if name.len() >= PATH_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    // Each is in the one before it, and the first is in the root.
    let mut folders: Vec<OwnedFd> = Vec::new();
    let mut rest = relative(name)?.to_vec();
    let mut links = 0;
    loop {
        let here = folders.last().map_or(root, AsFd::as_fd);
        let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        let slashes = behind.iter().take_while(|byte| **byte == b'/').count();
        let next = &behind[slashes..];
        let is_last = next.is_empty();
        let flags = match (is_last, slashes) {
            (true, 0) => flags,
            (true, _) => flags | OFlag::O_DIRECTORY,
            (false, _) => OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        };
        match part {
            b"." if is_last => return open(here, part, flags),
            b"." => {}
            b".." => {
                // Only who may search a folder goes back from it.
                open(here, b".", OFlag::O_PATH | OFlag::O_CLOEXEC)?;
                folders.pop().ok_or(Errno::EXDEV)?;
                if is_last {
                    return open(folders.last().map_or(root, AsFd::as_fd), b".", flags);
                }
            }
            part => match open_part(here, part, flags)? {
                PathPart::Opened(fd) if is_last => return Ok(fd),
                PathPart::Opened(fd) => folders.push(fd),
                PathPart::Link(target) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::ELOOP);
                    }
                    rest = [relative(&target)?, behind].concat();
                    continue;
                }
            },
        }
        rest = next.to_vec();
    }
}

/// What a part of a name leads to.
enum PathPart {
    Opened(OwnedFd),
    /// A link, to there.
    Link(Vec<u8>),
}

fn open_part(folder: BorrowedFd<'_>, name: &[u8], flags: OFlag) -> nix::Result<PathPart> {
    let opened = open(folder, name, flags);
    match opened {
        // So a link itself can be opened, too.
        Ok(_) if flags.contains(OFlag::O_PATH) && !flags.contains(OFlag::O_DIRECTORY) => {}
        Ok(fd) => return Ok(PathPart::Opened(fd)),
        // A link, or no folder.
        Err(Errno::ELOOP | Errno::ENOTDIR) => {}
        Err(error) => return Err(error),
    }
    let looked = match &opened {
        Ok(fd) => fd,
        Err(_) => &open(folder, name, OFlag::O_PATH | OFlag::O_CLOEXEC)?,
    };
    let kind = kind(looked)?;
    if kind != SFlag::S_IFLNK {
        return match opened {
            Err(Errno::ENOTDIR) if kind != SFlag::S_IFDIR => Err(Errno::ENOTDIR),
            // It is no longer what it was.
            Err(_) => Err(Errno::EAGAIN),
            Ok(fd) => Ok(PathPart::Opened(fd)),
        };
    }
    // There are links that lead where no path does.
    if fstatfs(looked)?.filesystem_type() == PROC_SUPER_MAGIC {
        return Err(Errno::ELOOP);
    }
    Ok(PathPart::Link(readlinkat(looked, c"")?.into_vec()))
}

/// Opens one part of a name; a link is not followed.
fn open(folder: BorrowedFd<'_>, part: &[u8], flags: OFlag) -> nix::Result<OwnedFd> {
    openat(folder, part, flags | OFlag::O_NOFOLLOW, Mode::empty())
}

fn kind(fd: &OwnedFd) -> nix::Result<SFlag> {
    let statx = statx(fd).map_err(|error| errno(&error))?;
    Ok(SFlag::from_bits_truncate(statx.mode) & SFlag::S_IFMT)
}

/// What begins at the root of all folders leads out.
fn relative(path: &[u8]) -> nix::Result<&[u8]> {
    if path.starts_with(b"/") { Err(Errno::EXDEV) } else { Ok(path) }
}

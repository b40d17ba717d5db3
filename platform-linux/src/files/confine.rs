//! Confinement: what the process may do from then on is to read the files it serves.

#[cfg(test)]
mod tests;

use core::fmt;
use std::error::Error;
use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, PathBeneath,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use super::Root;

/// The version of Landlock that has all that is asked for here (Linux 6.12).
const WANTED: ABI = ABI::V6;

/// What of the confinement the kernel could do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confinement {
    /// All of it.
    Full {
        /// The version of Landlock that does it (`landlock(7)`).
        abi: u32,
    },
    /// What an older kernel can do: at least, of files only those beneath the root are read, and
    /// none is written to. See [`confine`] for what came with which version.
    Partial {
        /// The version of Landlock that does it (`landlock(7)`).
        abi: u32,
    },
    /// Nothing: the kernel has no Landlock, or it is switched off.
    Unavailable,
}

/// Lets the calling thread, and the threads it starts from then on, open nothing but the files and
/// folders beneath `root`, and those only for reading (Landlock, `landlock(7)`). It cannot be
/// undone. To be called before there are other threads; they would not be confined.
///
/// What the kernel is too old for is left out:
///
/// | version | Linux | no longer possible |
/// |---|---|---|
/// | 1 | 5.13 | to open other files; to write, create, remove, execute; to mount or trace |
/// | 2 | 5.19 | to link or rename into another folder (version 1 always forbids that) |
/// | 3 | 6.2 | to cut off a file by its name (`truncate(2)`) |
/// | 4 | 6.7 | to bind a TCP socket, or to connect one |
/// | 5 | 6.10 | to control a device (`ioctl(2)`) |
/// | 6 | 6.12 | to signal other processes, or to reach their abstract Unix sockets |
///
/// What is open already stays as usable as it was: listening sockets, which go on accepting,
/// standard streams, logs. UDP, and Unix sockets that have a path, are not touched. Names can no
/// longer be looked up (`/etc/resolv.conf`), and to a service manager that listens at an abstract socket
/// there must be a [connection](crate::activation::Notifier) before. No program started from then on gains privileges
/// (`PR_SET_NO_NEW_PRIVS`, `prctl(2)`).
///
/// # Errors
/// A kernel that has Landlock but refuses the rules: out of descriptors or memory, or more than 16
/// layers of them.
pub fn confine(root: &Root) -> io::Result<Confinement> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(WANTED)))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(WANTED)))
        .and_then(Ruleset::create)
        .and_then(|ruleset| {
            ruleset.add_rule(PathBeneath::new(root, AccessFs::ReadFile | AccessFs::ReadDir))
        })
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(system)?;
    let LandlockStatus::Available { effective_abi, .. } = status.landlock else {
        return Ok(Confinement::Unavailable);
    };
    let abi = effective_abi as u32;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Confinement::Full { abi },
        RulesetStatus::PartiallyEnforced => Confinement::Partial { abi },
        RulesetStatus::NotEnforced => Confinement::Unavailable,
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

impl Confinement {
    /// Whether there is any.
    pub fn is_confined(&self) -> bool {
        *self != Self::Unavailable
    }
}

/// In words that can follow what is confined.
impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { abi } => write!(f, "confined by Landlock (version {abi})"),
            Self::Partial { abi } => {
                write!(f, "confined by Landlock, as far as this kernel can (version {abi} of 6)")
            }
            Self::Unavailable => f.write_str("not confined: this kernel has no Landlock"),
        }
    }
}

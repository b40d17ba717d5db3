//! Confinement: what a process gives up that its work does not need, so that whoever takes it over has no
//! more.
//!
//! | what | by what |
//! |---|---|
//! | another user's rights | [`User::become_it`]: the privileges of root, once it listens |
//! | privileges that root would keep | [`drop_capabilities`] |
//! | privileges that a program brings that is started from it | [`no_new_privileges`] |
//! | files, folders, TCP sockets and system calls | [`confine()`], which leaves what is [`Allowed`] |
//!
//! All of it is for good, and for the calling thread and those that it starts from then on. So it is to be
//! done before there are others.

mod file_access;
mod privileges;
mod system_calls;

use std::io;

pub use file_access::{Allowed, FileConfinement};
pub use privileges::{Keep, StillPrivileged, User, drop_capabilities, is_root, no_new_privileges};

/// What has come of [`confine()`].
#[derive(Debug)]
pub struct Confinement {
    /// What of Landlock there is; or that a kernel that has it refuses the rules: out of descriptors or
    /// memory, or more than 16 layers of them.
    pub files: io::Result<FileConfinement>,
    /// The filter of system calls; or why there is none: the kernel does not have `seccomp(2)`, or a filter
    /// around this one forbids it.
    pub calls: io::Result<()>,
}

impl Confinement {
    /// Whether nothing of it is missing but what the kernel is too old for.
    pub fn is_there(&self) -> bool {
        self.calls.is_ok() && self.files.as_ref().is_ok_and(FileConfinement::is_confined)
    }
}

/// Leaves the calling thread, and the threads it starts from then on, what is `allowed`, as far as the kernel
/// can. It cannot be undone. To be called before there are other threads: they would not be confined by Landlock.
/// No program that is started from then on gains privileges.
///
/// # Files and TCP sockets
///
/// Nothing else is opened and changed (Landlock, `landlock(7)`).
/// What the kernel is too old for is left out:
///
/// | version | Linux | no longer possible |
/// |---|---|---|
/// | 1 | 5.13 | to open other files; to write, create, remove, execute; to mount or trace |
/// | 2 | 5.19 | to link or rename into another folder (version 1 always forbids that) |
/// | 3 | 6.2 | to cut off a file by its name (`truncate(2)`) |
/// | 4 | 6.7 | to bind a TCP socket, or, unless it is [a client](Allowed::client), to connect one |
/// | 5 | 6.10 | to control a device (`ioctl(2)`) |
/// | 6 | 6.12 | to reach other processes' abstract Unix sockets, or, unless it is a client, to signal them |
///
/// What is open already stays as usable as it was: listening sockets, which go on accepting,
/// standard streams, logs. UDP, and Unix sockets that have a path, are not touched. But for a client, names can
/// no longer be looked up (`/etc/resolv.conf`), and to a service manager that listens at an abstract socket
/// there must be a [connection](crate::activation::Notifier) before.
///
/// # System calls
///
/// A filter (`seccomp(2)`) lets through the calls that such a program makes, and in it those of the C library.
/// No other process is started, signalled or looked at; unless it is a client, no socket is made and no memory
/// becomes executable; unless it writes, no file is opened for writing. All other calls fail as on a kernel that does
/// not have them (`ENOSYS`), except that who tries to become another program, or to take part in another
/// process, is ended by `SIGSYS`.
pub fn confine(allowed: &Allowed<'_>) -> Confinement {
    // Both need it, and both would tell.
    let _ = no_new_privileges();
    let files = file_access::confine(allowed);
    Confinement { files, calls: system_calls::restrict(allowed.work()) }
}

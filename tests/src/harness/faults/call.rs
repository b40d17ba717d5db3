//! The system calls that can be made to fail.
//!
//! Each is about something, by which a test can pick it. A descriptor is described by its number and as
//! `/proc` does (`proc_pid_fd(5)`): `fd 9 socket:[3021]`, `fd 1 pipe:[17]`, `fd 3 anon_inode:[eventpoll]`, or
//! the path of its file. A call that takes a path is about that path as it is given, one that asks for randomness
//! about how much, `16 bytes`, and any other about nothing.
//! What is opened without a name has `/#` in its description, as `/proc` has it later.

use nix::libc::{self, c_long};

/// A system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// As the manual calls it.
    pub name: &'static str,
    number: c_long,
    pub(super) object: Object,
}

impl Call {
    /// The number by which the kernel knows it.
    pub const fn number(self) -> c_long {
        self.number
    }
}

/// Which of its arguments says what a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object {
    Nothing,
    /// That one is a descriptor.
    Descriptor(usize),
    /// That one is a path; if it is empty, the first is the descriptor of what is meant.
    Path(usize),
    /// The second is a path, and the third says how it is opened.
    Opened,
    /// That one is a number of bytes.
    Length(usize),
}

macro_rules! calls {
    ($($(#[$cfg:meta])* $name:ident = $manual:literal, $number:ident, $object:expr;)*) => {
        impl Call {
            $(
                $(#[$cfg])*
                #[doc = concat!("`", $manual, "(2)`")]
                pub const $name: Self =
                    Self { name: $manual, number: libc::$number, object: $object };
            )*
        }
    };
}

/// The first argument is a descriptor.
const FIRST: Object = Object::Descriptor(0);

calls! {
    ACCEPT = "accept4", SYS_accept4, FIRST;
    BIND = "bind", SYS_bind, FIRST;
    CLONE = "clone3", SYS_clone3, Object::Nothing;
    CLONE_BEFORE = "clone", SYS_clone, Object::Nothing;
    CONNECT = "connect", SYS_connect, FIRST;
    EPOLL_CREATE = "epoll_create1", SYS_epoll_create1, Object::Nothing;
    EPOLL_CTL = "epoll_ctl", SYS_epoll_ctl, Object::Descriptor(2);
    #[cfg(target_arch = "x86_64")]
    EPOLL_WAIT = "epoll_wait", SYS_epoll_wait, FIRST;
    #[cfg(not(target_arch = "x86_64"))]
    EPOLL_WAIT = "epoll_pwait", SYS_epoll_pwait, FIRST;
    EVENTFD = "eventfd2", SYS_eventfd2, Object::Nothing;
    FADVISE = "fadvise64", SYS_fadvise64, FIRST;
    FALLOCATE = "fallocate", SYS_fallocate, FIRST;
    FCHMOD = "fchmod", SYS_fchmod, FIRST;
    FCNTL = "fcntl", SYS_fcntl, FIRST;
    FDATASYNC = "fdatasync", SYS_fdatasync, FIRST;
    FLOCK = "flock", SYS_flock, FIRST;
    FSTATFS = "fstatfs", SYS_fstatfs, FIRST;
    FSYNC = "fsync", SYS_fsync, FIRST;
    FTRUNCATE = "ftruncate", SYS_ftruncate, FIRST;
    GETDENTS = "getdents64", SYS_getdents64, FIRST;
    GETRANDOM = "getrandom", SYS_getrandom, Object::Length(1);
    GETSOCKNAME = "getsockname", SYS_getsockname, FIRST;
    GETSOCKOPT = "getsockopt", SYS_getsockopt, FIRST;
    LANDLOCK_ADD = "landlock_add_rule", SYS_landlock_add_rule, Object::Nothing;
    LANDLOCK_CREATE = "landlock_create_ruleset", SYS_landlock_create_ruleset, Object::Nothing;
    LANDLOCK_RESTRICT = "landlock_restrict_self", SYS_landlock_restrict_self, Object::Nothing;
    LINK = "linkat", SYS_linkat, Object::Path(1);
    LISTEN = "listen", SYS_listen, FIRST;
    LSEEK = "lseek", SYS_lseek, FIRST;
    MEMFD = "memfd_create", SYS_memfd_create, Object::Nothing;
    MKDIR = "mkdirat", SYS_mkdirat, Object::Path(1);
    OPEN = "openat", SYS_openat, Object::Opened;
    OPEN_BENEATH = "openat2", SYS_openat2, Object::Path(1);
    #[cfg(target_arch = "x86_64")]
    POLL = "poll", SYS_poll, Object::Nothing;
    #[cfg(not(target_arch = "x86_64"))]
    POLL = "ppoll", SYS_ppoll, Object::Nothing;
    PRCTL = "prctl", SYS_prctl, Object::Nothing;
    PREAD = "pread64", SYS_pread64, FIRST;
    PREAD_CACHED = "preadv2", SYS_preadv2, FIRST;
    PRLIMIT = "prlimit64", SYS_prlimit64, Object::Nothing;
    PWRITE = "pwrite64", SYS_pwrite64, FIRST;
    READ = "read", SYS_read, FIRST;
    #[cfg(target_arch = "x86_64")]
    READLINK = "readlink", SYS_readlink, Object::Path(0);
    #[cfg(not(target_arch = "x86_64"))]
    READLINK = "readlinkat", SYS_readlinkat, Object::Path(1);
    RECV = "recvfrom", SYS_recvfrom, FIRST;
    RECVMMSG = "recvmmsg", SYS_recvmmsg, FIRST;
    RECVMSG = "recvmsg", SYS_recvmsg, FIRST;
    RENAME = "renameat2", SYS_renameat2, Object::Path(1);
    SECCOMP = "seccomp", SYS_seccomp, Object::Nothing;
    SEND = "sendto", SYS_sendto, FIRST;
    SENDFILE = "sendfile", SYS_sendfile, FIRST;
    SENDMMSG = "sendmmsg", SYS_sendmmsg, FIRST;
    SENDMSG = "sendmsg", SYS_sendmsg, FIRST;
    SETSOCKOPT = "setsockopt", SYS_setsockopt, FIRST;
    SHUTDOWN = "shutdown", SYS_shutdown, FIRST;
    SIGNALFD = "signalfd4", SYS_signalfd4, Object::Nothing;
    SOCKET = "socket", SYS_socket, Object::Nothing;
    STATX = "statx", SYS_statx, Object::Path(1);
    UNLINK = "unlinkat", SYS_unlinkat, Object::Path(1);
    UTIMENS = "utimensat", SYS_utimensat, FIRST;
    WRITE = "write", SYS_write, FIRST;
    SYNCFS = "syncfs", SYS_syncfs, FIRST;
    // Where the run-time gives a thread a stack for its signals: the last it does before `main`.
    SIGALTSTACK = "sigaltstack", SYS_sigaltstack, Object::Nothing;
}

//! What epoll says of a file descriptor.

use core::fmt;
use core::ops::{BitOr, BitOrAssign};

use nix::sys::epoll::EpollFlags;

/// A set of things that a file descriptor can be ready for.
///
/// As an *interest* it says what to wait for; as the *state* of an [`EventSource`](super::EventSource) it says
/// what has been reported since it was last [cleared](super::Context::clear).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Readiness(u8);

impl Readiness {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// A read would give bytes, the end of the stream, or an error (`EPOLLIN`).
    pub const READABLE: Self = Self(1);
    /// A write would take bytes or give an error (`EPOLLOUT`).
    pub const WRITABLE: Self = Self(1 << 1);
    /// The peer has ended its sending direction or the connection is gone (`EPOLLRDHUP`,
    /// `EPOLLHUP`): what can still be read is all there will be. Always waited for.
    pub const ENDED: Self = Self(1 << 2);
    /// An error is pending (`EPOLLERR`). Always waited for.
    pub const ERROR: Self = Self(1 << 3);

    /// Urgent data has come (`EPOLLPRI`, `tcp(7)`): a read stops short where it lies, and what
    /// follows can be read then. Always waited for.
    pub const URGENT: Self = Self(1 << 4);

    /// Whether everything in `other` is in `self`.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether anything in `other` is in `self`.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// `self` without what is in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The flags that ask for this interest, edge-triggered.
    pub(super) fn interest(self) -> EpollFlags {
        let mut flags = EpollFlags::EPOLLET | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLPRI;
        flags.set(EpollFlags::EPOLLIN, self.contains(Self::READABLE));
        flags.set(EpollFlags::EPOLLOUT, self.contains(Self::WRITABLE));
        flags
    }

    /// What the reported flags mean. An end or an error makes both directions worth a try, since
    /// only a read or a write tells which it was.
    pub(super) fn reported(flags: EpollFlags) -> Self {
        let mut ready = Self::NONE;
        if flags.contains(EpollFlags::EPOLLIN) {
            ready |= Self::READABLE;
        }
        if flags.contains(EpollFlags::EPOLLOUT) {
            ready |= Self::WRITABLE;
        }
        if flags.contains(EpollFlags::EPOLLRDHUP) {
            ready |= Self::READABLE | Self::ENDED;
        }
        if flags.contains(EpollFlags::EPOLLHUP) {
            ready |= Self::READABLE | Self::WRITABLE | Self::ENDED;
        }
        if flags.contains(EpollFlags::EPOLLERR) {
            ready |= Self::READABLE | Self::WRITABLE | Self::ERROR;
        }
        if flags.contains(EpollFlags::EPOLLPRI) {
            ready |= Self::URGENT;
        }
        ready
    }
}

impl BitOr for Readiness {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Readiness {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::READABLE, "readable"),
            (Self::WRITABLE, "writable"),
            (Self::ENDED, "ended"),
            (Self::ERROR, "error"),
            (Self::URGENT, "urgent"),
        ];
        f.debug_set()
            .entries(names.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| name))
            .finish()
    }
}

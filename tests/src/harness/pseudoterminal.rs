//! Terminals without a screen.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{ioctl_tiocsctty, setsid};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use super::dispositions::heed;

/// The two sides of a new pseudoterminal (pty(7)).
#[derive(Debug)]
pub struct Pseudoterminal {
    /// The side of the person.
    pub master: File,
    /// The side of the program.
    pub slave: File,
}

impl Pseudoterminal {
    /// Opens one. Unlike those of openpty(3), its sides are closed in whatever the other threads of
    /// the test execute: a process that inherited one would keep the terminal from coming to an end.
    pub fn open() -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a pseudoterminal");
        grantpt(&master).expect("it is ours");
        unlockpt(&master).expect("it is locked");
        let slave = ioctl_tiocgptpeer(&master, flags).expect("Linux 4.13");
        Self { master: master.into(), slave: slave.into() }
    }

    /// Has `command` begin a session of its own on this terminal, as a login does.
    pub fn control(&self, command: &mut Command) {
        let end = || self.slave.try_clone().expect("a copy");
        command.stdin(end()).stdout(end()).stderr(end());
        let slave = end();
        // SAFETY: in the new process, which has one thread, it makes system calls and touches no memory
        // but what was made before (`signal-safety(7)`).
        unsafe {
            command.pre_exec(move || {
                heed()?;
                setsid()?;
                Ok(ioctl_tiocsctty(&slave)?)
            });
        }
    }
}

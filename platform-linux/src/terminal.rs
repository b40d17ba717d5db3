//! The terminal's mode and size.

use std::io;
use std::os::fd::AsFd;

use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{
    InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};
use nix::unistd::Pid;

use crate::executor::{Context, Readiness, Source};
use crate::sys;

/// What stands for no key at all (`_POSIX_VDISABLE`).
const NO_KEY: u8 = 0;

/// A terminal that gives every key at once, until this is dropped.
#[derive(Debug)]
pub struct RawMode {
    before: Termios,
    /// Tells of a change of the window, and of going on after a stop.
    signals: SignalFd,
    source: Option<Source>,
}

impl RawMode {
    /// Changes the mode of the terminal that standard input is.
    ///
    /// `SIGWINCH` and `SIGCONT` are blocked for this thread and those that it starts, and received
    /// through a descriptor.
    ///
    /// # Errors
    /// Those of `tcgetattr(3)`, `tcsetattr(3)` and `signalfd(2)`; that it is no terminal.
    pub fn enter() -> io::Result<Self> {
        let changes = SigSet::from_iter([Signal::SIGWINCH, Signal::SIGCONT]);
        changes.thread_block()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let signals = SignalFd::with_flags(&changes, flags)?;
        let mode = Self { before: tcgetattr(io::stdin())?, signals, source: None };
        mode.apply()?;
        Ok(mode)
    }

    fn apply(&self) -> io::Result<()> {
        let mut mode = self.before.clone();
        mode.input_flags.remove(InputFlags::ICRNL | InputFlags::INLCR | InputFlags::IXON);
        mode.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::IEXTEN);
        // Ctrl-C is a signal, and so ends the program as everywhere. Ctrl-Z is a key, since the mode
        // has to be changed back before the stop.
        mode.local_flags.insert(LocalFlags::ISIG);
        mode.control_chars[SpecialCharacterIndices::VSUSP as usize] = NO_KEY;
        mode.control_chars[SpecialCharacterIndices::VQUIT as usize] = NO_KEY;
        mode.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        mode.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        Ok(tcsetattr(io::stdin(), SetArg::TCSANOW, &mode)?)
    }

    /// Stops the whole job, as Ctrl-Z does (`SIGTSTP`), with the mode that the terminal had. Returns
    /// when it goes on.
    ///
    /// # Errors
    /// Those of `tcsetattr(3)` and `kill(2)`.
    pub fn suspend(&self) -> io::Result<()> {
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.before)?;
        let stopped = kill(Pid::from_raw(0), Signal::SIGTSTP);
        self.apply()?;
        Ok(stopped?)
    }

    /// Whether the window has changed or the program was stopped since the last call, in which case
    /// the mode is set again. To be called in every turn of the task.
    ///
    /// # Errors
    /// Those of `epoll_ctl(2)`, `read(2)` and `tcsetattr(3)`.
    pub fn has_changed<W>(&mut self, cx: &mut Context<'_, W>) -> io::Result<bool> {
        if self.source.is_none() {
            self.source = Some(cx.register(self.signals.as_fd(), Readiness::READABLE)?);
        }
        let mut changed = false;
        while let Some(signal) = self.signals.read_signal()? {
            changed = true;
            if signal.ssi_signo.cast_signed() == Signal::SIGCONT as i32 {
                self.apply()?;
            }
        }
        Ok(changed)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // If it fails the terminal is gone.
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.before);
    }
}

/// How many columns the terminal has (`TIOCGWINSZ`, `ioctl_tty(2)`); 0 if it does not know.
///
/// # Errors
/// Those of `ioctl(2)`: `fd` is no terminal.
pub fn columns(fd: impl AsFd) -> io::Result<u16> {
    sys::columns(fd)
}

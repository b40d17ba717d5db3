//! The terminal's mode and size.

use std::io;
use std::os::fd::AsFd;

use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{
    InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};
use nix::unistd::{Pid, getpid};

use crate::executor::{Context, EventSource, Readiness};
use crate::sys;

/// What stands for no key at all (`_POSIX_VDISABLE`).
const NO_KEY: u8 = 0;

/// A terminal that gives every key at once, until this is dropped.
///
/// What ends the program without a drop leaves it so: a signal that nobody catches, above all. So
/// [`Signals::block_all`](crate::signals::Signals::block_all) belongs to it.
#[derive(Debug)]
pub struct RawMode<F: AsFd> {
    terminal: F,
    before: Termios,
    signals: SignalFd,
    source: Option<EventSource>,
}

/// What has happened to the window, or is to happen to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TerminalEvent {
    /// The window has another size (`SIGWINCH`).
    Resized,
    /// The program goes on after a stop (`SIGCONT`); the mode was set again.
    Resumed,
    /// The program is to [stop](RawMode::suspend) (`SIGTSTP`).
    Stop,
}

impl<F: AsFd> RawMode<F> {
    /// Changes the mode of a terminal.
    ///
    /// `SIGWINCH`, `SIGCONT` and `SIGTSTP` are blocked for this thread and those that it starts, and
    /// received through a descriptor.
    ///
    /// # Errors
    /// Those of `tcgetattr(3)`, `tcsetattr(3)` and `signalfd(2)`; that it is no terminal.
    pub fn enter(terminal: F) -> io::Result<Self> {
        let changes = SigSet::from_iter([Signal::SIGWINCH, Signal::SIGCONT, Signal::SIGTSTP]);
        changes.thread_block()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let signals = SignalFd::with_flags(&changes, flags)?;
        let before = tcgetattr(&terminal)?;
        let mode = Self { terminal, before, signals, source: None };
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
        Ok(tcsetattr(&self.terminal, SetArg::TCSANOW, &mode)?)
    }

    /// Stops the whole job, as Ctrl-Z does (`SIGTSTP`), with the mode that the terminal had. Returns
    /// when it goes on.
    ///
    /// # Errors
    /// Those of `tcsetattr(3)`, `kill(2)` and `sigprocmask(2)`.
    pub fn suspend_job(&self) -> io::Result<()> {
        self.stop(Pid::from_raw(0))
    }

    /// Stops this process alone, after [`TerminalEvent::Stop`].
    ///
    /// # Errors
    /// As for [`suspend_job`](Self::suspend_job).
    pub fn suspend(&self) -> io::Result<()> {
        self.stop(getpid())
    }

    fn stop(&self, whom: Pid) -> io::Result<()> {
        tcsetattr(&self.terminal, SetArg::TCSADRAIN, &self.before)?;
        let stop = SigSet::from(Signal::SIGTSTP);
        // Here the signal is taken, and the process stands still.
        let stopped = kill(whom, Signal::SIGTSTP).and_then(|()| stop.thread_unblock());
        stop.thread_block()?;
        self.apply()?;
        Ok(stopped?)
    }

    /// What has happened, or is to happen, if anything. To be called in every turn of the task, until
    /// there is nothing more.
    ///
    /// # Errors
    /// Those of `epoll_ctl(2)`, `read(2)` and `tcsetattr(3)`.
    pub fn next_event<W>(&mut self, cx: &mut Context<'_, W>) -> io::Result<Option<TerminalEvent>> {
        if self.source.is_none() {
            self.source = Some(cx.register(self.signals.as_fd(), Readiness::READABLE)?);
        }
        let Some(signal) = self.signals.read_signal()? else { return Ok(None) };
        Ok(Some(match Signal::try_from(signal.ssi_signo.cast_signed()) {
            Ok(Signal::SIGTSTP) => TerminalEvent::Stop,
            Ok(Signal::SIGCONT) => {
                self.apply()?;
                TerminalEvent::Resumed
            }
            _ => TerminalEvent::Resized,
        }))
    }
}

impl<F: AsFd> Drop for RawMode<F> {
    fn drop(&mut self) {
        // If it fails the terminal is gone.
        let _ = tcsetattr(&self.terminal, SetArg::TCSADRAIN, &self.before);
    }
}

/// How many columns and rows the terminal has (`TIOCGWINSZ`, `ioctl_tty(2)`); 0 if it does not know.
///
/// # Errors
/// Those of `ioctl(2)`: `fd` is no terminal.
pub fn size(fd: impl AsFd) -> io::Result<(u16, u16)> {
    sys::window_size(fd)
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

    use super::*;

    /// Both sides of a terminal.
    fn terminal() -> [OwnedFd; 2] {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let person = openpt(flags).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let program = ioctl_tiocgptpeer(&person, flags).unwrap();
        [person, program]
    }

    #[test]
    fn the_mode_is_what_it_was_also_after_a_panic() {
        let [_person, program] = terminal();
        let modes = || tcgetattr(&program).unwrap().local_flags;
        let before = modes();
        assert!(before.contains(LocalFlags::ICANON | LocalFlags::ECHO));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _mode = RawMode::enter(&program).unwrap();
            assert!(!modes().intersects(LocalFlags::ICANON | LocalFlags::ECHO));
            panic!("on purpose");
        }));
        assert!(panicked.is_err());
        assert_eq!(modes(), before);
    }

    #[test]
    fn what_is_no_terminal_has_no_mode() {
        assert!(RawMode::enter(std::fs::File::open("/dev/null").unwrap()).is_err());
    }
}

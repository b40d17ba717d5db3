//! What the process was started with, seen before the standard library changes it.
//!
//! One of the crate's modules with `unsafe` code. Before `main` the standard library opens
//! `/dev/null` for each standard stream that is closed (rust-lang/rust#83904), and from then on
//! nothing tells it from one that the user chose. And no safe call tells which signals are ignored.

use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::libc;

/// Standard input and output.
static WAS_CLOSED: [AtomicBool; 2] = [const { AtomicBool::new(false) }; 2];

static IGNORES_HANGUP: AtomicBool = AtomicBool::new(false);

/// Whether the standard stream `fd` was closed when the process was started.
pub(crate) fn was_closed(fd: i32) -> bool {
    let stream = usize::try_from(fd).ok().and_then(|fd| WAS_CLOSED.get(fd));
    stream.is_some_and(|closed| closed.load(Ordering::Relaxed))
}

/// Whether the process was started to ignore `SIGHUP`, as by nohup(1).
pub(crate) fn ignores_hangup() -> bool {
    IGNORES_HANGUP.load(Ordering::Relaxed)
}

// SAFETY: an entry of this section is the address of a function of C, which the C library calls once
// before `main`, on the only thread that there is (System V ABI, "Initialization and Termination
// Functions"). The function uses nothing of the standard library that its start-up has to prepare.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    for (fd, closed) in (0..).zip(&WAS_CLOSED) {
        // SAFETY: the call takes two numbers, and touches no memory.
        let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
        closed.store(flags == -1 && Errno::last() == Errno::EBADF, Ordering::Relaxed);
    }
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with a null pointer for what is to be done, the call only writes what is done now to `action`,
    // whose zeros are a value of its type as well.
    let action = unsafe {
        libc::sigaction(libc::SIGHUP, ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    IGNORES_HANGUP.store(action.sa_sigaction == libc::SIG_IGN, Ordering::Relaxed);
}

//! What the process was started with, seen before the standard library changes it.
//!
//! One of the crate's two modules with `unsafe` code. Before `main` the standard library opens
//! `/dev/null` for each standard stream that is closed (rust-lang/rust#83904), and from then on
//! nothing tells it from one that the user chose.

use core::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::libc;

static OUTPUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether standard output was closed when the process was started.
pub(crate) fn output_was_closed() -> bool {
    OUTPUT_WAS_CLOSED.load(Ordering::Relaxed)
}

// SAFETY: an entry of this section is the address of a function of C, which the C library calls once
// before `main`, on the only thread that there is (System V ABI, "Initialization and Termination
// Functions"). The function uses nothing of the standard library that its start-up has to prepare.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: the call takes two numbers, and touches no memory.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    if flags == -1 && Errno::last() == Errno::EBADF {
        OUTPUT_WAS_CLOSED.store(true, Ordering::Relaxed);
    }
}

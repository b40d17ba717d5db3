//! Calls the core with arguments that no compiler can know, so that what is left in the linked
//! program is all that can happen.
//!
//! The programs in `bin` are linked and examined, and never run: their entry points take what the
//! machines are given from a caller that there is not. A machine is [hidden] before each call, so
//! that the compiler must reckon with every state that its type has, also with those that no
//! conversation leads to.
#![no_std]

use core::hint::black_box;
use core::panic::PanicInfo;

use barewire_core::session::Session;
use barewire_core::time::{Duration, Instant};

pub mod all;
pub mod chat;
pub mod datagram;
pub mod driver;
pub mod file;
pub mod hello;
pub mod io;
#[cfg(feature = "plant")]
pub mod plant;
pub mod secure;
pub mod shown;
pub mod text;
pub mod time;

/// What a machine is given, by nobody.
#[derive(Debug)]
pub struct Given {
    pub now: Instant,
    pub span: Duration,
    pub bytes: &'static [u8],
    pub text: &'static str,
    pub number: u64,
    pub count: usize,
    pub rate: u32,
}

/// The same machine, in any state.
#[expect(clippy::inline_always, reason = "a call would cost what the machines do not need")]
#[inline(always)]
pub fn hidden<T: ?Sized>(machine: &mut T) -> &mut T {
    black_box(machine)
}

/// Uses what a call has given.
#[expect(clippy::inline_always, reason = "a call would cost what the machines do not need")]
#[inline(always)]
pub fn used<T>(value: T) {
    black_box(value);
}

/// Calls all that a driver calls.
pub fn session<S: Session>(given: &Given, session: &mut S) {
    let mut input = given.bytes;
    used(S::handle_input(hidden(session), given.now, &mut input));
    used(input);
    used(S::handle_end(hidden(session), given.now));
    used(S::handle_timeout(hidden(session), given.now));
    S::prepare_transmit(hidden(session), given.now);
    used(S::poll_transmit(hidden(session)));
    S::transmitted(hidden(session), given.now, given.count);
    used(S::poll_deadline(hidden(session)));
}

/// The entry points of a program: what makes its machines, and what drives them. Nobody calls them, so
/// nobody knows what they are given.
#[macro_export]
macro_rules! program {
    ($machines:ty, $make:expr, $drive:expr) => {
        #[unsafe(no_mangle)]
        fn start(given: &Given, machines: &mut $machines) {
            make_all(given, machines);
            drive_all(given, machines);
        }

        #[unsafe(no_mangle)]
        #[inline(never)]
        fn make_all(given: &Given, machines: &mut $machines) {
            $make(given, machines);
        }

        #[unsafe(no_mangle)]
        #[inline(never)]
        fn drive_all(given: &Given, machines: &mut $machines) {
            $drive(given, machines);
        }
    };
}

/// Whose name in a linked program tells that it can panic.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn barewire_can_panic() -> ! {
    loop {
        black_box(());
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // Kept, since it tells the check where; but the names of files count as flash.
    if cfg!(feature = "places") {
        used(info.location());
    }
    barewire_can_panic()
}

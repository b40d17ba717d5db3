//! What the emulator, or a debugger, does for the firmware: semihosting.

use core::net::SocketAddrV4;
use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};
use defmt_semihosting as _;
use semihosting::experimental::env::{self, Args};
use semihosting::experimental::random;
pub(crate) use semihosting::process::exit;

/// The longest command line, in bytes.
const LONGEST: usize = 512;

/// What the firmware is to do.
pub(crate) enum Role<'a> {
    /// All services at once, for ever.
    Serve,
    /// One exchange, handshake, download or chat with a server.
    Call { program: Program, server: SocketAddrV4, text: &'a str },
}

/// The clients are called as those of Linux are.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    Udp,
    Tcp,
    File,
    Chat,
}

/// The command line.
pub(crate) struct Arguments(Option<Args<LONGEST>>);

impl Arguments {
    pub(crate) fn take() -> Self {
        Self(env::args().ok())
    }

    /// What the words mean: none, or `udp-client SERVER TEXT`, `tcp-client SERVER TEXT`, `file-client
    /// SERVER NAME`, `chat-client SERVER LINE`. `None`: something else.
    pub(crate) fn role(&self) -> Option<Role<'_>> {
        let mut words = self.0.iter().flatten().filter_map(Result::ok).skip(1);
        let program = match words.next() {
            None => return Some(Role::Serve),
            Some("udp-client") => Program::Udp,
            Some("tcp-client") => Program::Tcp,
            Some("file-client") => Program::File,
            Some("chat-client") => Program::Chat,
            Some(_) => return None,
        };
        let (server, text) = (words.next()?.parse().ok()?, words.next()?);
        words.next().is_none().then_some(Role::Call { program, server, text })
    }
}

/// A number that nobody foresees, another each time: for ports, sequence numbers and keys of tables. A board
/// without a host would take it from a source of noise.
pub(crate) fn seed() -> u64 {
    let mut bytes = [0; 8];
    if random::fill_bytes(&mut bytes).is_err() {
        defmt::warn!("the host has no chance to offer: sequence numbers can be foreseen");
    }
    u64::from_le_bytes(bytes)
}

/// Chance that is fit for keys: the host's, asked for each time.
///
/// That is for the emulator, whose board has no source of noise; on a board that really is attached to a
/// debugger, whoever has the debugger would choose the secrets of every handshake. A product takes it from its
/// own generator: a microcontroller's random number generator, tested for failure and behind a deterministic one
/// (NIST SP 800-90B and 90A), or a secure element's. One without any has no business with keys, since who knows
/// its chance reads all it says; noise of a floating pin or the time since the start are none.
#[cfg(keyed)]
pub(crate) fn fill_random(bytes: &mut [u8]) {
    if random::fill_bytes(bytes).is_err() {
        // To go on would be to speak with secrets that everybody knows.
        defmt::error!("the host has no chance to offer: nothing can be said under a key");
        exit(1);
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    exit(1)
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:#x}", frame.pc());
    exit(1)
}

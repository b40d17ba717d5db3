//! The board: TI's LM3S6965 evaluation board, or QEMU's `lm3s6965evb`. All that is to be replaced for
//! another one is in this folder.

mod clock;
mod ethernet;
mod register;
mod serial;
pub(crate) mod stack;

pub(crate) use clock::Clock;
pub(crate) use ethernet::{Ethernet, Frames};
pub(crate) use serial::Serial;

/// The board's parts, each of which exists once.
pub(crate) struct Board {
    pub(crate) clock: Clock,
    pub(crate) ethernet: Ethernet,
    pub(crate) serial: Serial,
}

impl Board {
    /// Takes the board and starts it. `None`: it is taken already.
    pub(crate) fn take(address: [u8; 6], frames: &'static mut Frames) -> Option<Self> {
        let core = cortex_m::Peripherals::take()?;
        // SAFETY: `Peripherals::take` gives the core's registers once only, and so this is run once.
        let (ethernet, serial) = unsafe { (Ethernet::new(address, frames), Serial::new()) };
        Some(Self { clock: Clock::start(core.SYST), ethernet, serial })
    }
}

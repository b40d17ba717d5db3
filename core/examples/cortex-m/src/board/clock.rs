//! The time since the start, from `SysTick`.

use core::cell::Cell;

use barewire_core::time::Instant;
use cortex_m::interrupt::{self, Mutex};
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};
use cortex_m_rt::exception;

/// The core's clock after reset: the internal oscillator (data sheet, "System Control"; the emulated
/// board has it so as well).
const CYCLES_PER_MICRO: u32 = 12;

/// An interrupt a millisecond: it is also what wakes the processor for deadlines.
const MICROS_PER_TICK: u32 = 1_000;
const CYCLES_PER_TICK: u32 = CYCLES_PER_MICRO * MICROS_PER_TICK;

/// 64 bits last for ever. The processor cannot change them in one instruction, hence the mutex.
static TICKS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

#[exception]
fn SysTick() {
    interrupt::free(|section| {
        let ticks = TICKS.borrow(section);
        ticks.set(ticks.get().wrapping_add(1));
    });
}

/// A clock that has been started.
pub(crate) struct Clock(());

impl Clock {
    pub(super) fn start(mut timer: SYST) -> Self {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(CYCLES_PER_TICK - 1);
        timer.clear_current();
        timer.enable_interrupt();
        timer.enable_counter();
        Self(())
    }

    /// The time, to the microsecond.
    #[expect(clippy::unused_self, reason = "whoever has a clock has started it")]
    pub(crate) fn now(&self) -> Instant {
        interrupt::free(|section| {
            let ticks = TICKS.borrow(section).get();
            let before = cycles();
            // The timer may have begun anew without the interrupt having been taken.
            let (ticks, cycles) =
                if SCB::is_pendst_pending() { (ticks + 1, cycles()) } else { (ticks, before) };
            let micros = u64::from(cycles / CYCLES_PER_MICRO);
            Instant::from_micros(ticks * u64::from(MICROS_PER_TICK) + micros)
        })
    }
}

/// The cycles since the timer has begun anew; it counts down.
fn cycles() -> u32 {
    (CYCLES_PER_TICK - 1).saturating_sub(SYST::get_current())
}

//! The serial port, UART0: the operator's terminal (LM3S6965 data sheet, "Universal Asynchronous
//! Receivers/Transmitters"; ARM PL011).

use core::convert::Infallible;

use barewire_core::io::Shutdown;
use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};

use super::register::Register;

const BASE: usize = 0x4000_c000;

/// The receive FIFO is empty; the send FIFO is full.
const RECEIVE_EMPTY: u32 = 1 << 4;
const SEND_FULL: u32 = 1 << 5;

pub(crate) struct Serial {
    data: Register,
    flags: Register,
}

impl Serial {
    /// Starts the port, at 115,200 baud, 8 bits, no parity.
    ///
    /// # Safety
    /// To be called once, on a board that has this port.
    pub(super) unsafe fn new() -> Self {
        // SAFETY: these are the port's registers, and those of the system control that it needs.
        let at = |address| unsafe { Register::at(address) };
        // RCGC1 and RCGC2: clocks for UART0 and for port A, whose first two pins (AFSEL, DEN) it takes.
        at(0x400f_e104).set(1);
        at(0x400f_e108).set(1);
        at(0x4000_4420).set(0b11);
        at(0x4000_451c).set(0b11);
        // IBRD and FBRD: 12 MHz / (16 × 115,200) = 6 + 33/64. LCRH: 8 bits, FIFOs. CTL: both ways.
        at(BASE + 0x24).write(6);
        at(BASE + 0x28).write(33);
        at(BASE + 0x2c).write(0b111_0000);
        at(BASE + 0x30).write(0b11_0000_0001);
        Self { data: at(BASE), flags: at(BASE + 0x18) }
    }

    fn has(&self, flag: u32) -> bool {
        self.flags.read() & flag != 0
    }
}

impl ErrorType for Serial {
    type Error = Infallible;
}

impl ReadReady for Serial {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.has(RECEIVE_EMPTY))
    }
}

impl Read for Serial {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let mut count = 0;
        for place in buffer {
            // Only for the first byte does it wait.
            while self.has(RECEIVE_EMPTY) {
                if count > 0 {
                    return Ok(count);
                }
            }
            // Above the byte there are bits that tell of errors on the line.
            *place = self.data.read().to_le_bytes()[0];
            count += 1;
        }
        Ok(count)
    }
}

impl WriteReady for Serial {
    fn write_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.has(SEND_FULL))
    }
}

impl Write for Serial {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let mut count = 0;
        for &byte in bytes {
            while self.has(SEND_FULL) {
                if count > 0 {
                    return Ok(count);
                }
            }
            self.data.write(byte.into());
            count += 1;
        }
        Ok(count)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A serial line has no end.
impl Shutdown for Serial {
    fn shut_down(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn reset(&mut self) {}
}

//! The Ethernet controller (LM3S6965 data sheet, "Ethernet Controller"), as a device of smoltcp.
//!
//! A frame is copied once in either direction: between the controller's FIFO, which is a register,
//! and the one buffer that smoltcp reads from or writes to.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use cortex_m_rt::exception;
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant as Time;

use super::register::Register;

const BASE: usize = 0x4004_8000;

/// The longest frame, without its checksum: an Ethernet header and 1,500 bytes.
const FRAME: usize = 1514;
/// What stands before a frame in the FIFO, in either direction: its length, in two bytes. So what
/// follows the Ethernet header's 14 bytes is aligned.
const LENGTH: usize = 2;
const CHECKSUM: usize = 4;
const HEADER: usize = 14;
/// In whole words.
const BUFFER: usize = (LENGTH + FRAME + CHECKSUM).next_multiple_of(4);

/// RIS and IACK, IM: a frame has been received.
const RECEIVED: u32 = 1;
/// RCTL: flush the FIFO; receive, and drop what has a bad checksum.
const FLUSH: u32 = 1 << 4;
const RECEIVE: u32 = 1 | 1 << 3;
/// TCTL: send in full duplex, pad short frames, and add the checksum.
const SEND: u32 = 1 | 1 << 4 | 1 << 1 | 1 << 2;

/// Its number among the interrupts.
#[derive(Clone, Copy)]
struct Interrupt;

// SAFETY: this is its number (data sheet, "Interrupts").
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        42
    }
}

/// The only interrupt that is not an exception is the controller's; all it has to do is to wake the
/// processor.
#[exception]
unsafe fn DefaultHandler(_number: i16) {
    // SAFETY: the register is there, and the handler is its only user beside `Ethernet::new`.
    unsafe { Register::at(BASE) }.write(RECEIVED);
}

/// Memory for a frame in each direction.
pub(crate) struct Frames {
    received: [u8; BUFFER],
    to_send: [u8; BUFFER],
}

impl Frames {
    pub(crate) const fn new() -> Self {
        Self { received: [0; BUFFER], to_send: [0; BUFFER] }
    }
}

pub(crate) struct Ethernet {
    data: Register,
    waiting: Register,
    request: Register,
    frames: &'static mut Frames,
}

impl Ethernet {
    /// Starts the controller under this address.
    ///
    /// # Safety
    /// To be called once, on a board that has it.
    pub(super) unsafe fn new(address: [u8; 6], frames: &'static mut Frames) -> Self {
        // SAFETY: these are the controller's registers, and one of the system control.
        let at = |address| unsafe { Register::at(address) };
        // RCGC2: clocks for the controller and its transceiver. They are there after some cycles.
        at(0x400f_e108).set(1 << 28 | 1 << 30);
        cortex_m::asm::delay(16);
        let [first, second, third, fourth, rest @ ..] = address;
        at(BASE + 0x14).write(u32::from_le_bytes([first, second, third, fourth]));
        at(BASE + 0x18).write(u16::from_le_bytes(rest).into());
        at(BASE + 0x08).write(FLUSH);
        at(BASE + 0x08).write(RECEIVE);
        at(BASE + 0x0c).write(SEND);
        at(BASE + 0x04).write(RECEIVED);
        // SAFETY: no critical section relies on this interrupt's being masked.
        unsafe { NVIC::unmask(Interrupt) };
        Self { data: at(BASE + 0x10), waiting: at(BASE + 0x34), request: at(BASE + 0x38), frames }
    }

    /// Sleeps until a frame has arrived or the clock has ticked.
    pub(crate) fn sleep(&self) {
        // With interrupts off none is lost between the look and the sleep: one that is pending ends
        // the sleep, and is taken afterwards.
        cortex_m::interrupt::free(|_| {
            if !self.has_frame() {
                cortex_m::asm::wfi();
            }
        });
    }

    fn has_frame(&self) -> bool {
        self.waiting.read() & 0x3f > 0
    }

    fn is_sending(&self) -> bool {
        self.request.read() & 1 != 0
    }
}

impl Device for Ethernet {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Room<'a>;

    /// A frame stays in the FIFO until an answer to it could be sent.
    fn receive(&mut self, _now: Time) -> Option<(Received<'_>, Room<'_>)> {
        if !self.has_frame() || self.is_sending() {
            return None;
        }
        let Frames { received, to_send } = &mut *self.frames;
        let room = Room { data: self.data, request: self.request, buffer: to_send };
        Some((Received { data: self.data, buffer: received }, room))
    }

    fn transmit(&mut self, _now: Time) -> Option<Room<'_>> {
        if self.is_sending() {
            return None;
        }
        let buffer = &mut self.frames.to_send;
        Some(Room { data: self.data, request: self.request, buffer })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities
    }
}

/// A frame that waits in the FIFO.
pub(crate) struct Received<'a> {
    data: Register,
    buffer: &'a mut [u8; BUFFER],
}

impl phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        let first = self.data.read();
        let [low, high, ..] = first.to_le_bytes();
        let length = usize::from(u16::from_le_bytes([low, high]));
        let words = length.div_ceil(4);
        let (places, _) = self.buffer.as_chunks_mut::<4>();
        let mut places = places.iter_mut();
        for number in 0..words {
            let word = if number == 0 { first } else { self.data.read() };
            // What no buffer has room for is taken from the FIFO all the same.
            if let Some(place) = places.next() {
                *place = word.to_le_bytes();
            }
        }
        let end = length.saturating_sub(CHECKSUM);
        // No frame of its kind is longer: the stack drops an empty one.
        take(self.buffer.get(LENGTH..end).unwrap_or_default())
    }
}

/// Room for a frame in the FIFO.
pub(crate) struct Room<'a> {
    data: Register,
    request: Register,
    buffer: &'a mut [u8; BUFFER],
}

impl phy::TxToken for Room<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        // The stack asks for no more than it was told of.
        let end = LENGTH + length.min(FRAME);
        let result = fill(&mut self.buffer[LENGTH..end]);
        let [low, high, ..] = (end - LENGTH).saturating_sub(HEADER).to_le_bytes();
        self.buffer[..LENGTH].copy_from_slice(&[low, high]);
        let (words, _) = self.buffer.as_chunks::<4>();
        for word in words.iter().take(end.div_ceil(4)) {
            self.data.write(u32::from_le_bytes(*word));
        }
        self.request.write(1);
        result
    }
}

//! A hello server with a C interface, `hello.h`: what a project in C writes once for each of the
//! conversations that it wants. All it does is to turn slices into pointers and back.
#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]

use core::fmt::{self, Write};
use core::{ptr, slice, str};

use barewire_core::hello::{HandshakeConfig, HandshakeError, Server};
use barewire_core::session::{Output, Session};
use barewire_core::text::Text;
use barewire_core::time::{Duration, Instant};

/// The memory of a conversation; the caller has it.
pub struct Hello(Server<'static, 64>);

/// As much as `struct hello` has in C.
const _: () = assert!(size_of::<Hello>() <= 192 && align_of::<Hello>() <= 8);

/// Bytes that are lent until the next call.
#[repr(C)]
pub struct Slice {
    bytes: *const u8,
    length: usize,
}

impl From<&[u8]> for Slice {
    fn from(bytes: &[u8]) -> Self {
        Self { bytes: bytes.as_ptr(), length: bytes.len() }
    }
}

impl Slice {
    /// # Safety
    /// There must be so many bytes, and nobody may change them meanwhile.
    unsafe fn get<'a>(&self) -> &'a [u8] {
        if self.length == 0 {
            // C has no rule that such a pointer points anywhere.
            return &[];
        }
        // SAFETY: as the caller's.
        unsafe { slice::from_raw_parts(self.bytes, self.length) }
    }
}

/// What came of a step.
#[repr(C)]
pub enum Step {
    Wait,
    Heard,
    Silent,
    TooLong,
    TimedOut,
    Unclosed,
    Failed,
}

/// What is to be done next.
#[repr(C)]
pub enum Wish {
    Nothing,
    Send,
    Shut,
    Close,
}

fn step(done: nb::Result<Text<'_>, HandshakeError>, heard: &mut Slice) -> Step {
    match done {
        Ok(text) => {
            *heard = text.as_bytes().into();
            Step::Heard
        }
        Err(nb::Error::WouldBlock) => Step::Wait,
        Err(nb::Error::Other(HandshakeError::Silent)) => Step::Silent,
        Err(nb::Error::Other(HandshakeError::TooLong)) => Step::TooLong,
        Err(nb::Error::Other(HandshakeError::TimedOut)) => Step::TimedOut,
        Err(nb::Error::Other(HandshakeError::Unclosed)) => Step::Unclosed,
        Err(nb::Error::Other(_)) => Step::Failed,
    }
}

/// Begins a conversation. False: the greeting is no text.
///
/// # Safety
/// `hello` must point to memory for it, and the greeting must stay as it is until the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hello_begin(
    hello: *mut Hello,
    now_us: u64,
    timeout_us: u64,
    greeting: Slice,
) -> bool {
    // SAFETY: as the caller's.
    let greeting = str::from_utf8(unsafe { greeting.get() });
    let Some(greeting) = greeting.ok().and_then(|text| Text::new(text).ok()) else { return false };
    let config = HandshakeConfig::new().with_timeout(Duration::from_micros(timeout_us));
    let server = Server::new(Instant::from_micros(now_us), greeting, config);
    // SAFETY: as the caller's.
    unsafe { ptr::write(hello, Hello(server)) };
    true
}

/// Takes bytes, and moves the front of `input` past them.
///
/// # Safety
/// `input` must lend its bytes until the text is done with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hello_input(
    hello: &mut Hello,
    now_us: u64,
    input: &mut Slice,
    heard: &mut Slice,
) -> Step {
    // SAFETY: as the caller's.
    let mut bytes = unsafe { input.get() };
    let done = step(hello.0.handle_input(Instant::from_micros(now_us), &mut bytes), heard);
    *input = bytes.into();
    done
}

/// The client has ended its direction.
#[unsafe(no_mangle)]
pub extern "C" fn hello_end(hello: &mut Hello, now_us: u64, heard: &mut Slice) -> Step {
    step(hello.0.handle_end(Instant::from_micros(now_us)), heard)
}

/// The deadline may have been reached.
#[unsafe(no_mangle)]
pub extern "C" fn hello_timeout(hello: &mut Hello, now_us: u64, heard: &mut Slice) -> Step {
    step(hello.0.handle_timeout(Instant::from_micros(now_us)), heard)
}

/// What to do next; if it is to send, these bytes.
#[unsafe(no_mangle)]
pub extern "C" fn hello_poll_transmit(hello: &Hello, bytes: &mut Slice) -> Wish {
    match hello.0.poll_transmit() {
        // A handshake has no contents.
        Output::Nothing | Output::Contents { .. } => Wish::Nothing,
        Output::Bytes { head, .. } => {
            *bytes = head.into();
            Wish::Send
        }
        Output::Shutdown => Wish::Shut,
        Output::Close => Wish::Close,
    }
}

/// So many bytes were sent, or the direction was ended.
#[unsafe(no_mangle)]
pub extern "C" fn hello_transmitted(hello: &mut Hello, now_us: u64, count: usize) {
    hello.0.transmitted(Instant::from_micros(now_us), count);
}

/// When `hello_timeout` wants to be called; the largest number if never.
#[unsafe(no_mangle)]
pub extern "C" fn hello_deadline_us(hello: &Hello) -> u64 {
    hello.0.poll_deadline().map_or(u64::MAX, Instant::as_micros)
}

/// Makes what a peer said safe to show: as much of it as there is room for, and a zero byte.
///
/// # Safety
/// `text` must lend its bytes, and `shown` must be `room` bytes, at least one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hello_show(text: &Slice, shown: *mut u8, room: usize) {
    // SAFETY: as the caller's; `u8` needs no value beforehand that it has.
    let shown = unsafe {
        ptr::write_bytes(shown, 0, room);
        slice::from_raw_parts_mut(shown, room)
    };
    let Some((_, shown)) = shown.split_last_mut() else { return };
    // SAFETY: as the caller's.
    let text = barewire_core::printable::printable(unsafe { text.get() });
    // It ends early where the room does.
    let _ = write!(Cut(shown), "{text}");
}

/// Takes whole characters until one does not fit.
struct Cut<'s>(&'s mut [u8]);

impl Write for Cut<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut encoded = [0; 4];
        for character in text.chars() {
            let bytes = character.encode_utf8(&mut encoded).as_bytes();
            let (front, rest) =
                core::mem::take(&mut self.0).split_at_mut_checked(bytes.len()).ok_or(fmt::Error)?;
            front.copy_from_slice(bytes);
            self.0 = rest;
        }
        Ok(())
    }
}

/// The core has no path that leads here.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

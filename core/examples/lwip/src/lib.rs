//! A hello server with a C interface, `hello.h`: what a project in C writes once for each of the
//! conversations that it wants. All it does is to turn slices into pointers and back, and a
//! stack's functions into a transport.
#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]

use core::ffi::c_void;
use core::fmt::{self, Write};
use core::ops::ControlFlow;
use core::{ptr, slice, str};

use barewire_core::driver::{DriveError, Driver, Step, Transport};
use barewire_core::hello::{HandshakeConfig, HandshakeError, Server};
use barewire_core::text::Text;
use barewire_core::time::{Duration, Instant};

/// The memory of a conversation; the caller has it.
pub struct Hello {
    server: Server<'static, 64>,
    driver: Driver,
}

/// As much as `struct hello` has in C.
const _: () = assert!(size_of::<Hello>() <= 256 && align_of::<Hello>() <= 8);

/// `struct hello_slice`.
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

/// The connection is broken.
struct Broken;

/// `struct hello_transport`.
#[repr(C)]
pub struct Functions {
    receive: unsafe extern "C" fn(*mut c_void, &mut *const u8) -> isize,
    consume: unsafe extern "C" fn(*mut c_void, usize),
    send: unsafe extern "C" fn(*mut c_void, *const u8, usize) -> isize,
    shut_down: unsafe extern "C" fn(*mut c_void) -> isize,
    heard: unsafe extern "C" fn(*mut c_void, &Slice),
}

/// The functions with a connection that they are for, as the caller of [`hello_step`] promises.
struct Connection<'a> {
    functions: &'a Functions,
    connection: *mut c_void,
}

/// What a function in C has given: a count, or a negative number.
fn count(given: isize) -> nb::Result<usize, Broken> {
    match usize::try_from(given) {
        Ok(count) => Ok(count),
        Err(_) if given == -1 => Err(nb::Error::WouldBlock),
        Err(_) => Err(nb::Error::Other(Broken)),
    }
}

impl Transport for Connection<'_> {
    type Error = Broken;

    fn receive(&mut self) -> nb::Result<&[u8], Broken> {
        let mut bytes = ptr::null();
        // SAFETY: the function is called with a connection that it is for.
        let length = count(unsafe { (self.functions.receive)(self.connection, &mut bytes) })?;
        // SAFETY: so many bytes are there, and stay until they are consumed, for which `self` is
        // borrowed again.
        Ok(unsafe { Slice { bytes, length }.get() })
    }

    fn consume(&mut self, count: usize) {
        // SAFETY: as in `receive`.
        unsafe { (self.functions.consume)(self.connection, count) }
    }

    fn send(&mut self, head: &[u8], _tail: &[u8], _more: bool) -> nb::Result<usize, Broken> {
        // SAFETY: as in `receive`; the bytes are lent for the call.
        count(unsafe { (self.functions.send)(self.connection, head.as_ptr(), head.len()) })
    }

    fn shut_down(&mut self) -> nb::Result<(), Broken> {
        // SAFETY: as in `receive`.
        count(unsafe { (self.functions.shut_down)(self.connection) }).map(|_| ())
    }
}

/// `enum hello_next`.
#[repr(C)]
pub enum Next {
    Wait,
    Over,
    Close,
    Reset,
}

/// `enum hello_outcome`.
#[repr(C)]
pub enum Outcome {
    InOrder,
    Silent,
    TooLong,
    TimedOut,
    Unclosed,
    Broken,
    Failed,
}

impl From<Result<(), DriveError<HandshakeError, Broken>>> for Outcome {
    fn from(over: Result<(), DriveError<HandshakeError, Broken>>) -> Self {
        match over {
            Ok(()) => Self::InOrder,
            Err(DriveError::Session(HandshakeError::Silent)) => Self::Silent,
            Err(DriveError::Session(HandshakeError::TooLong)) => Self::TooLong,
            Err(DriveError::Session(HandshakeError::TimedOut)) => Self::TimedOut,
            Err(DriveError::Session(HandshakeError::Unclosed)) => Self::Unclosed,
            Err(DriveError::Connection(Broken)) => Self::Broken,
            Err(_) => Self::Failed,
        }
    }
}

/// `struct hello_step`.
#[repr(C)]
pub struct HelloStep {
    until_us: u64,
    next: Next,
    outcome: Outcome,
}

/// Does all that can be done without waiting.
///
/// # Safety
/// The functions must be for this connection, and do as `hello.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hello_step(
    hello: &mut Hello,
    now_us: u64,
    functions: &Functions,
    connection: *mut c_void,
) -> HelloStep {
    let Hello { server, driver } = hello;
    let mut transport = Connection { functions, connection };
    let step = driver.step(Instant::from_micros(now_us), server, &mut transport, |text| {
        // SAFETY: as in `receive`; the text is lent for the call.
        unsafe { (functions.heard)(connection, &text.as_bytes().into()) };
        ControlFlow::Continue(())
    });
    let (next, until, outcome) = match step {
        Step::Wait(until) => (Next::Wait, until, Outcome::InOrder),
        Step::Over(over) => (Next::Over, None, over.into()),
        Step::Close => (Next::Close, None, Outcome::InOrder),
        Step::Reset => (Next::Reset, None, Outcome::Failed),
    };
    HelloStep { until_us: until.map_or(u64::MAX, Instant::as_micros), next, outcome }
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
    unsafe { ptr::write(hello, Hello { server, driver: Driver::new() }) };
    true
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

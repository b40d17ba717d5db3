//! Makes a call in the other process's place: a transfer that is too short, a
//! connection that begins or breaks.

use std::mem::offset_of;
use std::os::fd::AsRawFd as _;

use nix::errno::Errno;
use nix::libc;
use nix::sys::sendfile::sendfile;
use nix::sys::socket::{MsgFlags, recv, send};
use nix::sys::uio::{pread, pwrite};
use nix::unistd::{read, write};
use rustix::net::connect_unspec;

use super::call::Call;
use super::target::{Target, errno};

/// Carries out `call` for a part of what it asks for: how many bytes it gives, which is 0 at the end
/// of a file.
pub(super) fn partly(target: &Target, call: Call, arguments: [u64; 6]) -> nix::Result<i64> {
    let [first, second, third, fourth, ..] = arguments;
    let fd = target.descriptor(number(first))?;
    let flags = MsgFlags::from_bits_retain(number(fourth));
    let half = length(third)?.div_ceil(2);
    let count = match call {
        // Half of the room may be enough for all that has come.
        Call::READ => received(target, second, &mut [0], |byte| read(&fd, byte))?,
        Call::RECV => received(target, second, &mut [0], |byte| recv(fd.as_raw_fd(), byte, flags))?,
        Call::PREAD => {
            received(target, second, &mut vec![0; half], |bytes| pread(&fd, bytes, offset(fourth)))?
        }
        Call::WRITE => write(&fd, &target.bytes(second, half)?)?,
        Call::SEND => send(fd.as_raw_fd(), &target.bytes(second, half)?, flags)?,
        Call::PWRITE => pwrite(&fd, &target.bytes(second, half)?, offset(fourth))?,
        Call::SENDMSG => {
            let flags = MsgFlags::from_bits_retain(number(third));
            send(fd.as_raw_fd(), &half_of_message(target, second)?, flags)?
        }
        Call::SENDFILE => {
            let source = target.descriptor(number(second))?;
            let mut place = libc::off_t::from_ne_bytes(target.read(third)?);
            let half = length(fourth)?.div_ceil(2);
            let sent = sendfile(&fd, &source, Some(&mut place), half)?;
            target.write(third, &place.to_ne_bytes())?;
            sent
        }
        _ => panic!("{} moves no bytes that could be fewer", call.name),
    };
    Ok(i64::try_from(count).expect("the kernel counts so"))
}

/// What `receive` has put into `room` goes to `address`.
fn received(
    target: &Target,
    address: u64,
    room: &mut [u8],
    receive: impl FnOnce(&mut [u8]) -> nix::Result<usize>,
) -> nix::Result<usize> {
    let count = receive(room)?;
    target.write(address, &room[..count])?;
    Ok(count)
}

/// Begins to connect, as the call would before a signal interrupts it (`connect(2)`).
pub(super) fn connect(target: &Target, arguments: [u64; 6]) -> nix::Result<()> {
    let [socket, address, length, ..] = arguments;
    let socket = target.descriptor(number(socket))?;
    let bytes: [u8; size_of::<libc::sockaddr_storage>()] = target.read(address)?;
    let length = libc::socklen_t::try_from(length).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the kernel reads an address of the stated length, at most, from bytes that are there.
    let result = unsafe {
        let length = length.min(libc::socklen_t::try_from(bytes.len()).unwrap_or(0));
        libc::connect(socket.as_raw_fd(), bytes.as_ptr().cast(), length)
    };
    match Errno::result(result) {
        Ok(_) | Err(Errno::EINPROGRESS) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Resets a connection and leaves its socket open (`connect(2)` with `AF_UNSPEC`).
pub(super) fn reset(target: &Target, arguments: [u64; 6]) -> nix::Result<()> {
    let socket = target.descriptor(number(arguments[0]))?;
    connect_unspec(socket).map_err(errno)
}

/// Half of the first piece that a `struct msghdr` is about.
fn half_of_message(target: &Target, header: u64) -> nix::Result<Vec<u8>> {
    let word = |address| Ok(u64::from_ne_bytes(target.read(address)?));
    let mut vector = word(header + offset_of!(libc::msghdr, msg_iov) as u64)?;
    // One that is empty is not the last: it would be no message.
    let length = loop {
        match length(word(vector + offset_of!(libc::iovec, iov_len) as u64)?)? {
            0 => vector += size_of::<libc::iovec>() as u64,
            length => break length,
        }
    };
    let base = word(vector + offset_of!(libc::iovec, iov_base) as u64)?;
    target.bytes(base, length.div_ceil(2))
}

/// An argument that is an `int`: the upper half of its register says nothing.
#[expect(clippy::cast_possible_truncation, reason = "that is what the kernel does")]
pub(super) fn number(argument: u64) -> i32 {
    argument as i32
}

fn length(argument: u64) -> nix::Result<usize> {
    usize::try_from(argument).map_err(|_| Errno::EINVAL)
}

fn offset(argument: u64) -> libc::off_t {
    argument.cast_signed()
}

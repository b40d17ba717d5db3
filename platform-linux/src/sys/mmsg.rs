//! `recvmmsg(2)` and `sendmmsg(2)`, with a control message of its own for each datagram.
//!
//! One of the crate's modules with `unsafe` code. The safe wrappers that there are fill in every
//! header of the largest batch for every call, even when one datagram waits, and cannot send from a
//! source address of its own for each datagram. Here the headers are made for one call at a time, on
//! the stack, so that no pointer outlives the call it is made for.

use core::ffi::{c_int, c_uint};
use core::ptr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::libc::{self, iovec, mmsghdr, socklen_t};

use super::message::{CONTROL, Control, IN6, Message, Name};
use super::refused::RefusedCall;
use super::retry;

/// The most datagrams that one system call receives or sends.
pub const MAX_BATCH: usize = 64;

static RECVMMSG: RefusedCall = RefusedCall::new();
static SENDMMSG: RefusedCall = RefusedCall::new();

/// The headers of one call.
type Headers = heapless::Vec<mmsghdr, MAX_BATCH>;

type Vectors = heapless::Vec<iovec, MAX_BATCH>;

/// Receives one datagram without waiting, and without a control message: `recvfrom(2)` has no header
/// to copy. `MSG_TRUNC`, here and below, makes the kernel tell the true length of one that did not
/// fit.
pub(crate) fn receive_one(
    fd: BorrowedFd<'_>,
    bytes: &mut [u8],
    message: &mut Message,
) -> io::Result<()> {
    let (data, capacity) = (bytes.as_mut_ptr().cast(), bytes.len());
    let name = (&raw mut message.name).cast();
    let mut name_length = IN6;
    let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
    // SAFETY: the bytes and the name are borrowed mutably, and have room for the stated lengths.
    let received = retry(|| unsafe {
        let length = &raw mut name_length;
        Errno::result(libc::recvfrom(fd.as_raw_fd(), data, capacity, flags, name, length))
    })?;
    message.length = number(received);
    message.control_length = 0;
    Ok(())
}

/// Receives what waits, without waiting, into pieces of `capacity` bytes: as many as there are
/// `messages` and pieces and [`MAX_BATCH`] at most. With `wants_local` each tells what it was sent to.
pub(crate) fn receive(
    fd: BorrowedFd<'_>,
    bytes: &mut [u8],
    capacity: usize,
    messages: &mut [Message],
    wants_local: bool,
) -> io::Result<usize> {
    let mut rest = bytes;
    let mut vectors = Vectors::new();
    while vectors.len() < messages.len()
        && let Some((piece, others)) = rest.split_at_mut_checked(capacity)
        && vectors.push(iovec { iov_base: piece.as_mut_ptr().cast(), iov_len: capacity }).is_ok()
    {
        rest = others;
    }
    let mut headers = Headers::new();
    for (message, vector) in messages.iter_mut().zip(&mut vectors) {
        let mut header = header(&raw mut message.name, IN6, vector);
        if wants_local {
            header.msg_hdr.msg_control = (&raw mut message.control).cast();
            header.msg_hdr.msg_controllen = number(CONTROL);
        }
        let _ = headers.push(header);
    }
    let flags = number(libc::MSG_DONTWAIT | libc::MSG_TRUNC);
    let (first, count) = (headers.as_mut_ptr(), number::<c_uint, _>(headers.len()));
    let received = RECVMMSG.or(
        // SAFETY: `first` points to `count` headers. Each has a name of the stated length, one vector
        // whose bytes are a piece of `bytes` of its own, and no control buffer or one of the stated
        // length. All of that is borrowed mutably, or owned, by this call, and outlives it.
        || {
            retry(|| unsafe {
                Errno::result(libc::recvmmsg(fd.as_raw_fd(), first, count, flags, ptr::null_mut()))
            })
        },
        || {
            one_of(count, || {
                let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
                // SAFETY: there is a first header, of which the same holds.
                unsafe {
                    let received = libc::recvmsg(fd.as_raw_fd(), &raw mut (*first).msg_hdr, flags);
                    (*first).msg_len = number(Errno::result(received)?);
                }
                Ok(())
            })
        },
    )?;
    let received = number(received);
    for (message, header) in messages.iter_mut().zip(&headers).take(received) {
        message.length = number(header.msg_len);
        message.control_length = number(header.msg_hdr.msg_controllen);
    }
    Ok(received)
}

/// Sends replies without waiting, each to where its message came from and from the address that one
/// was sent to, where it tells: as many as the kernel takes in one call, [`MAX_BATCH`] at most. An
/// error concerns the first reply (`sendmmsg(2)`).
pub(crate) fn reply<'m>(
    fd: BorrowedFd<'_>,
    replies: impl Iterator<Item = (&'m Message, &'m [u8])> + Clone,
) -> io::Result<usize> {
    let replies = replies.take(MAX_BATCH);
    let mut vectors: Vectors = replies
        .clone()
        .map(|(_, bytes)| iovec {
            iov_base: bytes.as_ptr().cast_mut().cast(),
            iov_len: bytes.len(),
        })
        .collect();
    let mut controls: heapless::Vec<Option<Control>, MAX_BATCH> =
        replies.clone().map(|(message, _)| message.control_for_reply()).collect();
    let mut headers = Headers::new();
    for (((message, _), control), vector) in replies.zip(&mut controls).zip(&mut vectors) {
        let name = (&raw const message.name).cast_mut();
        let mut header = header(name, message.name.length(), vector);
        if let Some(control) = control {
            header.msg_hdr.msg_control = ptr::from_mut(control).cast();
            header.msg_hdr.msg_controllen = number(message.control_length);
        }
        let _ = headers.push(header);
    }
    let flags = number(libc::MSG_DONTWAIT);
    let (first, count) = (headers.as_mut_ptr(), number::<c_uint, _>(headers.len()));
    let sent = SENDMMSG.or(
        // SAFETY: `first` points to `count` headers. Each has a name, one vector and no control buffer
        // or one, of the stated lengths, all of which outlive the call; the kernel reads them, and
        // writes to nothing but the headers.
        || retry(|| unsafe { Errno::result(libc::sendmmsg(fd.as_raw_fd(), first, count, flags)) }),
        || {
            one_of(count, || {
                // SAFETY: there is a first header, of which the same holds.
                let header = unsafe { &raw const (*first).msg_hdr };
                let flags = libc::MSG_DONTWAIT;
                // SAFETY: the kernel reads it.
                Errno::result(unsafe { libc::sendmsg(fd.as_raw_fd(), header, flags) }).map(drop)
            })
        },
    )?;
    Ok(number(sent))
}

/// Where only one datagram goes at a time: does it for the first, if there is any, and counts it.
fn one_of(count: c_uint, mut act: impl FnMut() -> Result<(), Errno>) -> io::Result<c_int> {
    if count == 0 {
        return Ok(0);
    }
    retry(&mut act)?;
    Ok(1)
}

/// Sends one reply without waiting, from an address that the kernel chooses: `sendto(2)` has no header
/// to copy.
pub(crate) fn reply_one(fd: BorrowedFd<'_>, message: &Message, bytes: &[u8]) -> io::Result<()> {
    let (data, length) = (bytes.as_ptr().cast(), bytes.len());
    let name = (&raw const message.name).cast();
    let (name_length, flags) = (message.name.length(), libc::MSG_DONTWAIT);
    // SAFETY: both pointers are borrowed slices of the stated lengths, which the kernel reads.
    retry(|| unsafe {
        Errno::result(libc::sendto(fd.as_raw_fd(), data, length, flags, name, name_length))
    })?;
    Ok(())
}

/// A header with one vector and no control message.
fn header(name: *mut Name, name_length: socklen_t, vector: *mut iovec) -> mmsghdr {
    // SAFETY: a C structure of integers and pointers, for which zeroes are valid. (It has padding on
    // some targets, so that it cannot be written out.)
    let mut header: mmsghdr = unsafe { core::mem::zeroed() };
    header.msg_hdr.msg_name = name.cast();
    header.msg_hdr.msg_namelen = name_length;
    header.msg_hdr.msg_iov = vector;
    header.msg_hdr.msg_iovlen = 1;
    header
}

/// A small number in another type: those of lengths and flags are not the same in every C library.
fn number<T: TryFrom<N> + Default, N>(number: N) -> T {
    T::try_from(number).unwrap_or_default()
}

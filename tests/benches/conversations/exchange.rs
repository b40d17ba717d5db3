//! Datagrams in batches, `recvmmsg(2)` and `sendmmsg(2)`, with nothing to prepare before a call.
//!
//! Both the load generator and the limit stand on this, so it does as little as the two calls allow:
//! the headers are filled in once. They point into storage kept beside them, which no safe wrapper
//! offers; this is the one module of the benchmarks with `unsafe` in it.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::{io, mem, ptr, slice};

use libc::{c_int, c_uint, iovec, mmsghdr, sockaddr_in, socklen_t};

/// Datagrams that one call moves at most.
pub(crate) const BATCH: usize = 64;

/// Bytes kept of a datagram received, as in barewire.
const CAPACITY: usize = 1024;

/// The length of an IPv4 address with its port.
#[expect(clippy::cast_possible_truncation, reason = "it is 16")]
const ADDRESS: socklen_t = size_of::<sockaddr_in>() as socklen_t;

/// Batches of datagrams received over IPv4, and one text sent for each of them.
pub(crate) struct Exchange {
    incoming: Vec<mmsghdr>,
    outgoing: Vec<mmsghdr>,
    /// What the headers point into. It is reached through those pointers only, and its vectors never
    /// grow, so that all of it stays where it is even if the exchange moves.
    _storage: Storage,
}

struct Storage {
    text: Vec<u8>,
    buffers: Vec<[u8; CAPACITY]>,
    sources: Vec<sockaddr_in>,
    vectors: Vec<iovec>,
}

impl Exchange {
    /// An exchange that sends `text` to whom its socket is connected to.
    pub(crate) fn connected(text: &str) -> Self {
        Self::new(text, false)
    }

    /// An exchange that answers `text` to those who have sent the last batch.
    pub(crate) fn answering(text: &str) -> Self {
        Self::new(text, true)
    }

    fn new(text: &str, answering: bool) -> Self {
        // SAFETY: all three are plain C structures of integers and pointers, valid as zeroes.
        let (no_header, no_vector, no_source) = unsafe {
            (mem::zeroed::<mmsghdr>(), mem::zeroed::<iovec>(), mem::zeroed::<sockaddr_in>())
        };
        let mut storage = Storage {
            text: text.as_bytes().to_vec(),
            buffers: vec![[0; CAPACITY]; BATCH],
            sources: vec![no_source; BATCH],
            vectors: vec![no_vector; BATCH + 1],
        };
        let text =
            iovec { iov_base: storage.text.as_mut_ptr().cast(), iov_len: storage.text.len() };
        for (vector, buffer) in storage.vectors.iter_mut().zip(&mut storage.buffers) {
            *vector = iovec { iov_base: ptr::from_mut(buffer).cast(), iov_len: CAPACITY };
        }
        storage.vectors[BATCH] = text;

        let vectors = storage.vectors.as_mut_ptr();
        let sources = storage.sources.as_mut_ptr();
        let header = |vector: usize, source: usize| {
            let mut header = no_header;
            header.msg_hdr.msg_iov = vectors.wrapping_add(vector);
            header.msg_hdr.msg_iovlen = 1;
            if answering {
                header.msg_hdr.msg_name = sources.wrapping_add(source).cast();
                // Received lengths overwrite this, with the same number: there is only IPv4 here.
                header.msg_hdr.msg_namelen = ADDRESS;
            }
            header
        };
        Self {
            incoming: (0..BATCH).map(|index| header(index, index)).collect(),
            outgoing: (0..BATCH).map(|index| header(BATCH, index)).collect(),
            _storage: storage,
        }
    }

    /// Waits for a datagram, and receives it with what has come behind it. Returns how many.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when the socket's read time-out has passed.
    pub(crate) fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        // SAFETY: the headers are `incoming.len()` many, and point to live storage of the stated sizes.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.incoming.as_mut_ptr(),
                headers(&self.incoming),
                libc::MSG_WAITFORONE,
                ptr::null_mut(),
            )
        };
        received_or_sent(count)
    }

    /// Datagram `index` of the last batch.
    pub(crate) fn datagram(&self, index: usize) -> &[u8] {
        let header = &self.incoming[index];
        // SAFETY: the vector and its buffer live as long as `self`, and nothing writes to them while
        // `self` is borrowed; without MSG_TRUNC the kernel reports no more bytes than it has written.
        unsafe {
            let buffer = (*header.msg_hdr.msg_iov).iov_base.cast::<u8>();
            slice::from_raw_parts(buffer, header.msg_len as usize)
        }
    }

    /// Sends the text `count` times, at most [`BATCH`]: to the peer if connected, or else to each who
    /// has sent one of the first `count` datagrams of the last batch.
    pub(crate) fn send(&mut self, socket: &UdpSocket, count: usize) -> io::Result<()> {
        let mut rest = &mut self.outgoing[..count];
        while !rest.is_empty() {
            // SAFETY: the headers are `rest.len()` many, and point to live storage of the stated sizes.
            let sent =
                unsafe { libc::sendmmsg(socket.as_raw_fd(), rest.as_mut_ptr(), headers(rest), 0) };
            rest = &mut rest[received_or_sent(sent)?..];
        }
        Ok(())
    }
}

fn headers(headers: &[mmsghdr]) -> c_uint {
    c_uint::try_from(headers.len()).expect("at most a batch")
}

fn received_or_sent(count: c_int) -> io::Result<usize> {
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

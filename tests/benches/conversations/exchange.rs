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

/// Batches of datagrams received over IPv4, and a text sent for each of them: the same, unless it is
/// [set](Exchange::set).
pub(crate) struct Exchange {
    incoming: Vec<mmsghdr>,
    outgoing: Vec<mmsghdr>,
    /// What the headers point into. It is reached through those pointers only, and its vectors never
    /// grow, so that all of it stays where it is even if the exchange moves.
    _storage: Storage,
}

struct Storage {
    texts: Vec<[u8; CAPACITY]>,
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
            texts: vec![[0; CAPACITY]; BATCH],
            buffers: vec![[0; CAPACITY]; BATCH],
            sources: vec![no_source; BATCH],
            vectors: vec![no_vector; 2 * BATCH],
        };
        let buffers = storage.buffers.iter_mut().chain(&mut storage.texts);
        for (vector, buffer) in storage.vectors.iter_mut().zip(buffers) {
            *vector = iovec { iov_base: ptr::from_mut(buffer).cast(), iov_len: CAPACITY };
        }

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
        let mut exchange = Self {
            incoming: (0..BATCH).map(|index| header(index, index)).collect(),
            outgoing: (0..BATCH).map(|index| header(BATCH + index, index)).collect(),
            _storage: storage,
        };
        for index in 0..BATCH {
            exchange.set(index, text.as_bytes());
        }
        exchange
    }

    /// What is sent for datagram `index` from now on, [`CAPACITY`] bytes of it at most.
    pub(crate) fn set(&mut self, index: usize, text: &[u8]) {
        let text = &text[..text.len().min(CAPACITY)];
        // SAFETY: the vector and its buffer of so many bytes live as long as `self`, and nothing else
        // reaches them while `self` is borrowed.
        unsafe {
            let vector = &mut *self.outgoing[index].msg_hdr.msg_iov;
            ptr::copy_nonoverlapping(text.as_ptr(), vector.iov_base.cast(), text.len());
            vector.iov_len = text.len();
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
        let (bytes, length) = self.received(index);
        // SAFETY: the vector and its buffer live as long as `self`, and nothing writes to them while
        // `self` is borrowed; without MSG_TRUNC the kernel reports no more bytes than it has written.
        unsafe { slice::from_raw_parts(bytes, length) }
    }

    /// The same, to be changed in its place.
    pub(crate) fn datagram_mut(&mut self, index: usize) -> &mut [u8] {
        let (bytes, length) = self.received(index);
        // SAFETY: as there; and nothing else reads them while `self` is borrowed.
        unsafe { slice::from_raw_parts_mut(bytes, length) }
    }

    fn received(&self, index: usize) -> (*mut u8, usize) {
        let header = &self.incoming[index];
        // SAFETY: the header's vector lives as long as `self`.
        let buffer = unsafe { (*header.msg_hdr.msg_iov).iov_base };
        (buffer.cast(), header.msg_len as usize)
    }

    /// Sends the first `count` texts, at most [`BATCH`]: to the peer if connected, or else to each who
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

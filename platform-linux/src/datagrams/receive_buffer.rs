//! Datagrams that were received together, and the room for them.

use std::io;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use barewire_core::datagram::Datagram;
use nix::errno::Errno;

use crate::address::canonical;
use crate::sys::errno;
use crate::sys::message::Message;
use crate::sys::mmsg;

/// What is asked for by the smallest call that is not for one datagram.
const FEW: usize = 4;

/// Where datagrams come one at a time, every so many calls ask for [`FEW`].
const LONE: u8 = 16;

/// Datagrams that were received, and the room for them.
pub(super) struct ReceiveBuffer {
    capacity: usize,
    /// `capacity` bytes a datagram.
    bytes: Box<[u8]>,
    messages: Box<[Message]>,
    /// Whether the kernel is asked which local address each datagram was sent to.
    wants_local: bool,
    /// How many datagrams the next call asks for, at least 1: a few times what was there lately,
    /// since each costs a header.
    window: usize,
    /// How many calls have asked for one since the last that asked for more.
    lone: u8,
}

impl ReceiveBuffer {
    /// Room for `batch` datagrams of `capacity` bytes.
    pub(super) fn new(capacity: usize, batch: usize, wants_local: bool) -> Self {
        Self {
            capacity,
            bytes: vec![0; capacity * batch].into_boxed_slice(),
            messages: vec![Message::default(); batch].into_boxed_slice(),
            wants_local,
            window: batch,
            lone: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.bytes.len()
    }

    /// Receives what waits, or a part of it, without waiting: how many datagrams.
    pub(super) fn receive(&mut self, fd: BorrowedFd<'_>) -> io::Result<usize> {
        let received = if self.window == 1 && !self.wants_local {
            let bytes = &mut self.bytes[..self.capacity];
            mmsg::receive_one(fd, bytes, &mut self.messages[0]).map(|()| 1)
        } else {
            let messages = &mut self.messages[..self.window];
            mmsg::receive(fd, &mut self.bytes, self.capacity, messages, self.wants_local)
        };
        let received = match received {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            received => received?,
        };
        self.adapt(received);
        Ok(received)
    }

    /// Chooses the next window, after a call that has received so many.
    fn adapt(&mut self, received: usize) {
        let most = self.messages.len();
        if self.window == 1 {
            // One that was there does not tell whether there are more.
            self.lone += 1;
            if self.lone == LONE {
                self.lone = 0;
                self.window = FEW.min(most);
            }
        } else if received == self.window {
            self.window = most;
        } else if self.window <= FEW && received <= 1 {
            self.window = 1;
        } else if 4 * received < self.window {
            // Slowly: a call that asks for too few costs another one.
            self.window -= self.window / 4;
        }
    }

    /// A datagram of the last batch, and the local address it was sent to where that is asked for.
    pub(super) fn datagram(&self, index: usize) -> Option<(Datagram<'_>, Option<IpAddr>)> {
        let message = &self.messages[index];
        let kept = message.length.min(self.capacity);
        let bytes = &self.bytes[index * self.capacity..][..kept];
        let source = message.source().map(canonical)?;
        Some((Datagram { source, bytes, length: message.length }, message.local()))
    }

    /// Sends replies, each to where the datagram with that index came from and from the address it
    /// was sent to, as many as the kernel takes in one call. If it cannot send the first from there
    /// (a subnet's broadcast address cannot be told from a host's), it chooses another address.
    ///
    /// An error concerns the first reply.
    pub(super) fn reply(
        &self,
        fd: BorrowedFd<'_>,
        replies: &[(usize, &[u8])],
    ) -> io::Result<usize> {
        let first_alone = || match replies {
            [(index, bytes), ..] => mmsg::reply_one(fd, &self.messages[*index], bytes).map(|()| 1),
            [] => Ok(0),
        };
        if replies.len() <= 1 && !self.wants_local {
            return first_alone();
        }
        let sent =
            mmsg::reply(fd, replies.iter().map(|(index, bytes)| (&self.messages[*index], *bytes)));
        match sent.as_ref().map_err(errno) {
            Err(Errno::ENETUNREACH | Errno::EINVAL | Errno::EADDRNOTAVAIL) if self.wants_local => {
                first_alone()
            }
            _ => sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mmsg::MAX_BATCH;

    #[test]
    fn a_window_follows_what_comes() {
        let mut buffer = ReceiveBuffer::new(8, MAX_BATCH, false);
        for _ in 0..100 {
            buffer.adapt(1);
        }
        let few = |buffer: &mut ReceiveBuffer| {
            while buffer.window == 1 {
                buffer.adapt(1);
            }
            buffer.window
        };
        assert_eq!(few(&mut buffer), FEW);
        buffer.adapt(0);
        assert_eq!(buffer.window, 1);
        assert_eq!(few(&mut buffer), FEW);
        buffer.adapt(FEW - 1);
        assert_eq!(buffer.window, FEW);
        buffer.adapt(FEW);
        assert_eq!(buffer.window, MAX_BATCH);
    }

    #[test]
    fn room_for_one_is_a_window_of_one() {
        let mut buffer = ReceiveBuffer::new(8, 1, false);
        for received in [1, 0].repeat(100) {
            buffer.adapt(received);
            assert_eq!(buffer.window, 1);
        }
    }
}

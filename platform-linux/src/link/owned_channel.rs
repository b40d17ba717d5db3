//! A channel that owns what it borrows.

use core::fmt;
use std::io;
use std::sync::Arc;

use barewire_core::secure::{Channel, ChannelConfig, ChannelSetupError, Key};
use barewire_core::time::Instant;
use self_cell::{MutBorrow, self_cell};

use crate::randomness::SystemRandom;

/// How many bytes a channel receives into and sends from: the largest records that it takes and says. As a
/// [`Channel`] has it, [`LEAST_RECEIVE`](barewire_core::secure::LEAST_RECEIVE) and
/// [`LEAST_SEND`](barewire_core::secure::LEAST_SEND) at least, and more than 64 KiB serve nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordBuffers {
    /// What it receives into.
    pub receive: usize,
    /// What it sends from.
    pub send: usize,
}

/// A [`Channel`] with its buffers, and with the keys of a server. Besides the buffers it
/// takes less than 500 bytes.
pub struct OwnedChannel {
    cell: Cell,
}

struct Memory {
    keys: Arc<[Key]>,
    receive: Box<[u8]>,
    send: Box<[u8]>,
}

/// What a handshake draws.
const SECRET: usize = 32;

self_cell!(
    struct Cell {
        owner: MutBorrow<Memory>,

        #[covariant]
        dependent: Channel,
    }
);

// What it costs besides its buffers.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Channel<'_>>() + size_of::<MutBorrow<Memory>>() <= 464);

impl OwnedChannel {
    /// The end of who opened the connection, at `now`.
    ///
    /// # Errors
    /// Of kind [`InvalidInput`](io::ErrorKind::InvalidInput): a [`ChannelSetupError`]. Others are those of
    /// [`random_bytes`](crate::randomness::random_bytes).
    pub fn client(
        now: Instant,
        config: ChannelConfig,
        buffers: RecordBuffers,
        key: &Key,
    ) -> io::Result<Self> {
        Self::new(Arc::default(), buffers, |memory, random| {
            let Memory { receive, send, .. } = memory;
            Channel::client(now, config, key, random, receive, send)
        })
    }

    /// The end of who took the connection, at `now`, from somebody who must have one of the keys.
    ///
    /// # Errors
    /// As [`client`](Self::client).
    pub fn server(
        now: Instant,
        config: ChannelConfig,
        buffers: RecordBuffers,
        keys: Arc<[Key]>,
    ) -> io::Result<Self> {
        Self::new(keys, buffers, |memory, random| {
            let Memory { keys, receive, send } = memory;
            Channel::server(now, config, keys, random, receive, send)
        })
    }

    fn new(
        keys: Arc<[Key]>,
        buffers: RecordBuffers,
        make: impl for<'b> FnOnce(
            &'b mut Memory,
            &mut SystemRandom<SECRET>,
        ) -> Result<Channel<'b>, ChannelSetupError>,
    ) -> io::Result<Self> {
        let RecordBuffers { receive, send } = buffers;
        let memory = Memory { keys, receive: room(receive), send: room(send) };
        let mut random = SystemRandom::new()?;
        let cell =
            Cell::try_new(MutBorrow::new(memory), |memory| make(memory.borrow_mut(), &mut random));
        let cell = cell.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(Self { cell })
    }

    pub(super) fn channel(&self) -> &Channel<'_> {
        self.cell.borrow_dependent()
    }

    pub(super) fn with<T>(&mut self, run: impl for<'b> FnOnce(&mut Channel<'b>) -> T) -> T {
        self.cell.with_dependent_mut(|_, channel| run(channel))
    }
}

fn room(length: usize) -> Box<[u8]> {
    vec![0; length].into_boxed_slice()
}

impl fmt::Debug for OwnedChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.channel().fmt(f)
    }
}

//! Requests and replies under the client's key.

use std::io;

use barewire_core::datagram::Datagram;
use barewire_core::secure::{DatagramKey, Key, REQUEST_OVERHEAD, RequestId};
use barewire_linux::datagrams::UdpClient;
use barewire_linux::executor::Context;
use barewire_linux::randomness::NonceRandom;

/// The largest that there are: of a reply that did not come whole nobody could say from whom it is.
const LARGEST: usize = 0xffff;

/// Seals what is asked, and opens what is replied.
#[derive(Debug)]
pub(super) struct Sealing {
    key: DatagramKey,
    random: NonceRandom,
    received: Box<[u8]>,
    /// How much came in this exchange that nobody with the key has sent, and in those before.
    forged: u64,
    forged_before: u64,
    /// How many replies came to what was asked before.
    late: u64,
}

/// A request as it is sent.
#[derive(Debug)]
pub(super) struct SealedRequest {
    id: RequestId,
    pub(super) bytes: Box<[u8]>,
}

impl Sealing {
    pub(super) fn new(key: &Key) -> io::Result<Self> {
        let (key, random) = (DatagramKey::new(key), NonceRandom::new()?);
        let received = vec![0; LARGEST].into_boxed_slice();
        Ok(Self { key, random, received, forged: 0, forged_before: 0, late: 0 })
    }

    /// The next exchange begins.
    pub(super) fn begin(&mut self) {
        self.forged_before += std::mem::take(&mut self.forged);
    }

    /// How much has come in this exchange that nobody with the key has sent.
    pub(super) fn forged(&self) -> u64 {
        self.forged
    }

    /// Tells how much that was in all exchanges.
    pub(super) fn tell(&self) {
        match self.forged_before + self.forged {
            0 => {}
            1 => log::warn!("1 forged reply ignored"),
            count => log::warn!("{count} forged replies ignored"),
        }
        match self.late {
            0 => {}
            1 => log::info!("1 late or repeated reply ignored"),
            count => log::info!("{count} late or repeated replies ignored"),
        }
    }

    pub(super) fn seal(&mut self, text: &[u8]) -> SealedRequest {
        let mut bytes = vec![0; text.len() + REQUEST_OVERHEAD].into_boxed_slice();
        let sealed = self.key.seal_request(&mut self.random, text, &mut bytes);
        let (id, _) = sealed.expect("there is room for so much");
        SealedRequest { id, bytes }
    }

    /// Receives from `socket`. `None`: what came is not the reply to `request`, and is counted.
    pub(super) fn receive<'b, W>(
        &mut self,
        cx: &mut Context<'_, W>,
        socket: &mut UdpClient,
        request: &SealedRequest,
        buffer: &'b mut [u8],
    ) -> nb::Result<Option<Datagram<'b>>, io::Error> {
        let Datagram { source, length, .. } = socket.recv(cx, &mut self.received)?;
        let opened =
            self.received.get_mut(..length).and_then(|sealed| self.key.open_any_reply(sealed));
        let text = match opened {
            Some((id, text)) if id == request.id => text,
            Some(_) => {
                log::debug!("{source}: ignored a reply to what was asked before");
                self.late += 1;
                return Ok(None);
            }
            None => {
                log::debug!("{source}: ignored what is no reply under this key");
                self.forged += 1;
                return Ok(None);
            }
        };
        let kept = text.len().min(buffer.len());
        buffer[..kept].copy_from_slice(&text[..kept]);
        Ok(Some(Datagram { source, bytes: &buffer[..kept], length: text.len() }))
    }
}

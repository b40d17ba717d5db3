//! The keyed channel: who has the key is in, and nobody else hears a word.
//!
//! With a key, 32 random bytes that both sides have, any of the conversations is held inside a channel, and a
//! server that has a key speaks nothing else: who speaks without one is refused by its first bytes.
//!
//! # What it protects, and what not
//!
//! - Nobody without the key reads what is said, changes, adds, repeats, reorders or leaves out any of it
//!   unnoticed, or passes for either side. That the stream was cut is never taken for its end.
//! - Both sides have fresh secrets in each conversation: who gets the key later cannot read what was
//!   recorded before (Noise specification, §7.7).
//! - **One key is one trust.** Whoever has the key is trusted to be the server and any client, and hears
//!   and says what these may. A server can have several keys, and is told [whose](Channel::peer_key) a
//!   client has; two clients with different keys cannot pass for each other, nor for the server to each other.
//! - When something is said, and about how much, remains to be seen, and who talks to whom.
//! - A first message that was recorded can be sent again: it costs the server two multiplications on the curve,
//!   and a connection for the time of a handshake. The conversation does not begin, since who recorded it cannot
//!   seal the first record. All else that a server hears from who has no key is refused without any multiplication.
//! - A recorded request in a [sealed datagram](#datagrams) can be sent again, and is answered again.
//! - On a Cortex-M3 the time of a long multiplication depends on its operands (Cortex-M3 Technical Reference
//!   Manual, "Processor instructions"), so that who measures it there closely may learn something of a
//!   secret. The primitives are of constant time where the processor's multiplication is.
//! - **No passphrase is taken.** A recorded handshake is enough to try one passphrase after another, as fast as
//!   the attacker's machines go; only what cannot be guessed at all is a key.
//!
//! # The wire
//!
//! Integers are big-endian but where Noise has it otherwise. "Noise" is its [specification], revision 34; the
//! pattern and the suite are always `Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s`, with nothing to negotiate.
//!
//! ```text
//! client                                        server
//!  0  1  marker 0x01                             0  1  marker 0x01
//!  1  2  "BW"                                    1 32  ephemeral key (e)
//!  3  1  version 1                              33 17  sealed: n, the size of records that it takes
//!  4  1  conversation: 2 hello, 3 file, 4 chat
//!  5  1  n, the size of records that it takes
//!  6 32  ephemeral key (e)
//! 38 16  tag of an empty payload
//!
//!    …   its first record                          …   records
//! ```
//!
//! - **Opening**: the client sends these 54 bytes, of which the first 6 are the prologue, and then the
//!   first message of the pattern (`psk, e`). The server closes at the first of the bytes 0 to 4 that is not as it
//!   must be; and once all have come, when none of its keys (at most [`MAX_KEYS`]) fits, or when one does and the
//!   byte 5 is no size of records.
//! - **Answer**: otherwise the server sends these 50 bytes, the marker and then the second message (`e, ee`),
//!   whose payload is one byte. A client closes at a first byte that is not the marker: that server speaks
//!   without a key; and once all have come, when they were not made with its key, or tell no size of records.
//! - **First record**: the client sends its first record at once, with no data if it has nothing to say yet. The
//!   server waits for it, and says and hears nothing before it has opened: only then has it been shown
//!   that the opening is no recorded one.
//! - **Size of records**: 1 KiB << n, with n from 0 to 6: the largest record that a side takes, with the
//!   two bytes of its length. A record is not larger than the side takes that it is for.
//! - **Records** follow, in each direction for itself:
//!
//!   ```text
//!   0  2  length of what follows, at least 17
//!   2  …  sealed: a byte, 0 for data or 1 for the end, and the data
//!   …  16 its tag
//!   ```
//!
//!   Each is a transport message of Noise, with no associated data. A record of data has at least one
//!   byte of them; the client's first one alone may have none. What is inside are the bytes of the
//!   conversation; how they are cut into records means nothing.
//! - **End**: a record whose plaintext is the byte 1, and nothing else. It is the last of its direction,
//!   and the end of the TCP stream follows. A stream that ends without it was cut. The other direction
//!   goes on.
//! - **Rekeying**: each direction has another key after every 2^16 records (`REKEY` of Noise, §4.2); the
//!   numbers go on.
//! - **Errors**: a record that does not open, whose length is less than 17 or more than was told, or
//!   that is neither data nor an end, or that follows the end, is an error, after which the connection
//!   is reset. Nothing of it is delivered.
//! - **Time**: the handshake, with the client's first record, must be over within [`DEFAULT_TIMEOUT`], or what
//!   the owner sets, and the end of a direction must have gone out within the same time. In between it is the
//!   conversation's time that counts.
//!
//! # Datagrams
//!
//! Each is sealed for itself, by XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), with HMAC-BLAKE2s(key,
//! "barewire datagrams 1") as its key and the first two bytes as associated data.
//!
//! ```text
//! 0  1  marker 0x01
//! 1  1  direction: 0 request, 1 reply
//! 2 24  nonce, random
//! 26 …  sealed: the text; in a reply, the nonce of the request before it
//! …  16 its tag
//! ```
//!
//! # The machines
//!
//! A [`Channel`] is one end, in its owner's memory: a record is sealed in one buffer, and opened in
//! another. A [`Secured`] is a session that speaks through it: any session, over any driver.
//! [`DatagramKey`] seals and opens datagrams. Keys and secrets are wiped from memory when they are done
//! with (copies that the compiler makes on the stack are not known to it); the buffers are their
//! owner's.
//!
//! ```
//! use std::fs::File;
//! use std::io::Read;
//!
//! use barewire_core::hello;
//! use barewire_core::nb;
//! use barewire_core::secure::{Channel, ChannelConfig, Conversation, Key, RandomFn, Secured};
//! use barewire_core::session::{Output, Session};
//! use barewire_core::text::Text;
//! use barewire_core::time::Instant;
//!
//! /// Chance that nobody can foresee. (On a board it comes from a generator in hardware.)
//! fn fill(bytes: &mut [u8]) {
//!     File::open("/dev/urandom").and_then(|mut file| file.read_exact(bytes)).unwrap();
//! }
//!
//! let random = &mut RandomFn::new(fill);
//! let (now, config) = (Instant::ZERO, ChannelConfig::new(Conversation::Hello));
//! let keys = [Key::generate(random)];
//! let (mut receive, mut send) = ([0; 1024], [0; 256]);
//! let mut here = Channel::server(now, config, &keys, random, &mut receive, &mut send)?;
//! let (mut receive, mut send) = ([0; 1024], [0; 256]);
//! let mut there = Channel::client(now, config, &keys[0], random, &mut receive, &mut send)?;
//!
//! let mut server = hello::Server::<64>::new(now, Text::new("你好")?, Default::default());
//! let mut client = hello::Client::<64>::new(now, Text::new("Hello")?, Default::default());
//! let mut server = Secured { session: &mut server, channel: &mut here };
//! let mut client = Secured { session: &mut client, channel: &mut there };
//!
//! // What a driver does, from the opening to the greeting:
//! for _ in 0..2 {
//!     client.prepare_transmit(now);
//!     let Output::Bytes { head, .. } = client.poll_transmit() else { panic!() };
//!     let (mut input, count) = (head, head.len());
//!     assert_eq!(server.handle_input(now, &mut input), Err(nb::Error::WouldBlock));
//!     client.transmitted(now, count);
//!
//!     server.prepare_transmit(now);
//!     let Output::Bytes { head, .. } = server.poll_transmit() else { panic!() };
//!     let (mut input, count) = (head, head.len());
//!     if let Ok(greeting) = client.handle_input(now, &mut input) {
//!         assert_eq!(greeting.to_str(), Ok("你好"));
//!     }
//!     server.transmitted(now, count);
//! }
//! assert!(server.channel.is_open() && client.channel.is_open());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An implementation of its own can be checked against the examples in `src/secure/tests/vectors.txt` of this package.
//!
//! [specification]: https://noiseprotocol.org/noise.html

mod channel;
mod cipher_state;
mod config;
mod datagram;
mod error;
mod handshake;
mod key;
mod opening;
#[cfg_attr(barewire_stand_ins, path = "secure/stand_ins.rs")]
mod primitives;
mod random_fn;
mod record_reader;
mod record_writer;
mod secret;
mod secured;
mod symmetric_state;
#[cfg(test)]
mod tests;
mod wire;

pub use channel::Channel;
pub use config::{ChannelConfig, Conversation, DEFAULT_TIMEOUT, MAX_KEYS};
pub use datagram::{
    DatagramKey, OpenedRequest, REPLY_OVERHEAD, REQUEST_OVERHEAD, RequestId, open_request,
};
pub use error::{ChannelError, ChannelSetupError, SecuredError};
pub use key::{KEY_LENGTH, Key};
pub use rand_core;
pub use random_fn::RandomFn;
pub use secured::{Secured, WantedContents};
pub use wire::{LEAST_RECEIVE, LEAST_SEND};

//! The keyed channel, both sides, with a session within that does as it likes.

use core::convert::Infallible;
use core::hint::black_box;

use barewire_core::nb;
use barewire_core::secure::rand_core::{TryCryptoRng, TryRng};
use barewire_core::secure::{
    Channel, ChannelConfig, ChannelError, ChannelSetupError, Conversation, DatagramKey, Key,
    RandomFn, RequestId, Secured, open_request,
};
use barewire_core::session::{Events, Output, Session};
use barewire_core::time::Instant;

use crate::{Given, hidden, session, used};

/// Both sides, as their owner has them.
#[derive(Debug)]
pub struct Machines {
    pub config: ChannelConfig,
    pub keys: &'static [Key],
    pub random: Random,
    pub server_buffers: Option<[&'static mut [u8]; 2]>,
    pub client_buffers: Option<[&'static mut [u8]; 2]>,
    pub server: Channel<'static>,
    pub client: Channel<'static>,
    pub within: Within,
    pub datagram_keys: &'static [DatagramKey],
    pub datagram: &'static mut [u8],
    pub id: RequestId,
}

/// Gives any numbers.
#[derive(Debug)]
pub struct Random;

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(black_box(0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(black_box(0))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        used(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Random {}

/// A session that gives any answer to any call.
#[derive(Debug)]
pub struct Within {
    pub told: nb::Result<u8, core::fmt::Error>,
    pub takes: usize,
    pub output: Output<'static>,
    pub deadline: Option<Instant>,
}

impl Events<'_> for Within {
    type Event = u8;
}

impl Session for Within {
    type Error = core::fmt::Error;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<u8, core::fmt::Error> {
        *input = input.get(black_box(self.takes)..).unwrap_or_default();
        black_box(self.told)
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<u8, core::fmt::Error> {
        black_box(self.told)
    }

    fn handle_timeout(&mut self, _now: Instant) -> nb::Result<u8, core::fmt::Error> {
        black_box(self.told)
    }

    fn poll_transmit(&self) -> Output<'_> {
        black_box(self.output)
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        used(count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        black_box(self.deadline)
    }
}

pub fn make(given: &Given, machines: &mut Machines) {
    make_server(given, machines);
    make_client(given, machines);
}

/// In a frame of its own, as in `datagram`.
#[inline(never)]
pub fn make_server(given: &Given, machines: &mut Machines) {
    let Machines { config, keys, random, server_buffers, server, .. } = machines;
    let Some([receive, send]) = server_buffers.take() else { return };
    if let Ok(made) = Channel::server(given.now, *config, keys, random, receive, send) {
        *server = made;
    }
}

#[inline(never)]
pub fn make_client(given: &Given, machines: &mut Machines) {
    let Machines { config, keys, random, client_buffers, client, .. } = machines;
    let (Some(key), Some([receive, send])) = (keys.first(), client_buffers.take()) else { return };
    if let Ok(made) = Channel::client(given.now, *config, key, random, receive, send) {
        *client = made;
    }
}

pub fn drive(given: &Given, machines: &mut Machines) {
    drive_server(given, machines);
    drive_client(given, machines);
}

pub fn drive_server(given: &Given, machines: &mut Machines) {
    drive_channel(given, &mut machines.within, &mut machines.server);
}

pub fn drive_client(given: &Given, machines: &mut Machines) {
    drive_channel(given, &mut machines.within, &mut machines.client);
}

/// Once for both sides, as the core is.
#[inline(never)]
fn drive_channel(given: &Given, within: &mut Within, channel: &mut Channel<'static>) {
    let mut secured = Secured { session: within, channel };
    session(given, &mut secured);
    used(hidden(&mut secured).contents());
    hidden(&mut secured).provide_contents(given.now, given.count);
    let channel = &secured.channel;
    used((channel.is_open(), channel.has_opened(), channel.peer_key()));
}

/// Sealed datagrams, both sides.
pub fn datagrams(given: &Given, machines: &mut Machines) {
    let Machines { random, datagram_keys: keys, datagram, id, .. } = machines;
    used(open_request(keys, datagram));
    let Some(key) = keys.first() else { return };
    used(key.seal_request(random, given.bytes, datagram));
    used(key.seal_reply(random, *id, given.bytes, datagram));
    used(key.open_reply(*id, datagram));
    used(key.open_any_reply(datagram));
}

/// What not every owner needs.
pub fn rest(given: &Given, machines: &mut Machines) {
    used(hidden(&mut machines.client).awaits_answer());
    if let (Some(key), Some([receive, send])) =
        (machines.keys.first(), machines.server_buffers.take())
        && let Ok(made) =
            Channel::client(given.now, machines.config, key, &mut machines.random, receive, send)
    {
        used(made.into_buffers());
    }
    let mut random = RandomFn::new(|bytes| used(bytes));
    used((random.try_next_u32(), random.try_next_u64(), random.try_fill_bytes(machines.datagram)));
    let key = Key::generate(&mut random);
    used(key.as_bytes());
    used(DatagramKey::new(&key));
    used(Key::new([0; 32]));
    used(ChannelConfig::new(Conversation::Hello).with_timeout(given.span));
    used(ChannelSetupError::Keys);
    used(ChannelError::Cut);
}

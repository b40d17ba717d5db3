//! Whether conversations are held under a key, and how.
//!
//! A board has a key or has none. One that has speaks nothing else: [`Keyed`], in the place of [`Plain`].

use core::convert::Infallible;
use core::fmt;

use barewire_core::driver::DriveError;
use barewire_core::secure::rand_core::CryptoRng;
use barewire_core::secure::{
    Channel, ChannelConfig, ChannelError, Conversation, DatagramKey, Key, RequestId, Secured,
    SecuredError,
};
use barewire_core::session::{Event, Events, Output, Session};
use barewire_core::time::Instant;
use barewire_smoltcp::{Broken, Connection};
use heapless::Vec;
use smoltcp::socket::tcp::Socket;

/// How a conversation fails.
pub type LinkError<E> = DriveError<SecuredError<E>, Broken>;

/// A connection, and what the conversation over it is held in.
pub trait Link {
    /// Gives what comes before the conversation a turn.
    ///
    /// # Errors
    /// `WouldBlock`: the peer has not shown yet that it may take part. [`LinkError`]: it may not.
    fn open(
        &mut self,
        now: Instant,
        socket: &mut Socket<'_>,
    ) -> nb::Result<(), LinkError<Infallible>>;

    /// Gives the conversation a turn, as [`Connection::drive`].
    ///
    /// # Errors
    /// As there.
    fn drive<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        socket: &mut Socket<'_>,
        on_event: impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), LinkError<S::Error>>;
}

/// A request by datagram, and what is sent to who asked.
#[derive(Debug)]
pub struct Answered<'d, 'b> {
    /// What was asked.
    pub request: &'d [u8],
    /// The datagram.
    pub reply: &'b [u8],
}

/// What all conversations of a board are held under.
pub trait Security {
    /// What a connection is for them.
    type Link: Link;

    /// For a connection that a client has opened. `None`: there is no memory for another.
    fn serve(&mut self, now: Instant, conversation: Conversation) -> Option<Self::Link>;

    /// For one to a server.
    fn call(&mut self, now: Instant, conversation: Conversation) -> Option<Self::Link>;

    /// The conversation is over; what is left is the connection.
    fn end(&mut self, link: Self::Link) -> Connection;

    /// A request as it is sent, and what its reply is known by. `None`: `buffer` has no room for it.
    fn ask<'b>(
        &mut self,
        text: &'b [u8],
        buffer: &'b mut [u8],
    ) -> Option<(Option<RequestId>, &'b [u8])>;

    /// The text of a reply, which is opened in `buffer`. `None`: it is none to that request.
    fn reply<'b>(
        &self,
        to: Option<RequestId>,
        datagram: &'b [u8],
        buffer: &'b mut [u8],
    ) -> Option<&'b [u8]>;

    /// The reply with this text to a request, made in `buffer`. `None`: it is no request, or there is no room.
    fn answer<'d, 'b: 'd>(
        &mut self,
        datagram: &'d [u8],
        text: &'b [u8],
        buffer: &'b mut [u8],
    ) -> Option<Answered<'d, 'b>>;
}

/// Without a key: anybody may take part, and all is said as it is.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

/// A connection without a key.
#[derive(Debug, Default)]
pub struct PlainLink(Connection);

impl Link for PlainLink {
    fn open(
        &mut self,
        _now: Instant,
        _socket: &mut Socket<'_>,
    ) -> nb::Result<(), LinkError<Infallible>> {
        Ok(())
    }

    fn drive<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        socket: &mut Socket<'_>,
        on_event: impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), LinkError<S::Error>> {
        let driven = self.0.drive(now, session, socket, on_event);
        driven.map_err(|error| {
            error.map(|error| match error {
                DriveError::Session(error) => DriveError::Session(SecuredError::Session(error)),
                DriveError::Connection(error) => DriveError::Connection(error),
                DriveError::Contents => DriveError::Contents,
                DriveError::Stalled => DriveError::Stalled,
                _ => DriveError::GivenUp,
            })
        })
    }
}

impl Security for Plain {
    type Link = PlainLink;

    fn serve(&mut self, _now: Instant, _conversation: Conversation) -> Option<PlainLink> {
        Some(PlainLink::default())
    }

    fn call(&mut self, _now: Instant, _conversation: Conversation) -> Option<PlainLink> {
        Some(PlainLink::default())
    }

    fn end(&mut self, link: PlainLink) -> Connection {
        link.0
    }

    fn ask<'b>(
        &mut self,
        text: &'b [u8],
        _buffer: &'b mut [u8],
    ) -> Option<(Option<RequestId>, &'b [u8])> {
        Some((None, text))
    }

    fn reply<'b>(
        &self,
        _to: Option<RequestId>,
        datagram: &'b [u8],
        _buffer: &'b mut [u8],
    ) -> Option<&'b [u8]> {
        Some(datagram)
    }

    fn answer<'d, 'b: 'd>(
        &mut self,
        datagram: &'d [u8],
        text: &'b [u8],
        _buffer: &'b mut [u8],
    ) -> Option<Answered<'d, 'b>> {
        Some(Answered { request: datagram, reply: text })
    }
}

/// Under a key: only who has it takes part, and hears anything. `N` connections at once have the memory for it.
pub struct Keyed<R, const N: usize> {
    keys: &'static [Key; 1],
    datagrams: DatagramKey,
    random: R,
    /// Of channels that there might be yet.
    memory: Vec<[&'static mut [u8]; 2], N>,
}

impl<R: CryptoRng, const N: usize> Keyed<R, N> {
    /// With this key, and chance that is fit to make others. Each channel receives into one of these pieces of
    /// memory, and sends from the other ([`Channel`] tells how large they must be).
    pub fn new(
        keys: &'static [Key; 1],
        random: R,
        memory: impl IntoIterator<Item = [&'static mut [u8]; 2]>,
    ) -> Self {
        let [key] = keys;
        let datagrams = DatagramKey::new(key);
        Self { keys, datagrams, random, memory: memory.into_iter().take(N).collect() }
    }
}

impl<R, const N: usize> fmt::Debug for Keyed<R, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("free", &self.memory.len()).finish_non_exhaustive()
    }
}

/// A connection under a key.
#[derive(Debug)]
pub struct KeyedLink {
    connection: Connection,
    channel: Channel<'static>,
}

impl Link for KeyedLink {
    fn open(
        &mut self,
        now: Instant,
        socket: &mut Socket<'_>,
    ) -> nb::Result<(), LinkError<Infallible>> {
        match self.drive(now, &mut Silent, socket, |()| {}) {
            Err(nb::Error::WouldBlock) if self.channel.is_open() => Ok(()),
            driven => driven,
        }
    }

    fn drive<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        socket: &mut Socket<'_>,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), LinkError<S::Error>> {
        let mut secured = Secured { session, channel: &mut self.channel };
        match self.connection.drive(now, &mut secured, socket, |event| on_event(event)) {
            // So a server refuses what it opens with.
            Err(nb::Error::Other(DriveError::Connection(Broken)))
                if self.channel.awaits_answer() =>
            {
                let refused = SecuredError::Channel(ChannelError::Refused);
                Err(nb::Error::Other(DriveError::Session(refused)))
            }
            driven => driven,
        }
    }
}

impl<R: CryptoRng, const N: usize> Security for Keyed<R, N> {
    type Link = KeyedLink;

    fn serve(&mut self, now: Instant, conversation: Conversation) -> Option<KeyedLink> {
        let ([receive, send], config) = (self.memory.pop()?, ChannelConfig::new(conversation));
        let made = Channel::server(now, config, self.keys, &mut self.random, receive, send);
        made.ok().map(KeyedLink::new)
    }

    fn call(&mut self, now: Instant, conversation: Conversation) -> Option<KeyedLink> {
        let ([receive, send], config) = (self.memory.pop()?, ChannelConfig::new(conversation));
        let [key] = self.keys;
        let made = Channel::client(now, config, key, &mut self.random, receive, send);
        made.ok().map(KeyedLink::new)
    }

    fn end(&mut self, link: KeyedLink) -> Connection {
        // There is room for what was taken from there.
        let _ = self.memory.push(link.channel.into_buffers());
        link.connection
    }

    fn ask<'b>(
        &mut self,
        text: &'b [u8],
        buffer: &'b mut [u8],
    ) -> Option<(Option<RequestId>, &'b [u8])> {
        let (id, sealed) = self.datagrams.seal_request(&mut self.random, text, buffer)?;
        Some((Some(id), sealed))
    }

    fn reply<'b>(
        &self,
        to: Option<RequestId>,
        datagram: &'b [u8],
        buffer: &'b mut [u8],
    ) -> Option<&'b [u8]> {
        self.datagrams.open_reply(to?, copied(datagram, buffer)?)
    }

    fn answer<'d, 'b: 'd>(
        &mut self,
        datagram: &'d [u8],
        text: &'b [u8],
        buffer: &'b mut [u8],
    ) -> Option<Answered<'d, 'b>> {
        let (buffer, rest) = buffer.split_at_mut_checked(datagram.len())?;
        let datagram = copied(datagram, buffer)?;
        let keys = core::slice::from_ref(&self.datagrams);
        let (_, opened) = barewire_core::secure::open_request(keys, datagram)?;
        let reply = self.datagrams.seal_reply(&mut self.random, opened.id, text, rest)?;
        Some(Answered { request: opened.bytes, reply })
    }
}

impl KeyedLink {
    const fn new(channel: Channel<'static>) -> Self {
        Self { connection: Connection::new(), channel }
    }
}

/// The bytes in a buffer, if there is room for them.
fn copied<'b>(bytes: &[u8], buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
    let place = buffer.get_mut(..bytes.len())?;
    place.copy_from_slice(bytes);
    Some(place)
}

/// In the place of a session that there is not yet: it says nothing, and leaves what comes to that.
struct Silent;

impl Events<'_> for Silent {
    type Event = ();
}

impl Session for Silent {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        _input: &mut &'i [u8],
    ) -> nb::Result<(), Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<(), Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _now: Instant) -> nb::Result<(), Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        Output::Nothing
    }

    fn transmitted(&mut self, _now: Instant, _count: usize) {}

    fn poll_deadline(&self) -> Option<Instant> {
        None
    }
}

//! The hello handshake, both sides of it.

use barewire_core::hello::{self, HandshakeConfig};
use barewire_core::secure::Conversation;
use barewire_core::text::Text;
use barewire_core::time::Instant;
use smoltcp::socket::tcp::Socket;
use smoltcp::wire::IpEndpoint;

use crate::call::{Client, ClientError};
use crate::log::info;
use crate::security::Link;
use crate::server::Service;

/// The longest text that is taken, in bytes.
const LONGEST: usize = 128;

/// Greets every client, and logs what it answers.
#[derive(Debug)]
pub struct HelloService {
    greeting: Text<'static>,
}

impl HelloService {
    /// Greets with these words.
    pub const fn new(greeting: Text<'static>) -> Self {
        Self { greeting }
    }
}

impl Service for HelloService {
    type Peer = (IpEndpoint, hello::Server<'static, LONGEST>);

    const CONVERSATION: Conversation = Conversation::Hello;

    fn open(&mut self, now: Instant, client: IpEndpoint) -> Option<Self::Peer> {
        Some((client, hello::Server::new(now, self.greeting, HandshakeConfig::default())))
    }

    fn serve(
        &mut self,
        (client, session): &mut Self::Peer,
        link: &mut impl Link,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> bool {
        match link.drive(now, session, socket, |answer| info!("{}: {}", client, answer)) {
            Err(nb::Error::WouldBlock) => return true,
            Err(nb::Error::Other(error)) => info!("{}: hello failed: {}", client, error),
            Ok(()) => {}
        }
        false
    }
}

/// Hears a greeting, and answers it.
#[derive(Debug)]
pub struct HelloClient<'t> {
    answer: Text<'t>,
}

impl<'t> HelloClient<'t> {
    /// Answers with these words.
    pub const fn new(answer: Text<'t>) -> Self {
        Self { answer }
    }
}

impl<'t> Client for HelloClient<'t> {
    type Session = hello::Client<'t, LONGEST>;

    const CONVERSATION: Conversation = Conversation::Hello;

    fn open(&mut self, now: Instant) -> Self::Session {
        hello::Client::new(now, self.answer, HandshakeConfig::default())
    }

    fn talk(
        &mut self,
        session: &mut Self::Session,
        link: &mut impl Link,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> nb::Result<(), ClientError<Self>> {
        link.drive(now, session, socket, |greeting| info!("greeting: {}", greeting))
    }
}

//! The hello handshake, both sides.

use barewire_core::hello::{Client, HandshakeConfig, Server};
use barewire_core::text::Text;

use crate::{Given, hidden, session, used};

/// Both sides, as their owner has them.
#[derive(Debug)]
pub struct Machines {
    pub config: HandshakeConfig,
    pub server: Server<'static, 64>,
    pub client: Client<'static, 64>,
}

pub fn make(given: &Given, machines: &mut Machines) {
    let Machines { config, server, client } = machines;
    if let Ok(text) = Text::new(given.text) {
        *server = Server::new(given.now, text, *config);
        *client = Client::new(given.now, text, *config);
    }
}

pub fn drive(given: &Given, machines: &mut Machines) {
    let Machines { config: _, server, client } = machines;
    session(given, server);
    used(hidden(server).is_over());
    used(hidden(server).is_unanswered());
    session(given, client);
    used(hidden(client).is_over());
}

/// What not every owner needs.
pub fn rest(given: &Given) {
    used(HandshakeConfig::default());
    used(HandshakeConfig::new().with_quiet(given.span).with_timeout(given.span));
}

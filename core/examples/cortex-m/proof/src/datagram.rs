//! The datagram exchange, both sides.

use barewire_core::datagram::{
    Datagram, Exchange, ExchangeConfig, HashKey, Rate, Reply, Responder, ResponderConfig,
};
use barewire_core::source::Source;

use crate::{Given, hidden, used};

/// Both sides, and what comes in.
#[derive(Debug)]
pub struct Machines {
    pub config: ExchangeConfig,
    pub responder_config: ResponderConfig,
    pub secret: [u8; 8],
    pub reply: Reply<'static>,
    pub ports: &'static [u16],
    pub datagram: Datagram<'static>,
    pub exchange: Exchange<'static>,
    pub responder: Responder<'static, 16, 8>,
}

/// In a frame of its own, so that what making the others needs does not come on top.
#[inline(never)]
pub fn make(given: &Given, machines: &mut Machines) {
    let Machines { config, responder_config, secret, reply, ports, datagram, exchange, responder } =
        machines;
    *exchange = Exchange::new(datagram.source, given.bytes, *config);
    *responder = Responder::new(ports, *reply, HashKey::new(*secret), *responder_config);
}

pub fn drive(given: &Given, machines: &mut Machines) {
    let Machines { datagram, exchange, responder, .. } = machines;
    used(hidden(exchange).server());
    used(hidden(exchange).poll_transmit());
    hidden(exchange).transmitted(given.now);
    used(hidden(exchange).poll_deadline());
    used(hidden(exchange).handle_datagram(given.now, *datagram));
    used(hidden(exchange).handle_unreachable());
    used(hidden(exchange).handle_timeout(given.now));
    used(hidden(responder).handle_datagram(given.now, *datagram));
}

/// What not every owner needs.
pub fn rest(given: &Given, datagram: &mut Datagram<'static>) {
    used(hidden(datagram).is_truncated());
    used(hidden(datagram).printable());
    used(Datagram::whole(datagram.source, given.bytes));
    let source = Source::from(datagram.source.ip());
    used(source.first_address());
    let rate = Rate::PerSecond(given.rate);
    let config = ResponderConfig::new().with_rate(rate).with_total_rate(rate);
    used(config.with_mute_threshold(given.span));
    used(ResponderConfig::default());
    used(ExchangeConfig::default());
    used(ExchangeConfig::new().with_timeout(given.span).with_retries(given.rate));
}

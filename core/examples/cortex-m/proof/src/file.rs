//! File transfer, both sides and both forms.

use barewire_core::file::{
    Digest, Digester, Entry, EntryKind, ListingLine, PlainReceiver, Receiver, Refusal, Request,
    Sender, TransferConfig, entries,
};
use barewire_core::session::InMemory;
use barewire_core::text::Text;

use crate::{Given, hidden, session, used};

/// Both sides, and what their owners say.
#[derive(Debug)]
pub struct Machines {
    pub config: TransferConfig,
    pub request: Request<'static>,
    pub refusal: Refusal,
    pub digest: Digest,
    pub sender: Sender<64>,
    pub receiver: Receiver<256, 4>,
    pub plain: PlainReceiver<'static>,
}

/// In a frame of its own, as in `datagram`.
#[inline(never)]
pub fn make(given: &Given, machines: &mut Machines) {
    let Machines { config, sender, receiver, plain, .. } = machines;
    *sender = Sender::new(given.now, *config);
    *receiver = Receiver::new(given.now, *config);
    if let Ok(name) = Text::new(given.text) {
        *plain = PlainReceiver::new(given.now, name, *config);
    }
}

pub fn drive(given: &Given, machines: &mut Machines) {
    let Machines { config: _, request, refusal, digest, sender, receiver, plain } = machines;
    session(given, sender);
    used(hidden(sender).pending());
    used(hidden(sender).is_framed());
    used(hidden(sender).is_unasked());
    used(hidden(sender).offer(given.now, given.number, given.number));
    hidden(sender).refuse(given.now, *refusal);
    hidden(sender).provide_digest(given.now, *digest);
    hidden(sender).confirm(given.now);
    hidden(sender).stop(given.now);

    session(given, receiver);
    used(hidden(receiver).request(given.now, request));
    hidden(receiver).finish();
    used(hidden(receiver).unanswered());
    used(hidden(receiver).is_framed());

    session(given, plain);
}

/// What not every owner needs.
pub fn rest(given: &Given, machines: &mut Machines) {
    session(given, &mut &mut machines.sender);
    session(given, &mut InMemory { session: &mut machines.sender, contents: given.bytes });
    used(Request::get(given.bytes));
    used(Request::list(given.bytes));
    used(hidden(&mut machines.refusal).status());
    used(hidden(&mut machines.refusal).closes());
    used(Entry::parse(given.bytes));
    used(Entry::is_name(given.text, EntryKind::File));
    used(ListingLine::parse(given.bytes));
    let mut listing = entries(given.bytes);
    used(hidden(&mut listing).next());
    used(hidden(&mut listing).rest());
    used(hidden(&mut listing).left_out());
    used(TransferConfig::default());
    let config = TransferConfig::new().with_quiet(given.span);
    used(config.with_timeout(given.span).with_stall(given.span));
}

/// The digests alone.
pub mod digest {
    use super::{Digester, Given, hidden, used};

    pub fn make(digester: &mut Digester) {
        *digester = Digester::new();
    }

    pub fn drive(given: &Given, digester: &mut Digester) {
        hidden(digester).update(given.bytes);
        used(hidden(digester).finish());
    }
}

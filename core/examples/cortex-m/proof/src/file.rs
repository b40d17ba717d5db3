//! File transfer, both sides and both forms.

use barewire_core::file::{
    Digest, Entry, EntryKind, ListingLine, Offer, PlainReceiver, Receiver, Refusal, Request,
    RootDigester, SegmentDigester, SegmentSize, Sender, TransferConfig, entries, is_acceptable,
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
    pub receiver: Receiver<256>,
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
    used(hidden(sender).is_idle());
    used(is_acceptable(request.operation, given.text.as_bytes()));
    used(hidden(sender).is_unasked());
    used(hidden(sender).request());
    let offer =
        Offer { size: given.number, tag: given.number, modified: given.number.cast_signed() };
    used(hidden(sender).offer(given.now, offer));
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
    hidden(&mut machines.sender).excuse(given.now);
    used(Request::get(given.bytes));
    used(Request::list(given.bytes));
    let request = Request::hashes(given.bytes).with_offset(given.number).with_length(given.number);
    let segments = SegmentSize::new(given.count.to_le_bytes()[0]).unwrap_or(SegmentSize::MIN);
    used(request.with_tag(given.number).with_verify(true).with_segment(segments));
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
    used(config.with_timeout(given.span).with_stall(given.span).with_least_rate(9));
}

/// What an owner needs who makes digests.
pub mod digest {
    use super::{Given, RootDigester, SegmentDigester, SegmentSize, hidden, used};

    /// Of a segment, and of a file of some.
    #[derive(Debug)]
    pub struct Digesters {
        pub segment: SegmentDigester,
        pub root: RootDigester,
    }

    pub fn make(given: &Given, digesters: &mut Digesters) {
        used(SegmentSize::default());
        let size = SegmentSize::new(given.count.to_le_bytes()[0]).unwrap_or(SegmentSize::MIN);
        used((size.bytes(), size.exponent(), size.divides(given.number)));
        let segment = size.segment(given.number, given.number);
        used((segment.start(), segment.end(), segment.is_whole()));
        *digesters =
            Digesters { segment: SegmentDigester::new(segment), root: RootDigester::new() };
    }

    pub fn drive(given: &Given, digesters: &mut Digesters) {
        let Digesters { segment, root } = digesters;
        hidden(segment).update(given.bytes);
        let digest = hidden(segment).finish();
        used(hidden(root).push(digest));
        used(hidden(root).finish());
    }
}

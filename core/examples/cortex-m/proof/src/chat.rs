//! The chat, both sides.

use barewire_core::chat::{
    Client, LeaveReason, Line, LogEntry, MemberError, MemberSlot, NickRules, Opening, Protocol,
    RateLimiter, Room, RoomConfig, RoomStorage, Skeleton, SourceSlot,
};
use barewire_core::chat::{check_nick, choose_nick, max_line_bytes, min_log_bytes, skeleton};
use barewire_core::source::Source;
use barewire_core::text::Text;

use crate::{Given, hidden, session, used};

/// The memory of a room of seven and the operator.
pub type Memory = RoomStorage<8, 64, { RoomConfig::new().bytes(9728) }>;

/// Both sides, and what is said.
#[derive(Debug)]
pub struct Machines {
    pub config: RoomConfig,
    pub leave: LeaveReason,
    pub error: MemberError,
    pub storage: Memory,
    pub client: Client<256, 1024>,
}

pub fn make(given: &Given, machines: &mut Machines) {
    machines.client = Client::new(given.span);
}

pub fn drive(given: &Given, machines: &mut Machines) {
    let Machines { config, leave, storage, client, .. } = machines;
    let Ok(room) = &mut storage.room(*config) else { return };
    let Ok(mut id) = hidden(room).join(given.now, Source(given.number)) else { return };
    let id = *hidden(&mut id);
    used(hidden(room).join_named(given.now, Source(given.number), given.text).is_ok());
    if let Some(mut member) = hidden(room).member(id) {
        session(given, &mut member);
        used(hidden(&mut member).nick());
        hidden(&mut member).expect_lines();
        hidden(&mut member).kick(given.now);
        hidden(&mut member).disconnect(given.now);
        used(hidden(&mut member).is_active());
        used(hidden(&mut member).is_foreign());
    }
    used(hidden(room).operator());
    used(hidden(room).find(given.text));
    used(hidden(room).source(id));
    used(hidden(room).members().count());
    used(hidden(room).nick(id));
    used(hidden(room).count());
    used(hidden(room).needs_poll());
    hidden(room).leave(given.now, id, *leave);

    session(given, client);
    if let Ok(line) = Text::new(given.text) {
        used(hidden(client).say(line));
    }
    used(hidden(client).has_room(given.count));
    hidden(client).finish(given.now, given.span);
}

/// The memory of a room, of any size.
#[derive(Debug)]
pub struct Slices {
    pub slots: &'static mut [MemberSlot],
    pub sources: &'static mut [SourceSlot],
    pub entries: &'static mut [LogEntry],
    pub bytes: &'static mut [u8],
}

/// What not every owner needs.
pub fn rest(given: &Given, machines: &mut Machines, slices: &mut Slices) {
    let Machines { config, leave, error, client, .. } = machines;
    if let Ok(line) = Text::new(given.text) {
        used(hidden(client).act(line));
        used(hidden(client).say_to(given.text, line));
        used(hidden(client).command(line));
    }
    used(hidden(client).say_fmt(format_args!("{}", given.text)));
    used(hidden(client).rename(given.text));
    let mut opening = Opening::new();
    hidden(&mut opening).read(given.bytes, config.history, config.max_text);
    hidden(&mut opening).end();
    used(hidden(&mut opening).may_be_request());
    used(hidden(&mut opening).protocol());
    used(hidden(&mut Protocol::Http).refusal());
    used(Opening::default());
    let Slices { slots, sources, entries, bytes } = slices;
    if let Ok(room) = Room::new(slots, sources, entries, bytes, *config) {
        used(room.count());
    }
    used(Memory::new());
    used(RoomConfig::default());
    let config = config
        .with_quiet(given.span)
        .with_history(config.history)
        .with_rate(given.rate)
        .with_burst(given.rate)
        .with_members_per_source(given.rate)
        .with_joins(given.rate, given.rate)
        .with_patience(given.span)
        .with_end_timeout(given.span)
        .with_nicks(config.nicks)
        .with_max_text(config.max_text)
        .with_line_buffers(config.line_buffers)
        .with_line_buffers_per_source(config.line_buffers_per_source);
    used(config.bytes(given.count));
    used(RoomConfig::new());
    used(Line::read(given.bytes).printable());
    used(Line::read(given.bytes).welcome());
    used(Line::read(given.bytes).is_refusal());
    used(Line::read(given.bytes).is_dismissal());
    used(Line::read(given.bytes).as_bytes());
    used(Line::read(given.bytes).to_str());
    let limiter = &mut RateLimiter::new();
    used(hidden(limiter).next_allowed(given.rate, given.rate));
    hidden(limiter).record(given.now, given.rate);
    used(RateLimiter::default());
    used(hidden(leave).reason());
    used(LeaveReason::from(*hidden(error)));
    used(check_nick(given.text));
    used(choose_nick(given.text, NickRules::ASCII).is_ok());
    let mut one = skeleton(given.text);
    let mut other = Skeleton::new(given.text.chars(), given.text.chars());
    used(hidden(&mut one).is_like(*hidden(&mut other)));
    used(hidden(&mut one).means(*hidden(&mut other)));
    let longest = u16::try_from(given.count).unwrap_or(u16::MAX);
    used(max_line_bytes(longest));
    used(min_log_bytes(longest));
    used(Memory::default());
    used(MemberSlot::vacant());
    used(SourceSlot::vacant());
}

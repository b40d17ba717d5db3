//! The chat, both sides.

use barewire_core::chat::{
    Client, LeaveReason, Line, LogEntry, MemberSlot, Part, RateLimiter, Room, RoomConfig, Space,
};
use barewire_core::chat::{max_line_bytes, min_log_bytes, skeleton};
use barewire_core::text::Text;

use crate::{Given, hidden, session, used};

/// The memory of a room of seven and the operator.
pub type Memory = Space<8, 9728, 64, 3>;

/// Both sides, and what is said.
#[derive(Debug)]
pub struct Machines {
    pub config: RoomConfig,
    pub leave: LeaveReason,
    pub space: Memory,
    pub client: Client<256, 1024>,
}

pub fn make(given: &Given, machines: &mut Machines) {
    machines.client = Client::new(given.span);
}

pub fn drive(given: &Given, machines: &mut Machines) {
    let Machines { config, leave, space, client } = machines;
    let room = &mut space.room(*config);
    let Ok(mut key) = hidden(room).join() else { return };
    let key = *hidden(&mut key);
    if let Some(mut member) = hidden(room).member(key) {
        session(given, &mut member);
        used(hidden(&mut member).nick());
        hidden(&mut member).disconnect();
    }
    used(hidden(room).operator());
    used(hidden(room).nick(key));
    used(hidden(room).count());
    used(hidden(room).needs_poll());
    hidden(room).leave(key, *leave);

    session(given, client);
    if let Ok(line) = Text::new(given.text) {
        used(hidden(client).say(line));
    }
    used(hidden(client).has_room(given.count));
    hidden(client).finish();
}

/// The memory of a room, of any size.
#[derive(Debug)]
pub struct Parts {
    pub members: &'static mut [MemberSlot],
    pub bytes: &'static mut [u8],
    pub lines: &'static mut [LogEntry],
    pub parts: &'static mut [Part<64>],
}

/// What not every owner needs.
pub fn rest(given: &Given, machines: &mut Machines, parts: &mut Parts) {
    let Parts { members, bytes, lines, parts } = parts;
    used(Room::new(members, bytes, lines, parts, machines.config).count());
    used(Memory::new());
    used(RoomConfig::default());
    let config = RoomConfig::new().with_quiet(given.span).with_history(machines.config.history);
    used(config.with_rate(given.rate).with_skeleton(machines.config.skeleton));
    used(Line::read(given.bytes).printable());
    used(Line::read(given.bytes).welcome());
    used(Line::read(given.bytes).is_refusal());
    let pace = &mut RateLimiter::new();
    used(hidden(pace).next_allowed(given.rate, given.rate));
    hidden(pace).record(given.now, given.rate);
    used(RateLimiter::default());
    used(hidden(&mut machines.leave).reason());
    used(skeleton(given.text));
    used(max_line_bytes(given.count));
    used(min_log_bytes(given.count));
    used(Memory::default());
    used(MemberSlot::vacant());
    used(Part::<64>::empty());
}

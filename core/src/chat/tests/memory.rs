//! What the documentation says of memory.

use super::*;
use core::mem::size_of;
use std::boxed::Box;

#[test]
fn the_small_configuration_fits_in_15_and_a_half_kib_and_works() {
    const CONFIG: RoomConfig = RoomConfig::new();
    type Small = RoomStorage<8, 64, { CONFIG.bytes(9728) }>;
    let all = size_of::<Small>() + size_of::<Room<'_>>();
    assert!(all <= 31 * 512, "{all}");
    let mut storage = Box::new(Small::new());
    let mut hand = Harness::new(storage.room(CONFIG).unwrap());
    let ids: [MemberId; 7] = hand.join_members();
    let longest = "\x01".repeat(1024) + "\n";
    hand.say(ids[0], &longest);
    for id in &ids[1..] {
        let shown = longest.trim_end().replace('\x01', "\\x01");
        assert_eq!(hand.read(*id), format!("guest1: {shown}\n"));
    }
}

/// The longest nick, with the longest text of bytes that are shown by four each.
#[test]
fn the_longest_line_holds_every_line() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(any_letters()));
    let [anna, bert] = hand.join_members();
    let (old, new) = ("𠀀".repeat(11), "𠀁".repeat(12));
    // A line has 64 bytes here, so a nick is given in it.
    assert_eq!(hand.say(anna, format!("/nick {old}\n")), format!("* guest1 is now {old}\n"));
    assert_eq!(hand.say(anna, format!("/nick {new}\n")), format!("* {old} is now {new}\n"));
    for id in [hand.room.operator(), anna, bert] {
        hand.read(id);
    }
    hand.say(anna, "\x01".repeat(64) + "\n");
    let line = hand.read(bert);
    assert_eq!(line, format!("{new}: {}\n", "\\x01".repeat(64)));
    assert!(line.len() <= max_line_bytes(64));
    hand.read(hand.room.operator());
    hand.say(anna, format!("/msg guest2 {}\n", "\x01".repeat(52)));
    assert_eq!(hand.read(bert), format!("(private) {new}: {}\n", "\\x01".repeat(52)));
}

#[test]
fn short_texts_leave_room_for_what_the_room_says() {
    assert_eq!([0, 32, 33].map(max_line_bytes), [256, 256, 260]);
}

/// Beside the reserve of an eighth there is room for two of the longest lines, and, for the rounding,
/// hardly a byte more.
#[test]
fn the_smallest_log_holds_two_lines_and_the_reserve() {
    for longest in 0..=1_024 {
        let least = min_log_bytes(longest);
        let without_reserve = |all: usize| all - all / 8;
        assert!(without_reserve(least) >= 2 * max_line_bytes(longest), "{longest}");
        assert!(without_reserve(least - 3) < 2 * max_line_bytes(longest), "{longest}");
    }
}

/// What is a byte, an entry or a slot too small is refused, and what is not makes a room.
#[test]
fn memory_that_is_too_small_is_refused() {
    let config = RoomConfig::new().with_max_text(64).with_line_buffers(3);
    let least = config.bytes(min_log_bytes(64));
    assert_eq!(least, 3 * 64 + min_log_bytes(64));
    let make = |slots, entries, bytes, config| {
        let mut slots: Vec<_> = (0..slots).map(|_| MemberSlot::vacant()).collect();
        let mut sources = [SourceSlot::vacant()];
        let (mut entries, mut bytes) = (vec![LogEntry::EMPTY; entries], vec![0; bytes]);
        Room::new(&mut slots, &mut sources, &mut entries, &mut bytes, config).map(|_| ())
    };
    let mut slots = [const { MemberSlot::vacant() }; 2];
    let (mut entries, mut bytes) = ([LogEntry::EMPTY; 16], vec![0; least]);
    let none = Room::new(&mut slots, &mut [], &mut entries, &mut bytes, config);
    assert_eq!(none.map(|_| ()), Err(RoomError::Sources));
    assert_eq!(make(2, 16, least, config), Ok(()));
    assert_eq!(make(1, 16, least, config), Err(RoomError::Slots));
    assert_eq!(make(2, 15, least, config), Err(RoomError::Entries));
    for bytes in [0, 3 * 64 - 1, least - 1] {
        assert_eq!(make(2, 16, bytes, config), Err(RoomError::Bytes));
    }
    for text in [0, 1, DEFAULT_MAX_TEXT + 1, u16::MAX] {
        let config = config.with_max_text(text);
        assert_eq!(make(2, 16, least, config), Err(RoomError::Text), "{text}");
    }
    assert_eq!(make(2, 16, least, config.with_line_buffers(0)), Err(RoomError::LineBuffers));
    let impatient = config.with_patience(Duration::ZERO);
    assert_eq!(make(2, 16, least, impatient), Err(RoomError::Patience));
    let most = config.with_line_buffers(u16::MAX);
    assert_eq!(make(2, 16, least, most), Err(RoomError::Bytes));
    assert_eq!(make(2, 16, most.bytes(min_log_bytes(64)), most), Ok(()));
    let mut storage = RoomStorage::<2, 16, 600>::new();
    assert_eq!(storage.room(config).map(|_| ()), Err(RoomError::Bytes));
}

//! What the documentation says of memory.

use super::*;
use core::mem::size_of;

#[test]
fn the_small_configuration_fits_in_16_kib_and_works() {
    type Small = Space<8, 9728, 64, 3>;
    let all = size_of::<Small>() + size_of::<Room<'_>>();
    assert!(all <= 16 * 1024, "{all}");
    let mut space = Box::new(Small::new());
    let mut hand = Harness::new(space.room(RoomConfig::new()));
    let keys: [MemberId; 7] = hand.seat();
    let longest = "\x01".repeat(1024) + "\n";
    hand.say(keys[0], &longest);
    for key in &keys[1..] {
        let shown = longest.trim_end().replace('\x01', "\\x01");
        assert_eq!(hand.read(*key), format!("guest1: {shown}\n"));
    }
}

/// The longest nick, with the longest text of bytes that are shown by four each.
#[test]
fn the_longest_line_holds_every_line() {
    let mut space = narrow();
    let mut hand = Harness::new(space.room(no_limit()));
    let [anna, bert] = hand.seat();
    let (old, new) = ("𠀀".repeat(11), "𠀁".repeat(12));
    // A line has 64 bytes here, so a nick is given in it.
    assert_eq!(hand.say(anna, format!("/nick {old}\n")), format!("* guest1 is now {old}\n"));
    assert_eq!(hand.say(anna, format!("/nick {new}\n")), format!("* {old} is now {new}\n"));
    for key in [hand.room.operator(), anna, bert] {
        hand.read(key);
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
fn the_smallest_backlog_holds_two_lines_and_the_reserve() {
    for longest in 0..=1_024 {
        let least = min_log_bytes(longest);
        let without_reserve = |all: usize| all - all / 8;
        assert!(without_reserve(least) >= 2 * max_line_bytes(longest), "{longest}");
        assert!(without_reserve(least - 3) < 2 * max_line_bytes(longest), "{longest}");
    }
}

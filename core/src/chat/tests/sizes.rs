//! What the documentation says of memory.

use super::*;
use core::mem::size_of;

#[test]
fn the_parts_of_a_room_are_as_large_as_documented() {
    assert!(size_of::<Place>() <= 256, "{}", size_of::<Place>());
    assert_eq!(size_of::<Mark>(), 16);
    assert!(size_of::<Part<1024>>() <= 1024 + 32, "{}", size_of::<Part<1024>>());
    assert!(size_of::<Room<'_>>() <= 512, "{}", size_of::<Room<'_>>());
}

#[test]
fn the_small_configuration_fits_in_16_kib_and_works() {
    type Small = Space<8, 9728, 64, 3>;
    let all = size_of::<Small>() + size_of::<Room<'_>>();
    assert!(all <= 16 * 1024, "{all}");
    let mut space = Box::new(Small::new());
    let mut hand = Hand::new(space.room(Config::default()));
    let keys: [Key; 7] = hand.seat();
    let longest = "\x01".repeat(1024) + "\n";
    hand.say(keys[0], &longest);
    for key in &keys[1..] {
        let shown = longest.trim_end().replace('\x01', "\\x01");
        assert_eq!(hand.read(*key), format!("guest1: {shown}\n"));
    }
}

#[test]
fn a_client_costs_its_capacities_and_a_little_more() {
    assert!(
        size_of::<Client<1024, 4224>>() <= 1024 + 4224 + 130,
        "{}",
        size_of::<Client<1024, 4224>>()
    );
}

/// The longest nick, with the longest text of bytes that are shown by four each.
#[test]
fn the_longest_line_holds_every_line() {
    let mut space = narrow();
    let mut hand = Hand::new(space.room(no_limit()));
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
    assert!(line.len() <= longest_line(64));
    hand.read(hand.room.operator());
    hand.say(anna, format!("/msg guest2 {}\n", "\x01".repeat(52)));
    assert_eq!(hand.read(bert), format!("(private) {new}: {}\n", "\\x01".repeat(52)));
}

//! What the lines of a room are put together from.

use heapless::String;

/// A part of a line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fragment<'p> {
    Text(&'p str),
    /// What a member said, made printable.
    Shown(&'p [u8]),
    Number(u32),
    /// The nick of a member.
    NickOf(u32),
    /// The nick that was changed last, as it was before.
    OldNick,
}

/// A number as it is written.
pub(super) fn decimal(number: u32) -> String<10, u8> {
    let mut digits = String::new();
    let mut power = 1_000_000_000;
    while power > 0 {
        let digit = number / power % 10;
        if digit > 0 || power == 1 || !digits.is_empty() {
            let _ = char::from_digit(digit, 10).map(|digit| digits.push(digit));
        }
        power /= 10;
    }
    digits
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::decimal;
    use std::string::ToString;

    #[test]
    fn numbers_are_written_whole() {
        for number in [0, 7, 10, 100, 90_210, 999_999_999, 1_000_000_000, u32::MAX] {
            assert_eq!(decimal(number).as_str(), number.to_string());
        }
    }
}

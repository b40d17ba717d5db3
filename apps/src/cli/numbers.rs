//! Whole numbers in arguments.

use std::fmt::Display;
use std::ops::RangeBounds;
use std::str::FromStr;

/// A number that can be read.
pub(crate) trait Number:
    FromStr + PartialOrd + Display + Copy + Send + Sync + 'static
{
}

impl<T: FromStr + PartialOrd + Display + Copy + Send + Sync + 'static> Number for T {}

/// Reads a whole number from `least` to `most`.
pub(crate) fn from_to<T: Number>(least: T, most: T) -> impl Read<T> {
    read(least..=most, format!("from {least} to {most}"))
}

/// Reads a whole number, `least` or a greater one.
pub(crate) fn at_least<T: Number>(least: T) -> impl Read<T> {
    read(least.., format!("{least} or more"))
}

/// What reads an argument.
pub(crate) trait Read<T>:
    Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
{
}

impl<T, F: Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static> Read<T> for F {}

fn read<T: Number>(
    range: impl RangeBounds<T> + Clone + Send + Sync + 'static,
    which: String,
) -> impl Read<T> {
    move |argument: &str| {
        let number = argument.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("must be a whole number, {which}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_such_number_is_told_what_would_be() {
        let (bounded, unbounded) = (from_to(1_u16, 256), at_least(1_u16));
        assert_eq!((bounded("1"), bounded("256"), unbounded("257")), (Ok(1), Ok(256), Ok(257)));
        for wrong in ["0", "-1", "many", "1.5", "", "99999999999999999999"] {
            let why = bounded(wrong).unwrap_err();
            assert_eq!(why, "must be a whole number, from 1 to 256", "{wrong}");
            let why = unbounded(wrong).unwrap_err();
            assert_eq!(why, "must be a whole number, 1 or more", "{wrong}");
        }
        assert!(bounded("257").is_err());
    }
}

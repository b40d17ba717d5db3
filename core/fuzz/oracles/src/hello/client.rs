//! The side that answers.

use barewire_core::hello::Client;
use barewire_core::text::Text;

pub use super::side::Input;
use super::side::{LONGEST, play};
use crate::script::{START, sayable};

/// A client hears one text, answers, and ends in time, whatever the server does.
pub fn check(input: &Input<'_>) {
    let answer = sayable(input.speech, 1_024);
    let text = Text::new(&answer).expect("it can be sent");
    let mut client = Client::<LONGEST>::new(START, text, input.config());
    let spoken = if answer.is_empty() { "\n" } else { &answer };
    play(&mut client, input, spoken.as_bytes(), false);
}

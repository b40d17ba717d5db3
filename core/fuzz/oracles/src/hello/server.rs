//! The side that speaks first.

use barewire_core::hello::Server;
use barewire_core::text::Text;

pub use super::side::Input;
use super::side::{LONGEST, play};
use crate::script::{START, sayable};

/// A server hears one text, says its own, and ends in time, whatever the client does.
pub fn check(input: &Input<'_>) {
    let greeting = sayable(input.speech, 1_024);
    let text = Text::new(&greeting).expect("it can be sent");
    let mut server = Server::<LONGEST>::new(START, text, input.config());
    play(&mut server, input, &[greeting.as_bytes(), b"\n"].concat(), true);
}

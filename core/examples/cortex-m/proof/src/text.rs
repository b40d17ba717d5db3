//! Text messages, and what makes them safe to show.

use barewire_core::printable::printable;
use barewire_core::text::{Text, TextReader};

use crate::{Given, hidden, used};

pub fn exercise(given: &Given, reader: &mut TextReader<64>) {
    *reader = TextReader::new(given.span);
    let mut input = given.bytes;
    used(hidden(reader).handle_input(given.now, &mut input));
    used(hidden(reader).handle_end());
    used(hidden(reader).handle_timeout(given.now));
    used(hidden(reader).poll_deadline());
    used(Text::new(given.text));
    if let Ok(mut text) = Text::try_from(given.text) {
        used(hidden(&mut text).as_bytes());
        used(hidden(&mut text).to_str());
        used(hidden(&mut text).printable());
    }
    used(printable(given.bytes).is_empty());
}

//! What a member is going to do.

use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::random::Random;

/// One line that a member says, at its time or as soon after it as there is room.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) at: Instant,
    pub(super) line: String,
    /// What the room is to tell of it, the nick left aside. `None`: a private line.
    pub(super) event: Option<String>,
    /// The member that a private line is for, by the order of joining.
    pub(super) to: Option<usize>,
}

/// The lines of member number `own` of `count`. Each has a mark of its own in it, `own-number`, that
/// nothing else has.
pub(super) fn draw(random: &mut Random, start: Instant, own: usize, count: usize) -> Vec<Step> {
    let pace = random.pick(&[0, 20, 400]);
    let mut at = start;
    (0..random.count(0..=14))
        .map(|number| {
            at += random.span(Duration::ZERO..=Duration::from_millis(pace));
            let mark = format!("{own}-{number}");
            let text = mark.clone() + &" x"[..].repeat(random.count(0..=9));
            let (line, event, to) = match random.count(0..=9) {
                0 => (format!("/me {text}"), Some(text), None),
                // Only every other one has a name of its own: to the rest, one can write.
                1 if own % 2 == 1 => {
                    let nick = format!("n{mark}");
                    (format!("/nick {nick}"), Some(nick), None)
                }
                2 | 3 => {
                    let to = 2 * random.count(0..=(count - 1) / 2);
                    (format!("/msg guest{} {mark}", to + 2), None, Some(to))
                }
                _ => (text.clone(), Some(text), None),
            };
            Step { at, line, event, to }
        })
        .collect()
}

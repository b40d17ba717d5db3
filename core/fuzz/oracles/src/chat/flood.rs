//! Flood control as it should be: an allowance that is filled up as time passes.

use arbitrary::Arbitrary;
use barewire_core::chat::DEFAULT_LINE_BURST;
use barewire_core::time::{Duration, Instant};

/// A line, counted in parts of it: so many that a rate of lines a second is a whole number of parts
/// a microsecond.
const LINE: i128 = 1_000_000;

/// No member is told of refused lines more often than this.
const NOTES: Duration = Duration::from_secs(1);

/// So many lines in all can be pasted: enough to say too much, and a room without a limit has none.
/// They cost time.
pub const PASTED: usize = DEFAULT_LINE_BURST as usize + 28;

/// How many lines a second a fuzzer lets members say.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub struct Rate(u8);

impl Rate {
    /// Lines a second. Times are whole milliseconds here, so each of these rates gives
    /// the same as one whose interval is rounded to microseconds.
    pub fn lines(self) -> u32 {
        const RATES: [u32; 7] = [1, 2, 3, 7, 10, 100, 1_000];
        RATES[usize::from(self.0) % RATES.len()]
    }
}

/// What a member may still say, or several together.
#[derive(Debug)]
pub struct Allowance {
    rate: u32,
    burst: u32,
    /// In parts of a line; less than nothing, after a line that counts as several.
    left: i128,
    /// When so much was left.
    at: Instant,
    noted: Option<Instant>,
}

impl Allowance {
    /// That of a newcomer, with so many lines a second; 0 for no limit.
    pub fn new(rate: u32) -> Self {
        Self::with_burst(rate, DEFAULT_LINE_BURST)
    }

    /// The same, with so many lines at once.
    pub fn with_burst(rate: u32, burst: u32) -> Self {
        Self { rate, burst, left: i128::from(burst) * LINE, at: Instant::ZERO, noted: None }
    }

    /// Time has passed.
    fn fill(&mut self, now: Instant) {
        let more = i128::from(now.duration_since(self.at).as_micros()) * i128::from(self.rate);
        (self.left, self.at) = ((self.left + more).min(i128::from(self.burst) * LINE), now);
    }

    /// Whether a line may be said at `now`.
    pub fn allows(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.rate == 0 || self.left >= LINE
    }

    /// Whether at `now` it is as if nothing had been said.
    pub fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.rate == 0 || self.left == i128::from(self.burst) * LINE
    }

    /// So many lines are said.
    pub fn take(&mut self, lines: usize) {
        self.left -= lines as i128 * LINE;
    }

    /// A line is refused at `now`: whether its sender is told so, unless it was a moment ago.
    pub fn may_note(&mut self, now: Instant) -> bool {
        let may = self.noted.is_none_or(|noted| now.duration_since(noted) >= NOTES);
        self.noted = if may { Some(now) } else { self.noted };
        may
    }

    /// A line is said at `now`.
    ///
    /// # Errors
    /// It is refused; with the note that tells the member so, unless it had one a moment ago.
    pub fn say(&mut self, now: Instant) -> Result<(), Option<String>> {
        if self.allows(now) {
            self.take(1);
            return Ok(());
        }
        let Self { rate, burst, .. } = *self;
        Err(self.may_note(now).then(|| {
            format!("too fast: your lines are refused ({rate} a second pass, {burst} at once)")
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_as_much_as_time_brings_and_one_note_a_second() {
        let (mut allowance, mut now) = (Allowance::new(2), Instant::from_millis(60_000));
        assert!((0..DEFAULT_LINE_BURST).all(|_| allowance.say(now).is_ok()));
        let note = "too fast: your lines are refused (2 a second pass, 100 at once)";
        assert_eq!(allowance.say(now), Err(Some(note.into())));
        now += Duration::from_millis(499);
        assert_eq!(allowance.say(now), Err(None));
        now += Duration::from_millis(1);
        assert_eq!(allowance.say(now), Ok(()));
        now += Duration::from_millis(499);
        assert_eq!(allowance.say(now), Err(None));
        now += Duration::from_millis(1);
        assert_eq!(allowance.say(now), Ok(()));
        assert_eq!(allowance.say(now), Err(Some(note.into())));
        // Never more than a burst, however long nothing is said.
        now += Duration::from_secs(3_600);
        assert!((0..DEFAULT_LINE_BURST).all(|_| allowance.say(now).is_ok()));
        assert!(allowance.say(now).is_err());
    }

    #[test]
    fn without_a_rate_there_is_no_limit() {
        let mut allowance = Allowance::new(0);
        assert!((0..10 * DEFAULT_LINE_BURST).all(|_| allowance.say(Instant::ZERO).is_ok()));
    }
}

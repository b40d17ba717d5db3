//! What a fuzzer chooses that is the same for every machine.

use arbitrary::Arbitrary;
use barewire_core::time::{Duration, Instant};

/// When conversations begin: not at the clock's origin, where what is forgotten would look like what
/// is set.
pub const START: Instant = Instant::from_millis(86_400_000);

/// A span of time from those at which something changes.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub struct Span(u8);

impl Span {
    /// How long it is.
    pub fn duration(self) -> Duration {
        const MILLIS: [u64; 16] =
            [0, 1, 50, 100, 199, 200, 201, 249, 250, 251, 999, 1_000, 5_000, 9_999, 10_000, 60_000];
        Duration::from_millis(MILLIS[usize::from(self.0) % MILLIS.len()])
    }
}

/// How a stream is cut into reads: the lengths of the pieces, again and again.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub struct Cuts([u8; 4]);

impl Cuts {
    /// The pieces of `stream`.
    pub fn pieces(self, stream: &[u8]) -> impl Iterator<Item = &[u8]> {
        let (mut rest, mut lengths) = (stream, self.0.into_iter().cycle());
        std::iter::from_fn(move || {
            let length = usize::from(lengths.next().unwrap_or_default()).max(1);
            let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = after;
            (!piece.is_empty()).then_some(piece)
        })
    }
}

/// A string that can be sent as one text of at most `longest` bytes.
pub fn sayable(bytes: &[u8], longest: usize) -> String {
    let mut text = String::from_utf8_lossy(bytes).replace('\n', " ");
    while text.len() > longest || text.ends_with('\r') {
        text.pop();
    }
    text
}

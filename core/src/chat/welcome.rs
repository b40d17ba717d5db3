//! The welcome of a new member.

use super::fragment::decimal;
use super::nick::GUEST;

/// What stands before its nick, and behind it.
const BEFORE: &[u8] = b"* welcome to barewire chat, you are ";
const BEHIND: &[u8] = b" (/help)\n";

/// The nick that a welcome gives; the line is without its line feed. `None`: it is another line.
pub(super) fn nick(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(BEFORE)?.strip_suffix(BEHIND.trim_ascii_end())
}

/// The welcome of a new member, who is a guest with a number, as far as it has not been sent. It stands
/// in no log, so that nobody has to make room for one who comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Welcome {
    digits: [u8; 10],
    length: u8,
    sent: u8,
}

impl Welcome {
    pub(super) fn new(number: u32) -> Self {
        let (mut digits, mut length) = ([0; 10], 0_u8);
        for (to, from) in digits.iter_mut().zip(decimal(number).bytes()) {
            *to = from;
            length = length.saturating_add(1);
        }
        Self { digits, length, sent: 0 }
    }

    /// What is to be sent next, in two parts; both are empty when nothing is left.
    pub(super) fn unread(&self) -> (&[u8], &[u8]) {
        let number = self.digits.get(..self.length.into()).unwrap_or_default();
        let mut sent = usize::from(self.sent);
        let mut rest =
            [BEFORE, GUEST.as_bytes(), number, BEHIND].into_iter().filter_map(move |part| {
                let left = part.get(sent..).filter(|left| !left.is_empty());
                sent = sent.saturating_sub(part.len());
                left
            });
        (rest.next().unwrap_or_default(), rest.next().unwrap_or_default())
    }

    /// So many bytes more have been sent.
    pub(super) fn advance(&mut self, count: usize) {
        let count = u8::try_from(count).unwrap_or(u8::MAX);
        self.sent = self.sent.saturating_add(count);
    }
}

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

/// The welcome of a new member, as far as it has not been sent. It stands in no log, so that nobody has to
/// make room for one who comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Welcome {
    who: Who,
    sent: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// With a number; it may have another nick already.
    Guest { digits: [u8; 10], length: u8 },
    /// One that keeps its nick.
    Named,
}

impl Welcome {
    pub(super) fn guest(number: u32) -> Self {
        let (mut digits, mut length) = ([0; 10], 0_u8);
        for (to, from) in digits.iter_mut().zip(decimal(number).bytes()) {
            *to = from;
            length = length.saturating_add(1);
        }
        Self { who: Who::Guest { digits, length }, sent: 0 }
    }

    pub(super) const fn named() -> Self {
        Self { who: Who::Named, sent: 0 }
    }

    /// What is to be sent next to the member, who has this nick now, in two parts; both are empty when
    /// nothing is left.
    pub(super) fn unread<'w>(&'w self, nick: &'w str) -> (&'w [u8], &'w [u8]) {
        let [start, end] = match &self.who {
            Who::Guest { digits, length } => {
                [GUEST.as_bytes(), digits.get(..usize::from(*length)).unwrap_or_default()]
            }
            Who::Named => [nick.as_bytes(), &[]],
        };
        let mut sent = usize::from(self.sent);
        let mut rest = [BEFORE, start, end, BEHIND].into_iter().filter_map(move |part| {
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

//! Flood control: what members may say, each and all of one source together.

use super::config::RoomConfig;
use super::limits::AROUND_TEXT;
use super::member_id::OPERATOR;
use super::notice::Notice;
use super::room_state::RoomState;
use super::source::TALKERS;
use crate::time::{Duration, Instant};

/// How long a member is not told again that lines of it are refused.
const NOTE_INTERVAL: Duration = Duration::from_secs(1);

impl RoomState<'_> {
    /// Whether a line gets past flood control. If so, [`charge`](Self::charge) what came of it; if not,
    /// the member is told now and then.
    pub(super) fn passes(&mut self, index: u32, now: Instant) -> bool {
        let RoomConfig { rate, burst, .. } = self.delivery.config;
        let Some(slot) = self.delivery.slot_mut(index) else { return false };
        if index == OPERATOR {
            return true;
        }
        let shared = [rate, burst].map(|limit| limit.saturating_mul(TALKERS));
        let account = self.accounts.get_mut(slot.account);
        let notice = if slot.lines.next_allowed(rate, burst) > now {
            Notice::TooFast { rate, burst }
        } else if account.is_some_and(|one| one.lines.next_allowed(shared[0], shared[1]) > now) {
            Notice::AllTooFast { rate: shared[0], burst: shared[1] }
        } else {
            return true;
        };
        if slot.next_note <= now {
            slot.next_note = now + NOTE_INTERVAL;
            self.note(index, notice);
        }
        false
    }

    /// Charges a line to a member and to its source: all that was written in the log since it ended at
    /// `before`. What is as long as a text can be counts as one line, however short; what is longer, by
    /// controls that are [shown](crate::printable) or by names, counts as several.
    pub(super) fn charge(&mut self, index: u32, now: Instant, before: u64) {
        let RoomConfig { rate, max_text, .. } = self.delivery.config;
        if index == OPERATOR {
            return;
        }
        let written = self.delivery.log.end().saturating_sub(before);
        // Less than two lines.
        let written = u32::try_from(written).unwrap_or(u32::MAX);
        let line = u32::from(max_text).saturating_add(AROUND_TEXT);
        let count = written.div_ceil(line).max(1);
        let Some(slot) = self.delivery.slot_mut(index) else { return };
        slot.lines.record_many(now, rate, count);
        if let Some(account) = self.accounts.get_mut(slot.account) {
            account.lines.record_many(now, rate.saturating_mul(TALKERS), count);
        }
    }

    /// Refuses a line, for a reason that is told as often as flood control lets it be.
    pub(super) fn refuse(&mut self, index: u32, now: Instant, why: Notice<'_>) {
        if self.passes(index, now) {
            let before = self.delivery.log.end();
            self.note(index, why);
            self.charge(index, now, before);
        }
    }
}

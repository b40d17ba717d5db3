//! The accounts of sources as they should be.

use barewire_core::chat::JoinError;
use barewire_core::time::Instant;

use crate::chat::flood::Allowance;

/// The members of one source may say together what so many of different ones may.
pub(super) const TALKERS: u32 = 4;

/// The limits of a source; 0 is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) rate: u32,
    pub(super) burst: u32,
    pub(super) members: u32,
    pub(super) join_rate: u32,
    pub(super) join_burst: u32,
    pub(super) line_buffers: u16,
    pub(super) share: u16,
}

/// What is counted for one source.
#[derive(Debug)]
pub(super) struct Account {
    source: u64,
    pub(super) members: u32,
    pub(super) lines: Allowance,
    joins: Allowance,
    /// What passed, and when.
    pub(super) said: Vec<(Instant, u32)>,
    pub(super) joined: Vec<(Instant, u32)>,
}

impl Account {
    fn new(source: u64, limits: Limits) -> Self {
        let lines = Allowance::with_burst(TALKERS * limits.rate, TALKERS * limits.burst);
        let joins = Allowance::with_burst(limits.join_rate, limits.join_burst);
        Self { source, members: 0, lines, joins, said: Vec::new(), joined: Vec::new() }
    }

    fn counts_nothing(&mut self, now: Instant) -> bool {
        self.members == 0 && self.lines.is_full(now) && self.joins.is_full(now)
    }
}

/// As many accounts as there is memory for; the first is that of all who come when the others count
/// something.
#[derive(Debug)]
pub(super) struct Accounts {
    slots: Vec<Option<Account>>,
    /// Those whose memory others have by now.
    former: Vec<Account>,
    limits: Limits,
}

impl Accounts {
    pub(super) fn new(count: usize, limits: Limits) -> Self {
        let mut slots: Vec<_> = (0..count).map(|_| None).collect();
        slots[0] = Some(Account::new(u64::MAX, limits));
        Self { slots, former: Vec::new(), limits }
    }

    pub(super) fn get(&mut self, index: usize) -> &mut Account {
        self.slots[index].as_mut().expect("it counts somebody")
    }

    /// All that there ever were.
    pub(super) fn all(&self) -> impl Iterator<Item = &Account> {
        self.slots.iter().flatten().chain(&self.former)
    }

    /// Somebody wants to come. Gives its account.
    pub(super) fn join(&mut self, now: Instant, source: u64) -> Result<usize, JoinError> {
        let Limits { members, .. } = self.limits;
        let index = self.find(now, source);
        let account = self.get(index);
        if members > 0 && account.members == members {
            return Err(JoinError::SourceFull);
        }
        if !account.joins.allows(now) {
            return Err(JoinError::TooOften);
        }
        account.joins.take(1);
        account.joined.push((now, 1));
        account.members += 1;
        Ok(index)
    }

    fn find(&mut self, now: Instant, source: u64) -> usize {
        for account in self.slots.iter_mut().skip(1) {
            let is_over = account.as_mut().is_some_and(|account| account.counts_nothing(now));
            self.former.extend(account.take_if(|_| is_over));
        }
        let is_own = |slot: &Option<Account>| slot.as_ref().is_some_and(|one| one.source == source);
        if let Some(own) = self.slots.iter().skip(1).position(is_own) {
            return 1 + own;
        }
        let Some(vacant) = self.slots.iter().position(Option::is_none) else { return 0 };
        self.slots[vacant] = Some(Account::new(source, self.limits));
        vacant
    }
}

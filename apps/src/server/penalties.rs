//! Sources whose conversations fail one after another are turned away for a time, which grows.
//!
//! As with `PerSourcePenalties` of sshd (`sshd_config(5)`), each failure costs a source a penalty, which runs
//! down with time; while more than a [threshold](THRESHOLD) of it stands, the source is paused. Unlike
//! there, one conversation that goes well clears the account, and of a source that is paused one connection a
//! second is let in all the same: many people may be behind one address, and a single program among them that
//! keeps failing is not to shut the others out.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};

/// A source is paused that has more penalty than this.
const THRESHOLD: Duration = Duration::from_secs(60);

/// The first pause. The next one is twice as long, unless the account was clear in between. It is no shorter
/// than a failure takes to run down, so that this bounds how often a source fails.
const FIRST_PAUSE: Duration = Penalty::Failed.cost();

/// The longest pause, unless it was chosen.
pub(crate) const DEFAULT_MAX_PAUSE: Duration = Duration::from_secs(600);

/// While a source is paused, one of its connections is let in whenever so much time has passed.
const TRIAL_INTERVAL: Duration = Duration::from_secs(1);

/// So many sources have accounts at most.
const SOURCES: usize = 1 << 14;

/// How a conversation went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Penalty {
    /// The client broke the protocol, or said nothing in time.
    Failed,
    /// It closed or reset the connection without a byte. So does whoever looks whether the port is open: a
    /// load balancer, many times a minute.
    NoData,
}

impl Penalty {
    /// How long it takes to run down: one such conversation in so long is never too many.
    const fn cost(self) -> Duration {
        match self {
            Self::Failed => Duration::from_secs(5),
            Self::NoData => Duration::from_millis(100),
        }
    }
}

/// The accounts of all sources that have one, for all threads.
#[derive(Debug)]
pub(crate) struct Penalties {
    /// Zero: nobody is ever paused.
    max_pause: Duration,
    /// Nobody has an account. Where all goes well nothing is locked.
    is_empty: AtomicBool,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    accounts: HashMap<Source, Account>,
    /// Those that were never paused, and those that were: when they are clear.
    clear_at: [BTreeSet<(Instant, Source)>; 2],
}

/// What a source owes.
#[derive(Clone, Copy, Debug)]
struct Account {
    /// When it owes nothing any more, and is forgotten.
    clear_at: Instant,
    paused_until: Instant,
    /// In a pause: from when on one connection is let in.
    next_trial: Instant,
    pauses: u32,
}

/// The pause of a source in which one of its connections comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    /// How much longer it lasts.
    pub(crate) left: Duration,
    /// This connection is let in all the same.
    pub(crate) is_trial: bool,
}

impl Penalties {
    pub(crate) fn new(max_pause: Duration) -> Self {
        Self { max_pause, is_empty: AtomicBool::new(true), table: Mutex::default() }
    }

    /// A connection of a source has come: in which pause, if the source is paused.
    pub(crate) fn arrive(&self, source: Source, now: Instant) -> Option<Pause> {
        if self.is_empty.load(Ordering::Relaxed) {
            return None;
        }
        let mut table = self.table();
        let account = table.accounts.get_mut(&source)?;
        let left = account.paused_until.checked_duration_since(now);
        let left = left.filter(|left| !left.is_zero())?;
        let is_trial = account.next_trial <= now;
        if is_trial {
            account.next_trial = now + TRIAL_INTERVAL;
        }
        Some(Pause { left, is_trial })
    }

    /// There was no place for the one that was let in all the same: the next that comes is.
    pub(crate) fn put_trial_back(&self, source: Source, now: Instant) {
        if let Some(account) = self.table().accounts.get_mut(&source) {
            account.next_trial = now;
        }
    }

    /// A conversation with a source went wrong. Gives its pause, if one begins.
    ///
    /// What was under way when a pause began, or was let in all the same, and fails in it, costs nothing.
    pub(crate) fn add(&self, source: Source, penalty: Penalty, now: Instant) -> Option<Duration> {
        if self.max_pause.is_zero() {
            return None;
        }
        let mut table = self.table();
        table.forget_clear(now);
        let account = table.accounts.get(&source).copied();
        if account.is_none() && !table.make_room() {
            return None;
        }
        self.is_empty.store(false, Ordering::Relaxed);
        let mut account = account.unwrap_or(Account {
            clear_at: now,
            paused_until: now,
            next_trial: now,
            pauses: 0,
        });
        if now < account.paused_until {
            return None;
        }
        let clear_at = account.clear_at.max(now) + penalty.cost();
        let pause = (clear_at > now + THRESHOLD).then(|| {
            let growth = 1_u32.checked_shl(account.pauses).unwrap_or(u32::MAX);
            FIRST_PAUSE.saturating_mul(growth).min(self.max_pause)
        });
        match pause {
            // The penalty runs down behind it: one failure more is too many again for a while.
            Some(pause) => {
                account.paused_until = now + pause;
                account.next_trial = now + TRIAL_INTERVAL;
                account.clear_at = account.paused_until + THRESHOLD;
            }
            None => account.clear_at = clear_at,
        }
        table.remove(source);
        account.pauses += u32::from(pause.is_some());
        table.insert(source, account);
        pause
    }

    /// A conversation with a source goes well: it owes nothing.
    pub(crate) fn clear(&self, source: Source) {
        if self.is_empty.load(Ordering::Relaxed) {
            return;
        }
        let mut table = self.table();
        table.remove(source);
        self.is_empty.store(table.accounts.is_empty(), Ordering::Relaxed);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // The two parts of it are changed together, by what cannot panic in between.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn insert(&mut self, source: Source, account: Account) {
        self.clear_at[usize::from(account.pauses > 0)].insert((account.clear_at, source));
        self.accounts.insert(source, account);
    }

    fn remove(&mut self, source: Source) {
        if let Some(account) = self.accounts.remove(&source) {
            self.clear_at[usize::from(account.pauses > 0)].remove(&(account.clear_at, source));
        }
    }

    fn forget_clear(&mut self, now: Instant) {
        for index in 0..self.clear_at.len() {
            while let Some(&(clear_at, source)) = self.clear_at[index].first()
                && clear_at <= now
            {
                self.remove(source);
            }
        }
    }

    /// Whether there is room for one more, for which at most one that was never paused is forgotten: the
    /// one that would be first.
    fn make_room(&mut self) -> bool {
        if self.accounts.len() >= SOURCES {
            let Some(&(_, source)) = self.clear_at[0].first() else { return false };
            self.remove(source);
        }
        true
    }
}

#[cfg(test)]
mod tests;

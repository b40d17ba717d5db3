//! How long a client waits and how often it tries; how much a server answers.

use crate::time::Duration;

/// How long the first try of an [`Exchange`](super::Exchange) waits for its reply.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// Answers a second to one source, unless the owner of a [`Responder`](super::Responder) chooses another
/// limit.
pub const DEFAULT_REPLY_RATE: u32 = 10_000;

/// Answers a second to all sources together, unless the owner of a [`Responder`](super::Responder) chooses
/// another limit.
pub const DEFAULT_TOTAL_REPLY_RATE: u32 = 10 * DEFAULT_REPLY_RATE;

/// How long an address and port may stay over the rate before they are muted, unless the owner of a
/// [`Responder`](super::Responder) chooses another time.
pub const MUTE_THRESHOLD: Duration = Duration::from_secs(10);

/// How long an [`Exchange`](super::Exchange) waits, and how often it tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ExchangeConfig {
    /// How long the first try waits for its reply; each further one waits twice as long as the
    /// one before. [`DEFAULT_TIMEOUT`] by default.
    pub timeout: Duration,
    /// How many tries follow the first; none by default.
    pub retries: u32,
}

impl ExchangeConfig {
    /// [`DEFAULT_TIMEOUT`], and one try.
    pub const fn new() -> Self {
        Self { timeout: DEFAULT_TIMEOUT, retries: 0 }
    }

    /// The same, with another [`timeout`](Self::timeout).
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same, with another [`retries`](Self::retries).
    #[must_use]
    pub const fn with_retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }
}

impl Default for ExchangeConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// A limit on answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Rate {
    /// No limit.
    Unlimited,
    /// So many in each second, counted from the first datagram in it: so a second that begins at any time
    /// may see the answers of two.
    PerSecond(u32),
}

impl Rate {
    /// How many answers a second may have.
    pub(super) const fn limit(self) -> u32 {
        match self {
            // More than any network carries.
            Self::Unlimited => u32::MAX,
            Self::PerSecond(rate) => rate,
        }
    }
}

/// How much a [`Responder`](super::Responder) answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ResponderConfig {
    /// The answers to one [`Source`](crate::source::Source), whatever its ports; [`DEFAULT_REPLY_RATE`] a
    /// second by default. While there are more sources than a row of the table takes, one may have up to
    /// three times as many.
    pub rate: Rate,
    /// The answers to all sources together; [`DEFAULT_TOTAL_REPLY_RATE`] a second by default. Up to 17 times
    /// the [`rate`](Self::rate), nothing that others send, under however many forged addresses, keeps a
    /// source from its rate but that this one is reached. With more it takes as many answers in one row
    /// of the table, and the [key](super::HashKey) tells nobody whose row that is.
    pub total_rate: Rate,
    /// How long an address and port may stay over the rate before they are muted;
    /// [`MUTE_THRESHOLD`] by default.
    pub mute_threshold: Duration,
}

impl ResponderConfig {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            rate: Rate::PerSecond(DEFAULT_REPLY_RATE),
            total_rate: Rate::PerSecond(DEFAULT_TOTAL_REPLY_RATE),
            mute_threshold: MUTE_THRESHOLD,
        }
    }

    /// The same, with another [`rate`](Self::rate).
    #[must_use]
    pub const fn with_rate(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    /// The same, with another [`total_rate`](Self::total_rate).
    #[must_use]
    pub const fn with_total_rate(mut self, total_rate: Rate) -> Self {
        self.total_rate = total_rate;
        self
    }

    /// The same, with another [`mute_threshold`](Self::mute_threshold).
    #[must_use]
    pub const fn with_mute_threshold(mut self, mute_threshold: Duration) -> Self {
        self.mute_threshold = mute_threshold;
        self
    }
}

impl Default for ResponderConfig {
    fn default() -> Self {
        Self::new()
    }
}

//! Log statements that go to `defmt`, to `log`, to both, or nowhere, as the features say.

/// Says what a machine decided on its own. The arguments must implement both libraries' traits.
macro_rules! debug {
    ($format:literal $(, $argument:expr)* $(,)?) => {{
        #[cfg(feature = "log")]
        ::log::debug!($format $(, $argument)*);
        #[cfg(feature = "defmt")]
        ::defmt::debug!($format $(, $argument)*);
        #[cfg(not(any(feature = "log", feature = "defmt")))]
        { $(let _ = &$argument;)* }
    }};
}

pub(crate) use debug;

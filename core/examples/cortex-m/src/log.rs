//! The log: `defmt` on the board, nowhere on the host.

/// Says what an operator may want to know. What is shown must be `defmt::Format`.
macro_rules! info {
    ($format:literal $(, $argument:expr)* $(,)?) => {{
        #[cfg(target_os = "none")]
        ::defmt::info!($format $(, $argument)*);
        #[cfg(not(target_os = "none"))]
        { $(let _ = &$argument;)* }
    }};
}

pub(crate) use info;

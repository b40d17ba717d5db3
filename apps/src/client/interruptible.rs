//! An executor that a signal ends.

use std::io;

use barewire_linux::executor::Executor;
use barewire_linux::signals::{Caught, Signals};

use crate::cli::exit::Failure;
use crate::output::writable;

/// An executor whose tasks a signal ends, as it does a wait for the reader of standard output; and the
/// signal, once one has come.
pub(crate) fn executor<'t, S>() -> Result<(Executor<'t, S>, Caught), Failure> {
    executor_with(Signals::block)
}

/// As [`executor`], ended by any signal that would end the program: for one that changes its terminal.
pub(crate) fn executor_on_terminal<'t, S>() -> Result<(Executor<'t, S>, Caught), Failure> {
    executor_with(Signals::block_all)
}

fn executor_with<'t, S>(
    block: fn() -> io::Result<Signals>,
) -> Result<(Executor<'t, S>, Caught), Failure> {
    let signals = block().map_err(Failure::system)?;
    let caught = signals.caught();
    writable::interrupt_by(caught.clone());
    let mut executor = Executor::new().map_err(Failure::system)?;
    executor.spawn(Box::new(signals));
    Ok((executor, caught))
}

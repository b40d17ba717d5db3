//! What a program of root's gives up of that.

use barewire_linux::sandbox::{Keep, drop_capabilities};

use crate::output::system_error::describe;

/// Gives up all of root's rights but what to [`Keep`]. To be called before there are other threads.
pub(crate) fn give_up_privileges(keep: Keep) {
    if let Err(error) = drop_capabilities(keep) {
        log::debug!("cannot drop capabilities: {}", describe(&error));
    }
}

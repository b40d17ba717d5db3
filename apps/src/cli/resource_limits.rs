//! How many descriptors a program may have.

use barewire_linux::resource_limits;

use crate::output::system_error::describe;

/// Raises the limit as far as is allowed. A program whose limit stays as it was does with fewer.
pub(crate) fn raise_descriptor_limit() {
    if let Err(error) = resource_limits::raise_descriptor_limit() {
        log::debug!("cannot raise the limit on open files: {}", describe(&error));
    }
}

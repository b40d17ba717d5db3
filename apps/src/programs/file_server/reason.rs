//! Why a conversation with a client failed, in words for the operator.

use barewire_core::file::{SenderError, TransferConfig};
use barewire_linux::link::LinkError;

use crate::output::system_error::describe;
use crate::server::links::channel_reason;

/// What went wrong, in words that follow the client's address; `during` says in what, if in anything.
pub(super) fn reason(
    fault: &LinkError<SenderError>,
    during: &str,
    config: &TransferConfig,
) -> String {
    match fault {
        LinkError::Channel(error) => format!("{}{during}", channel_reason(*error, config.timeout)),
        LinkError::Connection(error) => format!("connection lost{during}: {}", describe(error)),
        LinkError::Contents => {
            format!("was cut off{during}: the file was truncated while it was sent")
        }
        LinkError::Session(SenderError::CutShort) => "closed in the middle of a request".into(),
        LinkError::Session(SenderError::TimedOut) => {
            format!("did not send a request within {}", config.timeout)
        }
        LinkError::Session(SenderError::Stalled) => {
            format!("took too little for {}{during}", config.stall)
        }
        _ => fault.to_string(),
    }
}

//! What the user wants, as far as it is the same for all files.

use std::net::SocketAddr;

use barewire_core::file::TransferConfig;
use barewire_core::time::Duration;
use barewire_linux::files::DownloadOptions;

#[derive(Debug)]
pub(super) struct Settings {
    /// The server as the user named it.
    pub(super) server: String,
    pub(super) addresses: Vec<SocketAddr>,
    /// Speak the plain form from the start.
    pub(super) plain: bool,
    pub(super) verify: bool,
    /// How files and parts that are there already are treated.
    pub(super) existing: DownloadOptions,
    pub(super) timeout: Duration,
    pub(super) stall: Duration,
    pub(super) retries: u32,
}

impl Settings {
    pub(super) fn config(&self) -> TransferConfig {
        TransferConfig::new().with_timeout(self.timeout).with_stall(self.stall)
    }
}

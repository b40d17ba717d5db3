//! What the user wants, as far as it is the same for all files.

use std::net::SocketAddr;

use barewire_core::file::{DEFAULT_STALL, DEFAULT_TIMEOUT, TransferConfig};
use barewire_core::time::Duration;
use barewire_linux::files::DownloadOptions;
use clap::Args;

use crate::cli::times::{timeout, written};

#[expect(clippy::struct_excessive_bools, reason = "options")]
#[derive(Args, Debug)]
pub(super) struct Settings {
    /// As the user named it.
    #[arg(skip)]
    pub(super) server: String,

    #[arg(skip)]
    pub(super) addresses: Vec<SocketAddr>,

    /// Ask in the form that every server knows, which cannot prove that a file is whole
    #[arg(long, conflicts_with_all = ["list", "recursive"])]
    pub(super) plain: bool,

    /// Do without digests: faster on a slow processor, but what is downloaded so is not proven, and
    /// cannot be resumed
    #[arg(long)]
    pub(super) no_verify: bool,

    /// Start over, whatever an earlier run has left; a retry within this run still resumes
    #[arg(long)]
    pub(super) no_resume: bool,

    /// Replace files that are there already
    #[arg(short, long)]
    pub(super) force: bool,

    /// How long connecting may take, and then the beginning of each answer
    #[arg(short, long, value_name = "TIME", value_parser = timeout, default_value = written(DEFAULT_TIMEOUT))]
    pub(super) timeout: Duration,

    /// How long contents may make no progress
    #[arg(long, value_name = "TIME", value_parser = timeout, default_value = written(DEFAULT_STALL))]
    pub(super) stall: Duration,

    /// How often to try again without progress when a connection breaks off
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(super) retries: u32,

    /// The pause before the first of them.
    #[arg(skip)]
    pub(super) retry_pause: Duration,
}

impl Settings {
    pub(super) fn config(&self) -> TransferConfig {
        TransferConfig::new().with_timeout(self.timeout).with_stall(self.stall)
    }

    /// How files and parts that are there already are treated.
    pub(super) fn existing(&self) -> DownloadOptions {
        DownloadOptions::new().with_force(self.force).with_resume(!self.no_resume)
    }
}

//! What the user wants, as far as it is the same for all files.

use std::path::PathBuf;

use barewire_core::file::{DEFAULT_STALL, DEFAULT_TIMEOUT, Digest, TransferConfig};
use barewire_core::time::Duration;
use barewire_linux::files::DownloadOptions;
use clap::Args;

use crate::cli::keys::ClientKey;
use crate::cli::numbers::at_least;
use crate::cli::sizes::rate;
use crate::cli::times::{timeout, written};
use crate::client::destination::FamilyArguments;

use super::expectations::{Expectations, hash};
use super::limits::Limits;
use super::rules::TreeRules;

#[expect(clippy::struct_excessive_bools, reason = "options")]
#[derive(Args, Debug)]
pub(super) struct Settings {
    /// As the user named it.
    #[arg(skip)]
    pub(super) server: String,

    /// Ask in the plain form, which every server knows, and which cannot prove that a file is whole
    #[arg(long, conflicts_with_all = ["list", "recursive"])]
    pub(super) plain: bool,

    /// Do without digests: faster on a slow processor, but what is downloaded so is not proven, and
    /// cannot be resumed
    #[arg(long)]
    pub(super) no_verify: bool,

    /// Start over, whatever an earlier run has left; a retry within this run still resumes
    #[arg(long)]
    pub(super) no_resume: bool,

    /// Another server that has the same file. Parts come from all servers at once, more from the faster ones;
    /// a server that has another file, or sends wrong contents, is left out
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["list", "recursive", "plain", "no_verify"])]
    pub(super) mirror: Vec<String>,

    /// What `b3sum` prints of the file: it appears only if that is its hash
    #[arg(long, value_name = "HASH", value_parser = hash, conflicts_with_all = ["list", "recursive"])]
    pub(super) expect: Option<Digest>,

    /// A file such as `b3sum` writes, `-` for standard input, in which the hash of each file is looked up by
    /// its name
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "expect"])]
    pub(super) expect_from: Option<PathBuf>,

    /// What has come of these.
    #[arg(skip)]
    pub(super) expectations: Expectations,

    /// With -r, compare the contents of files that are there with the server's, whatever their sizes and
    /// times say
    #[arg(long, requires = "recursive", conflicts_with = "force")]
    pub(super) checksum: bool,

    /// Replace files that are there already; with -r, also those that seem unchanged
    #[arg(short, long)]
    pub(super) force: bool,

    /// Leave files with the time of their download, and not with the server's; -r then takes a file for the
    /// same if it has the same size and is not older
    #[arg(long)]
    pub(super) no_times: bool,

    #[command(flatten)]
    pub(super) limits: Limits,

    /// Receive no more than RATE bytes a second; K, M and G are powers of 1024
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(super) limit_rate: Option<u64>,

    /// How long connecting may take, and then the beginning of each answer
    #[arg(short, long, value_name = "TIME", value_parser = timeout, default_value = written(DEFAULT_TIMEOUT))]
    pub(super) timeout: Duration,

    /// How long contents may make no progress
    #[arg(long, value_name = "TIME", value_parser = timeout, default_value = written(DEFAULT_STALL))]
    pub(super) stall: Duration,

    /// How often to try again without progress when a connection breaks off
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_least(0_u32))]
    pub(super) retries: u32,

    /// The pause before the first of them.
    #[arg(skip)]
    pub(super) retry_pause: Duration,

    /// All servers must have it.
    #[arg(skip)]
    pub(super) key: Option<ClientKey>,

    #[command(flatten)]
    pub(super) family: FamilyArguments,

    #[command(flatten)]
    pub(super) rules: TreeRules,
}

impl Settings {
    pub(super) fn config(&self) -> TransferConfig {
        TransferConfig::new().with_timeout(self.timeout).with_stall(self.stall)
    }

    pub(super) fn keeps_times(&self) -> bool {
        !self.no_times
    }

    /// How a file and a part that are there already are treated.
    pub(super) fn existing(&self, replaces: bool, name: &str) -> DownloadOptions {
        // Without proofs there is nothing to go on with.
        let resumes = !(self.no_resume || self.no_verify || self.plain);
        DownloadOptions::new()
            .with_force(replaces)
            .with_resume(resumes)
            .with_source(self.server.as_bytes(), name.as_bytes())
    }
}

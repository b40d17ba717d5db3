//! The times that a program waits on its own account.

use barewire_core::datagram::MUTE_THRESHOLD;
use barewire_core::driver::LINGER;
use barewire_core::time::Duration;
use barewire_linux::dialer::LOOKUP_TIMEOUT;
use clap::Args;

use crate::cli::times::{duration, timeout};

/// How long a server that stops waits for those it serves, unless it was chosen. What is left of the 5 seconds
/// that its end takes at most is for what it has yet to write.
const GRACE: Duration = Duration::from_secs(4);

/// The pause before a server is tried again for the first time, unless it was chosen.
pub(crate) const FIRST_RETRY_DELAY: Duration = Duration::from_millis(500);

/// Nobody needs to choose them, so no help shows them; but a test that had to wait them out would
/// take as long.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// How long a server that stops waits for those it serves
    #[arg(long, value_name = "TIME", value_parser = duration, default_value_t = GRACE, hide = true)]
    pub(crate) grace: Duration,

    /// How long a server waits for the end of a client's stream before it closes the connection
    #[arg(long, value_name = "TIME", value_parser = duration, default_value_t = LINGER, hide = true)]
    pub(crate) linger: Duration,

    /// How long who reads the output may take at the end of the program
    #[arg(long, value_name = "TIME", value_parser = duration, hide = true,
          default_value_t = Duration::from_millis(500))]
    pub(crate) reader_timeout: Duration,

    /// The pause before a server is tried again for the first time
    #[arg(long, value_name = "TIME", value_parser = timeout, hide = true,
          default_value_t = FIRST_RETRY_DELAY)]
    pub(crate) retry_pause: Duration,

    /// How long the name service may take to find a server's addresses
    #[arg(long, value_name = "TIME", value_parser = timeout, hide = true,
          default_value_t = LOOKUP_TIMEOUT)]
    pub(crate) lookup_timeout: Duration,

    /// How long a chat server may take to welcome
    #[arg(long, value_name = "TIME", value_parser = duration, hide = true,
          default_value_t = Duration::from_secs(1))]
    pub(crate) welcome_timeout: Duration,

    /// How long a source of datagrams may stay over its rate before it is muted
    #[arg(long, value_name = "TIME", value_parser = duration, default_value_t = MUTE_THRESHOLD, hide = true)]
    pub(crate) mute_threshold: Duration,
}

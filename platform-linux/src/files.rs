//! Files: what a server reads beneath a root, and what a client writes.

mod confine;
mod digests;
mod download;
mod folder;
mod list;
mod opened;
mod refusal;
mod root;
mod version;

pub use confine::{Confinement, confine};
pub use digests::Digests;
pub use download::{Download, Held, Options, SYNC_EVERY};
pub use folder::Folder;
pub use list::Listed;
pub use opened::{Opened, Standing};
pub use refusal::{Reason, Refusal};
pub use root::Root;

use version::Version;

//! Files: what a server reads beneath a root, and what a client writes.
//!
//! | for | what | which |
//! |---|---|---|
//! | a server | [`Root`], [`Opened`] | names lead to regular files beneath a folder, and nowhere else |
//! | a server | [`Digests`] | the digest of a piece of a file is computed once |
//! | a server | [`confine()`] | the kernel sees to it that nothing else is read, and nothing written |
//! | a client | [`Folder`], [`Download`] | a file has its name only when it is complete |
//! | a client | [`Disk`] | what a download asks of a folder, so that it can be tried on one that fails |
//! | a client | [`WriteBehind`] | a large file is written while more of it is received |
//!
//! All of it waits for the disk where it has to. What comes from a peer, be it a name, a size or an
//! offset, can be passed as it came.
//!
//! ```
//! use barewire_linux::files::{Digests, Download, Folder, Options, Root, Standing};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let world = tempfile::tempdir()?;
//! # let (served, target) = (world.path().join("served"), world.path().join("target"));
//! # std::fs::create_dir(&served)?;
//! # std::fs::create_dir(&target)?;
//! # std::fs::write(served.join("notes"), "some notes")?;
//! let root = Root::open(&served)?;
//! let digests = Digests::default();
//! assert!(root.open_file(b"../secret").is_err());
//! let mut opened = root.open_file(b"notes")?;
//! let mut buffer = vec![0; 65_536];
//! let digest = digests.of(&opened, 0, opened.size(), &mut buffer)?;
//!
//! let folder = Folder::open(&target)?;
//! let mut download = Download::begin(&folder, b"notes", Options::default())?;
//! let offset = match download.held() {
//!     Some(held) if held.tag == opened.tag() => held.verified,
//!     _ => 0,
//! };
//! download.start(offset, Some(opened.size()), opened.tag())?;
//! let count = opened.read_at(offset, &mut buffer)?;
//! download.write(&buffer[..count])?;
//! assert_ne!(opened.check()?, Standing::Changed);
//! if blake3::hash(&buffer[..count]) == digest {
//!     download.verified(opened.size())?;
//!     download.finish()?;
//! }
//! assert_eq!(std::fs::read(target.join("notes"))?, b"some notes");
//! # Ok(())
//! # }
//! ```

mod behind;
mod confine;
mod digests;
mod disk;
mod download;
mod folder;
mod list;
mod opened;
mod refusal;
mod root;
mod space;
mod version;

pub use behind::WriteBehind;
pub use confine::{Confinement, confine};
pub use digests::Digests;
pub use disk::{Access, Boot, Disk, DiskFile, Entry, Found, Kind, Mark};
pub use download::{Download, Held, Options, SYNC_EVERY};
pub use folder::Folder;
pub use list::Listed;
pub use opened::{Opened, Standing};
pub use refusal::{Reason, Refusal};
pub use root::Root;

use version::Version;

//! Files: what a server reads beneath a root, and what a client writes.
//!
//! | for | what | which |
//! |---|---|---|
//! | a server | [`Root`], [`ServedFile`] | names lead to regular files beneath a folder, and nowhere else |
//! | a server | [`DigestCache`] | the digest of a segment of a file is computed once |
//! | a server | [`FileJobs`], [`Supply`] | what has to be waited for, other threads do, once for all who need it |
//! | a server | [`open_log`] | a file is added to |
//! | a server | [`read_regular`] | a file is read whole, if it is one |
//! | both | [`read_key`], [`create_key`] | a key is its owner's alone |
//! | a server | [`open_locked`] | a file is one process's |
//! | a server | [`follow_links`], [`is_same_file`] | where a path leads |
//! | a client | [`Folder`], [`Download`] | a file has its name only when it is complete |
//! | a client | [`Storage`] | what a download asks of a folder, so that it can be tried on one that fails |
//! | a client | [`open_stream`] | a device is written to, and never replaced |
//! | a client | [`BackgroundWriter`] | a large file is written while more of it is received |
//!
//! All of it waits for the disk where it has to. What comes from a peer, be it a name, a size or an
//! offset, can be passed as it came.
//!
//! ```
//! use barewire_core::file::SegmentSize;
//! use barewire_linux::files::{DigestCache, Download, Folder, DownloadOptions, Root, FileChange};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let temporary = tempfile::tempdir()?;
//! # let (served, target) = (temporary.path().join("served"), temporary.path().join("target"));
//! # std::fs::create_dir(&served)?;
//! # std::fs::create_dir(&target)?;
//! # std::fs::write(served.join("notes"), "some notes")?;
//! let root = Root::open(&served)?;
//! let digests = DigestCache::default();
//! assert!(root.open_file(b"../secret").is_err());
//! let mut opened = root.open_file(b"notes")?;
//! let mut buffer = vec![0; 65_536];
//! let digest = digests.of(&opened, SegmentSize::MAX.segment(0, opened.size()), &mut buffer)?;
//!
//! let folder = Folder::open(&target)?;
//! let mut download = Download::begin(&folder, b"notes", DownloadOptions::default())?;
//! let offset = match download.held() {
//!     Some(held) if held.tag == opened.tag() => held.verified,
//!     _ => 0,
//! };
//! download.start(offset, Some(opened.size()), opened.tag())?;
//! let count = opened.read_at(offset, &mut buffer)?;
//! download.write(&buffer[..count])?;
//! assert_ne!(opened.check()?, FileChange::Changed);
//! if blake3::hash(&buffer[..count]) == digest {
//!     download.verified(0, opened.size(), &digest)?;
//!     download.finish()?;
//! }
//! assert_eq!(std::fs::read(target.join("notes"))?, b"some notes");
//! # Ok(())
//! # }
//! ```

mod background_writer;
mod digest_cache;
mod download;
mod file_system;
mod finishing;
mod folder;
mod key_file;
mod links;
mod listing;
mod lock;
mod log;
mod open_error;
mod part_names;
mod regular;
mod reserve;
mod root;
mod served_file;
mod storage;
mod stream_target;
mod supply;
mod sync_each;
mod version;

pub use background_writer::BackgroundWriter;
pub use digest_cache::DigestCache;
pub use download::{Download, DownloadOptions, Held, HeldDigests};
pub use finishing::{Finished, Finishing};
pub use folder::{Folder, NewFolder};
pub use key_file::{KeyFileError, KeyGuard, create_key, read_key};
pub(crate) use links::folder_of;
pub use links::{follow_links, is_same_file};
pub use listing::{FolderEntry, FolderListing};
pub use lock::open_locked;
pub use log::open_log;
pub use open_error::{OpenError, Reason};
pub use regular::read_regular;
pub use root::Root;
pub use served_file::{FileChange, ServedFile};
pub use storage::{BootId, FileId, FileKind, FileStatus, Found, SYNC_EVERY, Storage, StorageFile};
pub use stream_target::open_stream;
pub use supply::{Asker, FileJobs, Supply};

pub use crate::sys::beneath::Resolution;
pub use crate::sys::refused::Missing;

use version::Version;

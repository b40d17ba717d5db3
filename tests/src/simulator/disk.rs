//! A folder on a disk that forgets, in a crash, what was not made to last.
//!
//! A [`Download`](barewire_linux::files::Download) runs on it as it does on Linux. When its program
//! is killed, the files stay as they were at that moment. When the power fails, each sector of what
//! was not synced is as it was at any time since, the length of a file too, and of the changes to
//! names that were not synced only the first so many have happened; or, on a disk
//! [without order](Nature::is_ordered), any of them.
//!
//! ```
//! use barewire_linux::files::{Download, DownloadOptions};
//! use barewire_tests::simulator::disk::{Disk, Nature};
//! use barewire_tests::simulator::random::Random;
//!
//! let mut random = Random::new(7);
//! let disk = Disk::new(random.fork(), Nature::draw(&mut random));
//! let mut download = Download::begin(&disk, b"file", DownloadOptions::default())?;
//! download.start(0, Some(8), 77)?;
//! download.write(b"contents")?;
//! download.finish()?;
//! disk.lose_power();
//! assert_eq!(disk.contents(b"file").as_deref(), Some(&b"contents"[..]));
//! # Ok::<(), std::io::Error>(())
//! ```

mod disk_state;
mod file;
mod folder;

pub use disk_state::{Nature, UnnamedFiles};
pub use folder::{Disk, OpenFile};

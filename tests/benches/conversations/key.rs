//! The key of the measurements that have one, and chance.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use barewire_core::secure::Key;
use chacha20::ChaCha8Rng;
use chacha20::rand_core::SeedableRng as _;
use tempfile::TempDir;

/// The key of all, which protects nothing: everybody can read it here.
const KEY: [u8; 32] = [
    0x5e, 0x91, 0x0c, 0xd7, 0x3a, 0xf4, 0x88, 0x1b, 0x6d, 0xe2, 0x47, 0xb9, 0x05, 0xcc, 0x93, 0x7e,
    0x21, 0xda, 0x58, 0xef, 0x14, 0xa6, 0x72, 0xbd, 0x0f, 0x99, 0xc3, 0x36, 0xe8, 0x4b, 0xd1, 0x67,
];

/// The key, as the programs take it.
pub(crate) struct KeyFile {
    folder: TempDir,
}

impl KeyFile {
    pub(crate) fn new() -> io::Result<Self> {
        let file = Self { folder: tempfile::tempdir()? };
        fs::write(file.path(), KEY)?;
        fs::set_permissions(file.path(), Permissions::from_mode(0o600))?;
        Ok(file)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("bench.key")
    }
}

pub(crate) fn key() -> Key {
    Key::new(KEY)
}

/// Chance that is the same in every run: nothing here is a secret. As fast as it comes, since the limit of
/// datagrams draws a nonce for each.
pub(crate) fn chance(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

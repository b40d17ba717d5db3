//! Folders to serve and to download into.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use tempfile::TempDir;

/// More than all tests at a time need of memory.
const MEMORY: u64 = 1 << 30;

/// Contents of `length` bytes, another for each `seed`, in which no two places are alike: whatever
/// is doubled, left out or taken from elsewhere shows.
pub fn contents(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

/// A folder that is gone with the value.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        self.0.path()
    }
}

impl Folder {
    /// An empty one.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// An empty one that costs no disk's time, if the system has such, and room in it: for what is
    /// large, and for many small files, each of which is otherwise waited for until it is safe.
    pub fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        let room = statvfs(memory).map_or(0, |of| of.blocks_available() * of.fragment_size());
        let folder = (room > MEMORY).then(|| tempfile::tempdir_in(memory));
        folder.and_then(Result::ok).map_or_else(Self::new, Self)
    }

    /// An empty one in the folder at `path`.
    pub fn inside(path: impl AsRef<Path>) -> Self {
        Self(tempfile::tempdir_in(path).expect("a folder to write to"))
    }

    /// The path of what is called `name`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// As an argument.
    pub fn arg(&self) -> &str {
        self.0.path().to_str().expect("temporary folders have plain names")
    }

    /// Writes a file, and the folders that lead to it.
    #[must_use]
    pub fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.write(name, bytes);
        self
    }

    /// Makes a folder, and those that lead to it.
    #[must_use]
    pub fn with_folder(self, name: &str) -> Self {
        fs::create_dir_all(self.path(name)).expect("a folder");
        self
    }

    /// Makes a symbolic link.
    #[must_use]
    pub fn with_link(self, name: &str, target: impl AsRef<Path>) -> Self {
        symlink(target, self.path(name)).expect("a link");
        self
    }

    /// Makes a file of `size` bytes that are zeros save for `marks`, which takes no room.
    #[must_use]
    pub fn with_sparse(self, name: &str, size: u64, marks: &[(u64, &[u8])]) -> Self {
        let file = File::create_new(self.path(name)).expect("a new file");
        file.set_len(size).expect("a sparse file");
        for (place, mark) in marks {
            file.write_all_at(mark, *place).expect("room for a mark");
        }
        self
    }

    /// Writes a file, and the folders that lead to it.
    #[track_caller]
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("folders");
        fs::write(path, bytes).expect("a file");
    }

    /// Writes at the end of a file.
    #[track_caller]
    pub fn append(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let mut file = File::options().append(true).open(self.path(name)).expect("it is there");
        file.write_all(bytes.as_ref()).expect("room");
    }

    /// Reads a file.
    #[track_caller]
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name))
            .unwrap_or_else(|e| panic!("{name}: {e}; there is {:?}", self.names()))
    }

    /// Demands that a file holds these bytes, without showing megabytes if it does not.
    #[track_caller]
    pub fn assert_holds(&self, name: &str, bytes: &[u8]) {
        let found = self.read(name);
        if found != bytes {
            let place = found.iter().zip(bytes).position(|(a, b)| a != b);
            let (has, wants) = (found.len(), bytes.len());
            panic!("{name}: {has} bytes for {wants}, the first wrong one at {place:?}");
        }
    }

    /// Whether there is anything of that name, were it a dangling link.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// The names in it, sorted.
    pub fn names(&self) -> Vec<String> {
        names(self.0.path())
    }
}

/// The names in a folder, sorted.
#[track_caller]
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

//! What contents go to that are not to become a file.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use barewire_linux::files::open_stream;
use barewire_linux::standard_streams;

use crate::output::raw::RawOutput;
use crate::output::system_error::describe;

/// A device, a FIFO, or by default standard output.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) output: RawOutput,
    /// As the user named it, unless it is standard output.
    path: Option<PathBuf>,
}

impl Stream {
    /// What stands at `path`, if it is to be written to and never replaced, as [`open_stream`] says.
    ///
    /// # Errors
    /// Those of `open(2)`.
    pub(super) fn find(path: &Path) -> io::Result<Option<Self>> {
        let waits = || log::info!("waiting for somebody who reads {}", path.display());
        let Some(stream) = open_stream(path, waits)? else { return Ok(None) };
        let identity = |file: &File| file.metadata().map(|it| (it.dev(), it.ino()));
        let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        // What is written to two descriptors of a device but a terminal does not get mixed up.
        let may_mix = stdout.is_terminal() || !stdout.metadata()?.file_type().is_char_device();
        if may_mix && identity(&stdout)? == identity(&stream)? {
            return Ok(Some(Self::stdout()));
        }
        Ok(Some(Self { output: RawOutput::new(stream), path: Some(path.to_owned()) }))
    }

    pub(super) fn stdout() -> Self {
        Self::default()
    }

    /// The same, if anything can be written to it.
    ///
    /// # Errors
    /// One that says that it is closed.
    pub(super) fn checked(self) -> io::Result<Self> {
        self.is_stdout().then(standard_streams::check_output).transpose().map(|_| self)
    }

    pub(super) fn is_stdout(&self) -> bool {
        self.path.is_none()
    }

    /// Its path; `-` for standard output.
    pub(super) fn path(&self) -> &[u8] {
        self.path.as_ref().map_or(b"-", |path| path.as_os_str().as_encoded_bytes())
    }

    /// The name for messages.
    pub(super) fn name(&self) -> String {
        self.path.as_ref().map_or("standard output".to_owned(), |path| path.display().to_string())
    }

    /// Why it cannot be written to.
    pub(super) fn explain(&self, error: &io::Error) -> String {
        format!("cannot write to {}: {}", self.name(), describe(error))
    }
}

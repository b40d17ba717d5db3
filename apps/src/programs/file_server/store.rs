//! What a file server has to give: the files and listings of one folder.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use barewire_core::file::{Digest, Entry, ListingLine, Operation, Refusal, Request, Segment};
use barewire_core::printable::printable;
use barewire_linux::files::{
    self, Confinement, DigestCache, FolderEntry, Reason, Root, ServedFile,
};

use crate::cli::exit::Failure;
use crate::output::system_error::describe;

/// Whether the server is to be confined to its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sandbox {
    Unwanted,
    /// As far as it goes.
    Wanted,
    /// Without it nothing is served.
    Required,
}

/// A folder, and what is known of its files.
#[derive(Debug)]
pub(super) struct Store {
    root: Root,
    digests: DigestCache,
    /// As the user named it.
    name: String,
}

impl Store {
    /// The folder, with what is hidden in it or without.
    pub(super) fn open(folder: &Path, shows_hidden: bool) -> Result<Self, Failure> {
        let name = folder.display().to_string();
        let unusable = |error: io::Error| {
            let advice = match error.kind() {
                io::ErrorKind::NotFound => " (the folder comes behind the address)",
                io::ErrorKind::NotADirectory => " (give the folder that holds it)",
                _ => "",
            };
            Failure::Conversation(format!("cannot serve {name}: {}{advice}", describe(&error)))
        };
        let root = Root::open(folder).map_err(unusable)?.with_hidden(shows_hidden);
        if let Err(error) = ServedFile::from_bytes(&[])
            && matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
        {
            return Err(Failure::Conversation(format!(
                "cannot make listings of {name}: this system refuses memfd_create: {} (is there a \
                 filter of system calls? allow it)",
                describe(&error)
            )));
        }
        Ok(Self { root, digests: DigestCache::default(), name })
    }

    /// Gives up, for this thread and those it starts, all rights on files but to read these, as far as
    /// that is wanted; and says what holds from then on.
    pub(super) fn confine(&self, sandbox: Sandbox) -> Result<(), Failure> {
        let Self { root, name, .. } = self;
        let (resolution, mut level) = (root.resolution(), log::Level::Info);
        let confinement = match sandbox {
            Sandbox::Unwanted => "not confined (--no-sandbox)".to_owned(),
            Sandbox::Wanted | Sandbox::Required => {
                let confined = files::confine(root);
                let is_confined = confined.as_ref().is_ok_and(Confinement::is_confined);
                let said = match confined {
                    Ok(confinement) => confinement.to_string(),
                    Err(error) => {
                        level = log::Level::Warn;
                        format!("not confined: Landlock failed: {}", describe(&error))
                    }
                };
                if sandbox == Sandbox::Required && !is_confined {
                    return Err(Failure::Conversation(format!(
                        "cannot serve {name} as --require-sandbox wants it: {said}"
                    )));
                }
                said
            }
        };
        log::log!(level, "serving {name}, {confinement}; {resolution}");
        Ok(())
    }

    /// Opens what is asked for.
    pub(super) fn find(&self, request: &Request<'_>) -> Result<ServedFile, Refusal> {
        let found = match request.operation {
            Operation::Get | Operation::Hashes => self.root.open_file(request.name),
            Operation::List => self.list(request.name),
            _ => return Err(Refusal::NotSupported),
        };
        found.map_err(|why| {
            // The operator's disk, and no client's mistake.
            let is_ours = matches!(why, files::OpenError::Failed(_));
            let level = if is_ours { log::Level::Warn } else { log::Level::Debug };
            log::log!(level, "{}: {why}", printable(request.name));
            match why {
                files::OpenError::NotFound | files::OpenError::Hidden => Refusal::NotFound,
                files::OpenError::Refused(_) => Refusal::Refused,
                files::OpenError::Busy(_) => Refusal::Busy,
                _ => Refusal::Failed,
            }
        })
    }

    /// A listing is a file made for the occasion.
    fn list(&self, name: &[u8]) -> Result<ServedFile, files::OpenError> {
        let mut lines = String::new();
        let mut write = |line: ListingLine<'_>| {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{line}");
        };
        let listing = self.root.list(name)?;
        for FolderEntry { size, modified, name, kind } in &listing.entries {
            let (size, modified, kind) = (*size, *modified, *kind);
            write(ListingLine::Entry(Entry { size, modified, name, kind }));
        }
        if listing.left_out > 0 {
            write(ListingLine::LeftOut(listing.left_out));
        }
        let made = ServedFile::from_bytes(lines.as_bytes());
        made.map_err(|error| {
            files::OpenError::Busy(Reason::System(error.raw_os_error().unwrap_or_default()))
        })
    }

    /// The digest of the segment.
    pub(super) fn digest(
        &self,
        opened: &ServedFile,
        segment: Segment,
        buffer: &mut [u8],
    ) -> io::Result<Digest> {
        self.digests.of(opened, segment, buffer)
    }
}

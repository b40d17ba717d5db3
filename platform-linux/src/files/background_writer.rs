//! Writing behind: a thread of its own writes what is being received.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::mpsc::{Receiver, SendError, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use barewire_core::file::Digest;

use super::download::{Download, Held, HeldDigests, Proven};

/// How many bytes are written before a thread is worth its while.
const THREAD_FROM: u64 = 4 << 20;

/// How many commands wait for the thread at most: so many that it need not take turns with the one
/// that receives, which on two processors costs a tenth of the speed (the other processor is that of
/// the server then).
const WAITING: usize = 16;

/// A [`Download`] of which a thread of its own writes all but the first 4 MiB, so that what comes
/// next can be received and hashed meanwhile.
///
/// The calls are those of the download, in the same order. An error may be that of an earlier call;
/// after it nothing is taken until the next [`start`](Self::start). The thread does one thing after
/// another as it was told, so the journal vouches for nothing that is not written.
///
/// What it is given is copied into a buffer of its pool. At most 16 pieces wait to be written. Where
/// there can be no thread, it goes without.
#[derive(Debug)]
pub struct BackgroundWriter {
    /// Absent while the thread has it.
    download: Option<Box<Download>>,
    thread: Option<WriterThread>,
    /// How many bytes were written without a thread since the last start.
    written: u64,
    /// What went wrong in the thread, and was not told yet.
    error: Option<io::Error>,
    /// Something went wrong there since the last start.
    broken: bool,
    modified: Option<i64>,
}

/// The thread, as it is seen from outside.
#[derive(Debug)]
struct WriterThread {
    handle: JoinHandle<Option<Outcome>>,
    commands: SyncSender<Command>,
    /// The pool: buffers that are written.
    free: Receiver<Vec<u8>>,
    /// Behind what was written in order.
    position: u64,
    /// What will be, once everything is done that the thread was told.
    proven: Proven,
}

/// What the thread leaves.
type Outcome = (Box<Download>, io::Result<()>);

#[derive(Debug)]
enum Command {
    Write(Vec<u8>),
    WriteAt(u64, Vec<u8>),
    /// Where the segment starts and ends, and its digest.
    Verified(u64, u64, Digest),
}

impl BackgroundWriter {
    /// Takes over a download, which need not have started.
    pub fn new(download: Download) -> Self {
        let download = Some(Box::new(download));
        Self { download, thread: None, written: 0, error: None, broken: false, modified: None }
    }

    /// What is proven; `None` if the download went down with its thread.
    fn proven(&self) -> Option<&Proven> {
        match &self.thread {
            Some(thread) => Some(&thread.proven),
            None => self.download.as_ref().map(|download| download.proven()),
        }
    }

    /// As [`Download::held`]; certain only once it has [joined](Self::join), or after an error.
    pub fn held(&self) -> Option<Held> {
        self.proven()?.held()
    }

    /// As [`Download::missing`]; certain when [`held`](Self::held) is.
    pub fn missing(&self) -> impl Iterator<Item = Range<u64>> {
        self.proven().into_iter().flat_map(Proven::missing)
    }

    /// As [`Download::is_proven`]; certain when [`held`](Self::held) is.
    pub fn is_proven(&self) -> bool {
        self.proven().is_some_and(Proven::is_complete)
    }

    /// As [`Download::position`]; with what is still to be written, unless an error was met.
    pub fn position(&self) -> u64 {
        match &self.thread {
            Some(thread) => thread.position.max(thread.proven.verified()),
            None => self.download.as_ref().map_or(0, |download| download.position()),
        }
    }

    /// Waits until all is written that was to be, and ends the thread. To be called after a
    /// connection has broken, before [`held`](Self::held). If something goes wrong, the next call
    /// tells.
    pub fn join(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let result = match thread.join() {
            Some((download, result)) => {
                self.download = Some(download);
                result
            }
            None => Err(lost()),
        };
        self.error = result.err();
    }

    /// The download, without a thread.
    fn joined(&mut self) -> io::Result<&mut Download> {
        self.join();
        if let Some(error) = self.error.take() {
            self.broken = true;
            return Err(error);
        }
        if self.broken {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.download.as_deref_mut().ok_or_else(lost)
    }

    /// As [`Download::start`].
    ///
    /// # Errors
    /// Those of [`Download::start`], and of what was written before.
    pub fn start(&mut self, offset: u64, size: Option<u64>, tag: u64) -> io::Result<()> {
        (self.broken, self.written) = (false, 0);
        self.joined()?.start(offset, size, tag)
    }

    /// As [`Download::fill`].
    ///
    /// # Errors
    /// Those of [`Download::fill`], and of what was written before.
    pub fn fill(&mut self, size: u64, tag: u64) -> io::Result<()> {
        (self.broken, self.written) = (false, 0);
        self.joined()?.fill(size, tag)
    }

    /// As [`Download::write`].
    ///
    /// # Errors
    /// Those of [`Download::write`] and [`Download::verified`], of this call or an earlier one.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_with(None, bytes)
    }

    /// As [`Download::write_at`].
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_with(Some(offset), bytes)
    }

    /// Writes what comes next, or what is at the offset.
    fn write_with(&mut self, offset: Option<u64>, bytes: &[u8]) -> io::Result<()> {
        if self.thread.is_none() && self.written >= THREAD_FROM {
            self.written = 0;
            self.start_thread();
        }
        if let Some(thread) = &mut self.thread {
            let taken = thread.write(offset, bytes);
            return taken.map_or_else(|| self.thread_error(), Ok);
        }
        let download = self.joined()?;
        match offset {
            Some(offset) => download.write_at(offset, bytes)?,
            None => download.write(bytes)?,
        }
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// As [`Download::verified`].
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn verified(&mut self, start: u64, end: u64, digest: &Digest) -> io::Result<()> {
        if let Some(thread) = &mut self.thread {
            let taken = thread.verified(start, end, digest);
            return taken.map_or_else(|| self.thread_error(), Ok);
        }
        self.joined()?.verified(start, end, digest)
    }

    /// As [`Download::check_next`].
    ///
    /// # Errors
    /// Those of [`Download::check_next`], and of what was written before.
    pub fn check_next(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        self.joined()?.check_next(buffer)
    }

    /// As [`Download::unchecked`].
    pub fn unchecked(&self) -> u64 {
        self.download.as_ref().map_or(0, |download| download.unchecked())
    }

    /// As [`Download::digests`].
    ///
    /// # Errors
    /// Those of what was written before.
    pub fn digests(&mut self) -> io::Result<HeldDigests<'_, File>> {
        Ok(self.joined()?.digests())
    }

    /// As [`Download::hash`].
    ///
    /// # Errors
    /// Those of [`Download::hash`], and of what was written before.
    pub fn hash(&mut self) -> io::Result<Option<Digest>> {
        self.joined()?.hash()
    }

    /// As [`Download::forget`].
    ///
    /// # Errors
    /// Those of [`Download::forget`], and of what was written before.
    pub fn forget(&mut self, start: u64, end: u64) -> io::Result<()> {
        self.joined()?.forget(start, end)
    }

    /// As [`Download::adopt`].
    ///
    /// # Errors
    /// Those of [`Download::adopt`], and of what was written before.
    pub fn adopt(&mut self, tag: u64) -> io::Result<()> {
        self.joined()?.adopt(tag)
    }

    /// As [`Download::set_modified`].
    pub fn set_modified(&mut self, time: Option<i64>) {
        self.modified = time;
    }

    /// As [`Download::finish`].
    ///
    /// # Errors
    /// Those of [`Download::finish`], and of what was written before.
    pub fn finish(self) -> io::Result<()> {
        self.into_download()?.finish()
    }

    /// As [`Download::finish_all`]. What went wrong when it was written is told here, too.
    pub fn finish_all(all: Vec<Self>) -> Vec<io::Result<()>> {
        let mut written = Vec::with_capacity(all.len());
        let failed: Vec<io::Result<()>> = all
            .into_iter()
            .map(|download| download.into_download().map(|download| written.push(download)))
            .collect();
        let mut finished = Download::finish_all(written).into_iter();
        failed
            .into_iter()
            .map(|result| result.and_then(|()| finished.next().unwrap_or_else(|| Err(lost()))))
            .collect()
    }

    /// The download, with all written that was to be.
    fn into_download(mut self) -> io::Result<Download> {
        self.joined()?;
        let mut download = *self.download.take().ok_or_else(lost)?;
        download.set_modified(self.modified);
        Ok(download)
    }

    /// The thread takes nothing any more: why.
    fn thread_error(&mut self) -> io::Result<()> {
        self.joined()?;
        Err(lost())
    }

    /// Hands the download over to a thread, if there can be one.
    fn start_thread(&mut self) {
        let Some(download) = self.download.take() else { return };
        match WriterThread::start(download) {
            Ok(thread) => self.thread = Some(thread),
            Err(download) => self.download = Some(download),
        }
    }
}

/// What has verified is worth keeping, and known to be written only then.
impl Drop for BackgroundWriter {
    fn drop(&mut self) {
        self.join();
    }
}

impl WriterThread {
    /// Starts a thread; gives the download back if there can be none.
    fn start(download: Box<Download>) -> Result<Self, Box<Download>> {
        let (give, given) = sync_channel::<Box<Download>>(1);
        let (commands, commanded) = sync_channel(WAITING);
        let (written, free) = channel();
        let run = move || {
            let mut download = given.recv().ok()?;
            let result = execute(&mut download, &commanded, &written);
            Some((download, result))
        };
        let Ok(handle) = thread::Builder::new().name("writer".into()).spawn(run) else {
            return Err(download);
        };
        let thread = Self {
            handle,
            commands,
            free,
            position: download.position(),
            proven: download.proven().clone(),
        };
        match give.send(download) {
            Ok(()) => Ok(thread),
            Err(SendError(download)) => Err(download),
        }
    }

    /// `None`, here and below: the thread has ended.
    fn write(&mut self, offset: Option<u64>, bytes: &[u8]) -> Option<()> {
        let mut buffer = self.free.try_recv().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(bytes);
        let command = if let Some(offset) = offset {
            Command::WriteAt(offset, buffer)
        } else {
            self.position += bytes.len() as u64;
            Command::Write(buffer)
        };
        self.commands.send(command).ok()
    }

    fn verified(&mut self, start: u64, end: u64, digest: &Digest) -> Option<()> {
        if let Some((number, _)) = self.proven.segment(start) {
            self.proven.insert(number);
        }
        self.commands.send(Command::Verified(start, end, *digest)).ok()
    }

    /// Waits for the thread; `None` if it has panicked.
    fn join(self) -> Option<Outcome> {
        let Self { handle, commands, .. } = self;
        drop(commands);
        handle.join().ok().flatten()
    }
}

/// What the thread does, until it is told no more, or something goes wrong.
fn execute(
    download: &mut Download,
    commands: &Receiver<Command>,
    written: &Sender<Vec<u8>>,
) -> io::Result<()> {
    commands.iter().try_for_each(|command| {
        let bytes = match command {
            Command::Write(bytes) => {
                download.write(&bytes)?;
                bytes
            }
            Command::WriteAt(offset, bytes) => {
                download.write_at(offset, &bytes)?;
                bytes
            }
            Command::Verified(start, end, digest) => {
                return download.verified(start, end, &digest);
            }
        };
        // Nobody wants it any more when the writer is being joined.
        let _ = written.send(bytes);
        Ok(())
    })
}

/// The download went down with its thread.
fn lost() -> io::Error {
    io::Error::other("the thread that writes has failed")
}

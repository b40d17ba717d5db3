//! Writing behind: a thread of its own writes what is being received.

#[cfg(test)]
mod tests;

use std::io;
use std::sync::mpsc::{Receiver, SendError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::download::{Download, Held};
use crate::executor::{Kept, Origin};

/// How many bytes are written before a thread is worth its while.
const THREAD_FROM: u64 = 4 << 20;

/// How many orders wait for the thread at most: so many that it need not take turns with the one that
/// receives, which on two processors costs a tenth of the speed (the other processor is that of the
/// server then).
const WAITING: usize = 16;

/// A [`Download`] of which a thread of its own writes all but the first 4 MiB, so that what comes
/// next can be received and hashed meanwhile.
///
/// The calls are those of the download, in the same order. An error may be that of an earlier call;
/// after it nothing is taken until the next [`start`](Self::start). The thread does one thing after
/// another as it was told, so the journal vouches for nothing that is not written.
///
/// What it is given is not copied, if its [origin](Origin::keep) is known. At most 16 pieces wait to be
/// written, each of one read at most. Where there can be no thread, it goes without.
#[derive(Debug)]
pub struct BackgroundWriter {
    /// Absent while the thread has it.
    download: Option<Box<Download>>,
    thread: Option<WriterThread>,
    /// How many bytes were written without a thread since the last start.
    written: u64,
    /// What went wrong in the thread, and was not told yet.
    fault: Option<io::Error>,
    /// Something went wrong there since the last start.
    broken: bool,
}

/// What there is of the thread on this side.
#[derive(Debug)]
struct WriterThread {
    thread: JoinHandle<Option<Outcome>>,
    orders: SyncSender<Command>,
    position: u64,
    /// The tag and the size, if there can be something to resume.
    version: Option<(u64, u64)>,
    verified: u64,
}

/// What the thread leaves.
type Outcome = (Box<Download>, io::Result<()>);

/// What the thread is to do.
#[derive(Debug)]
enum Command {
    Write(Kept),
    /// Everything before this offset has verified.
    Verified(u64),
}

impl BackgroundWriter {
    /// Takes over a download, which need not have started.
    pub fn new(download: Download) -> Self {
        let download = Some(Box::new(download));
        Self { download, thread: None, written: 0, fault: None, broken: false }
    }

    /// As [`Download::held`]; certain only once it has [settled](Self::settle), or after an error.
    pub fn held(&self) -> Option<Held> {
        match &self.thread {
            Some(thread) => thread.held(),
            None => self.download.as_ref()?.held(),
        }
    }

    /// As [`Download::position`]; with what is still to be written, unless an error was met.
    pub fn position(&self) -> u64 {
        match &self.thread {
            Some(thread) => thread.position,
            None => self.download.as_ref().map_or(0, |download| download.position()),
        }
    }

    /// Waits until all is written that was to be, and ends the thread. To be called after a
    /// connection has broken, before [`held`](Self::held). If something goes wrong, the next call
    /// tells.
    pub fn settle(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let result = match thread.end() {
            Some((download, result)) => {
                self.download = Some(download);
                result
            }
            None => Err(lost()),
        };
        self.fault = result.err();
    }

    /// The download, settled.
    fn settled(&mut self) -> io::Result<&mut Download> {
        self.settle();
        if let Some(fault) = self.fault.take() {
            self.broken = true;
            return Err(fault);
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
        self.settled()?.start(offset, size, tag)
    }

    /// As [`Download::write`], of bytes whose `origin` may be known.
    ///
    /// # Errors
    /// Those of [`Download::write`] and [`Download::verified`], of this call or an earlier one.
    pub fn write(&mut self, bytes: &[u8], origin: Origin<'_>) -> io::Result<()> {
        if self.thread.is_none() && self.written >= THREAD_FROM {
            self.written = 0;
            self.part();
        }
        if let Some(thread) = &mut self.thread {
            let taken = thread.write(origin.keep(bytes));
            return taken.map_or_else(|| self.cut_off(), Ok);
        }
        self.settled()?.write(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// As [`Download::verified`].
    ///
    /// # Errors
    /// Those of [`Download::write`] and [`Download::verified`], of this call or an earlier one.
    pub fn verified(&mut self, end: u64) -> io::Result<()> {
        if let Some(thread) = &mut self.thread {
            let taken = thread.verified(end);
            return taken.map_or_else(|| self.cut_off(), Ok);
        }
        self.settled()?.verified(end)
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
        self.settled()?;
        self.download.take().map(|download| *download).ok_or_else(lost)
    }

    /// The thread takes nothing any more: why.
    fn cut_off(&mut self) -> io::Result<()> {
        self.settled()?;
        Err(lost())
    }

    /// Hands the download over to a thread, if there can be one.
    fn part(&mut self) {
        let Some(download) = self.download.take() else { return };
        match WriterThread::begin(download) {
            Ok(thread) => self.thread = Some(thread),
            Err(download) => self.download = Some(download),
        }
    }
}

/// What has verified is worth keeping, and known to be written only then.
impl Drop for BackgroundWriter {
    fn drop(&mut self) {
        self.settle();
    }
}

impl WriterThread {
    /// Begins a thread; gives the download back if there can be none.
    fn begin(download: Box<Download>) -> Result<Self, Box<Download>> {
        let (give, given) = sync_channel::<Box<Download>>(1);
        let (orders, ordered) = sync_channel(WAITING);
        let work = move || {
            let mut download = given.recv().ok()?;
            let result = execute(&mut download, &ordered);
            Some((download, result))
        };
        let Ok(thread) = thread::Builder::new().name("writer".into()).spawn(work) else {
            return Err(download);
        };
        let thread = Self {
            thread,
            orders,
            position: download.position(),
            version: download.version(),
            verified: download.held().map_or(0, |held| held.verified),
        };
        match give.send(download) {
            Ok(()) => Ok(thread),
            Err(SendError(download)) => Err(download),
        }
    }

    fn held(&self) -> Option<Held> {
        Held::of(self.version, self.verified)
    }

    /// `None`, here and below: the thread has ended.
    fn write(&mut self, bytes: Kept) -> Option<()> {
        self.position += bytes.len() as u64;
        self.orders.send(Command::Write(bytes)).ok()
    }

    fn verified(&mut self, end: u64) -> Option<()> {
        self.verified = end;
        self.orders.send(Command::Verified(end)).ok()
    }

    /// Waits for the thread; `None` if it has panicked.
    fn end(self) -> Option<Outcome> {
        let Self { thread, orders, .. } = self;
        drop(orders);
        thread.join().ok().flatten()
    }
}

/// What the thread does, until it is told no more, or something goes wrong.
fn execute(download: &mut Download, orders: &Receiver<Command>) -> io::Result<()> {
    orders.iter().try_for_each(|order| match order {
        Command::Write(bytes) => download.write(&bytes),
        Command::Verified(end) => download.verified(end),
    })
}

/// The download went down with its thread.
fn lost() -> io::Error {
    io::Error::other("the thread that writes has failed")
}

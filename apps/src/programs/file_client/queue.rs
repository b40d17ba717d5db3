//! What is to be done: transfers that wait, and transfers that were asked for.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::mem;
use std::path::PathBuf;

use barewire_core::file::{self, ReceiverEvent, Refusal, RequestError};
use barewire_core::time::{Duration, Instant};
use barewire_linux::files::NewFolder;
use barewire_linux::resource_limits::descriptor_limit;

use super::file_sink::FileSink;
use super::file_sink::finish::Completing;
use super::limits::Allowance;
use super::listing_sink;
use super::messages;
use super::report::Reporter;
use super::settings::Settings;
use super::sink::{Abort, Next, Readiness};
use super::transfer::{Kind, Transfer, called, shown};
use super::tree::Walk;

/// How much may be asked for before it is answered. Each file has one or two descriptors open until it
/// has its name.
const DEPTH: usize = 64;

/// How much is asked for in one turn: what comes first goes out before the rest is prepared.
const AT_ONCE: usize = 16;

/// How many listings may be asked for at once, as each that comes takes room until its folder is
/// done.
const LISTINGS: usize = 8;

/// How much gets its name together, while more comes, and how long the first waits for the others at most: the
/// disk is waited for once for all. Files and new folders are counted, and bytes.
const BATCH: usize = 256;
const BATCH_BYTES: u64 = 32 << 20;
const HOLD: Duration = Duration::from_millis(100);

/// For how many of the descriptors that there may be a batch has one file at most: each takes two, and there are
/// two batches.
const DESCRIPTORS_A_FILE: usize = 8;

/// Room for the requests of that, with names of ordinary length.
const ROOM: usize = 8 * 1024;

pub(super) type Receiver = file::Receiver<ROOM>;

/// All there is to do.
#[derive(Debug)]
pub(super) struct Queue<'o> {
    pub(super) settings: Settings,
    pub(super) reporter: Reporter<'o>,
    /// What comes next. Once it is all done, the last of the folders gives more.
    waiting: VecDeque<Transfer>,
    folders: Vec<Walk>,
    /// Asked for on this connection, and not answered in full.
    asked: VecDeque<Transfer>,
    /// All of them has come; to be [published](Self::publish).
    complete: Vec<(String, FileSink)>,
    /// New folders, to be made to last with them.
    new_folders: Vec<(PathBuf, NewFolder)>,
    /// How many of both make a batch.
    batch: usize,
    /// Those before, which are given their names.
    completing: Option<Completing>,
    /// When all of that is to be done at the latest.
    publish_by: Option<Instant>,
    /// Nothing more will be asked on this connection.
    finished: bool,
    allowance: Allowance,
    /// Something was achieved since this was last looked at.
    pub(super) progressed: bool,
}

impl<'o> Queue<'o> {
    pub(super) fn new(
        settings: Settings,
        mut reporter: Reporter<'o>,
        transfers: Vec<Transfer>,
    ) -> Self {
        reporter.known = transfers.iter().map(Transfer::files).sum();
        Self {
            allowance: settings.limits.into(),
            settings,
            reporter,
            waiting: transfers.into(),
            folders: Vec::new(),
            asked: VecDeque::new(),
            complete: Vec::new(),
            new_folders: Vec::new(),
            batch: descriptor_limit()
                .map_or(1, |limit| (limit / DESCRIPTORS_A_FILE).clamp(1, BATCH)),
            completing: None,
            publish_by: None,
            finished: false,
            progressed: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much is known to be to do.
    pub(super) fn len(&self) -> usize {
        let listed = self.folders.iter().map(|folder| folder.left).sum::<usize>();
        self.waiting.len() + self.asked.len() + listed
    }

    /// Those that wait or were asked for, the next one first.
    pub(super) fn transfers(&self) -> impl Iterator<Item = &Transfer> {
        self.asked.iter().chain(&self.waiting)
    }

    /// Has the next transfer, if there is any, wait for its turn.
    fn refill(&mut self) {
        while self.waiting.is_empty()
            && let Some(folder) = self.folders.last_mut()
        {
            self.waiting.extend(folder.next(&self.settings.rules));
            self.folders.pop_if(|folder| folder.left == 0);
        }
    }

    /// Makes the next transfer ready to be asked for, or more nearly so, and reports those before it that
    /// cannot be done. `None` if there is none.
    pub(super) fn prepare(&mut self) -> Option<Readiness> {
        loop {
            self.refill();
            let transfer = self.waiting.front_mut()?;
            let Self { settings, allowance, reporter, .. } = self;
            match transfer.prepare(settings, allowance, reporter) {
                Ok(Readiness::Unneeded) => reporter.unchanged(transfer.listed_size()),
                Ok(readiness) => return Some(readiness),
                Err(why) => reporter.fail(&why),
            }
            self.drop_next();
        }
    }

    /// Takes the next transfer out, which is over before it was asked for.
    pub(super) fn drop_next(&mut self) -> Option<Transfer> {
        let transfer = self.waiting.pop_front()?;
        self.reporter.done += transfer.files();
        self.refill();
        Some(transfer)
    }

    /// Asks for as much as can be asked for at once: of a server that was not `heard` yet, one thing,
    /// since one that knows the plain form only may not read more, and what it leaves unread makes a
    /// reset of its close. Tells whether there is anything to send, or more to do before.
    pub(super) fn ask(&mut self, receiver: &mut Receiver, now: Instant, heard: bool) -> bool {
        let mut asked = 0;
        while !self.finished
            && let Some(readiness) = self.prepare()
        {
            if readiness == Readiness::Checking {
                return true;
            }
            let Some(next) = self.waiting.front() else { break };
            let listings = self.asked.iter().filter(|transfer| transfer.is_listing()).count();
            let is_early = !heard && !self.asked.is_empty();
            if is_early || self.asked.len() >= DEPTH || next.is_listing() && listings >= LISTINGS {
                return asked > 0;
            }
            match receiver.request(now, &next.request(&self.settings)) {
                Ok(()) => {
                    self.asked.extend(self.waiting.pop_front());
                    asked += 1;
                    if asked == AT_ONCE {
                        return true;
                    }
                }
                Err(RequestError::TooLong) => {
                    self.reporter.fail(&format!("{}: the name is too long", next.shown()));
                    self.drop_next();
                }
                Err(_) => return asked > 0,
            }
        }
        if !self.finished && !self.asked.iter().any(Transfer::may_grow) {
            self.finished = true;
            receiver.finish();
            return true;
        }
        asked > 0
    }

    /// Takes the next transfer for a plain conversation.
    pub(super) fn ask_plainly(&mut self) -> Option<&Transfer> {
        self.asked.extend(self.waiting.pop_front());
        self.asked.back()
    }

    /// The server has answered.
    pub(super) fn take(&mut self, event: ReceiverEvent<'_>) -> Result<(), Abort> {
        match event {
            ReceiverEvent::Refused(Refusal::Busy) => return Err(Abort::Busy),
            ReceiverEvent::Refused(refusal) => self.refused(refusal),
            ReceiverEvent::Complete => self.completed()?,
            event => {
                let Some(transfer) = self.asked.front_mut() else { return Ok(()) };
                let taken = self.folders.iter().map(Walk::room).sum();
                let room = listing_sink::ROOM.saturating_sub(taken);
                let Self { allowance, reporter, .. } = self;
                self.progressed |= transfer.take(event, room, allowance, reporter)?;
            }
        }
        Ok(())
    }

    fn refused(&mut self, refusal: Refusal) {
        self.progressed = true;
        let Some(transfer) = self.asked.pop_front() else { return };
        if let Refusal::NotFound | Refusal::Refused = refusal
            && let Some(file) = transfer.as_file()
        {
            self.reporter.known += file.files();
            self.waiting.push_front(file);
            return;
        }
        self.reporter.done += transfer.files();
        self.reporter.fail(&messages::refused(&transfer, refusal, &self.settings));
    }

    fn completed(&mut self) -> Result<(), Abort> {
        let Some(transfer) = self.asked.front_mut() else { return Ok(()) };
        let next = transfer.completed(&self.reporter)?;
        self.progressed |= next != Next::More;
        let Some(transfer) = self.asked.pop_front() else { return Ok(()) };
        if next == Next::More {
            self.waiting.push_front(transfer);
            return Ok(());
        }
        let reporter = &mut self.reporter;
        reporter.done += transfer.files();
        if next == Next::Unchanged {
            reporter.unchanged(transfer.listed_size());
            return Ok(());
        }
        let name = transfer.name;
        let left_out = match &transfer.kind {
            Kind::Screen(listing, _) | Kind::Tree { listing, .. } => listing.left_out(),
            Kind::File(_) | Kind::Stream(_) => 0,
        };
        let done = match transfer.kind {
            Kind::File(sink) => {
                self.complete.push((name, sink));
                return Ok(());
            }
            Kind::Stream(sink) => {
                sink.complete(&name, reporter);
                return Ok(());
            }
            Kind::Screen(listing, headed) => {
                let heading = headed.then(|| called(&name));
                listing.show(heading, reporter).map_err(|error| error.to_string())
            }
            Kind::Tree { listing, target, path } => {
                let rules = &self.settings.rules;
                Walk::begin(path, listing, &target, rules, &mut self.allowance, reporter).map(
                    |folder| {
                        self.new_folders.extend(folder.new_folder());
                        self.folders.push(folder);
                    },
                )
            }
        };
        if left_out > 0 {
            reporter.tree.left_out += left_out;
            reporter.fail(&messages::left_out(shown(&name), left_out));
        }
        if let Err(why) = done {
            reporter.fail(&format!("{}: {why}", shown(&name)));
        }
        Ok(())
    }

    /// Gives the files that have come their names, if enough have, or no more will soon; else tells when to
    /// call again.
    pub(super) fn publish_in_time(&mut self, now: Instant) -> Option<Instant> {
        let by = *self.publish_by.get_or_insert(now + HOLD);
        let count = self.complete.len() + self.new_folders.len();
        if count == 0 && self.completing.is_none() || self.asked.is_empty() {
            self.publish();
            return None;
        }
        let bytes = || self.complete.iter().map(|(_, sink)| sink.size()).sum::<u64>();
        if count >= self.batch || by <= now || bytes() >= BATCH_BYTES {
            self.begin_publishing();
            self.publish_by = self.completing.is_some().then_some(now + HOLD);
        }
        self.publish_by
    }

    /// Gives the files that have come since this was last called their names.
    pub(super) fn publish(&mut self) {
        self.begin_publishing();
        self.conclude();
        self.publish_by = None;
    }

    /// As [`publish`](Self::publish), but waits only for those that were begun before.
    fn begin_publishing(&mut self) {
        self.conclude();
        let (files, folders) = (mem::take(&mut self.complete), mem::take(&mut self.new_folders));
        if !(files.is_empty() && folders.is_empty()) {
            self.completing = Some(FileSink::complete(files, folders, &mut self.reporter));
        }
    }

    fn conclude(&mut self) {
        if let Some(completing) = self.completing.take() {
            completing.join(&mut self.reporter);
        }
    }

    /// The connection is gone: what was asked for and not answered in full must be asked for again.
    pub(super) fn rewind(&mut self) {
        self.finished = false;
        while let Some(mut transfer) = self.asked.pop_back() {
            transfer.settle();
            self.waiting.push_front(transfer);
        }
        self.refill();
    }
}

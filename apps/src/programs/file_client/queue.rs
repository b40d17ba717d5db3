//! What is to be done: transfers that wait, and transfers that were asked for.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use barewire_core::file::{self, ReceiverEvent, Refusal, RequestError};
use barewire_core::time::{Duration, Instant};

use super::file_sink::FileSink;
use super::limits::Allowance;
use super::listing_sink;
use super::messages;
use super::report::Reporter;
use super::settings::Settings;
use super::sink::{Abort, Next, Readiness};
use super::transfer::{Kind, Transfer, called, shown};
use super::tree::Walk;

/// How much may be asked for before it is answered. Each file among it has three descriptors open.
const DEPTH: usize = 64;

/// How many listings may be asked for at once, as each that comes takes room until its folder is
/// done.
const LISTINGS: usize = 8;

/// How many files get their names together, and how long the first waits for others at most: the disk is
/// waited for once for all.
const BATCH: usize = 32;
const HOLD: Duration = Duration::from_millis(100);

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
    /// When that is to be at the latest.
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
        let mut asked = false;
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
                return asked;
            }
            match receiver.request(now, &next.request(&self.settings)) {
                Ok(()) => {
                    self.asked.extend(self.waiting.pop_front());
                    asked = true;
                }
                Err(RequestError::TooLong) => {
                    self.reporter.fail(&format!("{}: the name is too long", next.shown()));
                    self.drop_next();
                }
                Err(_) => return asked,
            }
        }
        if !self.finished && !self.asked.iter().any(Transfer::may_grow) {
            self.finished = true;
            receiver.finish();
            return true;
        }
        asked
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
        self.reporter.fail(&messages::refused(&transfer, refusal, &self.settings.server));
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
                Walk::begin(path, listing, &target, rules, &mut self.allowance, reporter)
                    .map(|folder| self.folders.push(folder))
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
        let is_time = self.asked.is_empty() || self.complete.len() >= BATCH || by <= now;
        if self.complete.is_empty() || is_time {
            self.publish();
            return None;
        }
        Some(by)
    }

    /// Gives the files that have come since this was last called their names.
    pub(super) fn publish(&mut self) {
        self.publish_by = None;
        FileSink::complete(std::mem::take(&mut self.complete), &mut self.reporter);
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

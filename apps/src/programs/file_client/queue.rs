//! What is to be done: jobs that wait, and jobs that were asked for.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use barewire_core::file::{self, ReceiverEvent, Refusal, RequestError};
use barewire_core::time::Instant;

use super::client::Settings;
use super::listing_sink;
use super::messages;
use super::report::Voice;
use super::transfer::{Job, Next};
use super::tree::Branch;

/// How much may be asked for before it is answered. Each file among it has three descriptors open.
const DEPTH: usize = 64;

/// How many listings may be asked for at once, as each that comes takes room until its folder is
/// done.
const LISTINGS: usize = 8;

/// Room for the requests of that, with names of ordinary length.
const ROOM: usize = 8 * 1024;

pub(super) type Receiver = file::Receiver<ROOM, DEPTH>;

/// Why a conversation ends although the server has done nothing wrong.
#[derive(Debug)]
pub(super) enum Stop {
    /// The server asks for patience.
    Busy,
    /// The answer that has begun is of no use, for the reason given.
    One(String),
    /// Nothing that would still come is of any use, for the reason given.
    All(String),
    /// Nobody reads standard output any more.
    Reader,
    /// A signal came while it was waited for that somebody reads standard output.
    Signal,
}

/// All there is to do.
#[derive(Debug)]
pub(super) struct Work {
    /// What comes next. Once it is all done, the last of the folders gives more.
    waiting: VecDeque<Job>,
    folders: Vec<Branch>,
    /// Asked for on this connection, and not answered in full.
    asked: VecDeque<Job>,
    /// All of them has come; to be [published](Self::publish).
    complete: Vec<Job>,
    /// Nothing more will be asked on this connection.
    finished: bool,
    /// How many files need not be downloaded, as they are there.
    pub(super) there: u64,
    /// Something was achieved since this was last looked at.
    pub(super) progressed: bool,
}

impl Work {
    pub(super) fn new(jobs: Vec<Job>) -> Self {
        let (waiting, asked) = (VecDeque::from(jobs), VecDeque::new());
        let (folders, complete) = (Vec::new(), Vec::new());
        Self { waiting, folders, asked, complete, finished: false, there: 0, progressed: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much is known to be to do.
    pub(super) fn len(&self) -> usize {
        let listed = self.folders.iter().map(Branch::left).sum::<usize>();
        self.waiting.len() + self.asked.len() + listed
    }

    /// Has the next job, if there is any, wait for its turn.
    fn refill(&mut self) {
        while self.waiting.is_empty()
            && let Some(folder) = self.folders.last_mut()
        {
            self.waiting.extend(folder.next());
            self.folders.pop_if(|folder| folder.left() == 0);
        }
    }

    /// Those that wait or were asked for, the next one first.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.asked.iter().chain(&self.waiting)
    }

    /// Makes the next job ready to be asked for, and reports those before it that cannot be done.
    pub(super) fn prepare(&mut self, settings: &Settings, voice: &mut Voice<'_>) -> bool {
        loop {
            self.refill();
            let Some(job) = self.waiting.front_mut() else { return false };
            match job.prepare(settings) {
                Ok(true) => return true,
                Ok(false) => {
                    voice.progress.finish(job.counts());
                    self.there += 1;
                    self.waiting.pop_front();
                }
                Err(why) => self.give_up(|_| why, voice),
            }
        }
    }

    /// Reports that the next job cannot be done.
    fn give_up(&mut self, why: impl FnOnce(&Job) -> String, voice: &mut Voice<'_>) {
        if let Some(job) = self.waiting.pop_front() {
            voice.progress.finish(job.counts());
            voice.fail(&why(&job));
        }
    }

    /// Asks for as much as can be asked for at once: of a server that was not `heard` yet, one thing,
    /// since one that knows the plain form only may not read more, and what it leaves unread makes a
    /// reset of its close. Tells whether there is anything to send.
    pub(super) fn ask(
        &mut self,
        receiver: &mut Receiver,
        now: Instant,
        heard: bool,
        settings: &Settings,
        voice: &mut Voice<'_>,
    ) -> bool {
        let mut asked = false;
        while !self.finished && self.prepare(settings, voice) {
            let Some(job) = self.waiting.front_mut() else { break };
            if !heard && !self.asked.is_empty() {
                return asked;
            }
            let listings = self.asked.iter().filter(|job| job.is_listing()).count();
            if job.is_listing() && listings >= LISTINGS {
                return asked;
            }
            job.restart();
            match receiver.request(now, &job.request(settings)) {
                Ok(()) => {
                    self.asked.extend(self.waiting.pop_front());
                    asked = true;
                }
                Err(RequestError::TooLong) => {
                    self.give_up(|job| format!("{}: the name is too long", job.shown()), voice);
                }
                Err(RequestError::Full | RequestError::Finished) => return asked,
            }
        }
        let may_grow = self.asked.iter().any(Job::may_grow);
        if !self.finished && !may_grow {
            self.finished = true;
            receiver.finish();
            return true;
        }
        asked
    }

    /// Takes the next job for a plain conversation.
    pub(super) fn ask_plainly(&mut self) -> Option<&Job> {
        let mut job = self.waiting.pop_front()?;
        job.restart();
        self.asked.push_back(job);
        self.asked.back()
    }

    /// The server has answered.
    pub(super) fn take(
        &mut self,
        event: ReceiverEvent<'_>,
        settings: &Settings,
        voice: &mut Voice<'_>,
    ) -> Result<(), Stop> {
        let Some(job) = self.asked.front_mut() else { return Ok(()) };
        match event {
            ReceiverEvent::Response(answer) => {
                let taken = self.folders.iter().map(Branch::size).sum();
                let room = listing_sink::ROOM.saturating_sub(taken);
                job.answered(&answer, Some(answer.size), room, voice)?;
            }
            ReceiverEvent::Contents(bytes) => self.progressed |= job.contents(bytes, voice)?,
            ReceiverEvent::Verified { end } => self.progressed |= job.verified(end, voice)?,
            ReceiverEvent::Refused(Refusal::Busy) => return Err(Stop::Busy),
            ReceiverEvent::Refused(refusal) => self.refused(refusal, settings, voice),
            ReceiverEvent::Complete => {
                self.progressed = true;
                let Some(job) = self.asked.pop_front() else { return Ok(()) };
                voice.progress.finish(job.counts());
                match job.complete(voice) {
                    None => {}
                    Some(Next::Publish(job)) => self.complete.push(job),
                    Some(Next::Descend(folder)) => {
                        voice.progress.expect(folder.files);
                        self.folders.push(folder);
                        self.folders.pop_if(|folder| folder.left() == 0);
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives the files that have come since this was last called their names. To be called when no
    /// more can come for now: for many at once the disk is waited for little longer than for one.
    pub(super) fn publish(&mut self, voice: &mut Voice<'_>) {
        Job::publish(std::mem::take(&mut self.complete), voice);
    }

    fn refused(&mut self, refusal: Refusal, settings: &Settings, voice: &mut Voice<'_>) {
        self.progressed = true;
        let Some(job) = self.asked.pop_front() else { return };
        if let Refusal::NotFound | Refusal::Refused = refusal
            && let Some(file) = job.as_file()
        {
            voice.progress.expect(file.counts());
            self.waiting.push_front(file);
            return;
        }
        voice.progress.finish(job.counts());
        voice.fail(&messages::refused(&job, refusal, settings));
    }

    /// The connection is gone: what was asked for and not answered in full must be asked for again.
    pub(super) fn rewind(&mut self) {
        self.finished = false;
        while let Some(mut job) = self.asked.pop_back() {
            job.pause();
            self.waiting.push_front(job);
        }
        self.refill();
    }

    /// Takes the next job out, after [`rewind`](Self::rewind).
    pub(super) fn drop_first(&mut self) -> Option<Job> {
        let job = self.waiting.pop_front();
        self.refill();
        job
    }
}

//! One file from several servers at once: which has what, and who is asked for what next.

use std::collections::VecDeque;
use std::ops::Range;

use barewire_core::file::{Digest, ReceiverEvent, Refusal, Request, RootDigester, SegmentSize};
use barewire_linux::dialer::Dialer;
use indicatif::HumanBytes;
use log::Level;

use super::expectations::hex;
use super::file_sink::FileSink;
use super::limits::Allowance;
use super::pace::Pace;
use super::report::{Reporter, Reports};
use super::settings::Settings;
use super::sink::{Abort, Incoming, Sink};
use super::transfer::shown;

/// How long a segment is.
const SEGMENT: u64 = SegmentSize::MAX.bytes();

/// How much is asked for at once: the less, the sooner the others can take over.
const UNIT: u64 = 4 * SEGMENT;

/// How many of these a server is asked for before it has sent the first.
const DEPTH: usize = 2;

/// The file, and the servers that have it.
#[derive(Debug)]
pub(super) struct Mirrors<'o> {
    pub(super) settings: Settings,
    pub(super) reporter: Reporter<'o>,
    pub(super) pace: Option<Pace>,
    pub(super) name: String,
    allowance: Allowance,
    expected: Option<Digest>,
    /// Until it is complete.
    sink: Option<FileSink>,
    pub(super) servers: Vec<Server>,
    /// The file that is meant; once it is known, what is to come of it.
    meant: Option<Meant>,
    /// Why a server was left out last.
    last_reason: String,
}

/// One of the servers.
#[derive(Debug)]
pub(super) struct Server {
    /// As the user named it.
    pub(super) address: String,
    pub(super) dialer: Dialer,
    state: State,
    /// What was asked for and has not come in full.
    asked: VecDeque<Range<u64>>,
    /// What has come of a segment.
    segment: Vec<u8>,
    /// How much of the file it has given.
    given: u64,
    /// A connection to it has broken: nobody waits for it.
    has_failed: bool,
}

#[derive(Debug)]
enum State {
    /// What it has is not known.
    New,
    /// Its digests come.
    Telling(Incoming, Vec<Digest>),
    /// It has a file, with these digests.
    Told(Incoming, Vec<Digest>),
    /// It has the file that is meant, and this is its tag.
    Ready(u64),
    /// It is of no use.
    Out,
}

/// The file that is meant, and how far it has come.
#[derive(Debug)]
struct Meant {
    size: u64,
    digests: Vec<Digest>,
    /// Which segments are there.
    there: Vec<bool>,
    /// What nobody was asked for yet.
    waiting: VecDeque<Range<u64>>,
}

impl<'o> Mirrors<'o> {
    /// The file goes into `sink`. The first of the servers is the one whose file is meant, unless a hash
    /// is expected.
    pub(super) fn new(
        settings: Settings,
        reporter: Reporter<'o>,
        name: String,
        sink: FileSink,
        servers: Vec<(String, Dialer)>,
        expected: Option<Digest>,
    ) -> Self {
        let servers =
            servers.into_iter().map(|(address, dialer)| Server::new(address, dialer)).collect();
        let (allowance, pace) = (settings.limits.into(), settings.limit_rate.map(Pace::new));
        let (sink, meant, last_reason) = (Some(sink), None, String::new());
        Self {
            settings,
            reporter,
            pace,
            name,
            allowance,
            expected,
            sink,
            servers,
            meant,
            last_reason,
        }
    }

    /// Whether nothing more is to come.
    pub(super) fn is_over(&self) -> bool {
        self.sink.is_none() || self.servers.iter().all(|server| matches!(server.state, State::Out))
    }

    /// The next thing to ask the server for, if there is any now.
    pub(super) fn next(&mut self, index: usize) -> Option<Request<'_>> {
        self.sink.as_ref()?;
        let server = self.servers.get(index)?;
        let tag = match server.state {
            State::New => {
                let server = self.servers.get_mut(index)?;
                server.state = State::Telling(Incoming::default(), Vec::new());
                return Some(Request::hashes(self.name.as_bytes()));
            }
            State::Ready(tag) if server.asked.len() < DEPTH => tag,
            _ => return None,
        };
        let range = self.next_range(index)?;
        let (offset, length) = (range.start, range.end - range.start);
        self.servers.get_mut(index)?.asked.push_back(range);
        let request = Request::get(self.name.as_bytes()).with_offset(offset).with_tag(tag);
        Some(request.with_length(length))
    }

    /// What nobody was asked for; or else what another was, who may be slower.
    fn next_range(&mut self, index: usize) -> Option<Range<u64>> {
        let Meant { waiting, there, .. } = self.meant.as_mut()?;
        if let Some(range) = waiting.pop_front() {
            let end = range.end.min(range.start + UNIT);
            if end < range.end {
                waiting.push_front(end..range.end);
            }
            return Some(range.start..end);
        }
        let (own, others) = (self.servers.get(index)?, self.servers.iter().enumerate());
        if !own.asked.is_empty() {
            return None;
        }
        let asked = others.filter(|(other, _)| *other != index).flat_map(|(_, other)| &other.asked);
        asked.filter_map(|range| rest(there, range)).next_back()
    }

    /// The server has answered.
    ///
    /// # Errors
    /// Why it is of no use, now or at all.
    pub(super) fn take(&mut self, index: usize, event: ReceiverEvent<'_>) -> Result<(), Abort> {
        let Some(server) = self.servers.get_mut(index).filter(|server| !server.is_out()) else {
            return Ok(());
        };
        match event {
            ReceiverEvent::Response(header) => match &mut server.state {
                State::Telling(incoming, _) => {
                    self.allowance.check(header.size).map_err(Abort::Skip)?;
                    *incoming = header.into();
                }
                // It may still be the file that is meant.
                State::Ready(tag) if *tag != header.tag => return Err(Abort::Changed),
                _ => server.segment.clear(),
            },
            ReceiverEvent::Digest { digest, .. } => {
                if let State::Telling(_, digests) = &mut server.state {
                    digests.push(digest);
                }
            }
            ReceiverEvent::Contents(bytes) => server.segment.extend_from_slice(bytes),
            ReceiverEvent::Verified { start, end, digest } => {
                return self.put(index, start..end, &digest).map_err(Abort::Skip);
            }
            ReceiverEvent::Refused(Refusal::Busy) => return Err(Abort::Busy),
            ReceiverEvent::Refused(Refusal::NotFound) => {
                return Err(Abort::Skip("it has no such file".into()));
            }
            ReceiverEvent::Refused(refusal) => return Err(Abort::Skip(refusal.to_string())),
            ReceiverEvent::Complete => {
                if let State::Telling(incoming, digests) = &mut server.state {
                    server.state = State::Told(*incoming, std::mem::take(digests));
                    self.choose();
                } else {
                    server.asked.pop_front();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Compares what the servers have told so far.
    fn choose(&mut self) {
        if self.meant.is_none() {
            let found =
                self.servers.iter().find_map(|server| match (&server.state, self.expected) {
                    (State::Told(incoming, digests), None) => Some(Some((incoming, digests))),
                    (State::Told(incoming, digests), Some(hash)) => {
                        (root(digests) == hash).then_some(Some((incoming, digests)))
                    }
                    // What the first has comes first.
                    (State::New | State::Telling(..), None) if !server.has_failed => Some(None),
                    _ => None,
                });
            if let Some((incoming, digests)) = found.flatten() {
                let (incoming, digests) = (*incoming, digests.clone());
                if let Err(why) = self.begin(&incoming, digests) {
                    return self.fail(&why);
                }
            }
        }
        for index in 0..self.servers.len() {
            self.judge(index);
        }
    }

    /// Whether a server that has told what it has has the file that is meant.
    fn judge(&mut self, index: usize) {
        let Some(server) = self.servers.get_mut(index) else { return };
        let State::Told(incoming, digests) = &server.state else { return };
        let is_expected = self.expected.is_none_or(|hash| root(digests) == hash);
        match &self.meant {
            Some(meant) if meant.digests == *digests && Some(meant.size) == incoming.size => {
                server.state = State::Ready(incoming.tag);
            }
            None if is_expected => {}
            _ => {
                let hash = hex(&root(digests));
                self.leave_out(index, &format!("it has another file of that name (hash {hash})"));
            }
        }
    }

    /// This is the file that is meant: what is held of it need not come.
    fn begin(&mut self, incoming: &Incoming, digests: Vec<Digest>) -> Result<(), String> {
        let Some(sink) = &mut self.sink else { return Ok(()) };
        let size = incoming.size.unwrap_or_default();
        let waiting: VecDeque<_> = sink.fill(incoming, &digests)?.into();
        let mut there = vec![true; digests.len()];
        for range in &waiting {
            there.get_mut(numbers(range)).unwrap_or_default().fill(false);
        }
        let missing: u64 = waiting.iter().map(|range| range.end - range.start).sum();
        self.reporter.begin(&self.name, size - missing, Some(size));
        self.meant = Some(Meant { size, digests, there, waiting });
        self.finish_if_whole();
        Ok(())
    }

    /// A segment of this digest has come from the server.
    fn put(&mut self, index: usize, segment: Range<u64>, digest: &Digest) -> Result<(), String> {
        let (Some(server), Some(meant)) = (self.servers.get_mut(index), &mut self.meant) else {
            return Ok(());
        };
        let number = numbers(&segment).next().unwrap_or_default();
        if meant.digests.get(number) != Some(digest) {
            return Err("it has sent other contents than it has told".into());
        }
        let bytes = std::mem::take(&mut server.segment);
        // Another may have been faster.
        if let Some(there) = meant.there.get_mut(number)
            && !*there
            && let Some(sink) = &mut self.sink
        {
            if let Err(why) = sink.put(segment, &bytes, digest) {
                // That is no fault of a server's.
                self.fail(&why);
                return Ok(());
            }
            *there = true;
            server.given += bytes.len() as u64;
            self.reporter.advance(bytes.len());
        }
        server.segment = bytes;
        server.segment.clear();
        self.finish_if_whole();
        Ok(())
    }

    fn finish_if_whole(&mut self) {
        let is_whole = self.meant.as_ref().is_some_and(|meant| meant.there.iter().all(|it| *it));
        if let Some(sink) = self.sink.take_if(|_| is_whole) {
            let completing =
                FileSink::complete(vec![(self.name.clone(), sink)], Vec::new(), &mut self.reporter);
            completing.join(&mut self.reporter);
            for Server { address, given, .. } in &self.servers {
                let message = format!("{address} gave {}", HumanBytes(*given));
                self.reporter.log(Level::Debug, &message);
            }
        }
    }

    /// The connection to a server is gone: others are asked for what it has not sent.
    fn rewind(&mut self, index: usize) {
        let Some(server) = self.servers.get_mut(index) else { return };
        server.segment.clear();
        server.has_failed = true;
        let asked = std::mem::take(&mut server.asked);
        if !matches!(server.state, State::Out) {
            server.state = State::New;
        }
        if let Some(meant) = &mut self.meant {
            let rests = asked.iter().rev().filter_map(|range| rest(&meant.there, range));
            rests.for_each(|range| meant.waiting.push_front(range));
        }
    }

    /// As [`rewind`](Self::rewind), and whoever waited for what it has waits no longer.
    pub(super) fn interrupt(&mut self, index: usize) {
        self.rewind(index);
        self.choose();
    }

    /// A server is of no use, for the reason given. If it is the last, the download has failed.
    pub(super) fn leave_out(&mut self, index: usize, why: &str) {
        self.rewind(index);
        let Some(server) = self.servers.get_mut(index) else { return };
        if matches!(server.state, State::Out) {
            return;
        }
        server.state = State::Out;
        // What several have in common is told once.
        let told = if self.last_reason == why { "for the same reason" } else { why };
        let message = format!("{}: {} is left out: {told}", shown(&self.name), server.address);
        why.clone_into(&mut self.last_reason);
        if self.is_over() && self.sink.is_some() {
            let kept = self.kept();
            self.reporter.fail(&format!("{message}; no server is left ({kept})"));
            return;
        }
        self.reporter.log(Level::Warn, &message);
        // What is meant may be clear without it.
        self.choose();
    }

    /// Nothing more will come, for the reason given.
    fn fail(&mut self, why: &str) {
        self.servers.iter_mut().for_each(|server| server.state = State::Out);
        let kept = self.kept();
        self.reporter.fail(&format!("{why}; {kept}"));
    }

    /// What becomes of the file if the rest never comes, in words.
    pub(super) fn kept(&self) -> String {
        self.sink.as_ref().map_or_else(String::new, Sink::kept)
    }
}

impl Reports for Mirrors<'_> {
    fn reporter(&self) -> &Reporter<'_> {
        &self.reporter
    }
}

impl Server {
    fn new(address: String, dialer: Dialer) -> Self {
        let (asked, segment) = (VecDeque::new(), Vec::new());
        Self { address, dialer, state: State::New, asked, segment, given: 0, has_failed: false }
    }

    pub(super) fn is_out(&self) -> bool {
        matches!(self.state, State::Out)
    }
}

/// The numbers of the segments in a range.
fn numbers(range: &Range<u64>) -> Range<usize> {
    let number = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
    number(range.start / SEGMENT)..number(range.end.div_ceil(SEGMENT))
}

/// What is still to come of a range: from the first segment that is not there.
fn rest(there: &[bool], range: &Range<u64>) -> Option<Range<u64>> {
    let mut missing = numbers(range).filter(|number| there.get(*number) == Some(&false));
    let first = missing.next()? as u64 * SEGMENT;
    Some(first.max(range.start)..range.end)
}

fn root(digests: &[Digest]) -> Digest {
    let mut root: RootDigester = RootDigester::new();
    for digest in digests {
        // No file has more segments than that.
        let _ = root.push(*digest);
    }
    root.finish().unwrap_or_else(|| blake3::hash(&[]).into())
}

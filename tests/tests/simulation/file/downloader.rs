//! A program that downloads files to its disk, and goes on with what an earlier one has left there.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use barewire_core::file::{
    Digest, Receiver, ReceiverError, ReceiverEvent, Request, SegmentSize, TransferConfig,
};
use barewire_core::time::Instant;
use barewire_linux::files::{Download, DownloadOptions};
use barewire_tests::simulator::disk::Disk;
use barewire_tests::simulator::stream::{End, Streams};

use super::ending::Ending;
use super::progress_tracker::ProgressTracker;
use super::store::Store;

/// A file that is wanted.
#[derive(Debug)]
struct Job {
    file: usize,
    verify: bool,
    download: Option<Download<Disk>>,
    /// The version that comes.
    tag: u64,
    /// Whether what is held is what the server has, on this connection.
    comparison: Comparison,
}

/// How far what is held is compared with what the server has.
#[derive(Debug, PartialEq, Eq)]
enum Comparison {
    Due,
    /// The digests were asked for, and these are held.
    Asked(BTreeMap<u64, Digest>),
    /// Done, or there is nothing to compare.
    Done,
}

/// What a program has achieved so far, for those who judge it.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The files that were said to be complete.
    pub(super) complete: Vec<usize>,
    /// How many bytes of contents have come of verified files, and how often a file began anew
    /// with another version.
    pub(super) travelled: usize,
    pub(super) restarts: usize,
    /// Answers that went on from what was there, and segments of a part that the server had otherwise by
    /// then.
    pub(super) resumed: usize,
    pub(super) forgotten: usize,
}

/// The program.
#[derive(Debug)]
pub(super) struct Downloader {
    disk: Disk,
    wanted: VecDeque<Job>,
    /// Asked for, and not answered in full.
    asked: VecDeque<Job>,
    /// So small that requests have to wait for answers.
    receiver: Receiver<90>,
    segment: SegmentSize,
    moved_at: Instant,
}

impl Downloader {
    /// It wants the files of the store that are not there.
    pub(super) fn new(disk: &Disk, store: &Store) -> Self {
        let is_missing = |file: &usize| disk.contents(&name(*file)).is_none();
        let job = |file| Job {
            file,
            verify: is_verified(file),
            download: None,
            tag: 0,
            comparison: Comparison::Due,
        };
        Self {
            disk: disk.restarted(),
            wanted: (0..store.count()).filter(is_missing).map(job).collect(),
            asked: VecDeque::new(),
            receiver: Receiver::new(Instant::ZERO, TransferConfig::default()),
            segment: store.segment,
            moved_at: Instant::ZERO,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.wanted.is_empty() && self.asked.is_empty()
    }

    /// How much was asked for on this connection, and is not answered in full.
    pub(super) fn unanswered(&self) -> usize {
        self.asked.len()
    }

    /// There is a connection.
    pub(super) fn connect(&mut self, now: Instant, config: TransferConfig) {
        while let Some(job) = self.asked.pop_back() {
            self.wanted.push_front(job);
        }
        self.wanted.iter_mut().for_each(|job| job.comparison = Comparison::Due);
        self.receiver = Receiver::new(now, config);
        self.moved_at = now;
        // An error here and below is the end of the program, which others see to.
        let _ = self.ask(now);
    }

    /// Its turn; how the connection has ended, if it has.
    pub(super) fn turn(
        &mut self,
        streams: &mut Streams,
        end: End,
        (store, record): (&Store, &mut Record),
    ) -> Option<Ending<ReceiverError>> {
        loop {
            let now = streams.now();
            let Self { wanted, asked, receiver, moved_at, disk, .. } = self;
            let mut session = ProgressTracker { session: receiver, moved_at };
            let mut result = Ok(());
            let outcome = streams.drive(end, &mut session, |event| {
                if result.is_ok() {
                    result = take((wanted, asked), event, disk, (store, record));
                }
            });
            assert!(result.is_ok() || disk.has_crashed(), "{result:?} without a crash");
            if let Some(outcome) = outcome {
                return Some(Ending { outcome, at: now, moved_at: self.moved_at });
            }
            if result.is_err() || !self.ask(now).unwrap_or(false) {
                return None;
            }
        }
    }

    /// Asks for as much as there is room for; tells whether that was anything.
    fn ask(&mut self, now: Instant) -> io::Result<bool> {
        let mut has_asked = false;
        while let Some(job) = self.wanted.front_mut() {
            let name = name(job.file);
            let download = match &mut job.download {
                Some(download) => download,
                none => none.insert(begin(&self.disk, &name, self.segment)?),
            };
            let held = download.held().filter(|_| job.verify);
            let get = Request::get(&name).with_verify(job.verify);
            let (request, comparison) = match held {
                Some(_) if job.comparison == Comparison::Due => {
                    let held = download.digests().map(|held| held.map(|(at, _, is)| (at, is)));
                    (Request::hashes(&name), Comparison::Asked(held.collect::<io::Result<_>>()?))
                }
                Some(held) => (get.with_offset(held.verified).with_tag(held.tag), Comparison::Done),
                None => (get, Comparison::Done),
            };
            let request = request.with_segment(self.segment);
            if self.receiver.request(now, &request).is_err() {
                return Ok(has_asked);
            }
            job.comparison = comparison;
            self.asked.extend(self.wanted.pop_front());
            has_asked = true;
        }
        let is_asked = |job: &Job| matches!(job.comparison, Comparison::Asked(_));
        if !self.asked.iter().any(is_asked) {
            self.receiver.finish();
        }
        Ok(has_asked)
    }
}

/// Begins a download, with what an earlier program has left as far as it is still right.
fn begin(disk: &Disk, name: &[u8], segment: SegmentSize) -> io::Result<Download<Disk>> {
    let options = DownloadOptions::new().with_segment_size(segment);
    let mut download = Download::begin(disk, name, options)?;
    while download.check_next(&mut [0; 4096])? {}
    Ok(download)
}

/// Whether digests are asked for: of every other file.
pub(super) fn is_verified(file: usize) -> bool {
    file.is_multiple_of(2)
}

/// What a file is called.
pub(super) fn name(file: usize) -> Vec<u8> {
    file.to_string().into_bytes()
}

/// Does with what has come what a client does with it.
fn take(
    (wanted, asked): (&mut VecDeque<Job>, &mut VecDeque<Job>),
    event: ReceiverEvent<'_>,
    disk: &Disk,
    (store, record): (&Store, &mut Record),
) -> io::Result<()> {
    let job = asked.front_mut().expect("an answer without a question");
    let download = job.download.as_mut().expect("it was asked for");
    match event {
        ReceiverEvent::Refused(refusal) => panic!("{refusal} without a reason"),
        ReceiverEvent::Response(answer) => {
            let held = download.held();
            job.tag = answer.tag;
            if let Comparison::Asked(_) = job.comparison
                && held.is_some_and(|held| held.size == answer.size)
            {
                return Ok(());
            }
            record.restarts += usize::from(held.is_some() && answer.offset == 0);
            record.resumed += usize::from(answer.offset > 0);
            // What has not verified is not worth going on with.
            let tag = if job.verify { answer.tag } else { 0 };
            download.start(answer.offset, Some(answer.size), tag)
        }
        ReceiverEvent::Digest { start, end, digest } => {
            let Comparison::Asked(held) = &job.comparison else { panic!("nothing to compare") };
            if held.get(&start).is_some_and(|held| *held != digest) {
                record.forgotten += usize::from(!download.is_proven());
                record.restarts += 1;
                download.forget(start, end)?;
            }
            Ok(())
        }
        ReceiverEvent::Contents(bytes) => {
            record.travelled += if job.verify { bytes.len() } else { 0 };
            download.write(bytes)
        }
        ReceiverEvent::Verified { start, end, digest } => download.verified(start, end, &digest),
        ReceiverEvent::Complete => {
            if let Comparison::Asked(_) = job.comparison {
                job.comparison = Comparison::Done;
                if download.held().is_some() {
                    download.adopt(job.tag)?;
                }
                if !download.is_proven() {
                    wanted.extend(asked.pop_front());
                    return Ok(());
                }
            }
            let Job { file, download, tag, .. } = asked.pop_front().expect("it is there");
            download.expect("it was asked for").finish()?;
            let contents = disk.contents(&name(file));
            let mut had = store.had(file, tag);
            assert!(had.any(|version| contents.as_deref() == Some(version)), "not what was told");
            record.complete.push(file);
            Ok(())
        }
        other => panic!("{other:?}"),
    }
}

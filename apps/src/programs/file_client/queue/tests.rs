use std::fs;
use std::path::Path;
use std::rc::Rc;

use barewire_core::file::{DEFAULT_STALL, DEFAULT_TIMEOUT, ResponseHeader};
use barewire_core::session::{self, Session as _};
use tempfile::TempDir;

use super::*;
use crate::output::format::Format;
use crate::output::printer::Printer;
use crate::programs::file_client::file_sink::Target;
use crate::programs::file_client::progress::Progress;

/// A client without a connection.
struct Bench<'o> {
    settings: Settings,
    voice: Voice<'o>,
    work: Work,
    receiver: Receiver,
    heard: bool,
}

fn output() -> Printer {
    Printer::new("test", Format::Text, true)
}

fn target(folder: &Path) -> Rc<Target> {
    Rc::new(Target::open(folder.to_owned()).unwrap())
}

fn file(name: &str, target: &Rc<Target>) -> Job {
    Job::file(name.into(), Rc::clone(target), name.as_bytes().to_vec())
}

impl<'o> Bench<'o> {
    fn new(output: &'o mut Printer, jobs: Vec<Job>) -> Self {
        let settings = Settings {
            server: "server:1".into(),
            addresses: Vec::new(),
            plain: false,
            verify: true,
            resume: true,
            force: false,
            timeout: DEFAULT_TIMEOUT,
            stall: DEFAULT_STALL,
            retries: 5,
        };
        let receiver = Receiver::new(Instant::ZERO, settings.config());
        let voice = Voice::new(output, Progress::new(false, true));
        Self { settings, voice, work: Work::new(jobs), receiver, heard: true }
    }

    /// Asks, and says what goes out: the names, and `.` at the end.
    fn ask(&mut self) -> String {
        let Self { settings, voice, work, receiver, heard } = self;
        work.ask(receiver, Instant::ZERO, *heard, settings, voice);
        let mut sent = Vec::new();
        let mut shut = "";
        loop {
            let count = match self.receiver.poll_transmit() {
                session::Output::Bytes { head, tail, .. } => {
                    sent.extend_from_slice(head);
                    sent.extend_from_slice(tail);
                    head.len() + tail.len()
                }
                session::Output::Shutdown => {
                    shut = ".";
                    0
                }
                _ => break,
            };
            self.receiver.transmitted(Instant::ZERO, count);
        }
        let mut names = Vec::new();
        let mut rest = sent.as_slice();
        while let Some((header, after)) = rest.split_first_chunk::<24>() {
            let (name, after) = after.split_at(usize::from(header[7]));
            names.push(String::from_utf8_lossy(name).into_owned());
            rest = after;
        }
        names.join(" ") + shut
    }

    fn take(&mut self, event: ReceiverEvent<'_>) -> Result<(), Stop> {
        let taken = self.work.take(event, &self.settings, &mut self.voice);
        self.work.publish(&mut self.voice);
        taken
    }

    /// The whole answer to the next request.
    fn answer(&mut self, contents: &[u8]) {
        let size = contents.len() as u64;
        let answer = ResponseHeader { offset: 0, size, tag: 7, verified: true };
        self.take(ReceiverEvent::Response(answer)).unwrap();
        if size > 0 {
            self.take(ReceiverEvent::Contents(contents)).unwrap();
            self.take(ReceiverEvent::Verified { end: size }).unwrap();
        }
        self.take(ReceiverEvent::Complete).unwrap();
    }
}

#[test]
fn a_tree_grows_as_its_listings_come() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let tree = Job::tree("a/tree".into(), target(folder.path()), Some("tree".into()));
    let mut bench = Bench::new(&mut output, vec![tree]);
    assert_eq!(bench.ask(), "a/tree");
    bench.answer(b"0\t0\tempty/\n2\t0\tx\n");
    assert_eq!(bench.ask(), "a/tree/empty a/tree/x");
    bench.answer(b"");
    assert_eq!(bench.ask(), ".", "nothing else can be added");
    bench.answer(b"hi");
    assert!(bench.work.is_empty() && !bench.voice.has_failed());
    assert!(folder.path().join("tree/empty").is_dir());
    assert_eq!(fs::read(folder.path().join("tree/x")).unwrap(), b"hi");
    assert!(output.take().starts_with("a/tree/x: 2 B in "));
}

/// Folder by folder: of the listings that there are, only one after another is gone by.
#[test]
fn a_listing_becomes_jobs_as_they_are_asked_for() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let tree = Job::tree(String::new(), target(folder.path()), None);
    let mut bench = Bench::new(&mut output, vec![tree]);
    bench.ask();
    let listing: Vec<_> = (0..1000).map(|number| format!("1\t0\t{number:03}\n")).collect();
    bench.answer(listing.concat().as_bytes());
    assert_eq!(bench.work.len(), 1000);
    bench.receiver = Receiver::new(Instant::ZERO, bench.settings.config());
    assert_eq!(bench.ask().split(' ').count(), DEPTH);
    assert_eq!((bench.work.len(), bench.work.jobs().count()), (1000, DEPTH + 1));
    // What is left of it is there after a break, too.
    bench.work.rewind();
    assert_eq!(bench.work.len(), 1000);
    assert_eq!(bench.work.drop_first().unwrap().name, "000");
    assert_eq!(bench.work.len(), 999);
}

#[test]
fn few_listings_are_asked_for_at_once() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let tree = Job::tree(String::new(), target(folder.path()), None);
    let mut bench = Bench::new(&mut output, vec![tree]);
    bench.ask();
    let listing: Vec<_> = (10..30).map(|number| format!("0\t0\t{number}/\n")).collect();
    bench.answer(listing.concat().as_bytes());
    assert_eq!(bench.ask(), "10 11 12 13 14 15 16 17");
    bench.answer(b"");
    assert_eq!(bench.ask(), "18");
    // There is no room for more than so much.
    let answer = ResponseHeader { offset: 0, size: listing_sink::ROOM, tag: 7, verified: true };
    assert!(matches!(bench.take(ReceiverEvent::Response(answer)), Err(Stop::One(_))));
}

#[test]
fn what_a_listing_tells_is_not_asked_for_if_it_is_there() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("same"), "four").unwrap();
    fs::write(folder.path().join("shorter"), "three").unwrap();
    fs::create_dir(folder.path().join("wrong")).unwrap();
    std::os::unix::fs::symlink("same", folder.path().join("link")).unwrap();
    let mut output = output();
    let tree = |target| vec![Job::tree(String::new(), target, None)];
    let mut bench = Bench::new(&mut output, tree(target(folder.path())));
    bench.ask();
    bench.answer(b"4\t0\tsame\n");
    assert_eq!(bench.ask(), ".");
    assert!(bench.work.is_empty() && !bench.voice.has_failed());
    assert_eq!(bench.work.there, 1);

    bench.work = Work::new(tree(target(folder.path())));
    bench.receiver = Receiver::new(Instant::ZERO, bench.settings.config());
    bench.ask();
    bench.answer(b"4\t0\tlink\n4\t0\tsame\n4\t0\tshorter\n4\t0\twrong\n");
    assert_eq!(bench.ask(), ".");
    assert!(bench.voice.has_failed());
    assert_eq!(bench.work.there, 1);

    bench.settings.force = true;
    bench.work = Work::new(tree(target(folder.path())));
    bench.receiver = Receiver::new(Instant::ZERO, bench.settings.config());
    bench.ask();
    bench.answer(b"4\t0\tsame\n");
    assert_eq!(bench.ask(), "same.");
}

#[test]
fn the_root_becomes_the_folder_itself() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let mut bench =
        Bench::new(&mut output, vec![Job::tree(String::new(), target(folder.path()), None)]);
    assert_eq!(bench.ask(), "");
    bench.answer(b"1\t0\tx\n");
    assert_eq!(bench.ask(), "x.");
    bench.answer(b"!");
    assert_eq!(fs::read(folder.path().join("x")).unwrap(), b"!");
    output.take();
}

#[test]
fn a_hostile_listing_writes_nothing() {
    let folder = TempDir::new().unwrap();
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).unwrap();
    std::os::unix::fs::symlink(folder.path(), inside.join("link")).unwrap();
    let mut output = output();
    let mut bench =
        Bench::new(&mut output, vec![Job::tree("t".into(), target(&inside), Some("t".into()))]);
    bench.ask();
    bench.answer(b"1\t0\t../x\n");
    assert!(bench.work.is_empty() && bench.voice.has_failed());
    // Nor is anything made of one that has a name twice.
    bench.work = Work::new(vec![Job::tree("t".into(), target(&inside), Some("t".into()))]);
    bench.receiver = Receiver::new(Instant::ZERO, bench.settings.config());
    bench.ask();
    bench.answer(b"1\t0\tx\n1\t0\tx\n");
    assert!(bench.work.is_empty() && !inside.join("t").exists());
    // Nor does a link that waits where a folder is to be.
    bench.work = Work::new(vec![Job::tree("t".into(), target(&inside), Some("link".into()))]);
    bench.receiver = Receiver::new(Instant::ZERO, bench.settings.config());
    bench.ask();
    bench.answer(b"1\t0\tx\n");
    assert!(bench.work.is_empty());
    assert!(!folder.path().join("x").exists());
}

#[test]
fn a_name_that_is_no_folder_may_be_that_of_a_file() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let tree = Job::tree("x".into(), target(folder.path()), Some("x".into()));
    let mut bench = Bench::new(&mut output, vec![tree]);
    bench.ask();
    bench.take(ReceiverEvent::Refused(Refusal::NotFound)).unwrap();
    assert!(!bench.voice.has_failed());
    assert_eq!(bench.ask(), "x.");
    bench.take(ReceiverEvent::Refused(Refusal::NotFound)).unwrap();
    assert!(bench.voice.has_failed() && bench.work.is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_there_is_not_asked_for() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a"), "old").unwrap();
    let target = target(folder.path());
    let mut output = output();
    let mut bench = Bench::new(&mut output, vec![file("a", &target), file("b", &target)]);
    assert_eq!(bench.ask(), "b.");
    assert!(bench.voice.has_failed());
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"old");
}

#[test]
fn after_a_break_all_is_asked_for_again_from_where_it_was() {
    let folder = TempDir::new().unwrap();
    let target = target(folder.path());
    let mut output = output();
    let mut bench = Bench::new(&mut output, vec![file("a", &target), file("b", &target)]);
    assert_eq!(bench.ask(), "a b.");
    let answer = ResponseHeader { offset: 0, size: 5, tag: 7, verified: true };
    bench.take(ReceiverEvent::Response(answer)).unwrap();
    bench.take(ReceiverEvent::Contents(b"abc")).unwrap();
    bench.take(ReceiverEvent::Verified { end: 3 }).unwrap();
    assert!(std::mem::take(&mut bench.work.progressed));
    bench.take(ReceiverEvent::Contents(b"?")).unwrap();

    bench.work.rewind();
    bench.receiver = Receiver::new(Instant::ZERO, bench.settings.config());
    assert_eq!(bench.ask(), "a b.");
    let answer = ResponseHeader { offset: 3, ..answer };
    bench.take(ReceiverEvent::Response(answer)).unwrap();
    bench.take(ReceiverEvent::Contents(b"de")).unwrap();
    bench.take(ReceiverEvent::Verified { end: 5 }).unwrap();
    bench.take(ReceiverEvent::Complete).unwrap();
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"abcde");
    assert_eq!(bench.work.len(), 1);
    output.take();
}

#[test]
fn only_what_had_not_verified_before_is_progress() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let mut bench = Bench::new(&mut output, vec![file("a", &target(folder.path()))]);
    for (tag, expected) in [(7, true), (8, false)] {
        bench.ask();
        let answer = ResponseHeader { offset: 0, size: 5, tag, verified: true };
        bench.take(ReceiverEvent::Response(answer)).unwrap();
        bench.take(ReceiverEvent::Contents(b"abc")).unwrap();
        bench.take(ReceiverEvent::Verified { end: 3 }).unwrap();
        assert_eq!(std::mem::take(&mut bench.work.progressed), expected);
        bench.work.rewind();
        bench.receiver = Receiver::new(Instant::ZERO, bench.settings.config());
    }
}

#[test]
fn no_more_is_asked_for_at_once_than_files_may_be_open() {
    let folder = TempDir::new().unwrap();
    let target = target(folder.path());
    let mut output = output();
    let jobs = (0..DEPTH + 2).map(|number| file(&number.to_string(), &target)).collect();
    let mut bench = Bench::new(&mut output, jobs);
    assert_eq!(bench.ask().split(' ').count(), DEPTH);
    assert_eq!(bench.work.len(), DEPTH + 2);
}

#[test]
fn a_server_that_was_not_heard_yet_is_asked_for_one_thing() {
    let folder = TempDir::new().unwrap();
    let target = target(folder.path());
    let mut output = output();
    let mut bench = Bench::new(&mut output, vec![file("a", &target), file("b", &target)]);
    bench.heard = false;
    assert_eq!(bench.ask(), "a");
    assert_eq!(bench.ask(), "");
    bench.heard = true;
    assert_eq!(bench.ask(), "b.");
}

#[test]
fn a_busy_server_fails_nothing_yet() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let mut bench = Bench::new(&mut output, vec![file("a", &target(folder.path()))]);
    bench.ask();
    assert!(matches!(bench.take(ReceiverEvent::Refused(Refusal::Busy)), Err(Stop::Busy)));
    bench.work.rewind();
    assert_eq!(bench.work.len(), 1);
    assert!(!bench.voice.has_failed() && !bench.work.progressed);
}

#[test]
fn a_listing_that_is_useless_stops_its_own_job_only() {
    let mut output = output();
    let mut bench = Bench::new(&mut output, vec![Job::show("d".into(), false)]);
    assert_eq!(bench.ask(), "d.");
    let answer = ResponseHeader { offset: 0, size: u64::MAX, tag: 7, verified: true };
    assert!(matches!(bench.take(ReceiverEvent::Response(answer)), Err(Stop::One(_))));
}

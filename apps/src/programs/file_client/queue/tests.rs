mod publish;
mod resume;

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use barewire_core::file::ResponseHeader;
use barewire_core::session::{self, Session as _};
use clap::Parser as _;
use tempfile::TempDir;

use super::*;
use crate::output::events::tree::TreeSummary;
use crate::output::format::Format;
use crate::output::printer::Printer;
use crate::programs::file_client::FileClientProgram;
use crate::programs::file_client::names::TreePath;
use crate::programs::file_client::report::Scope;
use crate::programs::file_client::target::{TargetFolder, TargetPath};

/// A client without a connection.
struct Fixture<'o> {
    queue: Queue<'o>,
    receiver: Receiver,
    heard: bool,
}

/// As they are with no option given.
fn settings() -> Settings {
    FileClientProgram::parse_from(["file-client", "server:1"]).settings
}

fn output() -> Printer {
    Printer::new("test", Format::Text, true)
}

fn target(folder: &Path) -> Rc<TargetFolder> {
    Rc::new(TargetFolder::open(folder.to_owned()).unwrap())
}

fn file(name: &str, target: &Rc<TargetFolder>) -> Transfer {
    Transfer::file(name.into(), TargetPath::new(Rc::clone(target), name.as_bytes()), None)
}

fn tree(name: String, parent: Rc<TargetFolder>, leaf: Option<String>) -> Transfer {
    let leaf = leaf.unwrap_or_default();
    Transfer::tree(TreePath::top(name), TargetPath::new(parent, leaf.as_bytes()))
}

impl<'o> Fixture<'o> {
    fn new(output: &'o mut Printer, transfers: Vec<Transfer>) -> Self {
        let settings = settings();
        let receiver = Receiver::new(Instant::ZERO, settings.config());
        let reporter = Reporter::new(output, Scope::Tree { in_detail: true });
        Self { queue: Queue::new(settings, reporter, transfers), receiver, heard: true }
    }

    /// The next connection.
    fn reconnect(&mut self) {
        self.receiver = Receiver::new(Instant::ZERO, self.queue.settings.config());
    }

    /// As another run of the program.
    fn restart(&mut self, force: bool, transfers: Vec<Transfer>) {
        let queue = &mut self.queue;
        queue.settings.force = force;
        queue.folders.clear();
        queue.rewind();
        queue.waiting = transfers.into();
        (queue.reporter.tree, queue.progressed) = (TreeSummary::default(), false);
        self.reconnect();
    }

    /// Asks, turn by turn, and says what goes out: the names, with a mark where only digests are wanted,
    /// and `.` at the end.
    fn ask(&mut self) -> String {
        while self.queue.ask(&mut self.receiver, Instant::ZERO, self.heard) {}
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
        while let Some((header, after)) = rest.split_first_chunk::<40>() {
            let (name, after) = after.split_at(usize::from(header[7]));
            let mark = if header[4] == 3 { "#" } else { "" };
            names.push(format!("{mark}{}", String::from_utf8_lossy(name)));
            rest = after;
        }
        names.join(" ") + shut
    }

    fn take(&mut self, event: ReceiverEvent<'_>) -> Result<(), Abort> {
        let taken = self.queue.take(event);
        self.queue.publish();
        taken
    }

    /// The whole answer to the next request.
    fn answer(&mut self, contents: &[u8]) {
        let size = contents.len() as u64;
        let answer =
            ResponseHeader { offset: 0, length: size, size, tag: 7, modified: 0, verified: true };
        self.take(ReceiverEvent::Response(answer)).unwrap();
        if size > 0 {
            self.take(ReceiverEvent::Contents(contents)).unwrap();
            self.take(ReceiverEvent::Verified {
                start: 0,
                end: size,
                digest: *blake3::hash(contents).as_bytes(),
            })
            .unwrap();
        }
        self.take(ReceiverEvent::Complete).unwrap();
    }
}

#[test]
fn a_tree_grows_as_its_listings_come() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let transfer = tree("a/tree".into(), target(folder.path()), Some("tree".into()));
    let mut fixture = Fixture::new(&mut output, vec![transfer]);
    assert_eq!(fixture.ask(), "a/tree");
    fixture.answer(b"0\t0\tempty/\n2\t0\tx\n");
    assert_eq!(fixture.ask(), "a/tree/empty a/tree/x");
    fixture.answer(b"");
    assert_eq!(fixture.ask(), ".", "nothing else can be added");
    fixture.answer(b"hi");
    assert!(fixture.queue.is_empty() && !fixture.queue.reporter.has_failed());
    assert!(folder.path().join("tree/empty").is_dir());
    assert_eq!(fs::read(folder.path().join("tree/x")).unwrap(), b"hi");
    assert!(fixture.queue.reporter.output.take().starts_with("a/tree/x: 2 B in "));
}

#[test]
fn links_to_folders_are_not_followed_and_what_a_listing_leaves_out_is_a_failure() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let transfer = tree("a".into(), target(folder.path()), Some("a".into()));
    let mut fixture = Fixture::new(&mut output, vec![transfer]);
    fixture.ask();
    fixture.answer(b"0\t0\tfirst@\n2\t0\tx\n0\t0\tz@\n");
    assert!(!fixture.queue.reporter.has_failed());
    assert_eq!(fixture.queue.reporter.tree.links, 2);
    assert_eq!(fixture.ask(), "a/x.");
    fixture.answer(b"hi");
    assert!(fixture.queue.is_empty());

    let transfer = tree("b".into(), target(folder.path()), Some("b".into()));
    fixture.restart(false, vec![transfer]);
    fixture.ask();
    fixture.answer(b"2\t0\tx\n-\t2\t\n");
    assert!(fixture.queue.reporter.has_failed());
    assert_eq!(fixture.ask(), "b/x.");
}

/// Folder by folder: of the listings that there are, only one after another is gone by.
#[test]
fn a_listing_becomes_transfers_as_they_are_asked_for() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let transfer = tree(String::new(), target(folder.path()), None);
    let mut fixture = Fixture::new(&mut output, vec![transfer]);
    fixture.ask();
    let listing: Vec<_> = (0..1000).map(|number| format!("1\t0\t{number:03}\n")).collect();
    fixture.answer(listing.concat().as_bytes());
    assert_eq!(fixture.queue.len(), 1000);
    fixture.reconnect();
    assert_eq!(fixture.ask().split(' ').count(), DEPTH);
    assert_eq!((fixture.queue.len(), fixture.queue.transfers().count()), (1000, DEPTH + 1));
    // What is left of it is there after a break, too.
    fixture.queue.rewind();
    assert_eq!(fixture.queue.len(), 1000);
    assert_eq!(fixture.queue.drop_next().unwrap().name, "000");
    assert_eq!(fixture.queue.len(), 999);
}

#[test]
fn few_listings_are_asked_for_at_once() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let transfer = tree(String::new(), target(folder.path()), None);
    let mut fixture = Fixture::new(&mut output, vec![transfer]);
    fixture.ask();
    let listing: Vec<_> = (10..30).map(|number| format!("0\t0\t{number}/\n")).collect();
    fixture.answer(listing.concat().as_bytes());
    assert_eq!(fixture.ask(), "10 11 12 13 14 15 16 17");
    fixture.answer(b"");
    assert_eq!(fixture.ask(), "18");
    // There is no room for more than so much.
    let answer = ResponseHeader {
        offset: 0,
        length: listing_sink::ROOM,
        size: listing_sink::ROOM,
        modified: 0,
        tag: 7,
        verified: true,
    };
    assert!(matches!(fixture.take(ReceiverEvent::Response(answer)), Err(Abort::Skip(_))));
}

#[test]
fn what_a_listing_tells_is_not_asked_for_if_it_is_there() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("same"), "four").unwrap();
    fs::write(folder.path().join("older"), "four").unwrap();
    fs::write(folder.path().join("shorter"), "three").unwrap();
    for name in ["older", "same", "shorter"] {
        let file = fs::File::open(folder.path().join(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(9_999)).unwrap();
    }
    fs::create_dir(folder.path().join("wrong")).unwrap();
    std::os::unix::fs::symlink("same", folder.path().join("link")).unwrap();
    let mut output = output();
    let root = |target| vec![tree(String::new(), target, None)];
    let mut fixture = Fixture::new(&mut output, root(target(folder.path())));
    fixture.ask();
    fixture.answer(b"4\t9\tsame\n");
    assert_eq!(fixture.ask(), ".");
    assert!(fixture.queue.is_empty() && !fixture.queue.reporter.has_failed());
    assert_eq!(fixture.queue.reporter.tree.unchanged, 1);

    fixture.restart(false, root(target(folder.path())));
    fixture.ask();
    fixture.answer(b"4\t9\tlink\n4\t8\tolder\n4\t9\tsame\n4\t9\tshorter\n4\t9\twrong\n");
    // What has changed is replaced, and nothing else that is in the way.
    assert_eq!(fixture.ask(), "older shorter.");
    assert_eq!(fixture.queue.reporter.tree.errors, 2);
    assert_eq!(fixture.queue.reporter.tree.unchanged, 1);

    fixture.restart(true, root(target(folder.path())));
    fixture.ask();
    fixture.answer(b"4\t9\tsame\n");
    assert_eq!(fixture.ask(), "same.");
}

#[test]
fn the_root_becomes_the_folder_itself() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let mut fixture =
        Fixture::new(&mut output, vec![tree(String::new(), target(folder.path()), None)]);
    assert_eq!(fixture.ask(), "");
    fixture.answer(b"1\t0\tx\n");
    assert_eq!(fixture.ask(), "x.");
    fixture.answer(b"!");
    assert_eq!(fs::read(folder.path().join("x")).unwrap(), b"!");
    fixture.queue.reporter.output.take();
}

#[test]
fn a_hostile_listing_writes_nothing() {
    let folder = TempDir::new().unwrap();
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).unwrap();
    std::os::unix::fs::symlink(folder.path(), inside.join("link")).unwrap();
    let mut output = output();
    let mut fixture =
        Fixture::new(&mut output, vec![tree("t".into(), target(&inside), Some("t".into()))]);
    fixture.ask();
    fixture.answer(b"1\t0\t../x\n");
    assert!(fixture.queue.is_empty() && fixture.queue.reporter.has_failed());
    // Nor is anything made of one that has a name twice.
    fixture.restart(false, vec![tree("t".into(), target(&inside), Some("t".into()))]);
    fixture.ask();
    fixture.answer(b"1\t0\tx\n1\t0\tx\n");
    assert!(fixture.queue.is_empty() && !inside.join("t").exists());
    // Nor does a link that waits where a folder is to be.
    fixture.restart(false, vec![tree("t".into(), target(&inside), Some("link".into()))]);
    fixture.ask();
    fixture.answer(b"1\t0\tx\n");
    assert!(fixture.queue.is_empty());
    assert!(!folder.path().join("x").exists());
}

#[test]
fn a_name_that_is_no_folder_may_be_that_of_a_file() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let transfer = tree("x".into(), target(folder.path()), Some("x".into()));
    let mut fixture = Fixture::new(&mut output, vec![transfer]);
    fixture.ask();
    fixture.take(ReceiverEvent::Refused(Refusal::NotFound)).unwrap();
    assert!(!fixture.queue.reporter.has_failed());
    assert_eq!(fixture.ask(), "x.");
    fixture.take(ReceiverEvent::Refused(Refusal::NotFound)).unwrap();
    assert!(fixture.queue.reporter.has_failed() && fixture.queue.is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_there_is_not_asked_for() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a"), "old").unwrap();
    let target = target(folder.path());
    let mut output = output();
    let mut fixture = Fixture::new(&mut output, vec![file("a", &target), file("b", &target)]);
    assert_eq!(fixture.ask(), "b.");
    assert!(fixture.queue.reporter.has_failed());
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"old");
}

#[test]
fn no_more_is_asked_for_at_once_than_files_may_be_open() {
    let folder = TempDir::new().unwrap();
    let target = target(folder.path());
    let mut output = output();
    let transfers = (0..DEPTH + 2).map(|number| file(&number.to_string(), &target)).collect();
    let mut fixture = Fixture::new(&mut output, transfers);
    assert_eq!(fixture.ask().split(' ').count(), DEPTH);
    assert_eq!(fixture.queue.len(), DEPTH + 2);
}

#[test]
fn a_server_that_was_not_heard_yet_is_asked_for_one_thing() {
    let folder = TempDir::new().unwrap();
    let target = target(folder.path());
    let mut output = output();
    let mut fixture = Fixture::new(&mut output, vec![file("a", &target), file("b", &target)]);
    fixture.heard = false;
    assert_eq!(fixture.ask(), "a");
    assert_eq!(fixture.ask(), "");
    fixture.heard = true;
    assert_eq!(fixture.ask(), "b.");
}

#[test]
fn a_busy_server_fails_nothing_yet() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let mut fixture = Fixture::new(&mut output, vec![file("a", &target(folder.path()))]);
    fixture.ask();
    assert!(matches!(fixture.take(ReceiverEvent::Refused(Refusal::Busy)), Err(Abort::Busy)));
    fixture.queue.rewind();
    assert_eq!(fixture.queue.len(), 1);
    assert!(!fixture.queue.reporter.has_failed() && !fixture.queue.progressed);
}

#[test]
fn a_listing_that_is_useless_stops_its_own_transfer_only() {
    let mut output = output();
    let mut fixture = Fixture::new(&mut output, vec![Transfer::screen("d".into(), false)]);
    assert_eq!(fixture.ask(), "d.");
    let answer = ResponseHeader {
        offset: 0,
        length: u64::MAX,
        size: u64::MAX,
        modified: 0,
        tag: 7,
        verified: true,
    };
    assert!(matches!(fixture.take(ReceiverEvent::Response(answer)), Err(Abort::Skip(_))));
}

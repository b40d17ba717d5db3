use std::io;
use std::rc::Rc;

use barewire_core::file::{
    ReceiverError, ReceiverEvent, ResponseHeader, SegmentDigester, SegmentSize,
};
use barewire_core::time::Duration;
use barewire_linux::dialer::{DialError, Resolver};
use barewire_linux::files::{Download, DownloadOptions};
use barewire_linux::link::LinkError;
use clap::Parser as _;

use super::*;
use crate::output::format::Format;
use crate::output::printer::Printer;
use crate::programs::file_client::FileClientProgram;
use crate::programs::file_client::limits::Allowance;
use crate::programs::file_client::report::Scope;
use crate::programs::file_client::stream::Stream;
use crate::programs::file_client::target::{TargetFolder, TargetPath};

fn client(output: &mut Printer, transfers: Vec<Transfer>) -> Client<'_> {
    let options = ["file-client", "server:1", "--retries", "2"];
    let settings = FileClientProgram::parse_from(options).settings;
    let reporter = Reporter::new(output, Scope::File);
    let dialer = Dialer::new(Resolver::new("server", 1));
    Client::new(settings, dialer, reporter, transfers)
}

fn output() -> Printer {
    Printer::new("test", Format::Text, true)
}

fn stdout(name: &str) -> Transfer {
    Transfer::stream(name.into(), Stream::default())
}

fn reset() -> Ending {
    Ending::Broken(LinkError::Connection(io::ErrorKind::ConnectionReset.into()))
}

fn unconnected(kind: io::ErrorKind) -> Ending {
    Ending::Unconnected(DialError::Unreached { tried: 1, last: kind.into() })
}

fn not_framed() -> Ending {
    Ending::Broken(LinkError::Session(ReceiverError::NotFramed))
}

#[test]
fn a_server_that_never_answers_in_the_framed_form_is_asked_plainly() {
    let mut output = output();
    let mut client = client(&mut output, vec![stdout("x")]);
    client.policy.reach();
    assert!(client.after(&not_framed(), Instant::ZERO).is_some());
    assert!(client.policy.is_plain());
    // That it takes no second connection is told at once.
    let refused = unconnected(io::ErrorKind::ConnectionRefused);
    assert!(client.after(&refused, Instant::ZERO).is_none());
    assert!(client.queue.reporter.has_failed());
}

/// It may be one that stops, or starts anew.
#[test]
fn a_server_that_resets_is_asked_again_in_the_framed_form() {
    let mut output = output();
    let mut client = client(&mut output, vec![stdout("x")]);
    client.policy.reach();
    for _ in 0..client.queue.settings.retries {
        assert!(client.after(&reset(), Instant::ZERO).is_some());
    }
    assert!(client.after(&reset(), Instant::ZERO).is_none());
    assert!(client.queue.reporter.has_failed() && !client.policy.is_plain());
}

/// The reset may come before this side has seen that the connection is made.
#[test]
fn a_reset_is_no_refusal() {
    let mut output = output();
    let mut client = client(&mut output, vec![stdout("x")]);
    let reset = || unconnected(io::ErrorKind::ConnectionReset);
    assert!(client.after(&reset(), Instant::ZERO).is_some());
    assert!(!client.queue.reporter.has_failed());
}

#[test]
fn what_has_verified_is_not_given_up_for_the_plain_form() {
    let folder = tempfile::TempDir::new().unwrap();
    let target = TargetFolder::open(folder.path().to_owned()).unwrap();
    let mut part = Download::begin(&target.folder, b"x", DownloadOptions::default()).unwrap();
    // Of a file of one segment nothing stays.
    let segment = vec![7; 1 << 20];
    let size = segment.len() as u64 + 1;
    part.start(0, Some(size), 7).unwrap();
    part.write(&segment).unwrap();
    let mut digester = SegmentDigester::new(SegmentSize::MAX.segment(0, size));
    digester.update(&segment);
    part.verified(0, size - 1, &digester.finish()).unwrap();
    drop(part);

    let mut output = output();
    let transfer = Transfer::file("x".into(), TargetPath::new(Rc::new(target), b"x"), None);
    let mut client = client(&mut output, vec![transfer]);
    client.policy.reach();
    assert!(client.queue.prepare().is_some());
    assert!(client.after(&not_framed(), Instant::ZERO).is_some());
    assert!(!client.policy.is_plain());
}

#[test]
fn the_plain_form_has_no_folders() {
    let mut output = output();
    let transfers = vec![Transfer::screen(String::new(), false)];
    let mut client = client(&mut output, transfers);
    assert!(client.after(&not_framed(), Instant::ZERO).is_none());
    assert!(client.queue.reporter.has_failed() && !client.policy.is_plain());
}

#[test]
fn what_breaks_off_is_tried_again_until_nothing_comes_of_it() {
    let mut output = output();
    let mut client = client(&mut output, vec![stdout("x")]);
    client.policy.reach();
    client.policy.was_heard = true;
    assert!(client.after(&reset(), Instant::ZERO).is_some());
    assert!(!client.policy.is_plain());
    let refused = || unconnected(io::ErrorKind::ConnectionRefused);
    assert!(client.after(&refused(), Instant::ZERO).is_some());
    client.queue.progressed = true;
    assert!(client.after(&refused(), Instant::ZERO).is_some());
    assert!(client.after(&reset(), Instant::ZERO).is_some());
    assert!(!client.queue.reporter.has_failed());
    assert!(client.after(&reset(), Instant::ZERO).is_none());
    assert!(client.queue.reporter.has_failed());
}

#[test]
fn what_cannot_become_better_is_not_tried_again() {
    for end in [
        unconnected(io::ErrorKind::ConnectionRefused),
        Ending::Broken(LinkError::Session(ReceiverError::Malformed)),
        Ending::Aborted(Abort::GiveUp("the disk is full".into())),
    ] {
        let mut output = output();
        let mut client = client(&mut output, vec![stdout("x")]);
        assert!(client.after(&end, Instant::ZERO).is_none());
        assert!(client.queue.reporter.has_failed());
    }
}

#[test]
fn one_that_fails_does_not_keep_the_others() {
    let mut output = output();
    let transfers = ["x", "y"].map(stdout).into();
    let mut client = client(&mut output, transfers);
    client.policy = RetryPolicy::new(2, Duration::from_millis(500), true);
    let nothing = || Ending::Broken(LinkError::Session(ReceiverError::Nothing));
    assert!(client.after(&nothing(), Instant::ZERO).is_some());
    assert!(client.after(&nothing(), Instant::ZERO).is_none());
    assert!(client.queue.reporter.has_failed());
}

#[test]
fn a_file_without_room_does_not_keep_the_others() {
    let folder = tempfile::TempDir::new().unwrap();
    let target = Rc::new(TargetFolder::open(folder.path().to_owned()).unwrap());
    let mut output = output();
    let transfers = ["x", "y"]
        .map(|name| {
            let target = TargetPath::new(Rc::clone(&target), name.as_bytes());
            Transfer::file(name.into(), target, None)
        })
        .into();
    let mut client = client(&mut output, transfers);
    assert!(client.queue.prepare().is_some());
    let others = client.queue.len() - 1;
    assert_eq!(messages::and_more("why".into(), others), "why; 1 more not downloaded");
    let mut transfer = client.queue.drop_next().unwrap();
    let header = ResponseHeader {
        offset: 0,
        length: u64::MAX,
        size: u64::MAX,
        modified: 0,
        tag: 1,
        verified: true,
    };
    let Queue { reporter, settings, .. } = &mut client.queue;
    let mut allowance = Allowance::from(settings.limits);
    let begun = transfer.take(ReceiverEvent::Response(header), 0, &mut allowance, reporter);
    assert!(matches!(begun, Err(Abort::Skip(_))));
}

#[test]
fn a_reader_who_has_gone_and_a_late_reset_fail_nothing() {
    let mut output = output();
    let mut client = client(&mut output, vec![stdout("x")]);
    assert!(client.after(&Ending::Aborted(Abort::ReaderGone), Instant::ZERO).is_none());
    client.queue.drop_next();
    assert!(client.after(&reset(), Instant::ZERO).is_none());
    assert!(!client.queue.reporter.has_failed());
}

use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Write as _};
use std::sync::mpsc::{self, Receiver, SyncSender};

use super::*;
use crate::wait::writable;

/// What a write of a [`Scripted`] sink is to give.
type Outcome = io::Result<usize>;

/// A sink whose writes wait until they are told what to give, which is taken as all if it is more.
struct Scripted {
    outcomes: Receiver<Outcome>,
    written: Arc<Mutex<String>>,
    reopened: Arc<Mutex<Vec<usize>>>,
    counts: bool,
}

impl Sink for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Without anybody who tells it, all is well.
        let count = self.outcomes.recv().unwrap_or(Ok(usize::MAX))?.min(bytes.len());
        lock(&self.written).push_str(str::from_utf8(&bytes[..count]).unwrap());
        Ok(count)
    }

    fn is_writable(&self, _: Duration) -> io::Result<bool> {
        Ok(false)
    }

    fn note_lost(&mut self, count: u64) -> Option<String> {
        Some(format!("{count} lost\n"))
    }

    fn failed(&mut self, _: &io::Error, lines: u64) -> u64 {
        if self.counts { lines } else { 0 }
    }

    fn reopen(&mut self) {
        let at = lock(&self.written).len();
        lock(&self.reopened).push(at);
    }
}

struct Script {
    writer: LossyWriter<Scripted>,
    outcomes: SyncSender<Outcome>,
    written: Arc<Mutex<String>>,
    reopened: Arc<Mutex<Vec<usize>>>,
}

/// A writer whose queue takes `capacity` bytes. A step of the script is given when the write has come that
/// takes it.
fn script(capacity: usize, counts: bool) -> Script {
    let (outcomes, told) = mpsc::sync_channel(0);
    let (written, reopened) = (Arc::default(), Arc::default());
    let sink = Scripted {
        outcomes: told,
        written: Arc::clone(&written),
        reopened: Arc::clone(&reopened),
        counts,
    };
    Script { writer: LossyWriter::new(sink, capacity), outcomes, written, reopened }
}

impl Script {
    fn step(&self, outcome: Outcome) {
        self.outcomes.send(outcome).unwrap();
    }

    /// Waits until there is nothing to do, and tells how many lines are not written.
    fn rest(&self) -> u64 {
        self.writer.finish(|| true)
    }

    /// All further writes are well; gives all that was written, and how many lines were not.
    fn end(self) -> (String, u64) {
        let Self { writer, outcomes, written, .. } = self;
        drop(outcomes);
        let left = writer.finish(|| true);
        let written = mem::take(&mut *lock(&written));
        (written, left)
    }
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

#[test]
fn lines_come_in_order_whatever_the_writes_take() {
    let script = script(1000, true);
    for line in ["one\n", "two\nthree\n", "four\n"] {
        script.writer.write(line.as_bytes());
        script.step(Ok(1));
        script.step(Err(io::ErrorKind::Interrupted.into()));
    }
    assert_eq!(script.end(), ("one\ntwo\nthree\nfour\n".into(), 0));
}

#[test]
fn what_finds_no_room_is_counted_in_its_place_and_nothing_is_torn() {
    let script = script(10, true);
    script.writer.write(b"begun\n");
    // From here on it is under way.
    script.step(Ok(1));
    script.writer.write(b"1234\n678\nabc\n");
    script.writer.write(b"x\n");
    script.step(Ok(2));
    script.writer.write(b"y\n");
    let (written, left) = script.end();
    assert_eq!((written.as_str(), left), ("begun\n1234\n678\n3 lost\n", 0));
}

#[test]
fn a_line_longer_than_the_queue_is_left_out_alone() {
    let script = script(4, true);
    script.writer.write(b"a long line\n");
    script.step(Ok(usize::MAX));
    script.writer.write(b"abc\n");
    assert_eq!(script.end(), ("1 lost\nabc\n".into(), 0));
}

#[test]
fn what_an_error_has_lost_is_told_before_the_next_line() {
    let script = script(1000, true);
    script.writer.write(b"one\ntwo\nsix\n");
    script.step(Ok(6));
    script.step(Err(full()));
    script.writer.write(b"seven\n");
    // The note finds no room, and what is behind it is not tried.
    script.step(Err(full()));
    assert_eq!(script.rest(), 3);
    script.writer.write(b"eight\n");
    assert_eq!(script.end(), ("one\ntw\n3 lost\neight\n".into(), 0));
}

#[test]
fn what_is_not_counted_is_not_told() {
    let script = script(1000, false);
    script.writer.write(b"one\n");
    script.step(Err(io::ErrorKind::BrokenPipe.into()));
    script.writer.write(b"two\n");
    assert_eq!(script.end(), ("two\n".into(), 0));
}

#[test]
fn what_cannot_be_written_is_known_at_the_end() {
    let script = script(8, true);
    script.writer.write(b"one\n");
    script.step(Ok(1));
    script.writer.write(b"two\nsix\nten\n");
    assert_eq!(script.writer.finish(|| false), 4);
}

#[test]
fn it_is_reopened_behind_what_was_queued() {
    let script = script(1000, true);
    script.writer.write(b"one\n");
    script.writer.reopen();
    script.step(Ok(2));
    let reopened = Arc::clone(&script.reopened);
    assert_eq!(script.end().0, "one\n");
    assert_eq!(*lock(&reopened), [4]);
}

#[test]
fn it_is_reopened_although_more_is_written_before_each_end() {
    let script = script(1000, true);
    script.writer.write(b"one\n");
    script.step(Ok(1));
    script.writer.write(b"two\n");
    script.writer.reopen();
    for line in ["six\n", "ten\n"] {
        script.step(Ok(usize::MAX));
        // Of what was queued meanwhile.
        script.step(Ok(1));
        script.writer.write(line.as_bytes());
    }
    let reopened = Arc::clone(&script.reopened);
    assert_eq!(script.end(), ("one\ntwo\nsix\nten\n".into(), 0));
    assert_eq!(*lock(&reopened), [8]);
}

#[test]
fn what_fails_is_reopened_before_more_is_written() {
    let script = script(1000, true);
    script.writer.write(b"one\n");
    script.step(Err(full()));
    assert_eq!(script.rest(), 1);
    script.writer.reopen();
    let reopened = Arc::clone(&script.reopened);
    assert_eq!(script.end(), ("1 lost\n".into(), 0));
    assert_eq!(*lock(&reopened), [0]);
}

/// A pipe that another end keeps from being written to.
struct Pipe(PipeWriter);

impl Sink for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn is_writable(&self, timeout: Duration) -> io::Result<bool> {
        writable(&self.0, Some(timeout))
    }

    fn note_lost(&mut self, count: u64) -> Option<String> {
        Some(format!("{count} lost\n"))
    }

    fn failed(&mut self, _: &io::Error, lines: u64) -> u64 {
        lines
    }
}

fn lines_of(reader: PipeReader) -> impl Iterator<Item = String> {
    BufReader::new(reader).lines().map(Result::unwrap)
}

/// So many lines of six bytes are more than a pipe and the queue hold.
const MANY: usize = 100_000;

#[test]
fn nobody_waits_for_a_pipe_that_is_not_read_and_its_reader_learns_what_is_missing() {
    let (reader, writer) = io::pipe().unwrap();
    let pipe = writer.try_clone().unwrap();
    let writer = LossyWriter::new(Pipe(writer), 4096);
    let mut count = 0;
    let mut write = |lines: usize| {
        for number in count..count + lines {
            writer.write(format!("{number:05}\n").as_bytes());
        }
        count += lines;
        writer.finish(|| false)
    };
    // Until the pipe is full; and more than is queued.
    while writable(&pipe, Some(Duration::ZERO)).unwrap() {
        write(500);
    }
    assert!(write(10_000) > 9_000);
    drop((writer, pipe));
    assert_eq!(accounted(reader), count);
}

#[test]
fn without_a_thread_as_much_is_written_as_finds_room() {
    let (reader, writer) = io::pipe().unwrap();
    let writer = LossyWriter::new(Pipe(writer), 4096);
    writer.0.0.lock().thread = Thread::Refused;
    for number in 0..MANY {
        writer.write(format!("{number:05}\n").as_bytes());
    }
    assert!(writer.finish(|| false) > 0);
    let reading = thread::spawn(move || accounted(reader));
    assert_eq!(writer.finish(|| true), 0);
    drop(writer);
    assert_eq!(reading.join().unwrap(), MANY);
}

#[test]
fn without_a_thread_only_the_end_waits() {
    let (reader, writer) = io::pipe().unwrap();
    let writer = LossyWriter::new(Pipe(writer), 4096);
    writer.0.0.lock().thread = Thread::Refused;
    for number in 0..MANY {
        writer.write(format!("{number:05}\n").as_bytes());
    }
    let at_end = writer.clone();
    let ending = thread::spawn(move || at_end.finish(|| true));
    while writer.0.0.worker.try_lock().is_ok() {
        thread::yield_now();
    }
    // Nobody reads before this has come back.
    writer.write(b"one more\n");
    let reading = thread::spawn(move || accounted(reader));
    assert_eq!(ending.join().unwrap(), 0);
    drop(writer);
    assert_eq!(reading.join().unwrap(), MANY + 1);
}

/// How many lines came, in order, and were told to be missing in their places.
fn accounted(reader: PipeReader) -> usize {
    lines_of(reader).fold(0, |expected, line| {
        if let Some(count) = line.strip_suffix(" lost") {
            return expected + count.parse::<usize>().unwrap();
        }
        assert_eq!(line, format!("{expected:05}"));
        expected + 1
    })
}

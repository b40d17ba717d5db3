//! A session that sends files, the files, and an owner.

use core::convert::Infallible;
use core::ops::Range;
use core::task::Poll;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream as StdStream};
use std::rc::Rc;
use std::thread;

use barewire_core::session::{Events, Output, Session};
use barewire_core::time::Instant;
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::{Contents, Link, LinkError, WRITES};
use crate::executor::{Context, Executor};
use crate::stream::StreamSocket;
use crate::testing::{Random, task};

/// Each byte that it hears asks for a file, and is answered by that byte and the file's contents.
/// The next is taken when the answer is out.
#[derive(Default)]
pub(super) struct Sender {
    pub(super) phase: Phase,
    pub(super) asked: [u8; 1],
    pub(super) position: u64,
    pub(super) size: u64,
    pub(super) ended: bool,
    pub(super) shut: bool,
    /// How many bytes the link has taken.
    pub(super) sent: u64,
    pub(super) deadline: Option<Instant>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Listening,
    /// The owner is to offer something.
    Asked,
    Header,
    Contents,
}

impl Sender {
    /// What the owner is to offer.
    pub(super) fn demand(&self) -> Option<u8> {
        (self.phase == Phase::Asked).then_some(self.asked[0])
    }

    /// What was asked for last.
    pub(super) fn in_hand(&self) -> Option<u8> {
        (self.phase != Phase::Listening).then_some(self.asked[0])
    }

    pub(super) fn offer(&mut self, range: Range<u64>) {
        (self.position, self.size) = (range.start, range.end);
        self.phase = Phase::Header;
    }
}

impl Events<'_> for Sender {
    type Event = ();
}

impl Session for Sender {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<(), Infallible> {
        match (self.phase, *input) {
            (Phase::Listening, [first, rest @ ..]) if !self.shut => {
                (self.asked, self.phase, *input) = ([*first], Phase::Asked, rest);
                Ok(())
            }
            _ => Err(nb::Error::WouldBlock),
        }
    }

    fn handle_end(&mut self, _: Instant) -> nb::Result<(), Infallible> {
        self.ended = true;
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _: Instant) -> nb::Result<(), Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        let length = self.size - self.position;
        match self.phase {
            Phase::Header => Output::Bytes { head: &self.asked, tail: &[], more: length > 0 },
            Phase::Contents => Output::Contents { offset: self.position, length },
            Phase::Listening if self.ended && self.shut => Output::Close,
            Phase::Listening if self.ended => Output::Shutdown,
            Phase::Listening | Phase::Asked => Output::Nothing,
        }
    }

    fn transmitted(&mut self, _: Instant, count: usize) {
        self.sent += count as u64;
        match self.phase {
            Phase::Header => self.phase = Phase::Contents,
            Phase::Contents => self.position += count as u64,
            Phase::Listening | Phase::Asked => self.shut = true,
        }
        if self.phase == Phase::Contents && self.position == self.size {
            self.phase = Phase::Listening;
        }
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

/// A file with `contents` and without a name.
pub(super) fn file(contents: &[u8]) -> File {
    let file = File::from(memfd_create("contents", MFdFlags::MFD_CLOEXEC).unwrap());
    (&file).write_all(contents).unwrap();
    file
}

/// What can be asked for, by the bytes `a`, `b`, ….
#[derive(Clone)]
pub(super) struct TestFiles(Rc<Vec<(File, Vec<u8>)>>);

impl TestFiles {
    fn new(all: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self(Rc::new(all.into_iter().map(|bytes| (file(&bytes), bytes)).collect()))
    }

    pub(super) fn of_sizes(sizes: impl IntoIterator<Item = usize>) -> Self {
        let mut random = Random::seeded();
        Self::new(sizes.into_iter().map(|size| {
            let first = random.below(251) as usize;
            (0..=250).cycle().skip(first).take(size).collect()
        }))
    }

    pub(super) fn get(&self, asked: u8) -> &(File, Vec<u8>) {
        &self.0[usize::from(asked - b'a')]
    }

    /// What answers `requests`.
    pub(super) fn answers(&self, requests: &[u8]) -> Vec<u8> {
        let answer = |asked: &u8| [&[*asked], &self.get(*asked).1[..]].concat();
        requests.iter().map(answer).collect::<Vec<_>>().concat()
    }
}

type Over = nb::Result<(), LinkError<Infallible>>;

/// One turn, as an owner makes it. `inspect` sees the link before what is gathered is written.
pub(super) fn serve<W>(
    cx: &mut Context<'_, W>,
    link: &mut Link,
    sender: &mut Sender,
    files: &TestFiles,
    inspect: impl FnOnce(&Link, &Sender),
) -> Over {
    loop {
        let mut contents = sender.in_hand().map(|asked| Contents::new(&files.get(asked).0));
        match link.advance(cx, sender, contents.as_mut(), |()| {}) {
            Err(nb::Error::WouldBlock) => {}
            over => return over,
        }
        let Some(asked) = sender.demand() else { break };
        sender.offer(0..files.get(asked).1.len() as u64);
    }
    inspect(link, sender);
    link.flush(cx, sender)
}

/// Serves `stream` to the end of the conversation; `inspect` sees each turn before its flush.
pub(super) fn serve_all(
    stream: StreamSocket,
    files: &TestFiles,
    mut inspect: impl FnMut(&Link, &Sender) + 'static,
) -> Result<(), LinkError<Infallible>> {
    let (mut link, mut sender, files) = (Link::new(stream), Sender::default(), files.clone());
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |result: &mut Option<_>, cx| {
        *result = Some(match serve(cx, &mut link, &mut sender, &files, &mut inspect) {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Err(nb::Error::Other(fault)) => Err(fault),
            Ok(()) => Ok(()),
        });
        assert!(link.stream().is_none());
        Poll::Ready(())
    }));
    let mut result = None;
    executor.run(&mut result).unwrap();
    result.unwrap()
}

/// Asks for all at once, and reads the answers meanwhile.
pub(super) fn ask(
    mut peer: StdStream,
    requests: &[u8],
) -> thread::JoinHandle<std::io::Result<Vec<u8>>> {
    peer.write_all(requests).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    thread::spawn(move || {
        let mut received = Vec::new();
        peer.read_to_end(&mut received).map(|_| received)
    })
}

/// How many calls have sent something in this turn, and how many bytes are gathered.
pub(super) fn calls_and_gathered(link: &Link) -> (usize, usize) {
    link.driven.connection.as_ref().map_or((0, 0), |connection| {
        let (left, gathered) = connection.output();
        (WRITES - left, gathered)
    })
}

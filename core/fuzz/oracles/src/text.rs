//! Texts and the quiet rule, against a reader that looks at every byte by itself.

use arbitrary::Arbitrary;
use barewire_core::text::{Text, TextReader, TextReaderError};
use barewire_core::time::{Duration, Instant};

use crate::script::{START, Span};

/// The longest text here.
const LONGEST: usize = 4;

/// What a reader is told.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    quiet: Option<Span>,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Bytes(&'a [u8]),
    /// One of the [`FRAGMENTS`].
    Fragment(u8),
    Wait(Span),
    End,
}

/// What matters to a reader: the ends of texts, characters in parts, and texts of any length.
const FRAGMENTS: [&[u8]; 12] = [
    b"\n",
    b"\r",
    b"\r\n",
    b"\r\r",
    b"a",
    b"ab",
    b"abcd",
    b"\xe4",
    b"\xbd",
    b"\xe4\xbd",
    b"\xf0\x9f",
    b"\x98",
];

/// What came of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// A text.
    Text(Vec<u8>),
    /// A text that was too long.
    TooLong,
    /// A text that took too long.
    TooLate,
}

/// Texts as they should be read: byte by byte, in memory without end.
#[derive(Debug)]
pub struct Model {
    longest: usize,
    /// `None`: silence ends nothing. So it is once a line feed has come.
    quiet: Option<Duration>,
    line: Vec<u8>,
    /// It was said that the line is too long.
    told: bool,
    /// When the line began, and when its last byte came.
    since: Instant,
    last: Instant,
    /// How long a line may take to be complete.
    limit: Option<Duration>,
    /// Silence ends none before.
    holds: bool,
}

impl Model {
    /// At the start of a text.
    pub fn new(longest: usize, quiet: Option<Duration>) -> Self {
        let (line, since) = (Vec::new(), Instant::ZERO);
        Self { longest, quiet, line, told: false, since, last: since, limit: None, holds: false }
    }

    /// The same, for lines that may take so long to be complete.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Whether silence ends no line before its time is over.
    pub const fn hold(&mut self, holds: bool) {
        self.holds = holds;
    }

    /// The peer is known to send line feeds: no text ends by silence any more.
    pub const fn expect_terminators(&mut self) {
        self.quiet = None;
    }

    /// Bytes come in.
    pub fn hear(&mut self, now: Instant, bytes: &[u8], mut on_said: impl FnMut(Said)) {
        for &byte in bytes {
            self.last = now;
            if byte == b'\n' {
                self.expect_terminators();
                let line = std::mem::take(&mut self.line);
                if !std::mem::take(&mut self.told) {
                    on_said(Said::Text(without_return(&line).to_vec()));
                }
                continue;
            }
            if self.line.is_empty() {
                self.since = now;
            }
            self.line.push(byte);
            if !self.told && without_return(&self.line).len() > self.longest {
                self.told = true;
                on_said(Said::TooLong);
            }
        }
    }

    /// The stream ends, or silence does it.
    pub fn end(&mut self) -> Option<Said> {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.told) || line.is_empty() {
            None
        } else if line.len() > self.longest {
            Some(Said::TooLong)
        } else {
            Some(Said::Text(line))
        }
    }

    /// When silence ends the text: unless its last bytes are the beginning of a character.
    pub fn deadline(&self) -> Option<Instant> {
        let is_open = |tail: &[u8]| {
            std::str::from_utf8(tail)
                .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        };
        let is_inside = (1..=3).any(|length| {
            let start = self.line.len().checked_sub(length);
            start.is_some_and(|start| is_open(&self.line[start..]))
        });
        (!self.line.is_empty() && !is_inside).then_some(self.quiet).flatten().map(|quiet| {
            let limit = self.limit.filter(|_| self.holds && !self.told);
            limit.map_or(self.last, |limit| self.since + limit).max(self.last + quiet)
        })
    }

    /// Time passes.
    pub fn wait(&mut self, now: Instant) -> Option<Said> {
        let quiet = self.deadline();
        let is_open = !self.told && !self.line.is_empty();
        let limit = self.limit.filter(|_| is_open).map(|limit| self.since + limit);
        let is_late =
            limit.is_some_and(|limit| limit <= now && quiet.is_none_or(|quiet| limit < quiet));
        let is_over = quiet.is_some_and(|quiet| quiet <= now);
        if is_late {
            // The rest of it is skipped, until it ends.
            self.told = true;
        }
        let ended = is_over.then(|| self.end()).flatten();
        if is_late { Some(Said::TooLate) } else { ended }
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn said(text: Result<Text<'_>, TextReaderError>) -> Said {
    text.map_or(Said::TooLong, |text| Said::Text(text.as_bytes().to_vec()))
}

/// Gives a step's result; `None` for `WouldBlock`.
fn settled(step: nb::Result<Text<'_>, TextReaderError>) -> Option<Said> {
    match step {
        Ok(text) => Some(said(Ok(text))),
        Err(nb::Error::Other(error)) => Some(said(Err(error))),
        Err(nb::Error::WouldBlock) => None,
    }
}

/// A reader tells what the model tells, at every step, and waits as long.
pub fn check(input: &Input<'_>) {
    let quiet = input.quiet.map(Span::duration);
    let mut reader = TextReader::<LONGEST>::new(quiet.unwrap_or(Duration::MAX));
    let mut model = Model::new(LONGEST, quiet);
    let mut now = START;
    for step in &input.steps {
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        match step {
            Step::Bytes(_) | Step::Fragment(_) => {
                let bytes = match step {
                    Step::Fragment(number) => FRAGMENTS[usize::from(*number) % FRAGMENTS.len()],
                    Step::Bytes(bytes) => bytes,
                    Step::Wait(_) | Step::End => &[],
                };
                model.hear(now, bytes, |said| expected.push(said));
                let mut rest = bytes;
                while let Some(said) = settled(reader.handle_input(now, &mut rest)) {
                    found.push(said);
                }
                assert!(rest.is_empty(), "a reader takes everything");
            }
            Step::Wait(span) => {
                now += span.duration();
                expected.extend(model.wait(now));
                found.extend(settled(reader.handle_timeout(now)));
            }
            Step::End => {
                expected.extend(model.end());
                found.extend(settled(reader.handle_end()));
            }
        }
        assert_eq!(found, expected, "at {step:?}");
        assert_eq!(reader.poll_deadline(), model.deadline(), "after {step:?}");
    }
}

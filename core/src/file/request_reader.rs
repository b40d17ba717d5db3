//! Reads requests of either form from a stream, however it is cut.

use heapless::{Vec, VecView};

use super::request::Request;
use super::response::Refusal;
use super::wire::{KEYED, MARKER, REQUEST_HEADER, RequestHeader, begins, gather};
use crate::text::{Text, TextReader, TextReaderError};
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

/// What has come in.
#[derive(Debug)]
pub(super) enum Incoming<'a> {
    Plain(Text<'a>),
    /// A plain name that is too long.
    TooLong,
    Framed(Request<'a>),
    /// A request that makes no sense, and is no plain name, so that nothing after it can either.
    Unreadable(Refusal),
}

/// Reads the one plain request of a connection, or any number of framed ones. `N` is the longest
/// name.
#[derive(Debug)]
pub(super) struct RequestReader<const N: usize> {
    quiet: Duration,
    form: Form<N>,
}

#[derive(Debug)]
enum Form<const N: usize> {
    /// The first byte will tell.
    Unknown,
    Plain(TextReader<N>),
    Framed {
        header: Header,
        name: Vec<u8, N>,
    },
}

/// Of a framed request, what has come of its header.
#[derive(Debug, Default)]
struct Header {
    bytes: Vec<u8, REQUEST_HEADER>,
    decoded: Option<RequestHeader>,
    /// The request has come whole, and goes with the next byte.
    is_whole: bool,
}

impl<const N: usize> RequestReader<N> {
    pub(super) const fn new(quiet: Duration) -> Self {
        Self { quiet, form: Form::Unknown }
    }

    /// Whether a part of a request has come.
    pub(super) fn has_begun(&self) -> bool {
        match &self.form {
            Form::Unknown => false,
            Form::Plain(_) => true,
            Form::Framed { header, .. } => !header.is_whole && !header.bytes.is_empty(),
        }
    }

    pub(super) fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> Option<Incoming<'s>> {
        if let Form::Unknown = self.form {
            self.form = if matches!(*input.first()?, MARKER | KEYED) {
                // A client under a key, which does not go on before it is answered, makes no sense at once.
                Form::Framed { header: Header::default(), name: Vec::new() }
            } else {
                Form::Plain(TextReader::new(self.quiet))
            };
        }
        match &mut self.form {
            Form::Unknown => None,
            Form::Plain(reader) => plain(reader.handle_input(now, input)),
            Form::Framed { header, name } => match header.handle_input(name, input) {
                Ok(header) => Some(Incoming::Framed(header?.request(name))),
                Err(refusal) => Some(Incoming::Unreadable(refusal)),
            },
        }
    }

    /// The framed request that came last, if it is whole.
    pub(super) fn current(&self) -> Option<Request<'_>> {
        match &self.form {
            Form::Framed { header, name } if header.is_whole => Some(header.decoded?.request(name)),
            _ => None,
        }
    }

    /// The stream has ended, and with it a plain name.
    pub(super) fn handle_end(&mut self) -> Option<Incoming<'_>> {
        match &mut self.form {
            Form::Plain(reader) => plain(reader.handle_end()),
            Form::Unknown | Form::Framed { .. } => None,
        }
    }

    /// The quiet period of a plain name may have passed.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Incoming<'_>> {
        match &mut self.form {
            Form::Plain(reader) => plain(reader.handle_timeout(now)),
            Form::Unknown | Form::Framed { .. } => None,
        }
    }

    pub(super) fn deadline(&self) -> Deadline {
        match &self.form {
            Form::Plain(reader) => reader.deadline(),
            Form::Unknown | Form::Framed { .. } => Deadline::NEVER,
        }
    }
}

fn plain(read: nb::Result<Text<'_>, TextReaderError>) -> Option<Incoming<'_>> {
    match read {
        Ok(name) => Some(Incoming::Plain(name)),
        Err(nb::Error::WouldBlock) => None,
        Err(nb::Error::Other(TextReaderError::TooLong)) => Some(Incoming::TooLong),
    }
}

impl Header {
    /// The header, once the request is whole.
    fn handle_input(
        &mut self,
        name: &mut VecView<u8>,
        input: &mut &[u8],
    ) -> Result<Option<RequestHeader>, Refusal> {
        if self.is_whole {
            if input.is_empty() {
                return Ok(None);
            }
            *self = Self::default();
            name.clear();
        }
        if self.decoded.is_none() {
            gather(&mut self.bytes, REQUEST_HEADER, input);
            begins(&self.bytes)?;
            let Ok(bytes) = self.bytes.as_slice().try_into() else { return Ok(None) };
            let header = RequestHeader::decode(bytes)?;
            if header.name_length > name.capacity() {
                return Err(Refusal::Malformed);
            }
            self.decoded = Some(header);
        }
        let Some(header) = self.decoded else { return Ok(None) };
        gather(name, header.name_length, input);
        self.is_whole = name.len() == header.name_length;
        Ok(self.is_whole.then_some(header))
    }
}

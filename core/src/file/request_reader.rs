//! Reads requests of either form from a stream, however it is cut.

use heapless::{Vec, VecView};

use super::request::Request;
use super::response::Refusal;
use super::wire::{MARKER, REQUEST_HEADER, RequestHeader, gather};
use crate::text::{Text, TextReader, TextReaderError};
use crate::time::{Duration, Instant};

/// What has come in.
#[derive(Debug)]
pub(super) enum Incoming<'a> {
    Plain(Text<'a>),
    /// A plain name that is too long.
    TooLong,
    Framed(Request<'a>),
    /// A framed request that makes no sense, so that nothing after it can either.
    Unreadable(Refusal),
}

/// Reads the one plain request of a connection, or any number of framed ones. `N` is the longest
/// name.
///
/// A request that arrives whole is lent from the input itself.
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

/// Of a framed request that arrives in parts, what has come of its header.
#[derive(Debug, Default)]
struct Header {
    bytes: Vec<u8, REQUEST_HEADER>,
    decoded: Option<RequestHeader>,
    /// The request has been lent, and goes with the next call.
    lent: bool,
}

/// A framed request that has just ended: where its name is.
enum Ended<'i> {
    InInput(RequestHeader, &'i [u8]),
    InBuffer(RequestHeader),
    Unreadable(Refusal),
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
            Form::Framed { header, .. } => !header.lent && !header.bytes.is_empty(),
        }
    }

    pub(super) fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> Option<Incoming<'s>> {
        if let Form::Unknown = self.form {
            self.form = if *input.first()? == MARKER {
                Form::Framed { header: Header::default(), name: Vec::new() }
            } else {
                Form::Plain(TextReader::new(self.quiet))
            };
        }
        match &mut self.form {
            Form::Unknown => None,
            Form::Plain(reader) => plain(reader.handle_input(now, input)),
            Form::Framed { header, name } => Some(match header.handle_input(name, input)? {
                Ended::InInput(header, name) => Incoming::Framed(header.request(name)),
                Ended::InBuffer(header) => Incoming::Framed(header.request(name)),
                Ended::Unreadable(refusal) => Incoming::Unreadable(refusal),
            }),
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

    pub(super) fn poll_deadline(&self) -> Option<Instant> {
        match &self.form {
            Form::Plain(reader) => reader.poll_deadline(),
            Form::Unknown | Form::Framed { .. } => None,
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
    fn handle_input<'i>(
        &mut self,
        name: &mut VecView<u8>,
        input: &mut &'i [u8],
    ) -> Option<Ended<'i>> {
        if core::mem::take(&mut self.lent) {
            *self = Self::default();
            name.clear();
        }
        if self.bytes.is_empty()
            && let Some(ended) = whole(name.capacity(), input)
        {
            return Some(ended);
        }
        if self.decoded.is_none() {
            gather(&mut self.bytes, REQUEST_HEADER, input);
            let bytes = self.bytes.as_slice().try_into().ok()?;
            match RequestHeader::decode(bytes) {
                Ok(header) if header.name_length <= name.capacity() => self.decoded = Some(header),
                Ok(_) => return Some(Ended::Unreadable(Refusal::Malformed)),
                Err(refusal) => return Some(Ended::Unreadable(refusal)),
            }
        }
        let header = self.decoded?;
        gather(name, header.name_length, input);
        (name.len() == header.name_length).then(|| {
            self.lent = true;
            Ended::InBuffer(header)
        })
    }
}

/// A request that lies whole at the front of the input, and can be used from there.
fn whole<'i>(longest: usize, input: &mut &'i [u8]) -> Option<Ended<'i>> {
    let (header, rest) = input.split_first_chunk()?;
    let header = RequestHeader::decode(header).ok()?;
    let (name, rest) = rest.split_at_checked(header.name_length)?;
    (name.len() <= longest).then(|| {
        *input = rest;
        Ended::InInput(header, name)
    })
}

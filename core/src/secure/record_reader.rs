//! The records that come in, one at a time.

use core::mem;

use super::cipher_state::CipherState;
use super::error::ChannelError;
use super::secret::TAG;
use super::wire::{DATA, END, KIND, LENGTH, RecordSize, copy};

pub(super) struct RecordReader<'b> {
    buffer: &'b mut [u8],
    size: RecordSize,
    cipher: Option<CipherState>,
    place: Place,
    /// Whether the peer has shown that it has the key. If not, its first record will, and may be empty.
    proven: bool,
    ended: bool,
}

/// Where in the buffer things are.
pub(super) struct Place {
    /// How much has been gathered of a message of the handshake, or of a record.
    gathered: usize,
    /// What the session has yet to take of an opened record. Until it has taken all, the last byte of
    /// the record is left in the input: so the driver offers it again, and tells no end before.
    lent: Option<(usize, usize)>,
}

impl Place {
    /// The session has left so much of what was lent. Once that is nothing, the record is done with.
    pub(super) fn left(&mut self, left: usize, input: &mut &[u8]) {
        if let Some((start, end)) = &mut self.lent {
            *start = end.saturating_sub(left);
            if left == 0 {
                (self.lent, self.gathered) = (None, 0);
                *input = input.get(1..).unwrap_or_default();
            }
        }
    }
}

impl<'b> RecordReader<'b> {
    /// `None`: the buffer is too small.
    pub(super) fn new(buffer: &'b mut [u8]) -> Option<Self> {
        let size = RecordSize::within(buffer.len())?;
        let place = Place { gathered: 0, lent: None };
        Some(Self { buffer, size, cipher: None, place, proven: false, ended: false })
    }

    pub(super) fn into_buffer(self) -> &'b mut [u8] {
        self.buffer
    }

    /// The size of records that it takes.
    pub(super) const fn size(&self) -> RecordSize {
        self.size
    }

    /// From now on, records come, from a peer that has shown by its handshake that it has the key, or not.
    pub(super) fn begin(&mut self, cipher: CipherState, proven: bool) {
        (self.cipher, self.proven) = (Some(cipher), proven);
        self.place.gathered = 0;
    }

    /// What has been gathered.
    pub(super) fn gathered(&self) -> &[u8] {
        self.buffer.get(..self.place.gathered).unwrap_or_default()
    }

    /// Gathers up to `length` bytes; whether there are so many.
    pub(super) fn gather(&mut self, length: usize, input: &mut &[u8]) -> bool {
        let room = self.buffer.get_mut(self.place.gathered..length).unwrap_or_default();
        let count = copy(room, input);
        *input = input.get(count..).unwrap_or_default();
        self.place.gathered = self.place.gathered.saturating_add(count);
        self.place.gathered >= length
    }

    /// Whether the peer has shown that it has the key.
    pub(super) const fn is_proven(&self) -> bool {
        self.proven
    }

    /// Whether the peer has said that it ends its direction.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Opens the next record if it has come and the last was taken.
    pub(super) fn read(&mut self, input: &mut &[u8]) -> Result<(), ChannelError> {
        if self.place.lent.is_some() {
            return Ok(());
        }
        if self.ended {
            return if input.is_empty() { Ok(()) } else { Err(ChannelError::Forged) };
        }
        if !self.gather(LENGTH, input) {
            return Ok(());
        }
        let length = self.buffer.first_chunk().map_or(0, |length| u16::from_be_bytes(*length));
        let end = LENGTH.saturating_add(length.into());
        if end > self.size.bytes() || end < LENGTH + KIND + TAG {
            return Err(ChannelError::Forged);
        }
        let (true, Some(last)) = (self.gather(end - 1, input), input.first()) else {
            return Ok(());
        };
        let kind = self.open(end, *last).ok_or(ChannelError::Forged)?;
        let may_be_empty = !mem::replace(&mut self.proven, true);
        let (start, end) = (LENGTH + KIND, end - TAG);
        match (kind, start == end) {
            (DATA, false) => {
                self.place.lent = Some((start, end));
                return Ok(());
            }
            (DATA, true) if may_be_empty => {}
            (END, true) => self.ended = true,
            _ => return Err(ChannelError::Malformed),
        }
        self.place.gathered = 0;
        *input = input.get(1..).unwrap_or_default();
        Ok(())
    }

    /// Opens a record that ends there, with its last byte. Gives what kind it is.
    fn open(&mut self, end: usize, last: u8) -> Option<u8> {
        let record = self.buffer.get_mut(LENGTH..end)?;
        *record.last_mut()? = last;
        let (sealed, tag) = record.split_last_chunk_mut()?;
        let is_right = self.cipher.as_mut()?.open(&[], sealed, tag);
        sealed.first().copied().filter(|_| is_right)
    }

    /// Whether there is something that the session has yet to take.
    pub(super) const fn is_lent(&self) -> bool {
        self.place.lent.is_some()
    }

    /// What the session has yet to take, and where that is noted.
    pub(super) fn lend(&mut self) -> (&[u8], &mut Place) {
        let (start, end) = self.place.lent.unwrap_or_default();
        (self.buffer.get(start..end).unwrap_or_default(), &mut self.place)
    }
}

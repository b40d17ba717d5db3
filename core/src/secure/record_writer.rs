//! The records that go out.

use super::cipher_state::CipherState;
use super::secret::TAG;
use super::wire::{DATA, END, KIND, LENGTH, OVERHEAD, RecordSize, copy};

pub(super) struct RecordWriter<'b> {
    buffer: &'b mut [u8],
    cipher: Option<CipherState>,
    /// The largest record that the peer takes.
    size: usize,
    /// What has yet to go out: all of it is sealed, or is the handshake.
    start: usize,
    end: usize,
    /// How much there is behind that of the data of a record that is not sealed.
    filled: usize,
    /// The first record goes out, if there is nothing to say as well: it proves to the peer that the key is here.
    owes_proof: bool,
    ended: bool,
}

impl<'b> RecordWriter<'b> {
    pub(super) const fn new(buffer: &'b mut [u8]) -> Self {
        Self {
            buffer,
            cipher: None,
            size: 0,
            start: 0,
            end: 0,
            filled: 0,
            owes_proof: false,
            ended: false,
        }
    }

    pub(super) fn into_buffer(self) -> &'b mut [u8] {
        self.buffer
    }

    /// From now on, records go out: the first at once, if it is owed as a proof.
    pub(super) fn begin(&mut self, cipher: CipherState, size: RecordSize, owes_proof: bool) {
        (self.cipher, self.size, self.owes_proof) = (Some(cipher), size.bytes(), owes_proof);
    }

    #[cfg(test)]
    pub(super) const fn cipher(&mut self) -> Option<&mut CipherState> {
        self.cipher.as_mut()
    }

    /// No more goes out.
    pub(super) fn stop(&mut self) {
        (self.cipher, self.start, self.end) = (None, 0, 0);
    }

    /// What has yet to go out.
    pub(super) fn pending(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// So much of what was pending is out.
    pub(super) fn sent(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Sends a part of the handshake, as it is.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        self.end = self.end.saturating_add(copy(room, bytes));
    }

    /// The room for more data in the next record.
    pub(super) fn room(&mut self) -> &mut [u8] {
        let limit = self.end.saturating_add(self.size).min(self.buffer.len());
        let start = self.end.saturating_add(LENGTH + KIND).saturating_add(self.filled);
        self.buffer.get_mut(start..limit.saturating_sub(TAG)).unwrap_or_default()
    }

    /// So much has been written into the room.
    pub(super) fn filled(&mut self, count: usize) {
        let count = count.min(self.room().len());
        self.filled = self.filled.saturating_add(count);
    }

    /// Copies data into the room, and tells how much that was.
    pub(super) fn push(&mut self, data: &[u8]) -> usize {
        let count = copy(self.room(), data);
        self.filled(count);
        count
    }

    /// Seals what has been filled in, if anything was or a record is owed. `None`: it is not, and nothing may
    /// be sent any more.
    pub(super) fn seal(&mut self) -> Option<()> {
        if self.filled > 0 || self.owes_proof { self.seal_as(DATA) } else { Some(()) }
    }

    /// Whether the end of this direction has been sealed.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Seals the end of this direction, as soon as there is room for it.
    pub(super) fn finish(&mut self) -> Option<()> {
        if !self.ended && self.buffer.len().saturating_sub(self.end) >= OVERHEAD {
            self.seal_as(END)?;
            self.ended = true;
        }
        Some(())
    }

    fn seal_as(&mut self, kind: u8) -> Option<()> {
        let filled = core::mem::take(&mut self.filled);
        let (head, rest) = self.buffer.get_mut(self.end..)?.split_first_chunk_mut::<LENGTH>()?;
        let (data, rest) = rest.split_at_mut_checked(filled.checked_add(KIND)?)?;
        let length = u16::try_from(data.len().checked_add(TAG)?).ok()?;
        *head = length.to_be_bytes();
        *data.first_mut()? = kind;
        *rest.first_chunk_mut()? = self.cipher.as_mut()?.seal(&[], data)?;
        self.end = self.end.checked_add(LENGTH)?.checked_add(length.into())?;
        self.owes_proof = false;
        Some(())
    }
}

//! What an earlier run has left: taken over, checked, compared with what a server has.

use std::io;

use barewire_core::file::{Digest, RootDigester, SegmentDigester};

use super::held_digests::HeldDigests;
use super::proven::Proven;
use super::record::Seal;
use super::{Download, Phase};
use crate::files::storage::{BootId, Storage, StorageFile};
use crate::files::version;

impl<D: Storage> Download<D> {
    /// Takes over what an earlier run has left: what the journal has digests of is claimed, and if the
    /// part was not touched since that run ended in order, it is proven.
    pub(super) fn recall(&mut self) -> io::Result<()> {
        let Some(record) = self.part.record else { return Ok(()) };
        let is_usable = record.tag != 0
            && record.segment_size == self.proven.segment_size
            && i64::try_from(record.size).is_ok();
        if !is_usable {
            return Ok(());
        }
        let mut proven = Proven::new(record.tag, Some(record.size), record.segment_size);
        proven.is_of_source = record.source == self.source;
        let is_untouched = match record.seal {
            Some(Seal { boot, changed }) => {
                boot == self.boot && self.part.file.changed()? == Some(changed)
            }
            None => false,
        };
        for note in self.part.journal.notes(record.generation, 0) {
            let (number, _) = note?;
            let (start, end) = (proven.start(number), proven.start(number.saturating_add(1)));
            if start == end || end > self.part.length {
                self.part.journal.strike(number)?;
            } else if is_untouched {
                proven.insert(number);
            } else {
                self.claimed.insert(number);
            }
        }
        self.proven = proven;
        Ok(())
    }

    /// Reads a segment again that an earlier run has left, and hashes it: it is [held](Self::held) if it
    /// has the digest that was noted of it. Tells whether there are more; what was not checked is not
    /// held. The segment is read in pieces of the size of `buffer`; 1 MiB is best.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for an empty buffer; those of `pread(2)` and
    /// `pwrite(2)`.
    pub fn check_next(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let Some(number) = self.claimed.next(0) else { return Ok(false) };
        if buffer.is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let noted = self.part.journal.notes(self.generation, number).next().transpose()?;
        let is = self.digest_of(number, buffer)?;
        if is.is_some() && noted.is_some_and(|noted| Some(noted) == is.map(|is| (number, is))) {
            self.proven.insert(number);
        } else {
            self.part.journal.strike(number)?;
        }
        self.claimed.remove(number);
        Ok(self.claimed.count() > 0)
    }

    /// How many bytes [`check_next`](Self::check_next) has still to look at, or a little less.
    pub fn unchecked(&self) -> u64 {
        self.claimed.count().saturating_mul(self.proven.segment_size.bytes())
    }

    /// The digest of a segment as it is in the part, if it is there.
    fn digest_of(&self, number: u64, buffer: &mut [u8]) -> io::Result<Option<Digest>> {
        let start = self.proven.start(number);
        let Some((_, segment)) = self.proven.segment(start) else { return Ok(None) };
        let mut digester = SegmentDigester::new(segment);
        let mut at = start;
        while at < segment.end() {
            let most = usize::try_from(segment.end() - at).unwrap_or(usize::MAX).min(buffer.len());
            let count = self.part.file.read_all(&mut buffer[..most], at)?;
            if count == 0 {
                return Ok(None);
            }
            digester.update(&buffer[..count]);
            at += count as u64;
        }
        Ok(Some(digester.finish()))
    }

    /// The digests of what is [held](Self::held), in order: to be compared with what a server has, and of
    /// the whole, the file's BLAKE3 hash can be made of them. They are read from the journal as they are
    /// asked for.
    pub fn digests(&self) -> HeldDigests<'_, D::File> {
        HeldDigests::new(&self.proven, self.part.journal.notes(self.generation, 0))
    }

    /// The BLAKE3 hash of the file, as `b3sum` prints it, if [all](Self::is_proven) of it is proven. It
    /// takes no hashing of the contents.
    ///
    /// # Errors
    /// As [`digests`](Self::digests).
    pub fn hash(&self) -> io::Result<Option<Digest>> {
        if !self.is_proven() {
            return Ok(None);
        }
        let mut root: RootDigester = RootDigester::new();
        for held in self.digests() {
            let (_, _, digest) = held?;
            // A file has never more segments than that.
            let _ = root.push(digest);
        }
        Ok(root.finish().or_else(|| Some(blake3::hash(&[]).into())))
    }

    /// Forgets what is proven of the bytes from `start` to `end`: it is [missing](Self::missing) again.
    ///
    /// # Errors
    /// Those of `pwrite(2)`.
    pub fn forget(&mut self, start: u64, end: u64) -> io::Result<()> {
        let size = self.proven.segment_size.bytes();
        for number in start / size..end.min(self.proven.end()).div_ceil(size) {
            if self.proven.contains(number) {
                self.part.journal.strike(number)?;
                self.proven.remove(number);
            }
            self.filled.remove(&number);
        }
        self.position = self.position.min(start / size * size);
        Ok(())
    }

    /// What is held is that of the version `tag` of this source, as all its [digests](Self::digests) have
    /// shown: those that differed were [forgotten](Self::forget).
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if nothing is held, or for a tag of 0; those of
    /// `pwrite(2)` and `fdatasync(2)`.
    pub fn adopt(&mut self, tag: u64) -> io::Result<()> {
        if tag == 0 || self.proven.is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.phase = Phase::Started;
        self.strike_claimed()?;
        (self.proven.tag, self.proven.is_of_source) = (tag, true);
        self.record(None)?;
        // A crash must not bring the old tag back beside digests of the new version.
        self.part.journal.sync()
    }

    /// What was not checked is not held, and never will be.
    pub(super) fn strike_claimed(&mut self) -> io::Result<()> {
        while let Some(number) = self.claimed.next(0) {
            self.part.journal.strike(number)?;
            self.claimed.remove(number);
        }
        Ok(())
    }

    /// Notes the state of the part, so that the next run need not read it again.
    pub(super) fn seal(&mut self) -> io::Result<()> {
        if self.proven.bytes() < D::SEAL_FROM || self.boot == BootId::default() {
            return Ok(());
        }
        self.part.file.settle();
        let Some(changed) = self.part.file.changed()? else { return Ok(()) };
        self.record(Some(Seal { boot: self.boot, changed }))
    }

    /// Another in each run of the system, and one that was not there before in this one.
    pub(super) fn next_generation(&self) -> u64 {
        let mut bytes = [0; 40];
        bytes[..8].copy_from_slice(&self.generation.to_le_bytes());
        bytes[8..24].copy_from_slice(&self.boot);
        bytes[24..32].copy_from_slice(&self.proven.tag.to_le_bytes());
        bytes[32..].copy_from_slice(&self.proven.size.unwrap_or(0).to_le_bytes());
        version::tag(&bytes)
    }
}

//! The requests that are not answered in full.

use heapless::VecView;

use crate::file::request::Request;
use crate::file::wire::{REQUEST_HEADER, RequestHeader};

/// Where they are among the bytes that were to be sent: one behind the other, and the first of them may
/// be out already, since its answer is checked against it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Where the first begins.
    start: usize,
    /// How many bytes have gone out.
    sent: usize,
    length: usize,
}

impl Queue {
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// The first, among `bytes`.
    pub(super) fn first<'b>(&self, bytes: &'b [u8]) -> Option<Request<'b>> {
        let (header, rest) = bytes.get(self.start..)?.split_first_chunk()?;
        let header = RequestHeader::decode(header).ok().filter(|_| self.length > 0)?;
        Some(header.request(rest.get(..header.name_length)?))
    }

    /// The first is answered.
    pub(super) fn remove_first(&mut self, bytes: &[u8]) {
        let name = self.first(bytes).map_or(0, |request| request.name.len());
        self.start = self.start.saturating_add(REQUEST_HEADER).saturating_add(name);
        self.length = self.length.saturating_sub(1);
        if self.sent < self.start {
            // What answers before it has read all reads no more.
            (self.start, self.sent) = (bytes.len(), bytes.len());
        }
    }

    /// Adds one, if `bytes` have room for it.
    pub(super) fn push(&mut self, bytes: &mut VecView<u8>, header: &[u8], name: &[u8]) -> bool {
        let needed = header.len().saturating_add(name.len());
        if needed > bytes.capacity().saturating_sub(bytes.len()) {
            self.forget_answered(bytes);
        }
        if needed > bytes.capacity().saturating_sub(bytes.len()) {
            return false;
        }
        self.length = self.length.saturating_add(1);
        for &byte in header.iter().chain(name) {
            let _ = bytes.push(byte);
        }
        true
    }

    fn forget_answered(&mut self, bytes: &mut VecView<u8>) {
        if let Some(left) = bytes.len().checked_sub(self.start) {
            bytes.copy_within(self.start.., 0);
            bytes.truncate(left);
            self.sent = self.sent.saturating_sub(self.start);
            self.start = 0;
        }
    }

    /// What is to go out.
    pub(super) fn unsent<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        bytes.get(self.sent..).unwrap_or_default()
    }

    pub(super) fn sent(&mut self, bytes: &[u8], count: usize) {
        self.sent = self.sent.saturating_add(count).min(bytes.len());
    }
}

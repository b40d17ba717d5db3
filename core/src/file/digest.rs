//! What proves contents: the digests of segments, and of the file from them.

use super::hash_tree::{CHUNK, Chunk, Digest, Subtrees, digest_at_once};
use super::segment::{Segment, SegmentSize};

/// How deep the tree of the largest segment is.
const SEGMENT_DEPTH: usize = SegmentSize::MAX.exponent() as usize;

/// Digests a segment from its bytes, in whatever pieces they come.
///
/// The digest is the chaining value of the segment's subtree in the [BLAKE3] tree of the file, or the
/// BLAKE3 hash of the file if the segment is all of it. So a segment that is proven is proven to be at
/// its place, and the [digests of all segments](RootDigester) give the hash of the file.
///
/// It takes at most 520 bytes of memory (64-bit).
///
/// ```
/// use barewire_core::file::{SegmentDigester, SegmentSize};
///
/// let contents = b"contents";
/// let mut digester = SegmentDigester::new(SegmentSize::MAX.segment(0, 8));
/// digester.update(b"con");
/// digester.update(b"tents");
/// assert_eq!(digester.finish(), *blake3::hash(contents).as_bytes());
/// ```
///
/// [BLAKE3]: https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf
#[derive(Clone, Debug)]
pub struct SegmentDigester {
    segment: Segment,
    /// All before the chunk.
    before: Subtrees<SEGMENT_DEPTH>,
    /// How many bytes that is.
    position: u64,
    chunk: Chunk,
    /// Of all bytes, if they came at once.
    at_once: Option<Digest>,
}

impl SegmentDigester {
    /// A digester that has seen nothing of the segment.
    pub fn new(segment: Segment) -> Self {
        Self {
            segment,
            before: Subtrees::default(),
            position: 0,
            chunk: Chunk::new(chunk_number(segment.start())),
            at_once: None,
        }
    }

    /// As if it were new.
    pub(super) fn restart(&mut self, segment: Segment) {
        self.segment = segment;
        self.before.clear();
        self.position = 0;
        self.chunk.restart(chunk_number(segment.start()));
        self.at_once = None;
    }

    /// Takes the next bytes. What is more than the segment has is not looked at.
    pub fn update(&mut self, bytes: &[u8]) {
        let length = self.segment.end().saturating_sub(self.segment.start());
        let room = length.saturating_sub(self.position).saturating_sub(self.chunk.length() as u64);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let mut bytes = bytes.get(..room).unwrap_or(bytes);
        if self.is_fresh() && bytes.len() as u64 == length {
            let first = chunk_number(self.segment.start());
            self.at_once = digest_at_once(first, bytes, self.segment.is_whole());
            if self.at_once.is_some() {
                return;
            }
        }
        while !bytes.is_empty() {
            if self.chunk.length() == CHUNK {
                self.push(self.chunk.digest(false), CHUNK as u64);
            }
            if self.chunk.length() > 0 || !self.take_subtree(&mut bytes) {
                self.chunk.update(&mut bytes);
            }
        }
    }

    /// Whether nothing has come.
    fn is_fresh(&self) -> bool {
        self.position == 0 && self.chunk.length() == 0
    }

    /// Takes the largest subtree that `bytes` hold at their front; not the last of the segment.
    fn take_subtree(&mut self, bytes: &mut &[u8]) -> bool {
        let most = (bytes.len() as u64).saturating_sub(1).checked_ilog2().unwrap_or(0);
        let level = most.min(self.position.trailing_zeros());
        let length = 1_u64.checked_shl(level).unwrap_or(0);
        let Ok(count) = usize::try_from(length) else { return false };
        let Some((subtree, rest)) = bytes.split_at_checked(count) else { return false };
        if count < CHUNK {
            return false;
        }
        let first = chunk_number(self.segment.start().saturating_add(self.position));
        let Some(digest) = digest_at_once(first, subtree, false) else { return false };
        *bytes = rest;
        self.push(digest, length);
        true
    }

    /// A subtree of `length` bytes is whole, and not the last.
    fn push(&mut self, digest: Digest, length: u64) {
        let before = self.position.checked_div(length).unwrap_or(0);
        self.before.push(digest, before);
        self.position = self.position.saturating_add(length);
        let start = self.segment.start().saturating_add(self.position);
        self.chunk.restart(chunk_number(start));
    }

    /// The digest of the segment, of which all bytes have come.
    pub fn finish(&self) -> Digest {
        if let Some(digest) = self.at_once {
            return digest;
        }
        let is_whole = self.segment.is_whole();
        let last = self.chunk.digest(is_whole && self.before.is_empty());
        self.before.finish(last, is_whole)
    }
}

/// Which chunk of the file begins at `offset`.
const fn chunk_number(offset: u64) -> u64 {
    offset / CHUNK as u64
}

/// Makes the BLAKE3 hash of a file, as `b3sum` prints it, of the digests of its segments.
///
/// `DEPTH` is how many levels of the tree lie above the segments: it takes up to 2^`DEPTH` of them. By
/// default that is enough for any file. It takes 32 bytes of memory for each level, and at most 56
/// more (64-bit).
///
/// ```
/// use barewire_core::file::{RootDigester, SegmentDigester, SegmentSize};
///
/// let (contents, size) = ([7; 5000], SegmentSize::MIN);
/// let mut root = RootDigester::<3>::new();
/// for (bytes, offset) in contents.chunks(1024).zip((0..).step_by(1024)) {
///     let mut digester = SegmentDigester::new(size.segment(offset, 5000));
///     digester.update(bytes);
///     root.push(digester.finish()).unwrap();
/// }
/// assert_eq!(root.finish(), Some(*blake3::hash(&contents).as_bytes()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct RootDigester<const DEPTH: usize = 54> {
    before: Subtrees<DEPTH>,
    /// The last, which is the root if it is the only one.
    last: Option<Digest>,
    count: u64,
}

impl<const DEPTH: usize> RootDigester<DEPTH> {
    /// A digester that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the digest of the next segment.
    ///
    /// # Errors
    /// The digest that there is no room for: there are more segments than 2^`DEPTH`.
    pub fn push(&mut self, digest: Digest) -> Result<(), Digest> {
        if u32::try_from(DEPTH).is_ok_and(|depth| self.count.checked_shr(depth).unwrap_or(0) > 0) {
            return Err(digest);
        }
        if let Some(last) = self.last {
            self.before.push(last, self.count.saturating_sub(1));
        }
        self.last = Some(digest);
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// The hash of the file that has these segments; `None` without any.
    pub fn finish(&self) -> Option<Digest> {
        self.last.map(|last| self.before.finish(last, true))
    }
}

//! The hash of a file whose contents come one after another.

use barewire_core::file::{Digest, RootDigester};

/// Makes the hash of what has come: of the digests that have proven it, which costs nothing, or of the
/// contents.
#[derive(Debug, Default)]
pub(super) enum RootHash {
    #[default]
    Nothing,
    Segments(Box<RootDigester>),
    Contents(Box<blake3::Hasher>),
}

impl RootHash {
    /// This segment is proven.
    pub(super) fn segment(&mut self, digest: &Digest) {
        if let Self::Nothing = self {
            *self = Self::Segments(Box::default());
        }
        if let Self::Segments(root) = self {
            // No file has more segments than that.
            let _ = root.push(*digest);
        }
    }

    /// This has come, and nothing will prove it.
    pub(super) fn contents(&mut self, bytes: &[u8]) {
        if let Self::Nothing = self {
            *self = Self::Contents(Box::default());
        }
        if let Self::Contents(hasher) = self {
            hasher.update(bytes);
        }
    }

    /// All has come.
    pub(super) fn finish(&self) -> Digest {
        let hash = match self {
            Self::Nothing => None,
            Self::Segments(root) => root.finish(),
            Self::Contents(hasher) => Some(hasher.finalize().into()),
        };
        hash.unwrap_or_else(|| blake3::hash(&[]).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_lead_to_the_same_hash() {
        let hash = *blake3::hash(b"contents").as_bytes();
        let (mut segments, mut contents) = (RootHash::default(), RootHash::default());
        assert_eq!(segments.finish(), *blake3::hash(b"").as_bytes());
        segments.segment(&hash);
        contents.contents(b"con");
        contents.contents(b"tents");
        assert_eq!((segments.finish(), contents.finish()), (hash, hash));
    }
}

//! The buffers of lines that have begun to come in.

/// Buffers of one size, side by side in one slice. The first two bytes of one that is free tell which
/// is the next free one.
#[derive(Debug)]
pub(super) struct LineBuffers<'a> {
    bytes: &'a mut [u8],
    /// The size of each.
    stride: u16,
    /// The first free one, or [`NONE`], and how many are free.
    free: u16,
    free_count: u16,
}

const NONE: u16 = u16::MAX;

impl<'a> LineBuffers<'a> {
    /// `count` buffers of at least two bytes.
    pub(super) fn new(bytes: &'a mut [u8], count: u16, stride: u16) -> Self {
        let mut buffers = Self { bytes, stride, free: NONE, free_count: 0 };
        for index in (0..count).rev() {
            buffers.give_back(index);
        }
        buffers
    }

    fn start(&self, index: u16) -> Option<usize> {
        usize::from(index).checked_mul(self.stride.into())
    }

    pub(super) fn get(&self, index: u16) -> Option<&[u8]> {
        self.bytes.get(self.start(index)?..)?.get(..self.stride.into())
    }

    pub(super) fn get_mut(&mut self, index: u16) -> Option<&mut [u8]> {
        self.bytes.get_mut(self.start(index)?..)?.get_mut(..self.stride.into())
    }

    /// How many are free.
    pub(super) const fn free_count(&self) -> u16 {
        self.free_count
    }

    /// A buffer, if one is free.
    pub(super) fn take(&mut self) -> Option<u16> {
        let index = self.free;
        let next = self.get(index)?.first_chunk()?;
        self.free = u16::from_le_bytes(*next);
        self.free_count = self.free_count.saturating_sub(1);
        Some(index)
    }

    pub(super) fn give_back(&mut self, index: u16) {
        let next = self.free.to_le_bytes();
        if let Some(first) = self.get_mut(index).and_then(|buffer| buffer.first_chunk_mut()) {
            *first = next;
            self.free = index;
            self.free_count = self.free_count.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_given_once_and_the_last_given_back_first() {
        let mut bytes = [0xaa; 3 * 5];
        let mut buffers = LineBuffers::new(&mut bytes, 3, 5);
        assert_eq!(buffers.free_count(), 3);
        assert_eq!([(); 4].map(|()| buffers.take()), [Some(0), Some(1), Some(2), None]);
        assert_eq!(buffers.free_count(), 0);
        for index in [1, 0, 2] {
            let buffer = buffers.get_mut(index).unwrap();
            assert_eq!(buffer.len(), 5);
            buffer.fill(0xff);
            buffers.give_back(index);
        }
        assert_eq!([(); 4].map(|()| buffers.take()), [Some(2), Some(0), Some(1), None]);
        assert_eq!(buffers.get(3), None);
    }
}

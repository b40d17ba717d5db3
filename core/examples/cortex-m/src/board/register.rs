//! A peripheral's register.

use core::ptr;

/// A register of 32 bits that is mapped into memory.
#[derive(Clone, Copy)]
pub(super) struct Register(usize);

impl Register {
    /// # Safety
    /// There must be a register at `address`, and to read or write it must have no effect on memory
    /// that the compiler knows of.
    pub(super) const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    pub(super) fn read(self) -> u32 {
        // SAFETY: there is a register, as `at` was promised.
        unsafe { ptr::with_exposed_provenance::<u32>(self.0).read_volatile() }
    }

    pub(super) fn write(self, value: u32) {
        // SAFETY: as in `read`.
        unsafe { ptr::with_exposed_provenance_mut::<u32>(self.0).write_volatile(value) }
    }

    pub(super) fn set(self, bits: u32) {
        self.write(self.read() | bits);
    }
}

//! What the board's conversations are held under.
//!
//! The key is in the firmware, where whoever reads the flash has it: fit for an example, in which the emulator's
//! flash is a file beside the key's. A product has a key for each device, written in the factory or on the
//! first start into memory that neither the debugger nor an update reads out (a secure element, flash behind the
//! processor's read-out protection), and none of it in the image.

#[cfg(keyed)]
pub(crate) use keyed::{Safety, safety};
#[cfg(not(keyed))]
pub(crate) use plain::{Safety, safety};

#[cfg(not(keyed))]
mod plain {
    use barewire_cortex_m::security::Plain;

    pub(crate) type Safety = Plain;

    pub(crate) fn safety() -> Safety {
        Plain
    }
}

#[cfg(keyed)]
mod keyed {
    use barewire_core::secure::{Key, RandomFn};
    use barewire_cortex_m::security::Keyed;
    use static_cell::StaticCell;

    use crate::host::fill_random;
    use crate::memory::{CHANNELS, channels};

    pub(crate) type Safety = Keyed<RandomFn<fn(&mut [u8])>, CHANNELS>;

    pub(crate) fn safety() -> Safety {
        static KEYS: StaticCell<[Key; 1]> = StaticCell::new();
        let keys = KEYS.init_with(|| [Key::new(*include_bytes!(env!("BAREWIRE_KEY_FILE")))]);
        Keyed::new(keys, RandomFn::new(fill_random), channels())
    }
}

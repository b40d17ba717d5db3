//! What the machines cost in RAM, as the README states it. CI's build for a bare-metal target checks
//! the figures for 32 bits, that of the unit tests those of the machine it runs on.

use core::mem::size_of;

/// Whether something of `size` bytes takes its capacities, and as much more as is stated for 64 bits
/// and for 32.
const fn fits(size: usize, capacities: usize, more: [usize; 2]) -> bool {
    let [wide, narrow] = more;
    size <= capacities + if cfg!(target_pointer_width = "64") { wide } else { narrow }
}

#[cfg(feature = "datagram")]
const _: () = {
    use crate::datagram::{Exchange, Responder};

    assert!(fits(size_of::<Exchange<'_>>(), 0, [88, 80]));
    assert!(fits(size_of::<Responder<'_, 64, 16>>(), 64 * 24 + 16 * 32, [104, 96]));
};

// Capacities that do not fit well, too.
#[cfg(feature = "hello")]
const _: () = {
    use crate::hello::{Client, Server};

    assert!(fits(size_of::<Server<'_, 1024>>(), 1024, [96, 80]));
    assert!(fits(size_of::<Server<'_, 1>>(), 1, [96, 80]));
    assert!(fits(size_of::<Client<'_, 1024>>(), 1024, [96, 80]));
    assert!(fits(size_of::<Client<'_, 1>>(), 1, [96, 80]));
};

#[cfg(feature = "file")]
const _: () = {
    use crate::file::{PlainReceiver, Receiver, RootDigester, SegmentDigester, Sender};

    assert!(fits(size_of::<Sender<1024>>(), 1024, [328, 296]));
    assert!(fits(size_of::<Sender<1>>(), 1, [328, 296]));
    assert!(fits(size_of::<Receiver<1064>>(), 1064, [688, 648]));
    assert!(fits(size_of::<Receiver<41>>(), 41, [688, 648]));
    // For two requests with names of 24 bytes.
    assert!(size_of::<Receiver<128>>() < 1024);
    assert!(fits(size_of::<PlainReceiver<'_>>(), 0, [80, 56]));
    assert!(fits(size_of::<SegmentDigester>(), 0, [520, 504]));
    assert!(fits(size_of::<RootDigester<1>>(), 32, [56, 48]));
    assert!(fits(size_of::<RootDigester>(), 54 * 32, [56, 48]));
};

#[cfg(feature = "chat")]
const _: () = {
    use crate::chat::{Client, LogEntry, MemberSlot, Room, SourceSlot};

    assert!(fits(size_of::<Room<'_>>(), 0, [448, 400]));
    assert!(fits(size_of::<MemberSlot>(), 0, [256, 256]));
    assert!(fits(size_of::<SourceSlot>(), 0, [32, 32]));
    assert!(fits(size_of::<LogEntry>(), 0, [16, 16]));
    assert!(fits(size_of::<Client<1024, 4224>>(), 1024 + 4224, [72, 56]));
    assert!(fits(size_of::<Client<33, 257>>(), 33 + 257, [72, 56]));
};

#[cfg(feature = "secure")]
const _: () = {
    use crate::secure::{Channel, DatagramKey, Key};

    assert!(fits(size_of::<Channel<'_>>(), 0, [384, 336]));
    assert!(fits(size_of::<Key>(), 0, [32, 32]));
    assert!(fits(size_of::<DatagramKey>(), 0, [32, 32]));
};

const _: () = {
    use crate::driver::Driver;
    use crate::io::StreamDriver;

    assert!(fits(size_of::<Driver>(), 0, [32, 32]));
    assert!(fits(size_of::<StreamDriver<(), 64>>(), 64, [56, 48]));
    assert!(fits(size_of::<StreamDriver<(), 1>>(), 1, [56, 48]));
};

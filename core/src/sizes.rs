//! What the machines cost in RAM, as the README states it. The build for a bare-metal target checks
//! the figures for 32 bits (`.ci/run`), that of the unit tests those of the machine it runs on.

use core::mem::size_of;

use crate::{chat, datagram, file, hello, io};

/// Whether something of `size` bytes takes its capacities, and as much more as is stated for 64 bits
/// and for 32.
const fn fits(size: usize, capacities: usize, more: [usize; 2]) -> bool {
    let [wide, narrow] = more;
    size <= capacities + if cfg!(target_pointer_width = "64") { wide } else { narrow }
}

// Capacities that do not fit well, too.
const _: () = {
    assert!(fits(size_of::<datagram::Exchange<'_>>(), 0, [96, 88]));
    assert!(fits(size_of::<datagram::Responder<'_, 64>>(), 64 * 48, [32, 24]));

    assert!(fits(size_of::<hello::Server<'_, 1024>>(), 1024, [96, 80]));
    assert!(fits(size_of::<hello::Server<'_, 1>>(), 1, [96, 80]));
    assert!(fits(size_of::<hello::Client<'_, 1024>>(), 1024, [96, 80]));
    assert!(fits(size_of::<hello::Client<'_, 1>>(), 1, [96, 80]));

    assert!(fits(size_of::<file::Sender<1024>>(), 1024, [272, 248]));
    assert!(fits(size_of::<file::Sender<1>>(), 1, [272, 248]));
    assert!(fits(size_of::<file::Receiver<1024, 4>>(), 1024 + 4 * 24, [2_096, 2_080]));
    assert!(fits(size_of::<file::Receiver<25, 1>>(), 25 + 24, [2_096, 2_080]));
    assert!(fits(size_of::<file::PlainReceiver<'_>>(), 0, [80, 56]));
    assert!(fits(size_of::<file::Digester>(), 0, [1_920, 1_920]));

    assert!(fits(size_of::<chat::Room<'_>>(), 0, [320, 280]));
    assert!(fits(size_of::<chat::MemberSlot>(), 0, [256, 256]));
    assert!(fits(size_of::<chat::LogEntry>(), 0, [16, 16]));
    assert!(fits(size_of::<chat::Client<1024, 4224>>(), 1024 + 4224, [72, 56]));
    assert!(fits(size_of::<chat::Client<33, 257>>(), 33 + 257, [72, 56]));

    assert!(fits(size_of::<io::StreamDriver<(), 64>>(), 64, [64, 56]));
    assert!(fits(size_of::<io::StreamDriver<(), 1>>(), 1, [64, 56]));
};

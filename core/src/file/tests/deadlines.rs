//! Whether a machine waits until a deadline.

use super::*;
use crate::session::Session;

/// A sender that has been asked.
pub(super) fn asked(config: TransferConfig) -> Sender<64> {
    let mut sender = Sender::new(NOW, config);
    sender.handle_input(NOW, &mut &get(b"a")[..]).unwrap();
    sender
}

/// Asserts that a sender waits until `deadline`, and what becomes of it then.
#[track_caller]
pub(super) fn gives_up(sender: &mut Sender<64>, deadline: Instant, error: Option<SenderError>) {
    assert_eq!(sender.poll_deadline(), Some(deadline));
    let early = deadline - Duration::from_micros(1);
    assert_eq!(sender.handle_timeout(early), Err(nb::Error::WouldBlock));
    assert_eq!(sender.poll_deadline(), Some(deadline));
    let expected = error.map_or(nb::Error::WouldBlock, nb::Error::Other);
    assert_eq!(sender.handle_timeout(deadline), Err(expected));
}

/// Asserts that a client waits until `deadline`, and what becomes of it then.
#[track_caller]
pub(super) fn fails<const N: usize>(
    client: &mut Client<Receiver<N>>,
    deadline: Instant,
    error: ReceiverError,
) {
    assert_eq!(client.receiver.poll_deadline(), Some(deadline));
    client.expire(deadline - Duration::from_micros(1));
    assert!(!client.has_failed());
    client.expire(deadline);
    assert_eq!(client.seen.last(), Some(&Seen::Failed(error)));
}

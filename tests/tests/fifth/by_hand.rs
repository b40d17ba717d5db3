//! The conversation as a script: no network, and time is what the test says.

use barewire_core::session::{Output, Session};
use barewire_core::time::{Duration, Instant};
use nb::Error::{Other, WouldBlock};

use crate::time_protocol::{Client, Server, TIMEOUT, TimeError};

const NOW: Instant = Instant::from_secs(7);

#[test]
fn the_server_tells_the_time_and_closes() {
    let mut server = Server::new(NOW, 0x0102_0304);
    let bytes = |head| Output::Bytes { head, tail: &[], more: true };
    assert_eq!(server.poll_transmit(), bytes(&[1, 2, 3, 4]));
    server.transmitted(NOW, 3);
    assert_eq!(server.poll_transmit(), bytes(&[4]));
    server.transmitted(NOW, 1);
    assert_eq!(server.poll_transmit(), Output::Shutdown);
    server.transmitted(NOW, 0);
    assert_eq!(server.poll_transmit(), Output::Close);
    assert_eq!(server.poll_deadline(), None);
}

#[test]
fn the_client_hears_it_however_it_is_cut() {
    for cut in 0..=4 {
        let mut client = Client::new(NOW);
        for mut part in [&[1, 2, 3, 4][..cut], &[1, 2, 3, 4][cut..]] {
            assert_eq!(client.handle_input(NOW, &mut part), Err(WouldBlock));
            assert_eq!(client.poll_transmit(), Output::Nothing);
        }
        assert_eq!(client.handle_end(NOW), Ok(0x0102_0304));
        assert_eq!(client.handle_end(NOW), Err(WouldBlock));
        assert_eq!(client.poll_transmit(), Output::Close);
    }
}

#[test]
fn what_is_no_time_is_an_error() {
    let mut client = Client::new(NOW);
    assert_eq!(client.handle_input(NOW, &mut &[1, 2, 3][..]), Err(WouldBlock));
    assert_eq!(client.handle_end(NOW), Err(Other(TimeError::Cut)));

    let mut client = Client::new(NOW);
    assert_eq!(client.handle_input(NOW, &mut &[1, 2, 3, 4, 5][..]), Err(Other(TimeError::TooLong)));
}

#[test]
fn nobody_waits_for_ever() {
    let (mut client, mut server) = (Client::new(NOW), Server::new(NOW, 0));
    let late = NOW + TIMEOUT;
    let early = late.saturating_sub(Duration::from_micros(1));
    assert_eq!((client.poll_deadline(), server.poll_deadline()), (Some(late), Some(late)));
    assert_eq!(client.handle_timeout(early), Err(WouldBlock));
    assert_eq!(client.handle_timeout(late), Err(Other(TimeError::TimedOut)));
    assert_eq!(server.handle_timeout(early), Err(WouldBlock));
    assert_eq!(server.handle_timeout(late), Err(Other(TimeError::TimedOut)));
}

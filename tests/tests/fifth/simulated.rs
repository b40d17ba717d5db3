//! Both sides over links that cut, stall and break, in virtual time.

use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;
use barewire_tests::simulator::stream::{Direction, Outcome, Streams};

use barewire_core::time::Duration;

use crate::time_protocol::{Client, Server};

#[test]
fn the_client_hears_the_time_or_an_error() {
    for_seeds(200, |seed, sometimes| {
        let mut random = Random::new(seed);
        let seconds = u32::try_from(random.count(0..=0xffff_ffff)).expect("32 bits");
        // The longest pause between two pieces: from a good link to one that is worse than the time-out.
        let pause = Duration::from_secs(random.pick(&[0, 1, 20]));
        let mut streams = Streams::new(random.fork());
        let back = Direction::cutting(&mut random, pause, 1);
        let [here, there] = streams.connect([back, Direction::SMOOTH], None);
        let mut server = Server::new(streams.now(), seconds);
        let mut client = Client::new(streams.now());
        let (mut heard, mut outcome) = (None, None);
        while let Some(end) = streams.advance() {
            if end == here {
                streams.drive(end, &mut server, |()| ());
            } else {
                assert_eq!(end, there);
                let result = streams.drive(end, &mut client, |it| heard = Some(it));
                outcome = result.or(outcome);
            }
        }
        match outcome.expect("an end") {
            Outcome::Closed => assert_eq!(heard, Some(seconds)),
            _ => assert_eq!(heard, None),
        }
        sometimes.note("it was told", heard.is_some());
        sometimes.note("it took too long", heard.is_none());
    });
}

//! Contents that come so slowly that a time limit is always about to be over, and never is; and those
//! that come too slowly.

use barewire_core::file::{
    Offer, PlainReceiver, Receiver, ReceiverError, Request, Sender, SenderError, TransferConfig,
};
use barewire_core::session::Session;
use barewire_core::text::Text;
use barewire_core::time::{Duration, Instant};
use barewire_oracles::file::wire;
use barewire_oracles::manual_driver::ManualDriver;
use barewire_oracles::script::START;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::{Sometimes, for_seeds};
use barewire_tests::simulator::stream::{Direction, Outcome, Streams};

use super::SHORTEST;
use super::client::{ClientConnection, State, wishes};
use super::responder::Responder;
use super::store::Store;

/// The longest gap between two pieces: with the server's own slowness, less than the limit.
const GAP: Duration = Duration::from_millis(3_400);

#[test]
fn as_long_as_anything_comes_nothing_is_late() {
    for_seeds(150, |seed, sometimes| {
        let mut random = Random::new(seed);
        let mut store = Store::new(&mut random);
        store.changes = 0;
        let mut wishes = wishes(&mut random, &store);
        let config = TransferConfig::new().with_timeout(SHORTEST).with_stall(SHORTEST);
        let config = config.with_least_rate(0);
        let bytes = store.bytes();
        let drip = Direction {
            delay: Duration::ZERO..=GAP,
            piece: 1..=1 + bytes / 16,
            window: 8 + bytes / 16,
            pauses: 0,
        };
        let mut streams = Streams::new(random.fork());
        let ends = streams.connect([drip, Direction::SMOOTH], None);
        let start = streams.now();
        let mut responder = Responder::new(start, random, config);
        let mut visit = ClientConnection::new(start, &mut wishes, config);
        while let Some(end) = streams.advance() {
            if end == ends[0] {
                responder.turn(&mut streams, end, &mut store);
            } else {
                visit.turn(&mut streams, end, &store);
            }
        }
        let at_client = visit.ending.expect("a client that waits for ever");
        assert_eq!(at_client.outcome, Outcome::Closed);
        assert_eq!(responder.ending.map(|ending| ending.outcome), Some(Outcome::Closed));
        assert!(wishes.iter().all(|wish| wish.state != State::Wanted));
        sometimes.note("longer than the limit", at_client.at > start + SHORTEST * 2);
    });
}

/// Bytes that come or go at a rate of somebody's choice.
struct Drip {
    random: Random,
    config: TransferConfig,
    /// When so many bytes have gone through.
    moved: Vec<(Instant, usize)>,
}

impl Drip {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let rate = u32::try_from(random.count(1..=100)).unwrap();
        let config = TransferConfig::new().with_stall(SHORTEST).with_least_rate(rate);
        Self { random, config, moved: Vec::new() }
    }

    /// What must go through in a stall.
    fn quota(&self) -> usize {
        let seconds = usize::try_from(self.config.stall.as_micros() / 1_000_000).unwrap();
        usize::try_from(self.config.least_rate).unwrap() * seconds
    }

    /// How much has gone through in so much time before `now`.
    fn within(&self, time: Duration, now: Instant) -> usize {
        let is_within = |(at, _): &&(Instant, usize)| *at + time > now;
        self.moved.iter().filter(is_within).map(|(_, count)| count).sum()
    }

    /// A receiver hears a stream, and its end before the stall is over.
    fn hear<S: Session<Error = ReceiverError>>(
        &mut self,
        session: &mut S,
        stream: &[u8],
    ) -> Result<(), ReceiverError> {
        let mut driver = ManualDriver::default();
        driver.transmit(START, session, u64::MAX);
        let mut rest = stream;
        let mut now =
            self.run(session, &mut driver, stream.len(), |driver, session, now, count| {
                let (piece, after) = rest.split_at(count);
                rest = after;
                driver.hear(now, session, piece, |_| ())
            })?;
        now += self.random.span(Duration::ZERO..=self.config.stall - Duration::from_millis(1));
        if let Some(late) = driver.expire(now, session, |_| ()) {
            // What has no header may go on.
            assert_eq!(late, ReceiverError::Stalled, "no time to end the stream");
            assert!(self.within(self.config.stall, now) < self.quota());
            return Err(late);
        }
        driver.ended = true;
        driver.listen(now, session, |_| ()).map_or(Ok(()), Err)
    }

    /// Has `total` bytes go through at a rate that is now above the least one and now below it. Gives
    /// when that was done, or why it ended before.
    ///
    /// Who has as much as there must be in each stall is never late, and who has less in two is.
    fn run<S: Session>(
        &mut self,
        session: &mut S,
        driver: &mut ManualDriver,
        total: usize,
        mut give: impl FnMut(&mut ManualDriver, &mut S, Instant, usize) -> Option<S::Error>,
    ) -> Result<Instant, S::Error> {
        let (mut now, mut left) = (START, total);
        let stall = self.config.stall;
        let percent = self.random.pick(&[30, 80, 120, 300]);
        while left > 0 {
            let gap = self.random.span(Duration::ZERO..=stall);
            let share = usize::try_from(gap.as_micros() * 100 / stall.as_micros()).unwrap();
            let count = (self.quota() * share * percent / 10_000).clamp(1, left);
            let arrival = now + gap;
            while let Some(deadline) = session.poll_deadline()
                && deadline < arrival
            {
                if let Some(error) = driver.expire(deadline, session, |_| ()) {
                    let came = self.within(stall, deadline);
                    assert!(came < self.quota(), "{came} bytes in {stall:?}, and {error}");
                    return Err(error);
                }
            }
            now = arrival;
            // A second has a few microseconds less here than elsewhere.
            let enough = self.quota() * 95 / 100;
            let is_judged = now > START + stall * 2;
            assert!(!is_judged || self.within(stall * 2, now) >= enough, "in vain for too long");
            if let Some(error) = give(driver, session, now, count) {
                return Err(error);
            }
            self.moved.push((now, count));
            left -= count;
        }
        Ok(now)
    }
}

fn is_too_slow<E: PartialEq>(
    outcome: &Result<(), E>,
    stalled: &E,
    sometimes: &mut Sometimes,
) -> bool {
    let is_stalled = outcome.as_ref().err() == Some(stalled);
    sometimes.note("too slow", is_stalled);
    sometimes.note("fast enough", outcome.is_ok());
    is_stalled || outcome.is_ok()
}

#[test]
fn contents_that_come_too_slowly_end_and_no_others() {
    for_seeds(2_000, |seed, sometimes| {
        let mut drip = Drip::new(seed);
        let contents = vec![b'x'; drip.quota() * 4];
        let size = contents.len() as u64;
        let outcome = if drip.random.chance(30) {
            let mut receiver = PlainReceiver::new(START, Text::new("x").unwrap(), drip.config);
            drip.hear(&mut receiver, &contents)
        } else {
            let verify = drip.random.chance(50);
            let request = Request::get(b"x").with_verify(verify);
            let mut stream = wire::response(&request, 0, verify.into(), [0, size, size, 1, 0]);
            stream.extend(&contents);
            if verify {
                stream.extend(wire::digest(0, &contents, true));
            }
            let mut receiver = Receiver::<64>::new(START, drip.config);
            receiver.request(START, &request).unwrap();
            receiver.finish();
            drip.hear(&mut receiver, &stream)
        };
        assert!(is_too_slow(&outcome, &ReceiverError::Stalled, sometimes), "{outcome:?}");
    });
}

#[test]
fn contents_that_go_too_slowly_end_and_no_others() {
    for_seeds(2_000, |seed, sometimes| {
        let mut drip = Drip::new(seed);
        let size = drip.quota() * 4;
        let mut sender = Sender::<8>::new(START, drip.config);
        let mut driver = ManualDriver { source: Some(1), ..ManualDriver::default() };
        let request = if drip.random.chance(50) {
            b"x\n".to_vec()
        } else {
            wire::request(&Request::get(b"x").with_verify(false))
        };
        driver.hear(START, &mut sender, &request, |_| ());
        sender.offer(START, Offer { size: size as u64, tag: 1, modified: 0 });
        let outcome = drip.run(&mut sender, &mut driver, size, |driver, sender, now, count| {
            driver.transmit(now, sender, count as u64);
            None
        });
        let outcome = outcome.map(|_| ());
        assert!(is_too_slow(&outcome, &SenderError::Stalled, sometimes), "{outcome:?}");
    });
}

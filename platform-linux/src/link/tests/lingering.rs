//! What becomes of a connection whose conversation is over before the peer has ended its direction.

use core::convert::Infallible;

use barewire_core::driver::LINGER;
use barewire_core::time::Duration;

use super::*;

const LAST_WORDS: &[u8] = &[b'.'; 1 << 20];

/// Says so much, and wants to hear nothing.
#[derive(Default)]
struct Farewell {
    said: usize,
    shut: bool,
}

impl Events<'_> for Farewell {
    type Event = Infallible;
}

impl Session for Farewell {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _: Instant,
        _: &mut &'i [u8],
    ) -> nb::Result<Infallible, Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_end(&mut self, _: Instant) -> nb::Result<Infallible, Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _: Instant) -> nb::Result<Infallible, Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        match &LAST_WORDS[self.said..] {
            [] if self.shut => Output::Close,
            [] => Output::Shutdown,
            head => Output::Bytes { head, tail: &[], more: false },
        }
    }

    fn transmitted(&mut self, _: Instant, count: usize) {
        self.shut = self.said == LAST_WORDS.len();
        self.said += count;
    }

    fn poll_deadline(&self) -> Option<Instant> {
        None
    }
}

/// Runs a [`Farewell`]. The time when it was over, and that when the executor had nothing left to do.
fn run(mut executor: Executor<'_, Instant>, stream: StreamSocket) -> (Instant, Instant) {
    let (mut link, mut session) = (Link::new(stream), Farewell::default());
    executor.spawn(task(move |over: &mut Instant, cx: &mut Context<'_, Instant>| {
        match link.drive(cx, &mut session, |event| match event {}) {
            Err(nb::Error::WouldBlock) => Poll::Pending,
            result => {
                result.unwrap();
                *over = cx.now();
                Poll::Ready(())
            }
        }
    }));
    let mut over = Instant::ZERO;
    executor.run(&mut over).unwrap();
    (over, executor.now())
}

#[test]
fn input_that_nobody_reads_does_not_destroy_output_that_is_queued() {
    let (stream, mut peer) = pair();
    let peer = thread::spawn(move || {
        peer.write_all(b"unread").unwrap();
        let mut heard = vec![0; LAST_WORDS.len()];
        peer.read_exact(&mut heard).unwrap();
        // All has been sent, and the session is no more.
        peer.write_all(&vec![b'x'; 100_000]).unwrap();
        assert_eq!(peer.read(&mut heard).unwrap(), 0, "an end, and no reset");
        heard
    });
    run(Executor::new().unwrap(), stream);
    assert!(peer.join().unwrap() == LAST_WORDS);
}

#[test]
fn a_peer_that_never_ends_is_lingered_for_so_long_and_no_longer() {
    let (stream, peer) = pair();
    let mut reader = peer.try_clone().unwrap();
    let heard = thread::spawn(move || {
        let mut heard = Vec::new();
        reader.read_to_end(&mut heard).unwrap();
        heard
    });
    let (over, end) = run(Executor::simulated(), stream);
    assert!(end >= over + LINGER, "{over:?} {end:?}");
    assert!(heard.join().unwrap() == LAST_WORDS);
    drop(peer);
}

#[test]
fn an_executor_may_have_less_patience() {
    let (stream, peer) = pair();
    let less = Duration::from_millis(50);
    let mut executor = Executor::simulated();
    executor.set_linger(less);
    let (over, end) = run(executor, stream);
    assert!((over + less..over + LINGER).contains(&end), "{over:?} {end:?}");
    drop(peer);
}

/// A crowd of peers that never end their direction does not take all descriptors.
#[test]
fn no_more_than_so_many_linger_at_once() {
    let (mut executor, mut peers) = (Executor::simulated(), Vec::new());
    executor.set_max_lingering(5);
    for _ in 0..20 {
        let (stream, peer) = pair();
        let (mut link, mut session) = (Link::new(stream), Farewell::default());
        session.said = LAST_WORDS.len();
        peers.push(peer);
        executor.spawn(task(move |most: &mut usize, cx: &mut Context<'_, usize>| {
            match link.drive(cx, &mut session, |event| match event {}) {
                Err(nb::Error::WouldBlock) => Poll::Pending,
                result => {
                    result.unwrap();
                    *most = cx.lingering.max(*most);
                    Poll::Ready(())
                }
            }
        }));
    }
    let mut most = 0;
    executor.run(&mut most).unwrap();
    assert_eq!(most, 5);
    for mut peer in peers {
        assert_eq!(peer.read(&mut [0]).unwrap(), 0, "an end, and no reset");
    }
}

//! The handshake: over a bad link, with a peer that resets, and with one that is silent.

use std::ops::ControlFlow::Continue;

use barewire_core::driver::DriveError;
use barewire_core::hello::{Client, DEFAULT_TIMEOUT, HandshakeConfig, HandshakeError, Server};
use barewire_core::io::{AsyncStreamDriver, Timer};
use barewire_core::text::Text;
use barewire_core::time::Duration;
use barewire_embassy_net::{Clock, close};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;
use embassy_net::tcp::Error as Broken;
use embedded_io_async::ReadReady;

use crate::two_stacks::{Buffers, converse, interrupted};

/// A link that loses frames may cut a text, and be silent for longer than the quiet period.
const PATIENT: HandshakeConfig = {
    let long = Duration::from_secs(600);
    HandshakeConfig::new().with_quiet(long).with_timeout(long)
};

#[test]
fn both_sides_hear_each_other_though_frames_are_lost_and_futures_dropped() {
    for_seeds(100, |seed, sometimes| {
        let random = &mut Random::new(seed);
        let (mut left_random, mut right_random) = (random.fork(), random.fork());
        let (mut greeting, mut answer) = (String::new(), String::new());
        let mut drops = 0;
        let loss = random.pick(&[0, 10]);
        let mut buffers = [Buffers::some(random, 64), Buffers::some(random, 64)];
        let [left, right] = &mut buffers;
        converse(
            random,
            loss,
            async |stack| {
                let socket = left.accept(stack).await;
                let text = Text::new("你好, and a few words more").unwrap();
                let mut session = Server::<64>::new(Clock.now(), text, PATIENT);
                let mut driver = AsyncStreamDriver::<_, 16>::new(socket);
                let clock = &mut Clock;
                let outcome = loop {
                    let run = driver.run(&mut session, clock, |text| {
                        answer = text.to_string();
                        Continue(())
                    });
                    match interrupted(&mut left_random, run).await {
                        Some(outcome) => break outcome,
                        None => drops += 1,
                    }
                };
                outcome.unwrap();
                close(&mut driver, &mut session).await;
            },
            async |stack| {
                let socket = right.connect(stack).await;
                let text = Text::new("Hello, and as many words again").unwrap();
                let mut session = Client::<64>::new(Clock.now(), text, PATIENT);
                let mut driver = AsyncStreamDriver::<_, 16>::new(socket);
                let clock = &mut Clock;
                let outcome = loop {
                    let run = driver.run(&mut session, clock, |text| {
                        greeting = text.to_string();
                        Continue(())
                    });
                    if let Some(outcome) = interrupted(&mut right_random, run).await {
                        break outcome;
                    }
                };
                outcome.unwrap();
                // What a driver that polls relies on.
                assert_eq!(driver.stream().tcp.read_ready(), Ok(true), "at the end of the stream");
                close(&mut driver, &mut session).await;
            },
        );
        assert_eq!(greeting, "你好, and a few words more");
        assert_eq!(answer, "Hello, and as many words again");
        sometimes.note("a future was dropped", drops > 0);
    });
}

#[test]
fn a_reset_is_no_success_though_all_was_said() {
    let random = &mut Random::new(1);
    let mut buffers = [Buffers::some(random, 64), Buffers::some(random, 64)];
    let [left, right] = &mut buffers;
    let mut heard = None;
    converse(
        random,
        0,
        async |stack| {
            let mut socket = left.accept(stack).await.tcp;
            assert_eq!(socket.write(b"hi\n").await, Ok(3));
            socket.flush().await.unwrap();
            let mut answer = [0; 16];
            assert_eq!(socket.read(&mut answer).await, Ok(5));
            assert_eq!(socket.read(&mut answer).await, Ok(0), "the client has half-closed");
            socket.abort();
            socket.flush().await.unwrap();
        },
        async |stack| {
            let socket = right.connect(stack).await;
            let text = Text::new("Hello").unwrap();
            let mut session = Client::<64>::new(Clock.now(), text, HandshakeConfig::default());
            let outcome = AsyncStreamDriver::<_, 16>::new(socket)
                .run(&mut session, &mut Clock, |text| {
                    heard = Some(text.to_string());
                    Continue(())
                })
                .await;
            assert_eq!(outcome, Err(DriveError::Connection(Broken::ConnectionReset)));
            assert!(!session.is_over());
        },
    );
    assert_eq!(heard.as_deref(), Some("hi"));
}

#[test]
fn a_silent_peer_is_given_up_at_the_deadline_and_reset() {
    let random = &mut Random::new(1);
    let mut buffers = [Buffers::some(random, 64), Buffers::some(random, 64)];
    let [left, right] = &mut buffers;
    converse(
        random,
        0,
        async |stack| {
            let mut socket = left.accept(stack).await.tcp;
            let reset = Err(Broken::ConnectionReset);
            assert_eq!(socket.read(&mut [0; 16]).await, reset);
        },
        async |stack| {
            let socket = right.connect(stack).await;
            let start = Clock.now();
            let text = Text::new("Hello").unwrap();
            let mut session = Client::<64>::new(start, text, HandshakeConfig::default());
            let mut driver = AsyncStreamDriver::<_, 16>::new(socket);
            let outcome = driver.run(&mut session, &mut Clock, |_| panic!("nobody spoke")).await;
            let late = Err(DriveError::Session(HandshakeError::TimedOut));
            assert_eq!(Clock.now().duration_since(start), DEFAULT_TIMEOUT);
            assert_eq!(outcome, late);
            close(&mut driver, &mut session).await;
        },
    );
}

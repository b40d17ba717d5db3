//! Streams that would keep a driver for ever.

use super::*;

/// A stream that takes nothing is full, and is not asked again in this turn.
#[test]
fn a_write_of_no_bytes_is_no_reason_to_spin() {
    struct Full(usize);
    impl ErrorType for Full {
        type Error = Infallible;
    }
    impl Read for Full {
        fn read(&mut self, _: &mut [u8]) -> Result<usize, Infallible> {
            Ok(0)
        }
    }
    impl ReadReady for Full {
        fn read_ready(&mut self) -> Result<bool, Infallible> {
            Ok(false)
        }
    }
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> Result<usize, Infallible> {
            self.0 += 1;
            Ok(0)
        }
        fn flush(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }
    impl WriteReady for Full {
        fn write_ready(&mut self) -> Result<bool, Infallible> {
            Ok(true)
        }
    }
    impl Shutdown for Full {
        fn shut_down(&mut self) -> Result<(), Infallible> {
            panic!("before the greeting")
        }
        fn reset(&mut self) {}
    }
    let mut server = hello::Server::<64>::new(Instant::ZERO, Text::new("hi").unwrap(), config());
    let mut driver = StreamDriver::<_, 64>::new(Full(0));
    let step = driver.step(Instant::ZERO, &mut server, |_| ControlFlow::Continue(()));
    assert_eq!(step, Step::Wait(Some(Instant::ZERO + config().timeout)));
    assert_eq!(driver.stream().0, 1);
}

/// A peer that is always faster than its host has to wait for the next turn.
#[test]
fn an_endless_stream_of_input_is_bounded_in_a_turn() {
    struct Endless;
    impl ErrorType for Endless {
        type Error = Infallible;
    }
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
            buffer.fill(b'x');
            Ok(buffer.len())
        }
    }
    impl ReadReady for Endless {
        fn read_ready(&mut self) -> Result<bool, Infallible> {
            Ok(true)
        }
    }
    impl Write for Endless {
        fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }
    impl WriteReady for Endless {
        fn write_ready(&mut self) -> Result<bool, Infallible> {
            Ok(true)
        }
    }
    impl Shutdown for Endless {
        fn shut_down(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
        fn reset(&mut self) {}
    }
    let mut taken = 0;
    let mut driver = StreamDriver::<_, 4>::new(Endless);
    let mut sink = Sleeper { is_awake: true };
    let step = driver.step(Instant::ZERO, &mut sink, |bytes| {
        taken += bytes.len();
        ControlFlow::Continue(())
    });
    assert_eq!((step, taken), (Step::Wait(None), 64 * 4));
}

//! The plain form, on the side that wants the file.

use arbitrary::Arbitrary;
use barewire_core::file::{PlainReceiver, ReceiverError, ReceiverEvent, TransferConfig};
use barewire_core::text::Text;

use crate::manual_driver::ManualDriver;
use crate::script::{START, Span, sayable};

/// What is asked for, and what happens.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    name: &'a [u8],
    timeout: Span,
    stall: Span,
    overstates: bool,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Bytes(&'a [u8]),
    End,
    Wait(Span),
    Send(u8),
}

/// What comes is lent as it is; the end is reported once; nothing at all is never a file.
pub fn check(input: &Input<'_>) {
    let name = sayable(input.name, 1_024);
    let (timeout, stall) = (input.timeout.duration(), input.stall.duration());
    let config = TransferConfig::new().with_timeout(timeout).with_stall(stall).with_least_rate(0);
    let text = Text::new(&name).expect("it can be sent");
    let mut receiver = PlainReceiver::new(START, text, config);
    let mut driver = ManualDriver { overstates: input.overstates, ..ManualDriver::default() };
    let (mut now, mut came) = (START, Vec::new());
    let (mut lent, mut complete) = (Vec::new(), 0);
    // Since when nothing has happened that counts.
    let mut since = START;
    let mut failed = None;
    for step in &input.steps {
        let mut on_event = |event: ReceiverEvent<'_>| match event {
            ReceiverEvent::Contents(bytes) => {
                assert!(!bytes.is_empty());
                lent.extend_from_slice(bytes);
            }
            ReceiverEvent::Complete => complete += 1,
            other => panic!("{other:?} in the plain form"),
        };
        failed = match step {
            Step::Bytes(bytes) if !driver.ended => {
                came.extend_from_slice(bytes);
                since = if bytes.is_empty() { since } else { now };
                driver.hear(now, &mut receiver, bytes, &mut on_event)
            }
            Step::Bytes(_) => None,
            Step::End => {
                driver.ended = true;
                driver.listen(now, &mut receiver, &mut on_event)
            }
            Step::Wait(span) => {
                now += span.duration();
                driver.expire(now, &mut receiver, &mut on_event)
            }
            Step::Send(room) => {
                let before = driver.judge.moves();
                driver.transmit(now, &mut receiver, u64::from(*room));
                if came.is_empty() && driver.judge.moves() > before {
                    since = now;
                }
                None
            }
        };
        assert_eq!(lent, came, "what came is what is lent");
        assert!(name.as_bytes().starts_with(&driver.sent));
        if failed.is_some() || driver.closed {
            break;
        }
    }
    let wait = if came.is_empty() { timeout } else { stall };
    match failed {
        Some(ReceiverError::Nothing) => assert!(driver.ended && came.is_empty()),
        Some(ReceiverError::TimedOut) => assert!(came.is_empty() && now >= since + wait),
        Some(ReceiverError::Stalled) => assert!(!came.is_empty() && now >= since + wait),
        Some(other) => panic!("{other:?} in the plain form"),
        None => assert_eq!(complete, u32::from(driver.ended)),
    }
    if !driver.is_over() {
        let failed = driver.run_out(&mut now, &mut receiver, |_| {});
        assert_eq!(failed.is_none(), driver.ended, "without an end, it is no file: {failed:?}");
    }
}

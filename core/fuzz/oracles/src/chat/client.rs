//! The side that takes part, against any server.

use arbitrary::Arbitrary;
use barewire_core::chat::{Client, ClientError, DEFAULT_END_TIMEOUT, Kind, Line, SayError};
use barewire_core::printable::printable;
use barewire_core::text::{Text, TextReaderError};
use barewire_core::time::Instant;

use crate::manual_driver::ManualDriver;
use crate::printable::is_safe;
use crate::script::{START, Span, sayable};
use crate::text::{Model, Said};

/// The room for what goes out, and the longest line that is taken.
const OUT: usize = 32;
const LONGEST: usize = 24;

/// What the server sends, what is said, and what the link does.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    quiet: Span,
    overstates: bool,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Bytes(&'a [u8]),
    End,
    Wait(Span),
    Say(&'a [u8]),
    Finish,
    Send(u8),
}

/// A line is taken apart without a loss, and shown without a danger.
fn judge(line: Line<'_>, bytes: &[u8]) {
    let shown = line.printable().to_string();
    assert_eq!(shown, printable(bytes).to_string());
    assert!(shown.chars().all(is_safe));
    let again = match line.kind {
        Kind::Said { nick, text } => format!("{nick}: {text}"),
        Kind::Private { nick, text } => format!("(private) {nick}: {text}"),
        Kind::Notice(text) => format!("* {text}"),
        _ => shown.clone(),
    };
    assert_eq!(again, shown, "taken apart, it says something else");
    if let Kind::Said { nick, .. } | Kind::Private { nick, .. } = line.kind {
        let count = nick.chars().count();
        assert!((1..=24).contains(&count) && nick.starts_with(char::is_alphanumeric), "{nick}");
        assert_eq!(line.welcome(), None);
    }
    assert_eq!(line.is_refusal(), shown.starts_with("* too fast: "));
    if let Some(nick) = line.welcome() {
        assert_eq!(shown, format!("* welcome to barewire chat, you are {nick} (/help)"));
    }
}

/// What a client is told.
fn told(line: Result<Line<'_>, TextReaderError>) -> String {
    line.map_or_else(|error| error.to_string(), |line| format!("{line:?}, {:?}", line.kind))
}

/// Lines come as they were sent, and those that are too long are told; what is said goes out, in
/// order.
pub fn check(input: &Input<'_>) {
    let quiet = input.quiet.duration();
    let mut client = Client::<OUT, LONGEST>::new(quiet);
    let mut driver = ManualDriver { overstates: input.overstates, ..ManualDriver::default() };
    let mut model = Model::new(LONGEST, Some(quiet));
    let (mut now, mut said, mut finished_at) = (START, Vec::new(), None::<Instant>);
    for step in &input.steps {
        let (mut expected, mut heard) = (Vec::new(), Vec::new());
        let mut on_said = |said: Said| {
            expected.push(match said {
                Said::Text(line) => {
                    let read = Line::read(&line);
                    judge(read, &line);
                    told(Ok(read))
                }
                Said::TooLong => told(Err(TextReaderError::TooLong)),
                Said::TooLate => unreachable!("no line is waited for"),
            });
        };
        let on_line = |line: Result<Line<'_>, TextReaderError>| heard.push(told(line));
        match step {
            Step::Bytes(bytes) if !driver.ended => {
                model.hear(now, bytes, on_said);
                driver.hear(now, &mut client, bytes, on_line);
            }
            Step::Bytes(_) => {}
            Step::End => {
                driver.ended = true;
                let _ = model.end().map(&mut on_said);
                driver.listen(now, &mut client, on_line);
            }
            Step::Wait(span) => {
                now += span.duration();
                let _ = model.wait(now).map(&mut on_said);
                let is_late =
                    finished_at.is_some_and(|at| now.duration_since(at) >= DEFAULT_END_TIMEOUT);
                let failed = driver.expire(now, &mut client, on_line);
                let expected = (is_late && !driver.ended).then_some(ClientError::TimedOut);
                assert_eq!(failed, expected);
            }
            Step::Say(text) => {
                let text = sayable(text, OUT);
                let waiting = said.len() - driver.sent.len();
                let expected = if finished_at.is_some() || driver.ended {
                    Err(SayError::Finished)
                } else if waiting + text.len() < OUT {
                    said.extend_from_slice(text.as_bytes());
                    said.push(b'\n');
                    Ok(())
                } else {
                    Err(SayError::Full)
                };
                assert_eq!(client.has_room(text.len()), waiting + text.len() < OUT);
                assert_eq!(client.say(Text::new(&text).expect("a line")), expected);
            }
            Step::Finish => {
                finished_at.get_or_insert(now);
                client.finish(now, DEFAULT_END_TIMEOUT);
            }
            Step::Send(room) => driver.transmit(now, &mut client, u64::from(*room)),
        }
        assert_eq!(heard, expected, "at {step:?}");
        assert!(said.starts_with(&driver.sent));
        if driver.closed {
            assert!(driver.ended, "closed before the server");
            break;
        }
        if driver.failed {
            break;
        }
    }
    if !driver.closed {
        driver.transmit(now, &mut client, u64::MAX);
        assert!(driver.ended || driver.sent == said, "not all was sent");
        assert!(driver.ended || driver.has_shut_down() == finished_at.is_some());
        assert_eq!(driver.closed, driver.ended);
    }
}

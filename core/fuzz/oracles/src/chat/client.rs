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
const LONGEST: usize = 56;

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
    /// The welcome, and perhaps its line feed.
    Welcome(bool),
    End,
    Wait(Span),
    Say(How, &'a [u8]),
    Finish,
    Send(u8),
}

/// By which call something is said.
#[derive(Clone, Copy, Debug, Arbitrary)]
enum How {
    Say,
    Format,
    Act,
    To,
    Rename,
    Command,
}

impl How {
    fn call(self, client: &mut Client<OUT, LONGEST>, text: &str) -> Result<(), SayError> {
        let line = Text::new(text).expect("a line");
        match self {
            Self::Say => client.say(line),
            Self::Format => {
                let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at));
                let (start, end) = text.split_at(half.unwrap_or(0));
                client.say_fmt(format_args!("{start}{end}"))
            }
            Self::Act => client.act(line),
            Self::To => client.say_to("anna", line),
            Self::Rename => client.rename(text),
            Self::Command => client.command(line),
        }
    }

    /// The line that goes out. `None`: it is no nick.
    fn line(self, text: &str) -> Option<String> {
        Some(match self {
            Self::Say | Self::Format if text.starts_with('/') => format!("/{text}\n"),
            Self::Say | Self::Format | Self::Command => format!("{text}\n"),
            Self::Act => format!("/me {text}\n"),
            Self::To => format!("/msg anna {text}\n"),
            // Who can have said something has a nick.
            Self::Rename => match Line::read(format!("{text}: x").as_bytes()).kind {
                Kind::Said { nick, .. } if nick == text => format!("/nick {text}\n"),
                _ => return None,
            },
        })
    }
}

/// A line is taken apart without a loss, and shown without a danger.
fn judge(line: Line<'_>, bytes: &[u8]) {
    let shown = line.printable().to_string();
    assert_eq!(shown, printable(bytes).to_string());
    assert!(shown.chars().all(is_safe));
    let again = match line.kind {
        Kind::Said { nick, text } => format!("{nick}: {text}"),
        Kind::Acted { nick, text } => format!("{nick}: /me {text}"),
        Kind::Private { nick, text } => format!("(private) {nick}: {text}"),
        Kind::Notice(text) => format!("* {text}"),
        _ => shown.clone(),
    };
    assert_eq!(again, shown, "taken apart, it says something else");
    assert_eq!(matches!(line.kind, Kind::Notice(_)), bytes.starts_with(b"* "), "the server's own");
    if let Kind::Said { nick, .. } | Kind::Acted { nick, .. } | Kind::Private { nick, .. } =
        line.kind
    {
        let count = nick.chars().count();
        assert!(
            (1..=24).contains(&count)
                && nick.starts_with(|c: char| c.is_ascii_alphanumeric() || !c.is_ascii()),
            "{nick}"
        );
        assert_eq!(line.welcome(), None);
    }
    assert_eq!(line.is_refusal(), shown.starts_with("* too fast: "));
    assert!(!line.is_dismissal() || shown.starts_with("* you "), "{shown}");
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
        let (mut expected, mut heard, mut is_welcome) = (Vec::new(), Vec::new(), false);
        let mut on_said = |said: Said| {
            expected.push(match said {
                Said::Text(line) => {
                    let read = Line::read(&line);
                    judge(read, &line);
                    is_welcome |= read.welcome().is_some();
                    told(Ok(read))
                }
                Said::TooLong => told(Err(TextReaderError::TooLong)),
                Said::TooLate => unreachable!("no line is waited for"),
            });
        };
        let on_line = |line: Result<Line<'_>, TextReaderError>| heard.push(told(line));
        match step {
            Step::Bytes(_) | Step::Welcome(_) if driver.ended => {}
            Step::Bytes(_) | Step::Welcome(_) => {
                let bytes = match step {
                    Step::Bytes(bytes) => bytes,
                    Step::Welcome(true) => {
                        &b"* welcome to barewire chat, you are guest7 (/help)\n"[..]
                    }
                    _ => b"* welcome to barewire chat, you are guest7 (/help)",
                };
                model.hear(now, bytes, on_said);
                driver.hear(now, &mut client, bytes, on_line);
            }
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
            Step::Say(how, text) => {
                let text = sayable(text, OUT);
                let waiting = said.len() - driver.sent.len();
                assert_eq!(client.has_room(text.len()), waiting + text.len() < OUT);
                let expected = match how.line(&text) {
                    None => Err(SayError::Nick),
                    Some(_) if finished_at.is_some() || driver.ended => Err(SayError::Finished),
                    Some(line) if line.len() > OUT => Err(SayError::TooLong),
                    Some(line) if waiting + line.len() > OUT => Err(SayError::Full),
                    Some(line) => {
                        said.extend_from_slice(line.as_bytes());
                        Ok(())
                    }
                };
                assert_eq!(how.call(&mut client, &text), expected);
            }
            Step::Finish => {
                finished_at.get_or_insert(now);
                client.finish(now, DEFAULT_END_TIMEOUT);
            }
            Step::Send(room) => driver.transmit(now, &mut client, u64::from(*room)),
        }
        assert_eq!(heard, expected, "at {step:?}");
        if is_welcome {
            model.expect_terminators();
        }
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

//! One side of a handshake against any peer.

use arbitrary::Arbitrary;
use barewire_core::hello::{HandshakeConfig, HandshakeError};
use barewire_core::session::{Events, Session};
use barewire_core::text::Text;
use barewire_core::time::Instant;

use crate::manual_driver::ManualDriver;
use crate::script::{START, Span};
use crate::text::{Model, Said};

/// The longest text that either side takes.
pub(super) const LONGEST: usize = 12;

/// What happens to one side.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    pub(super) quiet: Span,
    pub(super) timeout: Span,
    overstates: bool,
    pub(super) speech: &'a [u8],
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Bytes(&'a [u8]),
    End,
    Wait(Span),
    /// The link takes so many bytes.
    Send(u8),
}

impl Input<'_> {
    pub(super) fn config(&self) -> HandshakeConfig {
        HandshakeConfig::new()
            .with_quiet(self.quiet.duration())
            .with_timeout(self.timeout.duration())
    }
}

/// What one side hears, as it should be.
struct HandshakeModel {
    text: Model,
    deadline: Instant,
    outcome: Option<Result<Vec<u8>, HandshakeError>>,
}

impl HandshakeModel {
    fn settle(&mut self, said: Option<Said>) {
        let outcome = said.map(|said| match said {
            Said::Text(text) => Ok(text),
            Said::TooLong | Said::TooLate => Err(HandshakeError::TooLong),
        });
        if self.outcome.is_none() {
            self.outcome = outcome;
        }
    }

    fn has_heard(&self) -> bool {
        matches!(self.outcome, Some(Ok(_)))
    }

    fn hear(&mut self, now: Instant, bytes: &[u8]) {
        let mut first = None;
        self.text.hear(now, bytes, |said| {
            first.get_or_insert(said);
        });
        self.settle(first);
    }

    fn end(&mut self) {
        let said = self.text.end();
        self.settle(said);
        self.outcome.get_or_insert(Err(HandshakeError::Silent));
    }

    /// Time passes; `late` is what it means that the whole takes too long.
    fn wait(&mut self, now: Instant, late: HandshakeError) -> Option<HandshakeError> {
        let quiet = self.text.deadline().filter(|_| !self.has_heard());
        if quiet.is_some_and(|quiet| quiet <= now && quiet <= self.deadline) {
            let said = self.text.end();
            self.settle(said);
        } else if self.deadline <= now {
            return Some(late);
        }
        None
    }
}

/// Plays the script to the end and past it, and compares with the model at each step. `spoken` is what
/// the side says, and `speaks_first` whether it does so before it has heard.
pub(super) fn play<S>(session: &mut S, input: &Input<'_>, spoken: &[u8], speaks_first: bool)
where
    S: Session<Error = HandshakeError> + for<'s> Events<'s, Event = Text<'s>>,
{
    let config = input.config();
    let mut driver = ManualDriver { overstates: input.overstates, ..ManualDriver::default() };
    let mut model = HandshakeModel {
        text: Model::new(LONGEST, Some(config.quiet)),
        deadline: START + config.timeout,
        outcome: None,
    };
    let (mut now, mut heard) = (START, Vec::new());
    let mut failed = None;
    for step in &input.steps {
        let mut on_text = |text: Text<'_>| heard.push(text.as_bytes().to_vec());
        failed = match step {
            Step::Bytes(bytes) if !driver.ended => {
                model.hear(now, bytes);
                driver.hear(now, session, bytes, &mut on_text)
            }
            Step::Bytes(_) => None,
            Step::End => {
                driver.ended = true;
                model.end();
                driver.listen(now, session, &mut on_text)
            }
            Step::Wait(span) => {
                now += span.duration();
                let late = if !speaks_first && model.has_heard() && driver.has_shut_down() {
                    HandshakeError::Unclosed
                } else {
                    HandshakeError::TimedOut
                };
                let is_over =
                    driver.has_shut_down() && model.has_heard() && (speaks_first || driver.ended);
                let expected = if is_over { None } else { model.wait(now, late) };
                let failed = driver.expire(now, session, &mut on_text);
                if expected.is_some() {
                    assert_eq!(failed, expected);
                    return;
                }
                failed
            }
            Step::Send(room) => {
                driver.transmit(now, session, u64::from(*room));
                None
            }
        };
        let outcome = heard.first().cloned().map(Ok).or(failed.map(Err));
        assert_eq!(outcome, model.outcome, "after {step:?}");
        assert!(spoken.starts_with(&driver.sent), "{:?}", driver.sent);
        assert!(speaks_first || heard.len() == 1 || driver.sent.is_empty(), "it spoke first");
        if failed.is_some() || driver.closed {
            break;
        }
    }
    if failed.is_none() && !driver.closed {
        failed = driver.run_out(&mut now, session, |text| heard.push(text.as_bytes().to_vec()));
    }
    assert!(heard.len() <= 1, "one text is all there is");
    // Without a wait in the script, all time that passes is up to the machine.
    let has_waited = input.steps.iter().any(|step| matches!(step, Step::Wait(_)));
    assert!(has_waited || now <= START + config.timeout, "it took too long");
    if failed.is_none() {
        assert!(
            heard.len() == 1 && driver.has_shut_down() && driver.sent == spoken,
            "closed too early"
        );
        assert!(speaks_first || driver.ended, "closed before the server had ended its stream");
    }
}

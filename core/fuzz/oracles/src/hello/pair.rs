//! Both sides, over a link that cuts, delays and breaks off.

use arbitrary::Arbitrary;
use barewire_core::hello::{Client, HandshakeConfig, HandshakeError, Server};
use barewire_core::session::{Events, Session};
use barewire_core::text::Text;
use barewire_core::time::Instant;

use super::side::LONGEST;
use crate::manual_driver::ManualDriver;
use crate::script::{START, Span, sayable};

/// What both say, and what the link does.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    greeting: &'a [u8],
    answer: &'a [u8],
    steps: Vec<Step>,
}

#[derive(Debug, Arbitrary)]
enum Step {
    /// A side's link takes so many bytes, and so many of what is under way arrive.
    Move {
        to_client: bool,
        taken: u8,
        arrived: u8,
    },
    Wait(Span),
    /// The connection ends in a direction before all has arrived.
    Truncate {
        to_client: bool,
    },
    /// Nothing more arrives, and nobody is told.
    Silence,
}

/// One side, its text, and what is under way to it.
struct Side<S> {
    session: S,
    driver: ManualDriver,
    heard: Vec<Vec<u8>>,
    /// How much of what the other has sent has arrived.
    arrived: usize,
    /// Nothing arrives any longer after so many bytes; then, the end.
    truncated: bool,
    failed: Option<HandshakeError>,
}

impl<S> Side<S>
where
    S: Session<Error = HandshakeError> + for<'s> Events<'s, Event = Text<'s>>,
{
    fn new(session: S) -> Self {
        let (driver, heard) = (ManualDriver::default(), Vec::new());
        Self { session, driver, heard, arrived: 0, truncated: false, failed: None }
    }

    /// So many bytes of what the `other` has sent arrive, and behind the last of them the end.
    fn arrive<T>(&mut self, now: Instant, other: &Side<T>, count: usize) {
        if self.driver.ended || self.driver.is_over() {
            return;
        }
        let sent = if self.truncated { &[] } else { &other.driver.sent[self.arrived..] };
        let part = &sent[..count.min(sent.len())];
        self.arrived += part.len();
        let heard = &mut self.heard;
        let mut on_text = |text: Text<'_>| heard.push(text.as_bytes().to_vec());
        let mut failed = self.driver.hear(now, &mut self.session, part, &mut on_text);
        let is_last = self.truncated || (other.driver.has_shut_down() && part.len() == sent.len());
        if is_last && failed.is_none() {
            self.driver.ended = true;
            failed = self.driver.listen(now, &mut self.session, &mut on_text);
        }
        self.failed = self.failed.or(failed);
    }

    fn wait(&mut self, now: Instant) {
        let heard = &mut self.heard;
        let failed = self.driver.expire(now, &mut self.session, |text| {
            heard.push(text.as_bytes().to_vec());
        });
        self.failed = self.failed.or(failed);
    }

    fn send(&mut self, now: Instant, room: u64) {
        self.driver.transmit(now, &mut self.session, room);
    }

    /// Nothing more happens but time.
    fn run_out(&mut self, now: Instant) {
        let mut now = now;
        let heard = &mut self.heard;
        if !self.driver.is_over() {
            let on_text = |text: Text<'_>| heard.push(text.as_bytes().to_vec());
            self.driver.run_out(&mut now, &mut self.session, on_text);
        }
        assert!(self.driver.is_over(), "it never ended");
    }

    /// What it heard is what was said; `is_whole` if no silence and no end came into it.
    fn judge(&self, said: &str, is_whole: bool) {
        assert!(self.heard.len() <= 1);
        if let Some(heard) = self.heard.first() {
            assert!(said.as_bytes().starts_with(heard), "never said: {heard:?}");
            assert!(!is_whole || heard == said.as_bytes(), "a part only: {heard:?}");
        }
    }
}

/// Each hears what the other said; without a fault, all of it, and both close.
pub fn check(input: &Input<'_>) {
    let (greeting, answer) = (sayable(input.greeting, LONGEST), sayable(input.answer, LONGEST));
    let text = |text| Text::new(text).expect("it can be sent");
    let config = HandshakeConfig::default();
    let mut server = Side::new(Server::<LONGEST>::new(START, text(&greeting), config));
    let mut client = Side::new(Client::<LONGEST>::new(START, text(&answer), config));
    let (mut now, mut waits, mut is_cut, mut is_silent) = (START, false, false, false);
    for step in &input.steps {
        match step {
            Step::Move { to_client: true, taken, arrived } => {
                server.send(now, (*taken).into());
                if !is_silent {
                    client.arrive(now, &server, (*arrived).into());
                }
            }
            Step::Move { to_client: false, taken, arrived } => {
                client.send(now, (*taken).into());
                if !is_silent {
                    server.arrive(now, &client, (*arrived).into());
                }
            }
            Step::Wait(span) => {
                now += span.duration();
                waits = true;
                server.wait(now);
                client.wait(now);
            }
            Step::Truncate { to_client } => {
                is_cut = true;
                if *to_client { client.truncated = true } else { server.truncated = true }
            }
            Step::Silence => is_silent = true,
        }
    }
    // From now on the link is perfect, or dead.
    for _ in 0..if is_silent { 0 } else { 3 } {
        server.send(now, u64::MAX);
        client.arrive(now, &server, usize::MAX);
        client.send(now, u64::MAX);
        server.arrive(now, &client, usize::MAX);
    }
    let whole = !waits && !is_cut;
    client.judge(&greeting, whole);
    server.judge(&answer, whole);
    if whole && !is_silent {
        server.send(now, 0);
        client.send(now, 0);
        assert!(server.driver.closed && client.driver.closed, "{server:?} {client:?}");
        assert_eq!((server.heard.len(), client.heard.len()), (1, 1));
    }
    server.run_out(now);
    client.run_out(now);
}

impl<S> std::fmt::Debug for Side<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}, heard {:?}, failed: {:?}", self.driver, self.heard, self.failed)
    }
}

//! A process that has ended, and what all of them are held to.
#![allow(clippy::return_self_not_must_use, reason = "a check returns itself only to be chained")]

use std::fmt;

use serde_json::Value;

use super::printable;

/// What shows that a message was dumped rather than written.
const DUMPS: [&str; 8] =
    ["panicked at", "RUST_BACKTRACE", "Os {", "kind:", "Some(", "Err(", "Error(", "SocketAddr"];

/// A process that has ended. Its checks return it, so that they can be chained.
#[derive(Clone)]
pub struct Finished {
    pub(super) title: String,
    pub(super) code: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) output: Vec<u8>,
    pub(super) error: Vec<u8>,
}

impl Finished {
    /// Its exit code; none if a signal killed it.
    pub fn code(&self) -> Option<i32> {
        self.code
    }

    /// The signal that killed it, if one did.
    pub fn signal(&self) -> Option<i32> {
        self.signal
    }

    /// What it wrote to standard output.
    pub fn output(&self) -> &str {
        str::from_utf8(&self.output).unwrap_or_else(|e| panic!("output: {e}\n{self:?}"))
    }

    /// What it wrote to standard error.
    pub fn error(&self) -> &str {
        str::from_utf8(&self.error).unwrap_or_else(|e| panic!("error: {e}\n{self:?}"))
    }

    /// Every line of standard output as a JSON object.
    pub fn events(&self) -> Vec<Value> {
        let parse = |line| {
            let value: Value = serde_json::from_str(line)
                .unwrap_or_else(|e| panic!("{line:?} is not JSON: {e}\n{self:?}"));
            assert!(value["event"].is_string(), "{line:?} names no event\n{self:?}");
            value
        };
        self.output().lines().map(parse).collect()
    }

    /// The only event called `name`.
    #[track_caller]
    pub fn event(&self, name: &str) -> Value {
        let mut named = self.events();
        named.retain(|event| event["event"] == name);
        assert_eq!(named.len(), 1, "events called {name:?}\n{self:?}");
        named.remove(0)
    }

    /// Demands an exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code\n{self:?}");
        self
    }

    /// Demands `text` on standard output.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(self.output().contains(text), "{text:?} is not printed\n{self:?}");
        self
    }

    /// Demands that `text` is not on standard output.
    #[track_caller]
    pub fn omits(self, text: &str) -> Self {
        assert!(!self.output().contains(text), "{text:?} is printed\n{self:?}");
        self
    }

    /// Demands one of `texts`, in any case, on standard error.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        let error = self.error().to_lowercase();
        let said = texts.iter().any(|text| error.contains(&text.to_lowercase()));
        assert!(said, "none of {texts:?} is said\n{self:?}");
        self
    }

    /// The lines that it wrote to standard error, but for what a server says at its start to root, whom
    /// some run these tests as.
    pub fn diagnostics(&self) -> impl Iterator<Item = &str> {
        self.error().lines().filter(|line| !line.contains("-server: running as root ("))
    }

    /// Demands that there are no [diagnostics](Self::diagnostics).
    #[track_caller]
    pub fn is_silent(self) -> Self {
        assert_eq!(self.diagnostics().next(), None, "standard error\n{self:?}");
        self
    }

    /// What holds whatever happened: words instead of dumps, nothing a terminal would obey.
    pub(super) fn assert_orderly(&self, verbose: bool, coloured: bool) {
        for text in [self.output(), self.error()] {
            for dump in DUMPS {
                assert!(!text.contains(dump), "{dump:?} is a dump\n{self:?}");
            }
            assert!(verbose || !text.contains("os error"), "an error number\n{self:?}");
            assert!(coloured || printable::is_harmless(text), "control characters\n{self:?}");
        }
        // What to do stands in one place.
        assert!(!self.error().contains(") ("), "two parentheses in a row\n{self:?}");
    }
}

impl fmt::Debug for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, code, signal, output, error } = self;
        writeln!(f, "{title}")?;
        writeln!(f, "exit code {code:?}, signal {signal:?}")?;
        writeln!(f, "output: {}", printable::transcript(output))?;
        write!(f, "error: {}", printable::transcript(error))
    }
}

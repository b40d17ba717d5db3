//! Text or JSON, and how values are shown in either.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use barewire_core::printable::printable;
use barewire_core::time::Duration;
use serde::{Serialize, Serializer};

pub(crate) const ADDRESS: Style = AnsiColor::Cyan.on_default();

/// How events are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

impl Format {
    /// Appends one event, and a line feed.
    pub(super) fn append(self, text: &mut String, event: &(impl Serialize + fmt::Display)) {
        match self {
            Self::Text => {
                // Writing to a string cannot fail.
                let _ = write!(text, "{event}");
            }
            Self::Json => {
                let line = serde_json::to_string(event);
                text.push_str(&line.expect("events have string keys only"));
            }
        }
        text.push('\n');
    }
}

/// What a peer's key is called, behind its address, where there are several.
pub(crate) struct KeyName<'a>(pub(crate) Option<&'a str>);

impl fmt::Display for KeyName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |name| write!(f, " ({})", printable(name.as_bytes())))
    }
}

pub(crate) fn seconds(duration: Duration) -> f64 {
    std::time::Duration::from(duration).as_secs_f64()
}

/// As it is shown in text.
pub(crate) fn serialize_shown<S: Serializer>(
    value: &impl fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde passes it")]
pub(crate) fn serialize_seconds<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(seconds(*duration))
}

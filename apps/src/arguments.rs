//! Arguments that several programs share, and how they are read.

use std::fmt;
use std::net::SocketAddr;

use barewire_core::text::{self, Text};
use barewire_core::time::Duration;
use barewire_linux::resolve::{Malformed, lookup, split};
use clap::{ArgAction, Args, ColorChoice};
use clap_complete::Shell;

use crate::failure::{Failure, words};

/// What every program takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct Common {
    /// Say more on standard error
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Say nothing but results and errors; on a server, nothing of what clients say
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Write one JSON object a line to standard output
    #[arg(long)]
    pub(crate) json: bool,

    /// Colour the output; by default on a terminal, unless `NO_COLOR` is set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,

    /// Print the completions for a shell, and exit
    #[arg(long, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<Shell>,

    /// Print the manual page, and exit
    #[arg(long, exclusive = true)]
    pub(crate) man: bool,
}

/// A time such as `200ms`, `5s` or `1h`; a bare number counts seconds.
pub(crate) fn time(argument: &str) -> Result<Duration, String> {
    let seconds = argument.strip_suffix('s').unwrap_or(argument).trim_end();
    match seconds.parse().map(std::time::Duration::try_from_secs_f64) {
        Ok(Ok(span)) => Ok(span.into()),
        Ok(Err(_)) if seconds.starts_with('-') => Err("must not be negative".into()),
        Ok(Err(_)) => Err("is no time that could be waited for".into()),
        Err(_) => match humantime::parse_duration(argument) {
            Ok(span) => Ok(span.into()),
            Err(error) => Err(format!("{error} (write a time as 200ms, 5s or 1h)")),
        },
    }
}

/// A time that is not zero: to wait no time at all would fail every conversation.
pub(crate) fn wait(argument: &str) -> Result<Duration, String> {
    time(argument).and_then(|span| match span {
        Duration::ZERO => Err("must be longer than 0".into()),
        span => Ok(span),
    })
}

/// A text message.
///
/// It lives as long as the program, which uses it to its end, so that every connection can borrow
/// it.
pub(crate) fn message(argument: &str) -> Result<Text<'static>, String> {
    Text::new(argument.to_owned().leak()).map_err(|error| match error {
        text::TextError::TooLong => format!("is {} bytes long, {error}", argument.len()),
        text::TextError::LineBreak => format!("{error}, which would end it"),
    })
}

/// `HOST:PORT`, or `HOST` and `PORT` as two words, with the words that follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) rest: &'a [String],
}

impl<'a> Place<'a> {
    /// Reads an address from the front of `words`. The second is the port if it is a number and
    /// the first has no port.
    pub(crate) fn read(words: &'a [String]) -> Result<Self, Failure> {
        let (first, rest) =
            words.split_first().ok_or_else(|| Failure::usage("no address given"))?;
        let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
        let (read, rest) = match (split(first, None), rest.split_first()) {
            (Err(Malformed::NoPort), Some((port, rest))) if is_number(port) => {
                (split(first, Some(port)), rest)
            }
            (read, _) => (read, rest),
        };
        let refuse =
            |why| Failure::usage(format!("'{first}' is no address: {why} (write HOST:PORT)"));
        let (host, port) = read.map_err(refuse)?;
        Ok(Self { host, port, rest })
    }

    /// Reads an address that nothing may follow.
    pub(crate) fn read_alone(words: &'a [String]) -> Result<Self, Failure> {
        let place = Self::read(words)?;
        match place.rest {
            [] => Ok(place),
            [extra, ..] => Err(Failure::usage(format!("'{extra}' is one word too many"))),
        }
    }

    /// The addresses that the host has, the best first.
    pub(crate) fn resolve(&self) -> Result<Vec<SocketAddr>, Failure> {
        lookup(self.host, self.port)
            .map_err(|error| Failure::Conversation(format!("{error}: {}", words(&error.error))))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[track_caller]
    fn reads(line: &str, shown: &str, rest: &str) {
        let words = words(line);
        let place = Place::read(&words).unwrap();
        assert_eq!((place.to_string().as_str(), place.rest.join(" ").as_str()), (shown, rest));
    }

    #[track_caller]
    fn refuses(line: &str, why: &str) {
        let failure = Place::read(&words(line)).unwrap_err();
        assert!(failure.message().is_some_and(|message| message.contains(why)), "{failure:?}");
    }

    #[test]
    fn an_address_is_one_word_or_two() {
        reads("127.0.0.1:8080", "127.0.0.1:8080", "");
        reads("127.0.0.1 8080", "127.0.0.1:8080", "");
        reads("localhost:0 hello there", "localhost:0", "hello there");
        reads("localhost 80 hello", "localhost:80", "hello");
        reads("localhost:80 81", "localhost:80", "81");
        reads("[::1]:80 81", "[::1]:80", "81");
        reads("::1 80", "[::1]:80", "");
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        refuses("localhost", "no port");
        refuses("localhost http", "no port");
        refuses("localhost:http", "not a number");
        refuses("localhost 99999999999999999999", "0 to 65535");
        refuses(":80", "no host");
        assert!(Place::read(&[]).is_err());
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(time("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(time("1h"), Ok(Duration::from_secs(3600)));
        assert_eq!(time("2.5"), Ok(Duration::from_millis(2500)));
        assert_eq!(time("0"), Ok(Duration::ZERO));
        // As defaults are shown in the help.
        for span in [Duration::from_millis(200), Duration::from_secs(10)] {
            assert_eq!(time(&span.to_string()), Ok(span));
        }
        assert!(wait("0").is_err());
        for wrong in ["", "-1", "5 parsecs", "nan", "inf", "1e300"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_message_must_fit_and_have_one_line() {
        assert_eq!(message("Hello").unwrap().as_bytes(), b"Hello");
        assert!(message(&"x".repeat(1025)).unwrap_err().contains("1025 bytes"));
        assert!(message("a\nb").unwrap_err().contains("line break"));
    }
}

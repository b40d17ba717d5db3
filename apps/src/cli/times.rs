//! Durations in arguments.

use barewire_core::time::Duration;
use jiff::{SignedDuration, Span, SpanRelativeTo};

/// A duration such as `200ms`, `5s` or `1h`; a bare number counts seconds.
pub(crate) fn duration(argument: &str) -> Result<Duration, String> {
    let read = match argument.parse() {
        Ok(seconds) => SignedDuration::try_from_secs_f64(seconds),
        Err(_) => argument.parse::<Span>().and_then(|span| {
            // Days and weeks of this length alone; months have no length.
            span.to_duration(SpanRelativeTo::days_are_24_hours())
        }),
    };
    let duration = read.map_err(|_| "not a duration (write it as 200ms, 5s or 1h)")?;
    let duration = std::time::Duration::try_from(duration).map_err(|_| "must not be negative")?;
    Ok(duration.into())
}

/// A duration that is not zero: to wait no time at all would fail every conversation.
pub(crate) fn timeout(argument: &str) -> Result<Duration, String> {
    match duration(argument)? {
        Duration::ZERO => Err("must be longer than 0".into()),
        timeout => Ok(timeout),
    }
}

/// A duration as it is written in an argument.
pub(crate) fn written(duration: Duration) -> String {
    let duration = SignedDuration::try_from(std::time::Duration::from(duration));
    format!("{:#}", duration.unwrap_or(SignedDuration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (written, millis) in [
            ("200ms", 200),
            ("5s", 5_000),
            ("5 sec", 5_000),
            ("2.5", 2_500),
            (".5", 500),
            ("2.5s", 2_500),
            ("1m 30s", 90_000),
            ("5 minutes", 300_000),
            ("1h", 3_600_000),
            ("2d", 172_800_000),
            ("0", 0),
        ] {
            assert_eq!(duration(written), Ok(Duration::from_millis(millis)), "{written}");
        }
        for (millis, text) in [(200, "200ms"), (10_000, "10s"), (0, "0s")] {
            let default = Duration::from_millis(millis);
            assert_eq!(written(default), text);
            assert_eq!(duration(text), Ok(default));
            assert_eq!(duration(&default.to_string()), Ok(default), "as messages show it");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_reason() {
        for negative in ["-1", "-1s", "-200ms", "5s ago"] {
            assert_eq!(duration(negative), Err("must not be negative".into()), "{negative}");
        }
        for wrong in ["", "s", "5 parsecs", "2 months", "nan", "inf", "1e300"] {
            assert!(duration(wrong).is_err_and(|why| why.contains("200ms")), "{wrong}");
        }
        for zero in ["0", "0s", "0.0"] {
            assert_eq!(timeout(zero), Err("must be longer than 0".into()), "{zero}");
        }
    }
}

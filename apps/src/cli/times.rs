//! Times in arguments.

use barewire_core::time::Duration;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}

//! Numbers of bytes in arguments.

/// A number of bytes such as `500K`, `1.5M` or `2G`: K, M, G and T stand for powers of 1024, with or
/// without `iB` or `B` behind them.
pub(crate) fn size(argument: &str) -> Result<u64, String> {
    const UNITS: [(char, u32); 4] = [('K', 10), ('M', 20), ('G', 30), ('T', 40)];
    let wrong = || "not a number of bytes (write it as 500K, 1.5M or 2G)".to_owned();
    let number = argument.trim_end_matches(['B', 'b']).trim_end_matches('i').trim_end();
    let unit = number
        .chars()
        .last()
        .and_then(|last| UNITS.into_iter().find(|(unit, _)| *unit == last.to_ascii_uppercase()));
    let (digits, shift) = match unit {
        Some((_, shift)) => (number[..number.len() - 1].trim_end(), shift),
        None => (number, 0),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.is_empty() || digits.contains(|c: char| c != '.' && !c.is_ascii_digit()) {
        return Err(wrong());
    }
    if whole.is_empty() && part.is_empty() || part.contains('.') {
        return Err(wrong());
    }
    // Nine digits behind the point are more than anybody means.
    let part = &part[..part.len().min(9)];
    let scale = 10_u128.pow(u32::try_from(part.len()).unwrap_or(0));
    let number: u128 = format!("0{whole}{part}").parse().map_err(|_| "is too large")?;
    let bytes = number.checked_mul(1 << shift).ok_or("is too large")? / scale;
    u64::try_from(bytes).map_err(|_| "is too large".to_owned())
}

/// A number of bytes that is not zero.
pub(crate) fn rate(argument: &str) -> Result<u64, String> {
    match size(argument)? {
        0 => Err("must be more than 0".into()),
        rate => Ok(rate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (written, bytes) in [
            ("0", 0),
            ("512", 512),
            ("512B", 512),
            ("1k", 1 << 10),
            ("500K", 500 << 10),
            ("1.5M", 3 << 19),
            (".5G", 1 << 29),
            ("2 GiB", 2 << 30),
            ("1TB", 1 << 40),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(size(written), Ok(bytes), "{written}");
        }
        for wrong in ["", "K", "B", "x", "-1", "1e3", "1.2.3", ".", "1 KM", "ten"] {
            assert!(size(wrong).is_err_and(|why| why.contains("500K")), "{wrong}");
        }
        for large in ["18446744073709551616", "16777216T", &"9".repeat(60)] {
            assert_eq!(size(large), Err("is too large".into()), "{large}");
        }
        assert_eq!(rate("0"), Err("must be more than 0".into()));
    }
}

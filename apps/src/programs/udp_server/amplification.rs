//! What somebody gains who has replies sent to others, under their addresses.

use barewire_core::secure::{REPLY_OVERHEAD, REQUEST_OVERHEAD};

/// What a frame of Ethernet has besides what a datagram carries (IEEE 802.3, RFC 791, RFC 768).
const HEADERS: usize = 18 + 28;

/// How many bytes of a datagram the shortest frame has room for.
const SHORTEST: usize = 46 - 28;

/// A long reply is what somebody looks for who floods others in the name of those. Under a key that takes a
/// recorded request, and even an empty reply is longer than an empty request.
pub(super) fn warning(reply: usize, is_keyed: bool) -> Option<String> {
    if reply <= SHORTEST {
        return None;
    }
    let (asked, replied, what, within) = if is_keyed {
        let what = "a recorded request that is sent again";
        (REQUEST_OVERHEAD, reply + REPLY_OVERHEAD, what, "half as much again at most")
    } else {
        (SHORTEST, reply, "an empty datagram", "no more")
    };
    let times = (replied + HEADERS).div_ceil(asked + HEADERS);
    Some(format!(
        "--reply has {reply} bytes: {what} under a forged address has up to {times} times as much sent there \
         (with up to {SHORTEST} bytes it is {within})"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_amplifies_is_told_with_how_much() {
        for (reply, is_keyed, times) in [
            (0, false, None),
            (18, false, None),
            (19, false, Some(2)),
            (1000, false, Some(17)),
            (0, true, None),
            (18, true, None),
            (19, true, Some(2)),
            (64, true, Some(2)),
            (65, true, Some(3)),
            (1000, true, Some(13)),
        ] {
            let told = warning(reply, is_keyed);
            let times = times.map(|times| format!("has up to {times} times as much sent there"));
            assert_eq!(told.is_some(), times.is_some(), "{reply} {is_keyed}");
            assert!(told.unwrap_or_default().contains(&times.unwrap_or_default()), "{reply}");
        }
        // As is said of what is not told.
        let [request, reply] = [REQUEST_OVERHEAD, SHORTEST + REPLY_OVERHEAD].map(|it| it + HEADERS);
        assert!(2 * reply <= 3 * request);
    }
}

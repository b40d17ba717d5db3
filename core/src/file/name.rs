//! Which names may be asked for.

use super::request::Operation;

/// Whether `name` may be asked for at all: see [the rules for names](super#framed). What it names, if
/// anything, is for the server to find out.
pub fn is_acceptable(operation: Operation, name: &[u8]) -> bool {
    match operation {
        Operation::Get | Operation::Hashes if name.is_empty() => false,
        Operation::Get | Operation::List | Operation::Hashes => {
            !name.starts_with(b"/") && !name.contains(&0) && stays_inside(name)
        }
    }
}

/// Whether no `..` climbs above the root, step by step.
fn stays_inside(name: &[u8]) -> bool {
    let mut depth: usize = 0;
    for part in name.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return false,
            },
            _ => depth = depth.saturating_add(1),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_the_root() {
        for name in ["a", "a/b", "./a", "a/../b", "a/..", "a\\..\\b", "..a", "a//b", "日本", "\\"]
        {
            assert!(is_acceptable(Operation::Get, name.as_bytes()), "{name}");
        }
        for name in ["", "/", "/a", "..", "../a", "a/../..", "./..", "a\0b", "\0", "a/../../a/b"] {
            assert!(!is_acceptable(Operation::Get, name.as_bytes()), "{name:?}");
        }
        assert!(is_acceptable(Operation::List, b""));
        assert!(is_acceptable(Operation::List, b"."));
        assert!(!is_acceptable(Operation::List, b".."));
    }
}

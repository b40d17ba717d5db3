//! What a part and its journal are called.

/// What a part's name ends in.
const PART: &str = "part";
/// What its journal's name ends in besides.
const JOURNAL: &str = ".journal";
/// How long a name can be in bytes (`NAME_MAX`, `limits.h(0p)`).
const NAME_MAX: usize = 255;

/// The names of the part and the journal of what will be `name`: `NAME.part`, and for `number` 2,
/// `NAME.2.part`. A name too long for that is cut off, and the digest of the whole tells it from
/// others.
pub(super) fn names(name: &[u8], number: u32) -> (Vec<u8>, Vec<u8>) {
    let suffix = if number == 1 { format!(".{PART}") } else { format!(".{number}.{PART}") };
    let room = NAME_MAX - suffix.len() - JOURNAL.len();
    let mut part = if name.len() <= room { name.to_vec() } else { shortened(name, room) };
    part.extend_from_slice(suffix.as_bytes());
    let journal = [&part, JOURNAL.as_bytes()].concat();
    (part, journal)
}

/// Whether a part or a journal could be called that.
pub(super) fn is_like_a_part(name: &[u8]) -> bool {
    let name = name.strip_suffix(JOURNAL.as_bytes()).unwrap_or(name);
    name.ends_with(b".part")
}

fn shortened(name: &[u8], room: usize) -> Vec<u8> {
    let digest = blake3::hash(name).to_hex();
    let mark = format!("~{}", &digest[..16]);
    let mut end = room - mark.len();
    // Not within a character, if it is UTF-8.
    while end > 0 && name[end] & 0b1100_0000 == 0b1000_0000 {
        end -= 1;
    }
    [&name[..end], mark.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use std::str;

    use super::*;

    #[test]
    fn they_stand_beside_the_name() {
        let (part, journal) = names(b"a.txt", 1);
        assert_eq!((&part[..], &journal[..]), (&b"a.txt.part"[..], &b"a.txt.part.journal"[..]));
        assert_eq!(names(b"a.txt", 3).0, b"a.txt.3.part");
    }

    #[test]
    fn a_long_name_is_cut_and_always_the_same_way() {
        for length in 1..=NAME_MAX {
            let (part, journal) = names(&vec![b'a'; length], 1);
            assert!(journal.len() <= NAME_MAX && part.len() > 5, "{length}");
        }
        let name = "你".repeat(85);
        assert_eq!(name.len(), NAME_MAX);
        let (part, _) = names(name.as_bytes(), 1);
        assert!(str::from_utf8(&part).unwrap().starts_with("你你"));
        assert_eq!(names(name.as_bytes(), 1).0, part);
        let other = name.replace('你', "您");
        assert_ne!(names(other.as_bytes(), 1).0, part);
        let similar = format!("{}x", &name[..252]);
        assert_ne!(names(similar.as_bytes(), 1).0, part);
        assert!(names(&[0x80; NAME_MAX], 1).0.len() < NAME_MAX);
    }
}

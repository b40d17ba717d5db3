//! Notices of a server that tell who comes and goes.

/// What a notice tells of members.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Presence<'n> {
    Joined(&'n str),
    Left(&'n str),
    Renamed {
        old: &'n str,
        new: &'n str,
    },
    /// The answer to `/who`.
    Here(Vec<&'n str>),
}

impl<'n> Presence<'n> {
    /// Reads a notice, without what it begins with.
    pub(super) fn read(notice: &'n str) -> Option<Self> {
        if let Some(nicks) = notice.strip_prefix("here: ") {
            let nicks = nicks.split(" and ").next().unwrap_or_default();
            return Some(Self::Here(nicks.split(", ").collect()));
        }
        let words: Vec<&str> = notice.splitn(5, ' ').collect();
        Some(match words[..] {
            [nick, "joined"] => Self::Joined(nick),
            [nick, "left", ..] => Self::Left(nick),
            [old, "is", "now", new] => Self::Renamed { old, new },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_and_goes_is_read_and_nothing_else() {
        for (notice, expected) in [
            ("anna joined", Some(Presence::Joined("anna"))),
            ("anna left", Some(Presence::Left("anna"))),
            ("anna left (fell behind)", Some(Presence::Left("anna"))),
            ("anna is now bob", Some(Presence::Renamed { old: "anna", new: "bob" })),
            ("here: anna, bob", Some(Presence::Here(vec!["anna", "bob"]))),
            ("here: anna, bob and 7 more", Some(Presence::Here(vec!["anna", "bob"]))),
            ("14 joined, 9 left", None),
            ("nobody here is called anna; /who tells who is here", None),
        ] {
            assert_eq!(Presence::read(notice), expected, "{notice}");
        }
    }
}

//! Names and texts that a peer chose, as people and scripts are shown them.

use std::fmt::{self, Write as _};

use barewire_core::printable::{Printable, printable};
use data_encoding::BASE64;
use serde::Serializer;
use serde::ser::SerializeMap as _;

/// How many characters of a name a person is shown at most: names of ordinary files are shorter, and
/// those of a hostile peer have no end.
const LONGEST: usize = 256;

/// A name for people: printable, and cut where it gets long.
pub(crate) fn shown(name: &[u8]) -> Shown<'_> {
    Shown(printable(name))
}

/// Displays a name as [`shown`] says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a>(Printable<'a>);

impl<'a> From<Printable<'a>> for Shown<'a> {
    fn from(text: Printable<'a>) -> Self {
        Self(text)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cut = Cut { f, room: LONGEST };
        match write!(cut, "{}", self.0) {
            Err(fmt::Error) if cut.room == 0 => f.write_char('…'),
            written => written,
        }
    }
}

/// Passes on so many characters, and fails at the next.
struct Cut<'f, 'g> {
    f: &'f mut fmt::Formatter<'g>,
    room: usize,
}

impl fmt::Write for Cut<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let Some((end, _)) = text.char_indices().nth(self.room) else {
            self.room -= text.chars().count();
            return self.f.write_str(text);
        };
        self.room = 0;
        self.f.write_str(&text[..end])?;
        Err(fmt::Error)
    }
}

/// A field `name`, and with it `name_base64` where that is not the name byte for byte: so that a
/// script has the name itself. To be flattened, as the others are.
pub(crate) fn serialize_name<S: Serializer>(
    name: &Printable<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serialize(Some(*name), ["name", "name_base64"], serializer)
}

/// As [`serialize_name`].
pub(crate) fn serialize_path<S: Serializer>(
    path: &Printable<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serialize(Some(*path), ["path", "path_base64"], serializer)
}

/// As [`serialize_name`], of a folder if there is one.
#[expect(clippy::ref_option, reason = "as serde passes it")]
pub(crate) fn serialize_folder<S: Serializer>(
    folder: &Option<Printable<'_>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serialize(*folder, ["folder", "folder_base64"], serializer)
}

/// As [`serialize_name`].
pub(crate) fn serialize_text<S: Serializer>(
    text: &Printable<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serialize(Some(*text), ["text", "text_base64"], serializer)
}

fn serialize<S: Serializer>(
    value: Option<Printable<'_>>,
    [key, key_of_bytes]: [&'static str; 2],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut fields = serializer.serialize_map(None)?;
    if let Some(value) = value {
        let text = value.to_string();
        fields.serialize_entry(key, &text)?;
        if text.as_bytes() != value.as_bytes() {
            fields.serialize_entry(key_of_bytes, &BASE64.encode(value.as_bytes()))?;
        }
    }
    fields.end()
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[test]
    fn a_long_name_is_cut() {
        let longest = "ä".repeat(LONGEST);
        assert_eq!(shown(longest.as_bytes()).to_string(), longest);
        assert_eq!(shown(format!("{longest}b").as_bytes()).to_string(), format!("{longest}…"));
        // What one byte becomes is counted as it is shown.
        let cut = shown(&vec![0x1b; 1 << 20]).to_string();
        assert_eq!(cut.chars().count(), LONGEST + 1);
        assert!(cut.starts_with(r"\x1b\x1b") && cut.ends_with('…'), "{cut}");
    }

    #[derive(Serialize)]
    struct Event<'a> {
        #[serde(flatten, serialize_with = "serialize_name")]
        name: Printable<'a>,
        #[serde(flatten, serialize_with = "serialize_folder")]
        folder: Option<Printable<'a>>,
    }

    #[track_caller]
    fn is_written(name: &[u8], folder: Option<&[u8]>, expected: &str) {
        let event = Event { name: printable(name), folder: folder.map(printable) };
        assert_eq!(serde_json::to_string(&event).unwrap(), expected);
    }

    #[test]
    fn what_is_shown_otherwise_comes_with_its_bytes() {
        is_written(b"caf\xc3\xa9 \\x1b", None, r#"{"name":"café \\x1b"}"#);
        is_written(b"\x1b", None, r#"{"name":"\\x1b","name_base64":"Gw=="}"#);
        is_written(b"a\tb", Some(b"d"), r#"{"name":"a b","name_base64":"YQli","folder":"d"}"#);
        is_written(
            b"x",
            Some(b"\xff"),
            "{\"name\":\"x\",\"folder\":\"\u{fffd}\",\"folder_base64\":\"/w==\"}",
        );
    }
}

//! The forms of the lines that a server sends: whoever it is that causes one, it says so.

use std::sync::LazyLock;

/// The docs of the chat, which have the list of the server's own lines: a link, so that the package has them.
const DOCS: &str = include_str!("docs.txt");

static FORMS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let (_, list) = DOCS.split_once("## The server's own lines").expect("the list");
    let rows = list.lines().skip(1).take_while(|row| !row.starts_with("//! #"));
    rows.filter_map(|row| Some(row.strip_prefix("//! | `")?.split_once('`')?.0)).collect()
});

/// The forms of the server's own lines, as they are documented. What stands in braces is for [`fits`].
pub fn documented() -> &'static [&'static str] {
    &FORMS
}

/// Whether a line has a form, in which nicks are what `is_nick` says.
pub fn fits(form: &str, line: &str, is_nick: &dyn Fn(&str) -> bool) -> bool {
    let Some((start, rest)) = form.split_once('{') else { return form == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    let (blank, rest) = rest.split_once('}').expect("the end of a name");
    let fills = |filling: &str| match blank {
        "nick" | "old" => is_nick(filling),
        "nicks" => filling.split(", ").all(is_nick),
        "name" => !filling.is_empty(),
        "count" | "rate" | "burst" | "bytes" => filling.parse::<u32>().is_ok(),
        other => panic!("{{{other}}} is not documented"),
    };
    // Most places fail at this, which costs less than a look at nicks.
    let literal = rest.split('{').next().unwrap_or_default();
    let is_end = |end: usize| match rest {
        "" => end == line.len(),
        _ => line[end..].starts_with(literal),
    };
    let ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    ends.filter(|end| is_end(*end))
        .any(|end| fills(&line[..end]) && fits(rest, &line[end..], is_nick))
}

/// Judges a line that a member has received, in a room whose members had the nicks of which `is_nick`
/// tells: either it starts with one of them, or it is one of the server's own.
pub fn judge(line: &str, is_nick: &dyn Fn(&str) -> bool) {
    let has_form = if line.starts_with("* ") {
        documented().iter().any(|form| fits(form, line, is_nick))
    } else {
        let said = line.strip_prefix("(private) ").unwrap_or(line);
        said.split_once(": ").is_some_and(|(nick, _)| is_nick(nick))
    };
    assert!(has_form, "nobody can have caused this: {line:?}");
}

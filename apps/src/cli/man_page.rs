//! The manual page of a program, in the order of `man-pages(7)`.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// The page. What the help has below the options is a list of examples, and then paragraphs.
pub(super) fn render(command: Command) -> io::Result<Vec<u8>> {
    let below = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let name = command.get_name().to_owned();
    let man = Man::new(command);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let (examples, paragraphs) = below.split_once("\n\n").unwrap_or((&below, ""));
    let mut rest = Roff::new();
    rest.control("SH", ["EXAMPLES"]);
    for (command, what) in examples_of(examples) {
        rest.control("TP", []).text([bold(command)]).text([roman(what)]);
    }
    rest.control("SH", ["NOTES"]);
    for paragraph in paragraphs.split("\n\n") {
        rest.control("PP", []).text([roman(paragraph)]);
    }
    let other = match name.split_once('-') {
        Some((conversation, "server")) => format!("{conversation}-client"),
        Some((conversation, _)) => format!("{conversation}-server"),
        None => name,
    };
    rest.control("SH", ["SEE ALSO"]).text([bold(other), roman("(1)")]);
    rest.to_writer(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// Each example and what it does. These begin in the same column, behind two spaces or more in most lines.
fn examples_of(list: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = list.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    let column = |line: &&str| {
        let spaces = line.find("  ")?;
        Some(line.len() - line[spaces..].trim_start().len())
    };
    let column = lines.iter().filter_map(column).max().unwrap_or_default();
    let parts = lines.iter().map(|line| line.split_at_checked(column).unwrap_or((line, "")));
    parts.map(|(command, what)| (command.trim_end().to_owned(), what.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_told_from_what_it_does() {
        let list = "Examples:\n  a b     first\n  a - | c second\n  a";
        let pairs = [("a b", "first"), ("a - | c", "second"), ("a", "")];
        assert_eq!(examples_of(list), pairs.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}

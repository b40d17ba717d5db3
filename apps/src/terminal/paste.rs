//! A pasted text of several lines, which is looked at once before it is sent.

/// A pasted text takes no more than this, in bytes; what comes after is left out, and told.
const LONGEST: usize = 1 << 20;

/// A text that is being pasted.
#[derive(Debug, Default)]
pub(super) struct Paste {
    text: String,
    is_cut: bool,
}

/// What was pasted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pasted {
    /// A part of a line.
    Part(String),
    Lines(PastedLines),
}

/// Lines that wait to be sent or dropped.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PastedLines {
    pub(super) lines: Vec<String>,
    is_cut: bool,
}

impl Paste {
    pub(super) fn push(&mut self, c: char) {
        if self.text.len() < LONGEST {
            self.text.push(c);
        } else {
            self.is_cut = true;
        }
    }

    /// The text is complete. Empty lines are none, and one line waits for its end to be pressed.
    pub(super) fn finish(self) -> Pasted {
        let lines = self.text.split('\n').filter(|line| !line.trim().is_empty());
        let mut lines: Vec<String> = lines.map(str::to_owned).collect();
        if lines.len() < 2 {
            return Pasted::Part(lines.pop().unwrap_or_default());
        }
        Pasted::Lines(PastedLines { lines, is_cut: self.is_cut })
    }
}

impl PastedLines {
    /// One more, pasted before the question was answered.
    pub(super) fn add(&mut self, line: String) {
        if !line.is_empty() {
            self.lines.push(line);
        }
    }

    /// What to ask, first in the best wording, then for narrower windows.
    pub(super) fn question(&self) -> [String; 4] {
        let count = self.lines.len();
        let is_command = |line: &&String| line.starts_with('/') && !line.starts_with("//");
        let commands = match self.lines.iter().filter(is_command).count() {
            0 => String::new(),
            1 => ", 1 of them a command".to_owned(),
            commands => format!(", {commands} of them commands"),
        };
        let cut = if self.is_cut { " (its first MiB)" } else { "" };
        let keys = "Enter sends, Esc drops";
        [
            format!("paste of {count} lines{cut}{commands}: {keys}"),
            format!("{count} lines{cut}{commands}: {keys}"),
            format!("{count} lines{cut}: {keys}"),
            format!("{count} lines{cut}: Enter/Esc"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pasted(text: &str) -> Pasted {
        let mut paste = Paste::default();
        text.chars().for_each(|c| paste.push(c));
        paste.finish()
    }

    #[test]
    fn several_lines_are_asked_for_and_one_is_none() {
        assert_eq!(pasted("one"), Pasted::Part("one".into()));
        assert_eq!(pasted("\none\n \n"), Pasted::Part("one".into()));
        assert_eq!(pasted(""), Pasted::Part(String::new()));
        let Pasted::Lines(paste) = pasted("one\n\n two\n") else { panic!("two lines") };
        assert_eq!(paste.lines, ["one", " two"]);
        assert_eq!(paste.question()[0], "paste of 2 lines: Enter sends, Esc drops");
        assert_eq!(paste.question()[3], "2 lines: Enter/Esc");
    }

    #[test]
    fn it_is_told_how_many_lines_are_more_than_said() {
        let Pasted::Lines(paste) = pasted("/who\n//x\nz") else { panic!("three lines") };
        assert_eq!(paste.question()[1], "3 lines, 1 of them a command: Enter sends, Esc drops");
    }

    #[test]
    fn an_endless_paste_is_cut_and_that_is_told() {
        let mut paste = Paste::default();
        for c in "x\n".chars().cycle().take(2 * LONGEST) {
            paste.push(c);
        }
        let Pasted::Lines(paste) = paste.finish() else { panic!("many lines") };
        assert_eq!(paste.lines.len(), LONGEST / 2);
        assert!(paste.question().iter().all(|question| question.contains("its first MiB")));
    }
}

//! What keys do to the line.

use super::*;

fn typed(line: &mut LineEditor, text: &str) {
    text.chars().for_each(|c| drop(line.press(Key::Char(c))));
}

/// Presses keys after a text; what is left and right of the cursor then, with a bar between.
fn after(text: &str, keys: &[Key]) -> String {
    let mut line = LineEditor::default();
    typed(&mut line, text);
    for &key in keys {
        line.press(key);
    }
    let (left, right) = line.parts();
    format!("{left}|{right}")
}

#[test]
fn keys_edit_by_characters_as_a_person_sees_them() {
    assert_eq!(after("abc", &[Key::Left, Key::Backspace]), "a|c");
    assert_eq!(after("abc", &[Key::Home, Key::Delete]), "|bc");
    assert_eq!(after("ae\u{301}", &[Key::Backspace]), "a|");
    assert_eq!(after("a👩\u{200d}🚀b", &[Key::Left, Key::Left]), "a|👩\u{200d}🚀b");
    assert_eq!(after("", &[Key::Backspace, Key::Delete, Key::Left, Key::Right]), "|");
    assert_eq!(after("日本", &[Key::Left, Key::Char('x'), Key::End]), "日x本|");
    assert_eq!(after("ab", &[Key::Left, Key::EndOfInput]), "a|");
}

#[test]
fn words_are_jumped_over_cut_off_and_put_back() {
    assert_eq!(after("one two", &[Key::WordLeft]), "one |two");
    assert_eq!(after("one two", &[Key::Home, Key::WordRight]), "one| two");
    assert_eq!(after("one two", &[Key::KillWordBefore, Key::Home, Key::Yank]), "two|one ");
    assert_eq!(after("one two", &[Key::WordLeft, Key::KillToEnd]), "one |");
    assert_eq!(after("one two", &[Key::WordLeft, Key::KillToStart]), "|two");
    assert_eq!(after("one two", &[Key::Home, Key::KillWordAfter]), "| two");
    assert_eq!(after("abc", &[Key::Transpose]), "acb|");
    assert_eq!(after("abc", &[Key::Home, Key::Right, Key::Transpose]), "ba|c");
    assert_eq!(after("a", &[Key::Transpose]), "a|");
}

#[test]
fn what_cannot_be_seen_is_not_taken() {
    assert_eq!(after("a\u{202e}\u{1b}\u{feff}b", &[]), "ab|");
}

#[test]
fn a_mark_before_a_character_it_joins_keeps_the_cursor_between_two() {
    // The second half of a flag, typed before its first.
    let left = after("🇪", &[Key::Home, Key::Char('🇩')]);
    assert_eq!(left, "🇩🇪|");
}

#[test]
fn the_history_is_walked_and_the_new_line_kept() {
    let mut line = LineEditor::default();
    for text in ["one", "two", "two"] {
        typed(&mut line, text);
        assert_eq!(line.press(Key::Enter), EditOutcome::Entered(text.into()));
    }
    typed(&mut line, "new");
    let mut press = |key| {
        line.press(key);
        line.parts().0.to_owned()
    };
    assert_eq!([press(Key::Up), press(Key::Up), press(Key::Up)], ["two", "one", "one"]);
    assert_eq!([press(Key::Down), press(Key::Down), press(Key::Down)], ["two", "new", "new"]);
}

#[test]
fn the_end_of_input_is_one_only_on_an_empty_line() {
    let mut line = LineEditor::default();
    assert_eq!(line.press(Key::EndOfInput), EditOutcome::EndOfInput);
    typed(&mut line, "a");
    assert_eq!(line.press(Key::EndOfInput), EditOutcome::Changed);
}

#[test]
fn an_endless_line_ends() {
    let text = "x".repeat(LONGEST);
    let mut line = LineEditor { text, cursor: LONGEST, ..LineEditor::default() };
    assert_eq!(line.press(Key::Char('y')), EditOutcome::Nothing);
}

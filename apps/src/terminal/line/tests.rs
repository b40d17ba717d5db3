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

fn press(line: &mut LineEditor, keys: &[Key]) -> String {
    for &key in keys {
        line.press(key);
    }
    let (left, right) = line.parts();
    format!("{}{left}|{right}", line.prompt().unwrap_or_default())
}

fn with_history(lines: &[&str]) -> LineEditor {
    let mut line = LineEditor::default();
    for text in lines {
        typed(&mut line, text);
        line.press(Key::Enter);
    }
    line
}

#[test]
fn a_search_shows_what_it_finds_and_is_left_with_it_or_without() {
    let mut line = with_history(&["one fish", "two fish", "three"]);
    typed(&mut line, "half");
    let search = [Key::Search, Key::Char('f'), Key::Char('i')];
    assert_eq!(press(&mut line, &search), "search 'fi': two |fish");
    assert_eq!(press(&mut line, &[Key::Search]), "search 'fi': one |fish");
    assert_eq!(press(&mut line, &[Key::Search]), "search 'fi': one |fish", "there is no other");
    assert_eq!(press(&mut line, &[Key::Char('x')]), "not found 'fix': |");
    assert_eq!(press(&mut line, &[Key::Backspace]), "search 'fi': two |fish");
    assert!(line.can_cancel());
    assert_eq!(press(&mut line, &[Key::Cancel]), "half|");
    assert_eq!(press(&mut line, &search), "search 'fi': two |fish");
    assert_eq!(press(&mut line, &[Key::Left]), "two| fish");
    assert_eq!(press(&mut line, &search), "search 'fi': two |fish");
    assert_eq!(line.press(Key::Enter), EditOutcome::Entered("two fish".into()));
    assert_eq!(
        press(&mut line, &[Key::Search, Key::Char('z'), Key::Enter]),
        "|",
        "nothing is sent"
    );
}

#[test]
fn a_word_is_completed_by_one_candidate_after_another_until_another_key_comes() {
    let mut line = LineEditor::default();
    typed(&mut line, "ask an");
    assert_eq!(line.press(Key::Tab), EditOutcome::Completing);
    let words = ["anna ", "Antonia "].map(str::to_owned).to_vec();
    line.complete(Candidates { start: 4, words });
    assert_eq!(press(&mut line, &[]), "ask anna |");
    assert_eq!(press(&mut line, &[Key::Tab]), "ask Antonia |");
    assert_eq!(press(&mut line, &[Key::Tab]), "ask anna |");
    assert_eq!(press(&mut line, &[Key::BackTab]), "ask Antonia |");
    line.press(Key::Left);
    assert_eq!(line.press(Key::Tab), EditOutcome::Completing, "another word");
    line.complete(Candidates::default());
    assert_eq!(press(&mut line, &[]), "ask Antonia| ", "there is none");
}

#[test]
fn what_is_pasted_goes_into_the_line_or_is_asked_about() {
    let pasted = |line: &mut LineEditor, text: &str| {
        line.press(Key::PasteStart);
        for c in text.chars() {
            line.press(if c == '\n' { Key::Enter } else { Key::Char(c) });
        }
        line.press(Key::PasteEnd)
    };
    let mut line = LineEditor::default();
    typed(&mut line, "a");
    assert_eq!(pasted(&mut line, " b\u{202e}\n"), EditOutcome::Changed);
    assert_eq!(press(&mut line, &[]), "a b|");
    pasted(&mut line, "/one\ntwo\n");
    assert!(line.question().is_some() && line.can_cancel());
    assert_eq!(line.press(Key::Char('x')), EditOutcome::Nothing);
    assert_eq!(line.press(Key::Cancel), EditOutcome::Changed);
    assert!(line.question().is_none());
    pasted(&mut line, "one\ntwo");
    pasted(&mut line, "three");
    let lines = ["one", "two", "three"].map(str::to_owned).to_vec();
    assert_eq!(line.press(Key::Enter), EditOutcome::Pasted(lines));
    assert_eq!(press(&mut line, &[]), "a b|", "the line stays as it is");
    assert_eq!(press(&mut line, &[Key::Up]), "three|");
}

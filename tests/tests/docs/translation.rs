//! README.zh-CN.md has the substance of README.md: as far as a test can tell, who knows no Chinese.

use crate::markdown::{Block, Document};

/// What a translation leaves as it is.
#[derive(Debug, PartialEq, Eq)]
struct Substance {
    heading_levels: Vec<usize>,
    blocks: Vec<(String, Vec<String>)>,
    links: Vec<String>,
    /// Of each line of prose that begins an item or a row, what begins it.
    items_and_rows: Vec<char>,
    /// In any order, since that is the language's.
    code: Vec<String>,
    numbers: Vec<String>,
}

/// What `other` is the translation's name for: each leads to the other.
fn substance(document: &Document, other: &str) -> Substance {
    let shown = |block: Block| (block.language, block.lines);
    let mut code = document.code_spans();
    code.sort();
    let prose = document.prose();
    let begins = |line: &String| line.chars().next().filter(|first| "-|!".contains(*first));
    let text = prose.join("\n").replace('`', " ");
    let is_part = |c: char| c.is_ascii_digit() || ".,".contains(c);
    let numbers = text.split(|c: char| !is_part(c)).map(|it| it.trim_matches([',', '.']));
    let mut numbers: Vec<String> = numbers.filter(|it| !it.is_empty()).map(str::to_owned).collect();
    numbers.sort();
    Substance {
        heading_levels: document.headings().iter().map(|heading| heading.level).collect(),
        blocks: document.blocks().into_iter().map(shown).collect(),
        links: document.links().into_iter().filter(|link| link != other).collect(),
        items_and_rows: prose.iter().filter_map(begins).collect(),
        code,
        numbers,
    }
}

#[test]
fn the_chinese_readme_says_what_the_readme_says() {
    let (original, translation) = (Document::read("README.md"), Document::read("README.zh-CN.md"));
    let expected = substance(&original, "README.zh-CN.md");
    let found = substance(&translation, "README.md");
    assert_eq!(found.heading_levels, expected.heading_levels, "headings");
    assert_eq!(found.blocks, expected.blocks, "blocks");
    assert_eq!(found.links, expected.links, "links");
    assert_eq!(found.code, expected.code, "code in the text");
    assert_eq!(found.numbers, expected.numbers, "numbers");
    assert_eq!(found, expected);
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let headings = translation.headings();
    let translated = headings.iter().filter(|it| it.text.chars().any(is_chinese)).count();
    assert!(translated + 1 >= headings.len(), "not translated: {headings:?}");
}

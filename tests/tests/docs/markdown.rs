//! Just enough of Markdown, with the anchors that GitHub makes, for what the documents here hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The top of the repository.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is a member").to_owned()
}

/// A document, by its path from the top of the repository.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// What stands between two fences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// What follows the opening fence.
    pub(crate) language: String,
    /// In which line of the document the first of these lines stands.
    pub(crate) first_line: usize,
    pub(crate) lines: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) level: usize,
    pub(crate) text: String,
}

impl Document {
    pub(crate) fn read(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let text = fs::read_to_string(top().join(&path));
        let text = text.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self { path, text }
    }

    /// All that are in the repository.
    pub(crate) fn all() -> Vec<Self> {
        let mut found = Vec::new();
        collect(&top(), &mut found);
        found.sort();
        assert!(found.len() > 10, "{found:?}");
        found.iter().map(|path| Self::read(path.strip_prefix(top()).expect("below"))).collect()
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        self.parts().0
    }

    /// All but its blocks.
    pub(crate) fn prose(&self) -> Vec<String> {
        self.parts().1
    }

    pub(crate) fn headings(&self) -> Vec<Heading> {
        let prose = self.prose();
        let heading = |line: &str| {
            let level = line.bytes().take_while(|byte| *byte == b'#').count();
            let text = line[level..].strip_prefix(' ')?.trim();
            (level > 0).then(|| Heading { level, text: text.to_owned() })
        };
        prose.iter().filter_map(|line| heading(line)).collect()
    }

    /// What its headings are reached by, as GitHub makes them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let mut seen = BTreeMap::new();
        let number = |anchor: String| {
            let count = seen.entry(anchor.clone()).or_insert(0);
            *count += 1;
            if *count > 1 { format!("{anchor}-{}", *count - 1) } else { anchor }
        };
        self.headings().iter().map(|heading| anchor(&heading.text)).map(number).collect()
    }

    /// Where its links and pictures lead, in order; but for those that rustdoc resolves and checks.
    pub(crate) fn links(&self) -> Vec<String> {
        let prose = self.prose().join("\n");
        let prose: String = prose.split('`').step_by(2).collect::<Vec<_>>().join("`");
        let inline = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let definition =
            |line: &str| line.strip_prefix('[')?.split_once("]: ").map(|it| it.1.to_owned());
        let defined = prose.lines().filter_map(definition);
        let all = inline.map(str::to_owned).chain(defined);
        all.filter(|link| !link.contains("::")).collect()
    }

    /// What is code in its prose.
    pub(crate) fn code_spans(&self) -> Vec<String> {
        let prose = self.prose().join(" ");
        prose.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    /// Its blocks, and all other lines.
    fn parts(&self) -> (Vec<Block>, Vec<String>) {
        let (mut blocks, mut prose, mut open) = (Vec::new(), Vec::new(), None::<Block>);
        for (line, number) in self.text.lines().zip(1..) {
            match (open.as_mut(), line.strip_prefix("```")) {
                (None, Some(language)) => {
                    let language = language.to_owned();
                    open = Some(Block { language, first_line: number + 1, lines: Vec::new() });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => block.lines.push(line.to_owned()),
                (None, None) => prose.push(line.to_owned()),
            }
        }
        assert_eq!(open, None, "{}: a block that does not end", self.path.display());
        for paragraph in prose.split(|line| line.trim().is_empty()) {
            let ticks = paragraph.iter().map(|line| line.matches('`').count()).sum::<usize>();
            let path = self.path.display();
            assert!(ticks % 2 == 0, "{path}: a backtick without another one in {paragraph:#?}");
        }
        (blocks, prose)
    }
}

fn anchor(heading: &str) -> String {
    let plain = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || "-_".contains(c) => Some(c.to_ascii_lowercase()),
        _ => None,
    };
    heading.chars().filter_map(plain).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    // What a build or a fuzzer leaves, and a checkout of something else, is none of the project's.
    const FOREIGN: [&str; 4] = ["target", "artifacts", "corpus", "node_modules"];
    for entry in fs::read_dir(folder).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            let is_other = name.starts_with('.') || FOREIGN.contains(&name);
            if !is_other && !path.is_symlink() {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
}

#[test]
fn the_parts_of_a_document_are_told_apart() {
    let text = "# A `b` c: d\n\n[x](y.md#z), `[no](link)`\n\n```sh\n# no heading\n[x](no)\n```\n## A\n## A\n[q]: u\n";
    let document = Document { path: "test.md".into(), text: text.to_owned() };
    assert_eq!(document.anchors(), ["a-b-c-d", "a", "a-1"]);
    assert_eq!(document.links(), ["y.md#z", "u"]);
    assert_eq!(document.code_spans(), ["b", "[no](link)"]);
    let lines = ["# no heading", "[x](no)"].map(str::to_owned).to_vec();
    assert_eq!(document.blocks(), [Block { language: "sh".into(), first_line: 6, lines }]);
}

#[test]
#[should_panic(expected = "a backtick without another one")]
fn a_backtick_without_another_one_is_found_out() {
    let text = "A ` here, [x](y.md),\n\nand ` here.\n".to_owned();
    let _ = Document { path: "test.md".into(), text }.links();
}

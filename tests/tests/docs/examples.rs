//! An example can be copied: it needs no package but those that it names as its own.

use std::fs;
use std::path::Path;

use crate::markdown::{Block, Document, top};

/// Where the docs of what others build on stand.
const PACKAGES: [&str; 5] = [
    "core",
    "core/adapters/embassy-net",
    "core/adapters/smoltcp",
    "core/conformance",
    "platform-linux",
];

/// What others have by `barewire_core`, and need not depend on: as it is used, and as it is imported.
const REEXPORTED: [(&str, &str); 3] = [
    ("nb::", "use barewire_core::nb;"),
    ("embedded_io::", "use barewire_core::embedded_io::"),
    ("rand_core::", "use barewire_core::secure::rand_core"),
];

/// The docs in a source file, as a document.
fn docs_of(path: &Path) -> Document {
    let mut document = Document::read(path.strip_prefix(top()).expect("below"));
    let line = |line: &str| {
        let line = line.trim_start();
        let docs =
            line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).unwrap_or_default();
        docs.strip_prefix(' ').unwrap_or(docs).to_owned() + "\n"
    };
    document.text = document.text.lines().map(line).collect();
    document
}

fn collect(folder: &Path, found: &mut Vec<Document>) {
    for entry in fs::read_dir(folder).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(docs_of(&path));
        }
    }
}

/// Whether `code` uses what begins a path.
fn uses(code: &str, name: &str) -> bool {
    let is_part = |before: char| before.is_alphanumeric() || "_:".contains(before);
    code.match_indices(name).any(|(at, _)| !code[..at].ends_with(is_part))
}

/// The examples of a document, each with where it stands.
fn examples(document: &Document) -> Vec<(String, String)> {
    let blocks = document.blocks().into_iter();
    let is_rust = |it: &Block| ["", "rust", "no_run"].contains(&it.language.as_str());
    let code = blocks.filter(is_rust);
    let place = |line| format!("{}:{line}", document.path.display());
    code.map(|it| (place(it.first_line), it.lines.join("\n"))).collect()
}

#[test]
fn what_the_core_gives_is_taken_from_the_core() {
    let mut documents = Vec::new();
    for package in PACKAGES {
        collect(&top().join(package).join("src"), &mut documents);
        documents.push(Document::read(Path::new(package).join("README.md")));
    }
    documents.extend(
        ["embedded", "fuzzing", "programs"].map(|it| Document::read(format!("core/docs/{it}.md"))),
    );
    let all: Vec<_> = documents.iter().flat_map(examples).collect();
    assert!(all.len() > 40, "{}", all.len());
    for (place, code) in all {
        for (used, import) in REEXPORTED {
            let is_fault = uses(&code, used) && !code.contains(import);
            assert!(
                !is_fault,
                "{place}: with `barewire-core` alone there is no `{used}`: {import}"
            );
        }
    }
}

#[test]
fn a_document_shows_all_of_its_examples() {
    let rust = Document::all().into_iter().flat_map(|it| examples(&it));
    for (place, code) in rust.filter(|(_, code)| code.contains("barewire_")) {
        // rustdoc leaves such a line out, and all else shows it as it is.
        let hidden = code.lines().find(|line| line.starts_with("# "));
        assert_eq!(hidden, None, "{place}");
    }
}

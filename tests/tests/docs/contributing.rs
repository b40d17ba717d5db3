//! What a document has people write is what the tests run.

use std::fs;

use crate::markdown::{Document, top};

#[test]
fn what_it_builds_is_what_is_run() {
    let document = Document::read("CONTRIBUTING.md");
    let mut count = 0;
    for entry in fs::read_dir(top().join("tests/tests/fifth")).expect("the fifth conversation") {
        let name =
            entry.expect("it can be listed").file_name().into_string().expect("a plain name");
        let file = Document::read(format!("tests/tests/fifth/{name}"));
        let shown = format!("`{}`:\n\n```rust\n{}```\n", file.path.display(), file.text);
        assert!(document.text.contains(&shown), "{name} does not stand there as it is");
        count += 1;
    }
    let shown = document.blocks().iter().filter(|it| it.language == "rust").count();
    assert_eq!(shown, count, "there is code that no test runs");
}

#[test]
fn what_it_leads_to_is_there() {
    let document = Document::read("CONTRIBUTING.md");
    let is_path = |it: &String| it.contains('/') && !it.contains(char::is_whitespace);
    let paths: Vec<String> = document.code_spans().into_iter().filter(is_path).collect();
    let lost: Vec<_> = paths.iter().filter(|it| !top().join(it).exists()).collect();
    assert!(lost.is_empty() && paths.len() > 10, "{lost:?} of {paths:?}");
}

#[test]
fn who_depends_on_the_core_by_the_documents_gets_this_version() {
    let version = env!("CARGO_PKG_VERSION").rsplit_once('.').expect("it has three parts").0;
    let document = Document::read("core/docs/embedded.md");
    let dependency = format!("barewire-core = {{ version = \"{version}\"");
    assert!(document.text.contains(&dependency), "no {dependency}");
}

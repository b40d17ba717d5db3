//! The fifth conversation that CONTRIBUTING.md builds is the one that the tests run, all of it.

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

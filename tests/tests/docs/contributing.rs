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
    for path in [
        "core/docs/embedded.md",
        "core/adapters/smoltcp/README.md",
        "core/adapters/embassy-net/README.md",
    ] {
        let document = Document::read(path);
        let dependency = format!("barewire-core = {{ version = \"{version}\"");
        assert!(document.text.contains(&dependency), "{path}: no {dependency}");
    }
}

#[test]
fn who_adds_an_adapter_by_its_readme_gets_the_stack_that_it_is_for() {
    let manifest = Document::read("Cargo.toml").text;
    for stack in ["smoltcp", "embassy-net"] {
        let readme = Document::read(format!("core/adapters/{stack}/README.md")).text;
        let needed = format!("{stack} = {{ version = ");
        let of = |text: &str| {
            text.lines()
                .find_map(|it| it.strip_prefix(&needed)?.split('"').nth(1).map(str::to_owned))
        };
        assert!(of(&manifest).is_some());
        assert_eq!(of(&readme), of(&manifest), "{stack}");
    }
}

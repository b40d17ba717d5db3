//! Every link leads somewhere.

use std::path::{Component, Path, PathBuf};

use crate::markdown::{Document, top};

/// What is elsewhere in the world, which no test looks up: tests have no network. A link here begins with
/// one of these, or is of docs.rs and leads to a package that is ours or that we depend on.
const ELSEWHERE: [&str; 7] = [
    "https://google.github.io/oss-fuzz/",
    "https://keepachangelog.com/en/1.1.0/",
    "https://semver.org/spec/v2.0.0.html",
    "https://rustup.rs",
    "https://noiseprotocol.org/noise.html",
    "https://github.com/BLAKE3-team/BLAKE3-specs/",
    "https://docs.github.com/",
];

const DOCS: &str = "https://docs.rs/";

/// `path` without `.` and `..`.
fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                assert!(normal.pop(), "{} leaves the repository", path.display());
            }
            other => normal.push(other),
        }
    }
    normal
}

fn why_broken(document: &Document, link: &str) -> Option<String> {
    if let Some(package) = link.strip_prefix(DOCS) {
        let name = package.trim_start_matches("crate/").split('/').next().unwrap_or_default();
        let lock = Document::read("Cargo.lock").text;
        let is_known = name == "flip-link" || lock.contains(&format!("name = \"{name}\"\n"));
        return (!is_known).then(|| format!("nothing here uses {name}"));
    }
    if link.contains("://") {
        let is_known = ELSEWHERE.iter().any(|known| link.starts_with(known));
        return (!is_known).then(|| "it is not in the list of what is elsewhere".to_owned());
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, it)| (path, Some(it)));
    let target = if path.is_empty() {
        document.path.clone()
    } else {
        normalized(&document.path.parent().expect("a folder").join(path))
    };
    if !top().join(&target).exists() {
        return Some(format!("there is no {}", target.display()));
    }
    let anchor = anchor?;
    let anchors = Document::read(&target).anchors();
    (!anchors.iter().any(|it| it == anchor)).then(|| format!("{anchor} is none of {anchors:?}"))
}

#[test]
fn every_link_resolves() {
    let mut broken = Vec::new();
    let mut count = 0;
    for document in Document::all() {
        for link in document.links() {
            count += 1;
            let why = why_broken(&document, &link);
            broken.extend(why.map(|why| format!("{}: {link}: {why}", document.path.display())));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(count > 50, "{count} links");
}

#[test]
fn a_broken_link_is_noticed() {
    let document = Document::read("README.md");
    for link in [
        "nothing.md",
        "#no-such-heading",
        "https://nowhere.invalid/",
        "https://docs.rs/no-such-package",
    ] {
        assert!(why_broken(&document, link).is_some(), "{link}");
    }
    assert_eq!(why_broken(&document, "README.md#licence"), None);
}

/// Who packs documents to take along has those that they lead to as well.
#[test]
fn what_the_packages_take_along_leads_to_nothing_that_they_lack() {
    let build = Document::read("apps/packaging/build").text;
    let list = build.split("documents=(").nth(1).and_then(|rest| rest.split(')').next());
    let packed: Vec<&str> = list.expect("a list of documents").split_whitespace().collect();
    assert!(packed.contains(&"README.md"), "{packed:?}");
    let is_packed = |path: &Path| {
        packed.iter().any(|it| {
            Path::new(it) == path || it.strip_suffix("/*").is_some_and(|it| path.starts_with(it))
        })
    };
    let mut missing = Vec::new();
    for document in Document::all().iter().filter(|document| is_packed(&document.path)) {
        for link in document.links().iter().filter(|link| !link.contains("://")) {
            let path = link.split('#').next().unwrap_or_default();
            let target = normalized(&document.path.parent().expect("a folder").join(path));
            if !path.is_empty() && !is_packed(&target) {
                missing.push(format!("{}: {link}", document.path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

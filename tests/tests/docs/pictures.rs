//! The pictures in documents are of what the programs show.

use std::path::Path;
use std::process::{Command, Stdio};

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::{Folder, Launch, binaries, share, without_foreign_variables};

use crate::markdown::{Document, top};
use crate::pattern::matches;

/// The lines of the block of `text` in the README whose first line begins with `beginning`.
fn picture(beginning: &str) -> Vec<String> {
    let mut blocks = Document::read("README.md").blocks();
    blocks.retain(|it| it.language == "text" && it.lines[0].starts_with(beginning));
    assert_eq!(blocks.len(), 1, "pictures that begin with {beginning:?}");
    blocks.remove(0).lines
}

#[test]
fn the_tour() {
    let programs = binaries::path_of("file-client");
    let target = programs.ancestors().find(|it| it.join("CACHEDIR.TAG").is_file());
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--example", "tour"]).current_dir(top());
    command.env("CARGO_TARGET_DIR", target.unwrap_or(Path::new("target"))).stdin(Stdio::null());
    let output = without_foreign_variables(&mut command).output().expect("cargo");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    let mut lines = shown.lines();
    for expected in picture("Hello handshake") {
        let is_there = lines.any(|line| matches(&expected, line));
        assert!(is_there, "no {expected:?} in its place in\n{shown}");
    }
}

/// A bar's length, and its numbers, are others each time.
fn shape(bar: &str) -> String {
    let is_bar = |c: char| "█▉▊▋▌▍▎▏░".contains(c);
    let mut shape = String::new();
    for c in bar.trim_end().chars() {
        let c = if is_bar(c) { '#' } else { c };
        let is_digit = c.is_ascii_digit() || c == '.' && shape.ends_with('0');
        let c = if is_digit { '0' } else { c };
        if !(shape.ends_with(c) && "#0 ".contains(c)) {
            shape.push(c);
        }
    }
    shape
}

#[test]
fn the_bar() {
    let folder = Folder::new().with("disk.img", contents(4 << 20, 1));
    let server = share(&folder, &["--limit-rate", "8M"]);
    let target = Folder::new();
    let launch = Launch::new("file-client").within(&target).arg(server.at()).arg("disk.img");
    let client = launch.terminal().run().exits(0);
    let expected = picture("disk.img");
    let shown: Vec<String> = client.error().split(['\r', '\n', '\x1b']).map(shape).collect();
    let is_shown = shown.iter().any(|line| line.contains(&shape(&expected[0])));
    assert!(is_shown, "{:?} is not in {shown:#?}", shape(&expected[0]));
}

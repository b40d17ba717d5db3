//! What the documents say of options and of figures.

use std::collections::BTreeSet;
use std::path::Path;

use barewire_core::file::MAX_NAME;
use barewire_tests::harness::{PROGRAMS, run};

use crate::markdown::Document;

/// Options of other programs that are spoken of: cargo's, `install.sh`'s, and those of the tools of CI.
const OF_OTHERS: [&str; 8] = [
    "--manifest-path",
    "--test",
    "--workspace",
    "--path",
    "--prefix",
    "--example",
    "--release",
    "--fsync",
];

fn options(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let words = text.split(|c: char| !is_part(c));
    words.filter(|it| it.starts_with("--") && it.len() > 2).map(str::to_owned).collect()
}

#[test]
fn every_option_that_is_spoken_of_is_there() {
    let mut known: BTreeSet<String> = OF_OTHERS.map(str::to_owned).into();
    for program in PROGRAMS {
        known.append(&mut options(run(program, &["--help"]).exits(0).output()));
    }
    let mut unknown = Vec::new();
    let mut count = 0;
    let is_of_programs =
        |path: &Path| path.parent() == Some(Path::new("")) || path.starts_with("apps");
    for document in Document::all().iter().filter(|it| is_of_programs(&it.path)) {
        let path = document.path.display();
        for option in document.code_spans().iter().flat_map(|it| options(it)) {
            count += 1;
            if !known.contains(&option) {
                unknown.push(format!("{path}: {option}"));
            }
        }
    }
    assert!(unknown.is_empty(), "no program has them: {unknown:#?}");
    assert!(count > 100, "{count}");
}

/// A document, its words, and the default of an option of a program that they tell.
const DEFAULTS: [(&str, &str, &str, &str, &str); 11] = [
    ("apps/docs/files.md", "`--stall` (30 s)", "file-client", "--stall", "30s"),
    ("apps/docs/files.md", "`--max-size` (256 GiB)", "file-client", "--max-size", "256G"),
    ("apps/docs/files.md", "`--max-files` (a million)", "file-client", "--max-files", "1000000"),
    ("apps/docs/operators.md", "`--max-pause` (10 minutes)", "file-server", "--max-pause", "10m"),
    ("apps/docs/operators.md", "`--max-members` (1000)", "chat-server", "--max-members", "1000"),
    (
        "apps/docs/operators.md",
        "`--max-per-source` (100)",
        "chat-server",
        "--max-per-source",
        "100",
    ),
    ("apps/docs/chat.md", "each at 10 lines a second", "chat-server", "--rate", "10"),
    ("apps/docs/chat.md", "100 members, and as many", "chat-server", "--max-per-source", "100"),
    ("apps/docs/chat.md", "then one a second", "chat-server", "--join-rate", "1"),
    ("apps/docs/chat.md", "64 unfinished lines", "chat-server", "--max-begun-per-source", "64"),
    (
        "apps/docs/programs.md",
        "followed for 200 ms\n(`--quiet-period`)",
        "tcp-server",
        "--quiet-period",
        "200ms",
    ),
];

#[test]
fn the_defaults_that_are_told_are_those_of_the_programs() {
    for (path, words, program, option, default) in DEFAULTS {
        assert!(Document::read(path).text.contains(words), "{path} does not tell {words:?}");
        let help = run(program, &["--help"]).exits(0);
        let told = entry(help.output(), option).expect(option);
        assert!(told.contains(&format!("[default: {default}]")), "{program}: {told}");
    }
}

/// What a help text has of an option: from the line that begins with its names to where the next one begins.
fn entry(help: &str, option: &str) -> Option<String> {
    // What an option is for stands further to the right.
    let begins = |line: &&str| {
        line.trim_start_matches(' ').starts_with('-') && !line.starts_with("        ")
    };
    let names = |line: &str| line.trim().split("  ").next().map(|it| it.replace(',', " "));
    let is_its_own =
        |line: &str| names(line).is_some_and(|it| it.split(' ').any(|it| it == option));
    let mut lines = help.lines().skip_while(|line| !(begins(line) && is_its_own(line)));
    let first = lines.next()?;
    let rest = lines.take_while(|line| !line.is_empty() && !begins(line));
    Some([first].into_iter().chain(rest).map(str::trim).collect::<Vec<_>>().join(" "))
}

#[test]
fn what_help_has_of_an_option_is_of_no_other() {
    let help = "Options:\n  -a, --one <N>  As --two,\n                 but\n                 --four [default:\n                 1]\n      \
                --two <N>  --three\n      --three    [default: 3]\n\nOthers:\n      --four     [default: 4]\n";
    let entries = ["--one", "-a", "--two", "--three", "--four", "--five"].map(|it| entry(help, it));
    let one = "-a, --one <N>  As --two, but --four [default: 1]";
    let (two, three, four) =
        ("--two <N>  --three", "--three    [default: 3]", "--four     [default: 4]");
    assert_eq!(
        entries.each_ref().map(Option::as_deref),
        [Some(one), Some(one), Some(two), Some(three), Some(four), None]
    );
}

#[test]
fn the_oldest_compilers_are_those_of_the_manifests() {
    for (document, manifest) in [
        ("README.md", "Cargo.toml"),
        ("core/README.md", "core/Cargo.toml"),
        ("CONTRIBUTING.md", "core/Cargo.toml"),
    ] {
        let manifest = Document::read(manifest).text;
        let oldest = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \""));
        let said = format!("Rust {}", oldest.expect("it has one").trim_end_matches('"'));
        assert!(Document::read(document).text.contains(&said), "{document} does not say {said}");
    }
}

/// The numbers of the README are some of those that stand with how they were measured.
#[test]
fn the_figures_of_the_readme_are_those_of_the_benchmark() {
    let (readme, figures) =
        (Document::read("README.md"), Document::read("tests/benches/README.md"));
    let part = readme.text.split("\n## How fast\n").nth(1).and_then(|it| it.split("\n## ").next());
    let rows = part.expect("it tells how fast").lines().filter(|line| line.starts_with("| "));
    let cells: Vec<&str> = rows.skip(1).flat_map(|row| row.split(" | ").skip(1)).collect();
    for cell in &cells {
        let number = cell.split(' ').next().expect("a number");
        let millions: f64 = number.replace(',', "").parse::<f64>().expect(number) / 1e6;
        let is_there = |text: &str| figures.text.contains(&format!("| {text} "));
        let is_measured = is_there(number) || is_there(&format!("{millions} million"));
        assert!(is_measured, "{number} of the README is not among the figures");
    }
    assert_eq!(cells.len(), 12, "{cells:?}");
}

#[test]
fn the_flash_of_the_readme_is_what_the_core_is_held_to() {
    let core = Document::read("core/README.md");
    let flash = core.text.lines().find(|line| line.starts_with("| flash |")).expect("a row");
    let all_four: u32 =
        flash.split(" | ").nth(5).expect("a cell").replace(',', "").parse().unwrap();
    let said = format!("take {} KiB of\nflash", all_four.div_ceil(1024));
    assert!(Document::read("README.md").text.contains(&said), "not {said:?}");
}

/// The table of services, and the units that the package brings.
#[test]
fn each_unit_is_documented_with_where_it_listens() {
    let document = Document::read("apps/docs/operators.md").text;
    for server in ["udp-server", "tcp-server", "file-server", "chat-server"] {
        let unit = Document::read(format!("apps/packaging/systemd/{server}.service")).text;
        let address = unit.lines().find_map(|line| line.strip_prefix("Environment=ADDRESS="));
        let row = format!("| `{server}` | `{}` |", address.expect("it listens somewhere"));
        assert!(document.contains(&row), "no {row}");
    }
}

#[test]
fn the_longest_name_is_the_one_that_is_told() {
    let document = Document::read("apps/docs/from-the-tutorial.md").text;
    let said = format!("reads a whole name, at most {MAX_NAME} bytes");
    assert!(document.contains(&said), "not {said:?}");
}

#[test]
fn each_fuzz_target_is_documented() {
    let document = Document::read("core/fuzz/README.md").text;
    let manifest = Document::read("core/fuzz/Cargo.toml").text;
    let bins = manifest.split("[[bin]]").skip(1);
    let names: Vec<_> = bins.filter_map(|bin| bin.split('"').nth(1)).collect();
    let unknown: Vec<_> =
        names.iter().filter(|name| !document.contains(&format!("`{name}`"))).collect();
    assert!(unknown.is_empty() && names.len() > 10, "{unknown:?} of {names:?}");
}

/// Whoever comes is served in a minute: depth has its own places.
#[test]
fn the_readme_is_short() {
    for path in ["README.md", "README.zh-CN.md"] {
        let length = Document::read(path).text.len();
        assert!(length < 12 << 10, "{path} has {length} bytes");
    }
}

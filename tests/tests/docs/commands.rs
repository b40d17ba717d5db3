//! Every command in a document is run, here or where the [list](crate::elsewhere) says.

use std::collections::BTreeSet;

use crate::elsewhere::LIST;
use crate::markdown::{Block, Document};
use crate::shell::Shell;

/// A command of a transcript, and what it is followed by.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    command: String,
    said: Vec<String>,
}

/// The steps of a transcript. A command goes on in lines that begin with `> `.
fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in &block.lines {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), said: Vec::new() });
            continue;
        }
        let step = steps.last_mut().unwrap_or_else(|| panic!("{line:?} before a command"));
        match line.strip_prefix("> ") {
            Some(more) if step.said.is_empty() => {
                step.command = format!("{}\n{more}", step.command);
            }
            _ => step.said.push(line.clone()),
        }
    }
    steps
}

/// Runs the transcript of a document, one shell for all of them, and demands that it says all that stands there and
/// nothing else.
fn run(document: &Document) {
    let blocks = document.blocks();
    let mut shell = None;
    for program in blocks.iter().filter(|it| it.language == "python") {
        let name = program.lines[0].strip_prefix("# ").expect("its name");
        let shell = shell.get_or_insert_with(Shell::new);
        shell.write(name, &program.lines.join("\n"));
    }
    for step in blocks.iter().filter(|it| it.language == "console").flat_map(steps) {
        shell.get_or_insert_with(Shell::new).run(&step.command, &step.said);
    }
    if let Some(shell) = shell {
        let unexpected = shell.unexpected();
        assert!(unexpected.is_empty(), "not in the document: {unexpected:#?}\n{}", shell.shown());
    }
}

macro_rules! transcripts {
    ($($name:ident: $path:literal,)*) => {
        const WITH_TRANSCRIPTS: &[&str] = &[$($path),*];
        $(#[test]
        fn $name() {
            run(&Document::read($path));
        })*
    };
}

// A test each, so that they run side by side.
transcripts! {
    readme: "README.md",
    packaged_programs: "apps/README.md",
    programs: "apps/docs/programs.md",
    files: "apps/docs/files.md",
    chat: "apps/docs/chat.md",
    keys: "apps/docs/keys.md",
    operators: "apps/docs/operators.md",
    from_the_tutorial: "apps/docs/from-the-tutorial.md",
}

#[test]
fn every_document_with_a_transcript_has_its_test() {
    for document in Document::all() {
        let path = document.path.to_str().expect("plain names");
        let has = document.blocks().iter().any(|it| it.language == "console");
        // The commands of a translation are those of the original, which another test sees to.
        let is_tested = WITH_TRANSCRIPTS.contains(&path) || path.ends_with(".zh-CN.md");
        assert!(!has || is_tested, "{path} has a transcript that no test runs");
    }
}

/// The commands of a block, each in one line, without comments.
fn commands(block: &Block) -> Vec<String> {
    let text = block.lines.join("\n").replace("\\\n", "");
    let commands = text.lines().map(|line| line.split(" #").next().unwrap_or_default());
    let words = commands.map(|command| command.split_whitespace().collect::<Vec<_>>().join(" "));
    words.filter(|command| !command.is_empty()).collect()
}

/// Commands that are shown without what they say are those that are not run here.
#[test]
fn every_other_command_is_run_elsewhere() {
    let mut unknown = Vec::new();
    let mut known = BTreeSet::new();
    for document in Document::all() {
        for block in document.blocks().iter().filter(|it| it.language == "sh") {
            for command in commands(block) {
                match LIST.iter().find(|(it, _)| *it == command) {
                    Some((it, _)) => drop(known.insert(*it)),
                    None => unknown.push(format!("{}: {command}", document.path.display())),
                }
            }
        }
    }
    assert!(unknown.is_empty(), "neither run nor in the list: {unknown:#?}");
    let unused: Vec<_> = LIST.iter().filter(|(it, _)| !known.contains(it)).collect();
    assert!(unused.is_empty(), "in the list, and in no document: {unused:#?}");
}

#[test]
fn where_the_list_says_that_a_command_is_run_it_is() {
    let faults = LIST.iter().filter_map(|(command, elsewhere)| {
        elsewhere.fault(command).map(|fault| format!("{command}: {fault}"))
    });
    let faults: Vec<_> = faults.collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_transcript_is_read_as_commands_and_what_they_say() {
    let lines = ["$ python3 -c '", "> print(1)'", "1", "$ x &", "y"].map(str::to_owned).to_vec();
    let block = Block { language: "console".into(), first_line: 1, lines };
    let step =
        |command: &str, said: &str| Step { command: command.into(), said: vec![said.into()] };
    assert_eq!(steps(&block), [step("python3 -c '\nprint(1)'", "1"), step("x &", "y")]);
}

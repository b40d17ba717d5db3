//! Completions and manual pages.

use std::io::Write;
use std::process::{Command, Stdio};

use barewire_tests::harness::run;

use super::PROGRAMS;

#[test]
fn completions_are_printed_for_each_shell() {
    for program in PROGRAMS {
        for shell in ["bash", "zsh", "fish"] {
            // The clients' address is not asked for.
            run(program, &["--completions", shell])
                .exits(0)
                .is_silent()
                .prints(program)
                .prints("json");
        }
        run(program, &["--completions", "cmd.exe"]).exits(2).says(&["bash"]);
    }
}

/// Bash itself says whether the program can now be completed.
#[test]
fn bash_accepts_its_completions() {
    for program in PROGRAMS {
        let completions = run(program, &["--completions", "bash"]).exits(0);
        let mut bash = Command::new("bash")
            .args(["--norc", "-c", "source /dev/stdin && complete -p -- \"$0\"", program])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("bash is installed");
        bash.stdin.take().unwrap().write_all(completions.output().as_bytes()).unwrap();
        assert!(bash.wait().unwrap().success(), "bash does not accept {completions:?}");
    }
}

#[test]
fn the_manual_page_is_printed_as_one() {
    for program in PROGRAMS {
        run(program, &["--man"])
            .exits(0)
            .is_silent()
            .prints(".TH ")
            .prints(".SH NAME")
            .prints(&program.replace('-', "\\-"));
    }
}

/// In the help an example has a line of its own, and in the manual page a paragraph with what it does.
#[test]
fn every_example_stands_by_itself() {
    const COLUMNS: usize = 100;

    for program in PROGRAMS {
        let help = run(program, &["--help"]).exits(0);
        let (_, below) = help.output().split_once("Examples:\n").expect("there are examples");
        let examples = below.split("\n\n").next().expect("they end");
        let page = run(program, &["--man"]).exits(0);
        let page = page.output().replace(r"\-", "-").replace(r"\*(Aq", "'").replace(r"\\", r"\");
        let (_, rest) = page.split_once(".SH EXAMPLES\n").expect("a section of them");
        let (rest, notes) =
            rest.split_once(".SH NOTES\n.PP\n").expect("what is to be known besides");
        assert!(notes.contains(".SH \"SEE ALSO\"\n"), "{notes}");
        let parts: Vec<_> = rest.split(".TP\n\\fB").skip(1).collect();
        assert_eq!(parts.len(), examples.lines().count(), "{rest}");
        for (example, part) in examples.lines().zip(parts) {
            assert!(example.chars().count() <= COLUMNS, "{program}: {example}");
            let (command, what) = part.split_once("\\fR\n").expect("what it does");
            let words = format!("{command} {what}");
            assert!(words.split_whitespace().eq(example.split_whitespace()), "{words}: {example}");
            assert!(!what.is_empty() && !command.ends_with(' '), "{words}");
        }
    }
}

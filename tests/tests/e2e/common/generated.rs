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

/// What stands below the options is broken where the terminal ends; an example has a line of its own.
#[test]
fn no_example_of_the_help_is_broken() {
    const COLUMNS: usize = 100;

    for program in PROGRAMS {
        let page =
            run(program, &["--man"]).exits(0).output().replace(r"\-", "-").replace(r"\*(Aq", "'");
        let (_, rest) = page.split_once(".SH EXTRA").expect("there are examples");
        let (below, _) = rest.split_once(".SH VERSION").expect("the end");
        let examples: Vec<_> = below.lines().filter(|line| line.starts_with(' ')).collect();
        assert!(!examples.is_empty(), "{below}");
        for line in examples {
            assert!(line.chars().count() <= COLUMNS, "{program}: {line}");
        }
    }
}

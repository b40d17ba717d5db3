//! Help, versions, and what is said of wrong usage.

use barewire_tests::harness::{Launch, run};

use super::{CLIENTS, PROGRAMS, SERVERS};

/// The options that every program has.
const COMMON: [&str; 13] = [
    "--help",
    "--version",
    "-v",
    "-q",
    "--json",
    "--color",
    "--completions",
    "--man",
    "-V",
    "--no-sandbox",
    "--require-sandbox",
    "--new-key",
    "--key",
];

/// The options of each program's own.
const OWN: [(&str, &[&str]); 8] = [
    ("udp-server", &["--reply", "--echo", "--capacity", "--rate", "--once", "--threads"]),
    ("udp-client", &["--timeout", "--retries", "--count", "--interval", "--capacity", "--bind"]),
    (
        "tcp-server",
        &[
            "--greeting",
            "--once",
            "--threads",
            "--max-clients",
            "--max-per-source",
            "--timeout",
            "--quiet-period",
        ],
    ),
    ("tcp-client", &["--timeout", "--count", "--interval", "--quiet-period"]),
    (
        "file-server",
        &[
            "--once",
            "--threads",
            "--max-clients",
            "--max-per-source",
            "--limit-rate",
            "--limit-rate-client",
            "--timeout",
            "--quiet-period",
            "--hidden",
        ],
    ),
    (
        "file-client",
        &[
            "--output",
            "--directory",
            "--list",
            "--recursive",
            "--plain",
            "--no-verify",
            "--no-resume",
            "--force",
            "--timeout",
            "--retries",
            "--mirror",
            "--expect",
            "--expect-from",
            "--checksum",
            "--exclude",
            "--include",
            "--hidden",
            "--max-size",
            "--max-files",
            "--no-times",
            "--limit-rate",
        ],
    ),
    (
        "chat-server",
        &[
            "--history",
            "--max-members",
            "--max-per-source",
            "--join-rate",
            "--max-begun-per-source",
            "--rate",
            "--backlog",
            "--log",
            "--bans",
            "--motd",
            "--quiet-period",
        ],
    ),
    ("chat-client", &["--nick", "--rate", "--no-reconnect", "--timeout", "--quiet-period"]),
];

#[test]
fn help_lists_every_option_and_gives_examples() {
    for (program, own) in OWN {
        let help = run(program, &["--help"]).exits(0).is_silent();
        let users: &[_] = if SERVERS.contains(&program) { &["--user"] } else { &[] };
        let help =
            COMMON.iter().chain(users).chain(own).fold(help, |help, option| help.prints(option));
        let examples = help.output().to_lowercase();
        let examples = examples.split_once("examples:").expect("help has examples").1;
        assert!(examples.contains(program), "an example runs the program: {examples}");
        run(program, &["-h"]).exits(0).is_silent().prints(program);
    }
}

/// At the width of the terminal, and no wider than is read with ease: each line has all the words that fit.
#[test]
fn help_is_wrapped_where_the_terminal_ends() {
    for program in PROGRAMS {
        for (columns, width) in [("60", 60), ("80", 80), ("100", 100), ("200", 100)] {
            let help = Launch::new(program).arg("--help").env("COLUMNS", columns).run().exits(0);
            let lines: Vec<_> = help.output().lines().collect();
            for pair in lines.windows(2) {
                let [line, next] = pair else { unreachable!() };
                let length = line.chars().count();
                assert!(length <= width || !line.trim().contains(' '), "{program}: {line}");
                let is_text = |line: &str| !line.is_empty() && !line.starts_with(' ');
                let word = next.split(' ').next().unwrap_or_default().chars().count();
                let goes_on = is_text(line) && is_text(next);
                assert!(
                    !goes_on || length + 1 + word > width,
                    "{program}, {columns}: {line}\n{next}"
                );
            }
        }
    }
}

#[test]
fn help_for_datagrams_tells_of_no_unix_sockets() {
    for program in ["udp-server", "udp-client"] {
        run(program, &["--help"]).exits(0).omits("unix:");
    }
}

#[test]
fn help_of_a_server_tells_its_default_address() {
    for program in SERVERS {
        run(program, &["--help"]).prints("127.0.0.1:8080");
    }
}

#[test]
fn version_is_the_name_and_the_packages_version() {
    for program in PROGRAMS {
        for option in ["--version", "-V"] {
            let version = run(program, &[option]).exits(0).is_silent();
            // The workspace's packages share their version.
            assert_eq!(version.output(), format!("{program} {}\n", env!("CARGO_PKG_VERSION")));
        }
    }
}

/// Wrong usage exits with 2, before anything is tried (so the address may as well be one that
/// nobody may bind or answers at), says so on standard error alone, and hints at what would be right.
#[track_caller]
fn assert_wrong_usage(program: &str, arguments: &[&str]) {
    let finished = run(program, arguments).exits(2).says(&[
        "--help",
        "usage:",
        "host:port",
        "expected",
        "possible values",
    ]);
    assert!(!finished.output().contains("listening"), "{finished:?}");
    let names_itself = finished.error().starts_with(&format!("{program}: error: "));
    assert!(names_itself && !finished.error().contains("invalid digit"), "{finished:?}");

    // Who reads JSON only is told as well, in one record and one line.
    let finished = run(program, &[&["--json"], arguments].concat()).exits(2);
    let message = finished.event("error")["message"].as_str().map(str::to_owned);
    let message = message.unwrap_or_else(|| panic!("no message: {finished:?}"));
    assert!(!message.is_empty() && !message.contains(['\n']), "{message:?}");
    assert!(!message.starts_with("error"), "{message:?}");
    assert_eq!(finished.events().len(), 1, "{finished:?}");
}

#[test]
fn what_cannot_be_used_is_told_with_its_option() {
    let text = "x".repeat(1025);
    for (program, arguments, code, told) in [
        ("chat-server", &["127.0.0.1:0", "--log", "/none/x"][..], 1, "--log: cannot open"),
        (
            "file-client",
            &["127.0.0.1:9", "x", "--expect-from", "/none"],
            1,
            "--expect-from: cannot",
        ),
        ("file-client", &["127.0.0.1:9", "x", "-d", "/none"], 1, "-d: cannot write into"),
        ("file-client", &["127.0.0.1:9", "x", "-o", "/none/x"], 1, "-o: cannot write into"),
        ("file-client", &["127.0.0.1:9", "x", "--mirror", "b"], 2, "--mirror: 'b' has no port"),
        ("tcp-client", &["127.0.0.1:9", &text], 2, "TEXT: the text is 1025 bytes long"),
        ("tcp-server", &["nowhere"], 2, "ADDR: 'nowhere' has no port (write HOST:PORT)"),
        ("udp-server", &["127.0.0.1:0", "--capacity", "0"], 2, "'--capacity <BYTES>'"),
    ] {
        run(program, arguments).exits(code).says(&[told]).omits("listening");
    }
}

#[test]
fn a_record_of_wrong_usage_says_what_is_wrong() {
    for (program, arguments, told) in [
        ("udp-client", &["--json"][..], "required arguments were not provided: <ADDR>"),
        ("tcp-server", &["--threads=x", "--json"], "invalid value 'x' for '--threads <N>'"),
        ("chat-client", &["--json", "\x1b"], r"ADDR: '\x1b' has no port"),
        ("file-server", &["--json", "--\u{202e}"], r"unexpected argument '--\u{202e}' found"),
    ] {
        let message = run(program, arguments).exits(2).event("error")["message"].to_string();
        let message: String = serde_json::from_str(&message).unwrap();
        assert!(message.contains(told), "{message}");
    }
    // What was not asked for in JSON has no record.
    assert_eq!(run("udp-client", &["--", "--json"]).exits(2).output(), "");
}

#[test]
fn unknown_options_are_wrong_usage() {
    for program in PROGRAMS {
        assert_wrong_usage(program, &["127.0.0.1:9", "--no-such-option"]);
        assert_wrong_usage(program, &["127.0.0.1:9", "-Z"]);
    }
}

#[test]
fn too_many_arguments_are_wrong_usage() {
    for program in SERVERS {
        // A folder may follow.
        let folder: &[_] = if program == "file-server" { &["."] } else { &[] };
        for address in [&["127.0.0.1:0"][..], &["127.0.0.1", "0"]] {
            assert_wrong_usage(program, &[address, folder, &["surplus"]].concat());
        }
    }
    for program in CLIENTS {
        assert_wrong_usage(program, &["127.0.0.1:9", "text", "surplus"]);
        assert_wrong_usage(program, &["127.0.0.1", "9", "text", "surplus"]);
    }
}

#[test]
fn a_client_needs_an_address() {
    for program in CLIENTS {
        assert_wrong_usage(program, &[]);
    }
}

#[test]
fn what_is_no_address_is_wrong_usage() {
    for program in PROGRAMS {
        for address in [
            "nonsense",
            "127.0.0.1",
            "127.0.0.1:",
            ":",
            "",
            "127.0.0.1:65536",
            "127.0.0.1:-1",
            "127.0.0.1:http",
            "[::1]",
            "[::1:80",
            "::1:x",
        ] {
            assert_wrong_usage(program, &[address]);
        }
        assert_wrong_usage(program, &["127.0.0.1", "65536"]);
    }
}

#[test]
fn values_that_are_no_durations_or_numbers_are_wrong_usage() {
    for (program, options) in OWN {
        for option in options {
            let values: &[&str] = match *option {
                "--timeout" | "--interval" | "--quiet-period" => &["soon", "", "-1s", "5 parsecs"],
                "--capacity"
                | "--rate"
                | "--threads"
                | "--max-clients"
                | "--max-per-source"
                | "--retries"
                | "--count"
                | "--history"
                | "--max-members"
                | "--backlog"
                | "--join-rate"
                | "--max-begun-per-source" => &["many", "", "-1", "1.5", "NaN"],
                "--limit-rate" | "--limit-rate-client" => &["fast", "", "-1", "0", "1.2.3", "NaN"],
                "--bind" => &["nowhere"],
                _ => continue,
            };
            for value in values {
                assert_wrong_usage(program, &["127.0.0.1:9", &format!("{option}={value}")]);
            }
        }
    }
}

#[test]
fn options_missing_their_value_are_wrong_usage() {
    for (program, option) in
        [("udp-server", "--reply"), ("udp-client", "--count"), ("tcp-server", "--greeting")]
    {
        assert_wrong_usage(program, &["127.0.0.1:9", option]);
    }
}

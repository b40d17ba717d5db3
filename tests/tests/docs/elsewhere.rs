//! The commands in documents that the tests of documents do not run, and why.

/// What becomes of a command instead.
#[derive(Debug)]
pub(crate) enum Elsewhere {
    /// CI runs it: by this file, of whose lines these are parts. They have all of its words, but who runs it.
    In(&'static str, &'static [&'static str]),
    /// What this other one of the list runs, runs it as well.
    PartOf(&'static str),
    /// Nobody runs it for you.
    Never(&'static str),
}

use Elsewhere::{In, Never, PartOf};

use crate::markdown::Document;

/// Each command by itself, without its comment.
pub(crate) const LIST: &[(&str, Elsewhere)] = &[
    (
        "sudo systemctl enable --now file-server.socket",
        In("apps/packaging/first-minute-within", &["systemctl enable --now file-server.socket"]),
    ),
    (
        "sudo systemctl edit file-server.socket",
        In("apps/packaging/first-minute-within", &["'systemctl edit file-server.socket'"]),
    ),
    (
        "sudo systemctl stop file-server.service",
        In("apps/packaging/first-minute-within", &["systemctl stop file-server.service"]),
    ),
    (
        "sudo systemctl restart file-server.socket",
        In("apps/packaging/first-minute-within", &["systemctl restart file-server.socket"]),
    ),
    (
        "sudo systemctl enable --now file-server.service",
        In("apps/packaging/first-minute-within", &["systemctl enable --now file-server.service"]),
    ),
    (
        "journalctl -u file-server",
        In("apps/packaging/first-minute-within", &["journalctl -u file-server | grep"]),
    ),
    ("cargo run --example tour", In(".ci/run", &["cargo run --quiet --example tour"])),
    ("cargo test -p barewire-tests --test fifth", PartOf("cargo test --workspace")),
    ("cargo test --workspace", In(".ci/run", &["cargo test --workspace"])),
    ("bash .ci/run", Never("it is what runs the tests")),
    ("cargo install --path apps", Never("it installs what the tests have built already")),
    ("cargo install barewire-apps", Never("it is from a registry, and tests have no network")),
    (
        "sudo apt install ./barewire_*.deb",
        In(
            "apps/packaging/first-minute-within",
            &["apt install -y --no-install-recommends ./barewire_*.deb"],
        ),
    ),
    (
        "sh install.sh",
        In(
            "apps/packaging/check-install",
            &["(cd \"$work/packages\" && \"${as_nobody[@]}\" sh install.sh)"],
        ),
    ),
    (
        "cargo bench --manifest-path tests/benches/Cargo.toml",
        In(
            ".ci/run",
            &[
                "benchmark=(--manifest-path tests/benches/Cargo.toml ",
                "cargo bench --locked \"${benchmark[@]}\" -- --short",
            ],
        ),
    ),
    ("podman load -i barewire-*-amd64.oci.tar", Never(CONTAINER)),
    (
        concat!(
            "podman run --read-only --cap-drop=all -v /srv/files:/srv:ro -p 9003:9003 barewire:",
            env!("CARGO_PKG_VERSION"),
        ),
        Never(CONTAINER),
    ),
    (
        concat!(
            "podman run --read-only --cap-drop=all -p 9005:9005 barewire:",
            env!("CARGO_PKG_VERSION"),
            " chat-server 0.0.0.0:9005",
        ),
        Never(CONTAINER),
    ),
    // Fuzzing.
    (".ci/fuzz", In(".ci/run", &[".ci/fuzz"])),
    (".ci/fuzz 600 chat_room text", Never("CI gives each target some seconds, not ten minutes")),
    (
        "export PATH=\"$(../../.ci/tool cargo-fuzz):$PATH\"",
        In(".ci/fuzz", &["export PATH=\"$(../../.ci/tool cargo-fuzz):$PATH\""]),
    ),
    ("cargo +nightly fuzz run -O -s none text artifacts/text/crash-…", Never(CRASH)),
    ("cargo +nightly fuzz fmt -O -s none text artifacts/text/crash-…", Never(CRASH)),
    ("cargo +nightly fuzz tmin -O -s none text artifacts/text/crash-…", Never(CRASH)),
    ("printf 'abc\\ndef' > seeds/text/mine", Never(MERGED)),
    ("cargo +nightly fuzz fmt -O -s none text seeds/text/mine", Never(MERGED)),
    ("cargo +nightly fuzz run -O -s none text seeds/text/mine", Never(MERGED)),
    ("mkdir merged", Never(MERGED)),
    (
        "cargo +nightly fuzz run -O -s none text merged corpus/text seeds/text -- -merge=1 -use_counters=0 -max_len=256",
        Never(MERGED),
    ),
    ("rm -r seeds/text && mv merged seeds/text", Never(MERGED)),
    ("cargo +nightly fuzz coverage -O -s none file_receiver seeds/file_receiver", Never(COVERAGE)),
    (
        "\"$(rustc +nightly --print sysroot)\"/lib/rustlib/*/bin/llvm-cov report \
         -instr-profile=coverage/file_receiver/coverage.profdata \
         target/*/coverage/*/release/file_receiver \"$(realpath ../src)\"",
        Never(COVERAGE),
    ),
    ("export OUT=\"$(mktemp -d)\"", In(".ci/fuzz", &["OUT=\"$(mktemp -d)\"", "export OUT"])),
    (
        "RUSTUP_TOOLCHAIN=nightly ./oss-fuzz.sh",
        In(".ci/fuzz", &["RUSTUP_TOOLCHAIN=nightly ./oss-fuzz.sh"]),
    ),
    (
        "\"$OUT/text\" -dict=\"$OUT/text.dict\" -max_len=256",
        Never("`.ci/fuzz` runs the same program by cargo-fuzz"),
    ),
    // The firmware.
    (
        "apt-get install qemu-system-arm netcat-openbsd",
        Never("`.ci/metal` has no use for nc: it connects by itself"),
    ),
    (
        "rustup target add thumbv7m-none-eabi",
        In(".ci/cortex-m-cargo", &["target=thumbv7m-none-eabi", "rustup target add \"$target\""]),
    ),
    ("cargo run --release", Never(FIRMWARE)),
    ("nc 127.0.0.1 8082", Never(CONNECTS)),
    ("printf 'README.md\\n' | nc 127.0.0.1 8083", Never(CONNECTS)),
    ("nc 127.0.0.1 8084", Never(CONNECTS)),
    ("echo hello | nc -u -w1 127.0.0.1 8081", Never(CONNECTS)),
    ("cargo run --release -- tcp-client 10.0.2.2:8080 'hello from flash'", Never(FIRMWARE)),
    ("cargo run --release -- file-client 10.0.2.2:8080 disk.img", Never(FIRMWARE)),
    ("cargo run --release -- chat-client 10.0.2.2:8080 'anybody here?'", Never(FIRMWARE)),
    ("cargo run --release -- udp-client 10.0.2.2:8080 ping", Never(FIRMWARE)),
    (
        "udp-server --new-key board.key",
        In(".ci/metal", &["\"$programs\"/udp-server --new-key \"$folder/board.key\""]),
    ),
    ("BAREWIRE_KEY_FILE=$PWD/board.key cargo run --release", Never(FIRMWARE)),
    (
        "cargo test --target host-tuple -p barewire-cortex-m --lib",
        In(".ci/metal", &["cargo test --quiet --target host-tuple -p barewire-cortex-m --lib"]),
    ),
    (".ci/proof", In(".ci/run", &[".ci/proof"])),
    // In C.
    ("bash .ci/lwip", In(".ci/run", &[".ci/lwip"])),
    ("cargo build --release", In(".ci/lwip", &["cargo build --locked --release"])),
    (
        "cc -std=gnu11 -isystem /usr/include/lwip main.c driver.c target/release/libhello_for_c.a -llwip -o target/hello",
        In(
            ".ci/lwip",
            &[
                "cc -std=gnu11 -Wall -Wextra -Werror -isystem /usr/include/lwip main.c driver.c",
                "\"$target/release/libhello_for_c.a\" -llwip -o \"$target/hello\"",
            ],
        ),
    ),
    ("target/hello", In(".ci/lwip", &["timeout 60 \"$target/hello\""])),
];

const CONTAINER: &str =
    "`check-image` starts the image's programs as podman does, from nothing but its layer";
const CRASH: &str = "there is none; `.ci/fuzz` prints this when it finds one";
const MERGED: &str = "it changes what is kept";
const COVERAGE: &str = "`.ci/coverage fuzz` tells it for all targets together";
const FIRMWARE: &str = "`.ci/metal` starts the same firmware by the same `run`, with other words";
const CONNECTS: &str = "`.ci/metal` connects to these ports without nc";

impl Elsewhere {
    /// Why nobody can rely on it, if so.
    pub(crate) fn fault(&self, command: &str) -> Option<String> {
        match self {
            In(path, parts) => {
                let script = Document::read(*path).text;
                let is_done = |line: &&str| !line.trim_start().starts_with('#');
                let lines: Vec<&str> = script.lines().filter(is_done).collect();
                let is_there = |part: &str| lines.iter().any(|line| line.contains(part));
                if let Some(part) = parts.iter().find(|part| !is_there(part)) {
                    return Some(format!("{path} does not do {part:?}"));
                }
                let done: Vec<&str> = parts.iter().flat_map(|part| words(part)).collect();
                let lacks = words(command.trim_start_matches("sudo ").trim_start_matches("bash "))
                    .find(|word| !has(&done, word));
                lacks.map(|word| format!("{word:?} is not in what {path} does: {parts:?}"))
            }
            PartOf(other) => {
                let is_run = LIST.iter().any(|(it, how)| it == other && matches!(how, In(..)));
                (!is_run).then(|| format!("{other:?} is not run either"))
            }
            Never(why) => why.is_empty().then(|| "it does not tell why".to_owned()),
        }
    }
}

fn words(command: &str) -> impl Iterator<Item = &str> {
    let is_around = |c: char| c.is_whitespace() || "\"'()=".contains(c);
    command.split(is_around).filter(|word| !word.is_empty())
}

/// A script may have the same file, or program, in another folder.
fn has(done: &[&str], word: &str) -> bool {
    let name = word.rsplit_once("target/").map_or(word, |it| it.1);
    done.iter().any(|it| *it == word || it.ends_with(&format!("/{name}")))
}

#[test]
fn a_script_that_does_something_else_vouches_for_nothing() {
    for (command, path, parts) in [
        // Another option; another unit; what stands in a comment only; what is not there.
        ("cargo test --workspace --release", ".ci/run", &["cargo test --workspace"][..]),
        (
            "systemctl enable --now file-server.socket",
            "apps/packaging/first-minute-within",
            &["systemctl enable --now file-server.service"],
        ),
        ("bash .ci/run", ".ci/run", &["bash .ci/run"]),
        ("cargo test --workspace", ".ci/run", &["cargo test --workspace --nothing"]),
    ] {
        assert!(In(path, parts).fault(command).is_some(), "{command}");
    }
    assert!(PartOf("bash .ci/run").fault("cargo test").is_some());
    assert!(Never("").fault("cargo test").is_some());
}

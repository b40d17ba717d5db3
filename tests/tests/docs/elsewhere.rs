//! The commands in documents that the tests of documents do not run, and why.

/// What becomes of a command instead.
#[derive(Debug)]
pub(crate) enum Elsewhere {
    /// CI runs it, or does what it does: by this file, which has these words.
    In(&'static str, &'static str),
    /// Nobody runs it for you.
    Never(&'static str),
}

use Elsewhere::{In, Never};

/// Each command by itself, without its comment.
pub(crate) const LIST: &[(&str, Elsewhere)] = &[
    (
        "sudo systemctl enable --now file-server.socket",
        In(
            "apps/packaging/first-minute-within",
            "systemctl start {udp,tcp,file,chat}-server.socket",
        ),
    ),
    ("sudo systemctl edit file-server.socket", Never("it opens an editor")),
    (
        "sudo systemctl enable --now file-server.service",
        In(
            "apps/packaging/first-minute-within",
            "systemctl enable --quiet --now file-server@home-anna-public",
        ),
    ),
    ("journalctl -u file-server", Never("it shows what the system has logged")),
    ("cargo run --example tour", In(".ci/run", "cargo run --quiet --example tour")),
    ("cargo test -p barewire-tests --test fifth", In("tests/tests/fifth/main.rs", "mod by_hand;")),
    ("cargo test --workspace", In(".ci/run", "\ncargo test --workspace\n")),
    ("bash .ci/run", In(".ci/run", "bash .ci/run")),
    ("cargo install --path apps", Never("it installs what the tests have built already")),
    ("cargo install barewire-apps", Never("it is from a registry, and tests have no network")),
    (
        "sudo apt install ./barewire_*.deb",
        In(
            "apps/packaging/first-minute-within",
            "apt-get install -y --no-install-recommends /root/barewire.deb",
        ),
    ),
    ("sh install.sh", In("apps/packaging/check-install", "install.sh")),
    (
        "cargo bench --manifest-path tests/benches/Cargo.toml",
        In(".ci/run", "cargo bench --locked \"${benchmark[@]}\" -- --short"),
    ),
];

/// Documents whose commands need a machine of another kind, an emulator or a compiler of their own: all that is in
/// them is done by a script of CI.
pub(crate) const DOCUMENTS: &[(&str, &str)] = &[
    ("core/fuzz/README.md", ".ci/fuzz"),
    ("core/examples/cortex-m/README.md", ".ci/metal"),
    ("core/examples/cortex-m/proof/README.md", ".ci/proof"),
    ("core/examples/lwip/README.md", ".ci/lwip"),
];

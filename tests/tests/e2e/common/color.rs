//! `--color` and `NO_COLOR`.

use barewire_tests::harness::sockets::RefusedTcp;
use barewire_tests::harness::{Launch, run};

const ESCAPE: char = '\x1b';

#[test]
fn always_colours_and_never_does_not() {
    let nobody = RefusedTcp::hold();
    let coloured = run("tcp-client", &[&nobody.at(), "--color=always"]).exits(1);
    assert!(coloured.error().contains(ESCAPE), "{coloured:?}");
    for choice in ["--color=never", "--color=auto"] {
        let plain = run("tcp-client", &[&nobody.at(), choice]).exits(1).says(&["refused"]);
        assert!(!plain.error().contains(ESCAPE), "{plain:?}");
    }
    run("tcp-client", &[&nobody.at(), "--color=sometimes"]).exits(2).says(&["auto"]);
}

#[test]
fn a_terminal_gets_colours_unless_it_declines_them() {
    let nobody = RefusedTcp::hold();
    let client = || Launch::new("tcp-client").arg(nobody.at()).env("TERM", "xterm").terminal();

    let coloured = client().run().exits(1).says(&["refused"]);
    assert!(coloured.error().contains(ESCAPE), "{coloured:?}");

    for plain in [client().env("NO_COLOR", "1"), client().arg("--color=never")] {
        let plain = plain.run().exits(1).says(&["refused"]);
        assert!(!plain.error().contains(ESCAPE), "{plain:?}");
    }
}

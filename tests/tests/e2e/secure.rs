//! The keyed form in another language, written from its documentation alone (`tests/independent`).

use barewire_tests::harness::Launch;

/// Those that the core holds itself to.
#[test]
fn the_documented_examples_hold_in_python() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/src/secure/tests/vectors.txt");
    let python = Launch::python_file("independent/keyed.py").arg(examples).run().exits(0);
    python.prints("3 examples hold");
}

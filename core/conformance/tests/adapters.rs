//! The adapters of the core pass.

use barewire_conformance::{Driven, ScriptedStream, check};

#[test]
fn the_cores_driver_follows_its_rule() {
    let report = check(|seed| Driven::new(ScriptedStream::new(seed)));
    let report = report.unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(report.skipped, 0);
    println!("{report:?}");
}

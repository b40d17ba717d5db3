//! The adapters of the core pass.

use barewire_conformance::{Driven, ScriptedStream, check};

#[test]
fn the_cores_driver_follows_its_rule() {
    let report = check(|seed| Driven::new(ScriptedStream::new(seed)));
    let report = report.unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(report.skipped, 0);
    println!("{report:?}");
}

#[test]
fn it_does_so_too_where_a_turn_ends_in_the_middle_of_what_has_come() {
    let report = check(|seed| Driven::new(ScriptedStream::new(seed).pausing()));
    assert_eq!(report.unwrap_or_else(|violation| panic!("{violation}")).skipped, 0);
}

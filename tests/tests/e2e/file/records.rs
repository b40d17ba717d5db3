//! What the documentation says of records is what they hold.

use std::collections::BTreeSet;

use barewire_tests::harness::{Folder, share};
use serde_json::Value;

use super::fetch;

/// The fields of an event by the table in the README.
fn documented(event: &str) -> BTreeSet<String> {
    let readme = include_str!("../../../../README.md");
    let row = readme.lines().find(|line| line.starts_with(&format!("| `{event}` | ")));
    let row = row.unwrap_or_else(|| panic!("no row for {event}"));
    let fields = row.split('`').skip(3).step_by(2).filter(|field| *field != "ok");
    fields.map(str::to_owned).collect()
}

#[track_caller]
fn assert_documented(records: &[Value], optional: &[&str]) {
    for record in records {
        let event = record["event"].as_str().expect("it names its event");
        let fields = record.as_object().expect("an object").keys();
        let fields: BTreeSet<_> = fields.filter(|field| *field != "event").cloned().collect();
        let missing: Vec<_> = documented(event).symmetric_difference(&fields).cloned().collect();
        assert!(missing.iter().all(|it| optional.contains(&it.as_str())), "{event}: {missing:?}");
    }
}

#[test]
fn every_field_of_a_record_is_documented() {
    let folder = Folder::new().with("t/x", "contents").with("y", "other");
    let server = share(&folder, &["--json"]);
    let target = Folder::in_memory();
    let hash = blake3::hash(b"other").to_hex().to_string();
    for (options, optional) in [
        (&["--list", ".", "t"][..], &[][..]),
        (&["--list"], &["folder"]),
        (&["-r", "t"], &["expected"]),
        (&["y", "--expect", &hash], &[]),
        (&["nothing"], &[]),
    ] {
        let client = fetch(&server.at(), &target, &[options, &["--json"]].concat());
        assert!(!client.events().is_empty(), "{client:?}");
        assert_documented(&client.events(), optional);
    }
    let server = server.stop();
    assert_documented(&server.events(), &[]);
}

//! What the documentation says of records is what they hold.

use std::collections::BTreeSet;

use barewire_tests::harness::{Folder, KeyFile, Launch, ask_patiently, run, serve, share};
use serde_json::Value;

use crate::chat::Member;
use crate::file::fetch;

/// The fields of an event by the table for operators.
fn documented(event: &str) -> BTreeSet<String> {
    let document = include_str!("../../../../apps/docs/operators.md");
    let row = document.lines().find(|line| line.starts_with(&format!("| `{event}` | ")));
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

/// With several keys, a server tells whose it is that a client has.
fn two_keys() -> Folder {
    let folder = Folder::new();
    for name in ["anna", "ben"] {
        KeyFile::new(&folder, name);
    }
    folder
}

#[test]
fn every_field_of_the_file_programs_records_is_documented() {
    let folder = Folder::new().with("t/x", "contents").with("y", "other");
    let keys = two_keys();
    let server = share(&folder, &["--json", "--key", keys.arg()]);
    let key = keys.path("ben.key").display().to_string();
    let target = Folder::in_memory();
    let hash = blake3::hash(b"other").to_hex().to_string();
    for (options, optional) in [
        (&["--list", ".", "t"][..], &[][..]),
        (&["--list"], &["folder"]),
        (&["-r", "t"], &["expected"]),
        (&["y", "--expect", &hash], &[]),
        (&["nothing"], &[]),
    ] {
        let client = fetch(&server.at(), &target, &[options, &["--json", "--key", &key]].concat());
        assert!(!client.events().is_empty(), "{client:?}");
        assert_documented(&client.events(), optional);
    }
    let server = server.stop();
    assert_documented(&server.events(), &["reason"]);
}

#[test]
fn every_field_of_the_other_programs_records_is_documented() {
    let keys = two_keys();
    let key = keys.path("ben.key").display().to_string();
    for (server, client, of_datagrams) in [
        ("udp-server", "udp-client", &["key"][..]),
        ("tcp-server", "tcp-client", &["bytes", "truncated", "key"]),
    ] {
        let server = serve(server, &["--json", "--key", keys.arg()]);
        let address = server.at();
        let arguments = [&address, "--json", "--count", "2", "--interval", "1ms", "--key", &key];
        let client = ask_patiently(client, &arguments).exits(0);
        client.event("summary");
        // A client has one.
        assert_documented(&client.events(), &[of_datagrams, &["key"]].concat());
        assert_documented(&server.stop().events(), of_datagrams);
    }
    let failed = run("tcp-client", &["nowhere.invalid:1", "--json"]).exits(1);
    assert_documented(&[failed.event("error")], &[]);
}

#[test]
fn every_field_of_a_rooms_records_is_documented() {
    let server = serve("chat-server", &["--json"]);
    let mut anna = Member::join(server.address());
    for line in ["hello", "/me waves", "/msg server psst", "/nick anna"] {
        anna.say(line);
    }
    anna.hears("* guest1 is now anna");
    let (input, typing) = std::io::pipe().unwrap();
    let launch = Launch::new("chat-client").args([&server.at(), "--json", "--nick", "ben"]);
    let mut client = launch.stdin(input).spawn();
    anna.hears("* guest2 joined");
    anna.hears("* guest2 is now ben");
    anna.say("hi");
    client.line_with(r#""text":"hi""#);
    drop(typing);
    anna.hears("* ben left");
    assert_documented(&client.finish().exits(0).events(), &["action"]);
    anna.say("/quit");
    anna.is_at_the_end();
    let events = server.stop().events();
    for event in ["line", "notice", "joined", "left"] {
        assert!(events.iter().any(|record| record["event"] == event), "{event}: {events:#?}");
    }
    assert_documented(&events, &["action", "reason"]);
}

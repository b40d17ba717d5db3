//! Names in JSON can be turned back into names, and a person's screen is not flooded by them.

use std::io::Write;

use barewire_tests::harness::framed::{Reply, hear};
use barewire_tests::harness::sockets::connect;
use barewire_tests::harness::{Folder, Peer, share};

use super::fetch;

/// The bytes that the field `name` of an event stands for.
#[track_caller]
fn bytes_of(event: &serde_json::Value, name: &str) -> Vec<u8> {
    match event[format!("{name}_base64")].as_str() {
        Some(text) => decode(text),
        None => event[name].as_str().expect("a text").as_bytes().to_vec(),
    }
}

fn decode(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter(|byte| *byte != b'=');
    let bits = digits.flat_map(|byte| {
        let value = DIGITS.iter().position(|digit| *digit == byte).expect("a digit");
        (0..6).rev().map(move |bit| u8::from(value >> bit & 1 == 1))
    });
    let bits: Vec<_> = bits.collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | bit)).collect()
}

#[test]
fn a_name_that_is_shown_otherwise_comes_with_its_bytes() {
    let odd = "rtl\u{202e}\u{feff}";
    let twin = r"rtl\u{202e}\u{feff}";
    let folder = Folder::new().with(&format!("d/{odd}"), "1").with(&format!("d/{twin}"), "1");
    let mut server = share(&folder, &["--json"]);
    let list = fetch(&server.at(), &folder, &["--list", "--json", "d"]).exits(0);
    let found: Vec<_> = list.events().iter().map(|entry| bytes_of(entry, "name")).collect();
    assert_eq!(found, [twin.as_bytes(), odd.as_bytes()]);
    let target = Folder::in_memory();
    let client = fetch(&server.at(), &target, &["-r", "--json", "d"]).exits(0);
    for (event, name) in client.events().iter().zip([twin, odd]) {
        assert_eq!(event["event"], "downloaded", "{event}");
        assert_eq!(bytes_of(event, "name"), format!("d/{name}").as_bytes());
        assert_eq!(bytes_of(event, "path"), format!("d/{name}").as_bytes());
    }
    // Nor is a request that is no text.
    connect(server.address()).write_all(b"\xff\x1b\n").unwrap();
    let names: Vec<_> = (0..5).map(|_| bytes_of(&server.program.event("served"), "name")).collect();
    assert_eq!(names[4], b"\xff\x1b");
    server.stop();
}

/// A thousand files of a tree, with names of the longest, none of which can be had: the screen has
/// a hundred errors, each of bearable length.
#[test]
fn what_is_shown_of_hostile_names_is_bounded() {
    let name = |number: usize| format!("{number:04}{}", "\u{202e}".repeat(80));
    let lines = (0..1_000).map(|number| format!("1\t0\t{}\n", name(number)));
    let list: Vec<u8> = lines.flat_map(String::into_bytes).collect();
    let serve = |list: Vec<u8>| {
        Peer::tcp(move |mut stream| {
            while let Some(ask) = hear(&mut stream) {
                let answer = match ask.operation {
                    2 => Reply::ok(list.len(), 7).with(&ask, &list),
                    _ => Reply::refusal(1).bytes(&ask),
                };
                let _ = stream.write_all(&answer);
            }
        })
    };
    let server = serve(list.clone());
    let client = fetch(&server.at(), &Folder::in_memory(), &["-r", "."]).exits(1);
    server.finish();
    assert_eq!(client.error().lines().count(), 101, "{}", client.error().len());
    assert!(client.error().len() < 101 * 500, "{}", client.error().len());
    client.says(&["900 more errors, not shown"]).omits("file");
    // Scripts are told all.
    let server = serve(list);
    let client = fetch(&server.at(), &Folder::in_memory(), &["-r", ".", "--json"]).exits(1);
    server.finish();
    let errors = client.events().iter().filter(|event| event["event"] == "error").count();
    assert_eq!(errors, 1_000);
}

//! Names that lead out of the folder, or nowhere (CVE-2026-21620, erlang/otp#10706): refused, in
//! both forms and for lists too, and the server is unharmed. A backslash is an ordinary character.

use std::io::Write;

use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::sockets::{End, connect, read_out};
use barewire_tests::harness::{Folder, share};

use super::Containment;

/// Each with what it must not reach: files and folders that are there, beside the served one.
fn hostile_names(outside: &str) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = [
        "/",
        "//",
        "/etc/passwd",
        "//etc/passwd",
        "..",
        "../",
        "../.",
        "../secret",
        "./../secret",
        "sub/../../secret",
        "sub/./../../secret",
        "sub//..//..//secret",
        "../served/x",
        "sub/../../served/x",
        "x/../../secret",
        "nowhere/../../secret",
        "../../../../../../../../../../../../etc/passwd",
    ]
    .iter()
    .map(|name| name.as_bytes().to_vec())
    .collect();
    names.push(outside.as_bytes().to_vec());
    names.push(b"x\0".to_vec());
    names.push(b"x\0.txt".to_vec());
    names.push(b"../secret\0x".to_vec());
    names.push(b"sub/\0/../../secret".to_vec());
    names.push("../".repeat(300).into_bytes());
    names
}

fn house() -> Folder {
    Folder::new().with("secret", "outside").with("served/x", "inside").with_folder("served/sub")
}

#[test]
fn names_that_lead_out_are_refused() {
    for containment in Containment::EACH {
        let house = house();
        let server = containment.share(house.path("served"), &[]);
        let mut stream = connect(server.address());
        for name in hostile_names(house.path("secret").to_str().unwrap()) {
            for ask in [Ask::get(&name), Ask::list(&name), Ask::get(&name).unverified()] {
                let status = ask.fetch(&mut stream).0.status;
                assert_eq!(status, 2, "{}", name.escape_ascii());
            }
        }
        assert_eq!(Ask::get("").fetch(&mut stream).0.status, 2);
        for folder in [".", "./", "sub", "sub/..", "x/.", "x/"] {
            let status = Ask::get(folder).fetch(&mut stream).0.status;
            assert!(matches!(status, 1 | 2), "{folder}: {status}");
        }
        assert_eq!(Ask::get("sub/../x").fetch(&mut stream).1, b"inside");
        drop(stream);
        server.stop();
    }
}

#[test]
fn names_that_lead_out_are_refused_in_the_plain_form() {
    let house = house();
    let server = share(house.path("served"), &["--quiet-period", "1h", "--max-pause", "0"]);
    for mut name in hostile_names(house.path("secret").to_str().unwrap()) {
        name.push(b'\n');
        let mut stream = connect(server.address());
        stream.write_all(&name).unwrap();
        assert_eq!(read_out(&mut stream), (vec![], End::Closed), "{}", name.escape_ascii());
    }
    assert_eq!(Ask::get("x").status(server.address()), 0);
    server.stop();
}

/// Whatever is not a name at all: too long for the protocol, for the system, for a folder.
#[test]
fn endless_names_are_refused() {
    let folder = Folder::new().with("x", "inside");
    let server = share(&folder, &[]);
    for length in [255, 256, 1024] {
        let status = Ask::get("n".repeat(length)).status(server.address());
        assert!(matches!(status, 1 | 2), "{length}: {status}");
    }
    for (length, status) in [(1025, 3), (4096, 3), (65535, 3)] {
        assert_eq!(Ask::get("n".repeat(length)).status(server.address()), status, "{length}");
    }
    assert!(matches!(Ask::get("n/".repeat(512)).status(server.address()), 1 | 2));
    server.stop();
}

#[test]
fn a_backslash_is_an_ordinary_character() {
    let folder = Folder::new().with("a\\b", "one name").with("..\\x", "another").with("a/b", "no");
    // What begins with a dot is hidden.
    let server = share(&folder, &["--hidden"]);
    let mut stream = connect(server.address());
    assert_eq!(Ask::get("a\\b").fetch(&mut stream).1, b"one name");
    assert_eq!(Ask::get("..\\x").fetch(&mut stream).1, b"another");
    assert_eq!(Ask::get("..\\secret").fetch(&mut stream).0.status, 1);
    drop(stream);
    server.stop();
}

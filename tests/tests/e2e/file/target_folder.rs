//! A hostile name from the server, or a symbolic link that waits in the target folder, never writes
//! outside it (CVE-2026-32116, CVE-2023-43616).

use std::io::Write;
use std::net::Shutdown;
use std::os::unix::fs::symlink;

use barewire_tests::harness::folder::names;
use barewire_tests::harness::framed::{Reply, hear};
use barewire_tests::harness::sockets::with_timeouts;
use barewire_tests::harness::{Folder, Launch, Peer, share};

use crate::file::fetch;

/// Answers every list with `list`, and every file with `contents`, on one connection.
fn hostile_server(list: Vec<u8>) -> Peer<Vec<Vec<u8>>> {
    Peer::tcp_listener(move |listener| {
        let mut stream = with_timeouts(listener.accept().expect("a client").0);
        let mut asked = Vec::new();
        while let Some(ask) = hear(&mut stream) {
            let whole = if ask.operation == 2 { &list[..] } else { b"planted" };
            // The client may have heard enough.
            let _ = stream.write_all(&Reply::ok(whole.len(), 7).with(&ask, whole));
            asked.push(ask.name);
        }
        let _ = stream.shutdown(Shutdown::Write);
        asked
    })
}

/// Everything beneath a folder is as it was.
#[track_caller]
fn assert_untouched(house: &Folder) {
    assert_eq!(house.names(), ["private", "target"]);
    assert_eq!(names(&house.path("private")), ["precious"]);
    assert_eq!(house.read("private/precious"), b"precious");
}

fn house() -> Folder {
    Folder::in_memory().with("private/precious", "precious").with_folder("target")
}

#[test]
fn hostile_names_in_a_list_write_nothing() {
    for name in [
        "../private/planted",
        "../planted",
        "..",
        "../",
        ".",
        "/tmp/planted",
        "a/../../private/planted",
        "sub/planted",
        "",
        "/",
        "esc\x1b]0;title\x07",
        "nul\0",
        "c1\u{9b}",
    ] {
        let house = house();
        let list = format!("7\t0\tgood\n7\t0\t{name}\n0\t0\tzdir/\n").into_bytes();
        let server = hostile_server(list);
        let client = Launch::new("file-client")
            .args([&*server.at(), "-r", ".", "--retries", "0"])
            .within(house.path("target"));
        let client = client.run();
        assert_eq!(client.code(), Some(1), "{name:?}: {client:?}");
        client.says(&["list"]);
        assert_untouched(&house);
        let found = names(&house.path("target"));
        assert!(found.iter().all(|name| name == "good" || name == "zdir"), "{found:?}");
        let asked = server.finish();
        assert!(asked.iter().all(|asked| [&b""[..], b".", b"good", b"zdir"].contains(&&asked[..])));
    }
}

/// The same name twice, as a file and as a folder, as a part; and a folder that holds itself, which
/// would have no end: no more than a failure comes of it.
#[test]
fn names_that_collide_write_nothing_else() {
    for list in [
        "7\t0\tx\n7\t0\tx\n",
        "7\t0\tx\n0\t0\tx/\n",
        "0\t0\tx/\n7\t0\tx\n",
        "7\t0\tx\n7\t0\tx.part\n",
        "7\t0\tfile\n0\t0\tx/\n",
    ] {
        let house = house();
        let server = hostile_server(list.as_bytes().to_vec());
        let client = Launch::new("file-client")
            .args([&*server.at(), "-r", ".", "--retries", "0"])
            .within(house.path("target"))
            .run();
        assert!(matches!(client.code(), Some(0 | 1)), "{list:?}: {client:?}");
        assert_untouched(&house);
        // Depth first or not, it has asked for less than one connection could carry.
        assert!(server.finish().len() < 5000, "{list:?}");
    }
}

/// A link under the name of the file, of its part, of the part's journal.
#[test]
fn a_link_in_the_target_is_not_written_through() {
    let folder = Folder::in_memory().with("x", "new contents");
    let server = share(&folder, &[]);
    for link in ["x", "x.part", "x.part.journal"] {
        for aim in ["../private/precious", "../private/new"] {
            for options in [&["x"][..], &["x", "--force"], &["x", "--plain", "--force"]] {
                let house = house();
                symlink(aim, house.path("target").join(link)).unwrap();
                let target = house.path("target");
                let launch = Launch::new("file-client").arg(server.at()).args(options);
                let client = launch.within(&target).run();
                assert_untouched(&house);
                // It is refused, replaced, or worked around.
                assert!(matches!(client.code(), Some(0 | 1)), "{client:?}");
                if client.code() == Some(0) {
                    assert_eq!(house.read("target/x"), b"new contents");
                    assert!(!target.join("x").is_symlink(), "{link}");
                }
            }
        }
    }
    server.stop();
}

/// A link where a sub folder of the tree is to be.
#[test]
fn a_link_in_place_of_a_sub_folder_is_not_followed() {
    let folder = Folder::in_memory().with("tree/sub/x", "planted").with("tree/y", "fine");
    let server = share(&folder, &[]);
    for aim in ["../../private", "sub2", "/tmp"] {
        let house = house().with_folder("target/tree/sub2");
        symlink(aim, house.path("target/tree/sub")).unwrap();
        let launch = Launch::new("file-client").args([&*server.at(), "-r", "tree", "--force"]);
        launch.within(house.path("target")).run().exits(1).says(&["sub"]);
        assert_untouched(&house);
        assert_eq!(names(&house.path("target/tree/sub2")), [""; 0]);
        // The rest came all the same.
        assert_eq!(house.read("target/tree/y"), b"fine");
    }
    // Nor where the tree itself is to be.
    let house = house();
    symlink("../private", house.path("target/tree")).unwrap();
    let launch = Launch::new("file-client").args([&*server.at(), "-r", "tree", "--force"]);
    launch.within(house.path("target")).run().exits(1).says(&["tree"]);
    assert_untouched(&house);
    server.stop();
}

/// The folder that the user names may be a link: that is the user's word.
#[test]
fn the_target_itself_may_be_a_link() {
    let folder = Folder::in_memory().with("x", "contents");
    let server = share(&folder, &[]);
    let target = Folder::in_memory().with_folder("real").with_link("alias", "real");
    fetch(&server.at(), &target, &["x", "-d", "alias"]).exits(0);
    assert_eq!(target.read("real/x"), b"contents");
    server.stop();
}

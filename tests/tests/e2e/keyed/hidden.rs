//! What is said is said, and nobody on the way sees any of it.

use barewire_tests::harness::keyed::{Interceptor, Side, assert_hidden, assert_keyed};

use super::scene::{Kind, NAME, Scene};
use crate::file::fetch;

#[test]
fn each_conversation_goes_on_and_nothing_of_it_is_to_be_seen() {
    for kind in Kind::EACH {
        let scene = Scene::with_file(kind, 300_000);
        let mut server = scene.serve(&[]);
        let way = Interceptor::reading(server.address());
        let client = scene.run_client(&way.at()).exits(0).is_silent();
        assert!(scene.was_served(&client), "{client:?}");
        if kind == Kind::File {
            scene.target.assert_holds(NAME, &scene.contents);
        }
        server.program.line_with(scene.shown());
        let stopped = server.stop();
        assert!(stopped.diagnostics().all(|line| line.contains(": serving ")), "{stopped:?}");
        let [seen] = &way.recordings()[..] else { panic!("one connection") };
        for side in Side::BOTH {
            let bytes = seen.of(side);
            assert!(seen.messages(side).len() > 1, "{side:?} said nothing");
            assert_keyed(side, kind.conversation(), bytes);
            for text in scene.texts() {
                assert_hidden(bytes, text);
            }
        }
    }
}

/// Listings, trees, what is compared before a resume, and the files that are got plainly within.
#[test]
fn nothing_of_a_folder_is_to_be_seen_however_it_is_asked_for() {
    let scene = Scene::new(Kind::File);
    let text = "what is in the tree is hidden as well";
    for name in ["a-whole-tree/and-its-branch/and-a-leaf.txt", "a-whole-tree/an-apple.txt"] {
        scene.source.write(name, text.repeat(100));
    }
    let server = scene.serve(&["-q"]);
    let way = Interceptor::reading(server.address());
    let key = ["--key", scene.key.arg()];
    let asked: [&[&str]; 5] = [
        &["--list"],
        &["-r", "a-whole-tree"],
        &["-r", "a-whole-tree", "--checksum"],
        &["--plain", "-o", "plain.txt", "a-whole-tree/an-apple.txt"],
        &["no-such-name-anywhere"],
    ];
    for options in asked {
        fetch(&way.at(), &scene.target, &[options, &key].concat());
    }
    for name in ["a-whole-tree/and-its-branch/and-a-leaf.txt", "plain.txt"] {
        scene.target.assert_holds(name, text.repeat(100).as_bytes());
    }
    server.stop();
    let seen = way.recordings();
    assert!(seen.len() >= asked.len());
    for side in Side::BOTH {
        let bytes: Vec<_> = seen.iter().flat_map(|seen| seen.of(side)).copied().collect();
        let names = ["a-whole-tree", "and-its-branch", "and-a-leaf.txt", "an-apple.txt", NAME];
        for text in names.into_iter().chain([text, "no-such-name-anywhere"]) {
            assert_hidden(&bytes, text);
        }
        for seen in &seen {
            assert_keyed(side, Kind::File.conversation(), seen.of(side));
        }
    }
}

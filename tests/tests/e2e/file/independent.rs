//! The framed form in another language, written from its documentation alone (`tests/independent`): the
//! programs hold to what is documented, and to no more.

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{RESPONSE, SEGMENT};
use barewire_tests::harness::{Folder, Launch, Server, share};

use super::fetch;

/// Two segments of a client that asks for none in particular.
const SIZE: usize = SEGMENT + 5000;

/// Serves one file under all names, each of which tells what is wrong with the answer.
fn server() -> (Folder, Vec<u8>, Server) {
    let whole = contents(SIZE, 14);
    let folder = Folder::in_memory().with("file", &whole);
    let launch = Launch::python_file("independent/server.py").arg(folder.path("file"));
    (folder, whole, Server::start(launch))
}

/// Those that the core holds itself to.
#[test]
fn the_documented_examples_hold_in_python() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/src/file/tests/vectors.txt");
    let python = Launch::python_file("independent/examples.py").arg(examples).run().exits(0);
    python.prints(" examples hold");
}

#[test]
fn a_client_in_python_gets_and_proves_all_that_a_server_has() {
    let folder = Folder::in_memory().with_folder("folder").with("grüße", "hello");
    let sizes = [0, 1, 1023, 1024, 1025, 5000, 100_000, SIZE];
    for size in sizes {
        folder.write(&size.to_string(), contents(size, size as u64));
    }
    let server = share(&folder, &["-q"]);
    let client = Launch::python_file("independent/client.py");
    let client = client.args(["127.0.0.1", &server.port(), folder.arg()]).run().exits(0);
    client.prints(&format!("{} files are as they are", sizes.len() + 1));
    server.stop();
}

#[test]
fn a_server_in_python_is_believed_and_resumed_from() {
    let (_folder, whole, server) = server();
    let target = Folder::in_memory();
    let client = fetch(&server.at(), &target, &["right", "--json"]).exits(0).is_silent();
    assert_eq!(client.event("downloaded")["verified"], true);
    target.assert_holds("right", &whole);

    let name = format!("cut-{}", SEGMENT + 3000);
    fetch(&server.at(), &target, &[&name, "--retries", "0"]).exits(1);
    assert!(!target.has(&name));
    let client = fetch(&server.at(), &target, &[&name, "--json"]).exits(0).is_silent();
    assert_eq!(client.event("downloaded")["resumed_from"], SEGMENT);
    target.assert_holds(&name, &whole);
}

#[test]
fn whatever_a_server_in_python_gets_wrong_is_an_error() {
    let lies = [
        "unverified",
        "offset",
        "short",
        "long",
        "untagged",
        "damaged",
        "unproven",
        "swapped",
        "another",
    ];
    assert_disbelieved(lies.map(str::to_owned));
}

/// One bit of each byte.
#[test]
fn a_damaged_header_is_an_error() {
    assert_disbelieved((0..RESPONSE).map(|byte| format!("flip-{byte}")));
}

#[track_caller]
fn assert_disbelieved(names: impl IntoIterator<Item = String>) {
    let (_folder, _, server) = server();
    let target = Folder::in_memory();
    for name in names {
        fetch(&server.at(), &target, &[&name, "--retries", "0"]).exits(1);
        assert!(!target.has(&name), "{name}");
    }
}

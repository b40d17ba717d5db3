//! Files under a key.

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::SEGMENT;
use barewire_tests::harness::{Fault, Folder, KeyFile, Launch, Proxy, Server, run, share};

use super::fetch;

const SIZE: usize = SEGMENT + 70_000;

/// A server with this key, of a folder with some files, of which one is large.
fn serve(key: &KeyFile, options: &[&str]) -> (Folder, Vec<u8>, Server) {
    let whole = contents(SIZE, 31);
    let folder = Folder::in_memory().with("x", &whole).with("empty", "").with("small", "few bytes");
    let folder = folder.with_folder("tree").with("tree/y", contents(100_000, 32));
    let server = share(&folder, &[&["--key", key.arg()], options].concat());
    (folder, whole, server)
}

fn new_key(name: &str) -> (Folder, KeyFile) {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, name);
    (folder, key)
}

#[test]
fn every_way_of_a_download_goes_under_a_key() {
    let (_keys, key) = new_key("ben");
    let (folder, whole, server) = serve(&key, &[]);
    let target = Folder::in_memory();
    let names = ["x", "empty", "small"];
    let fetch_all =
        |options: &[&str]| fetch(&server.at(), &target, &[&["--key", key.arg()], options].concat());
    fetch_all(&names).exits(0).prints("(verified)");
    for name in names {
        target.assert_holds(name, &folder.read(name));
    }
    fetch_all(&["-r", "tree"]).exits(0).prints("1 file");
    target.assert_holds("tree/y", &folder.read("tree/y"));
    fetch_all(&["-r", "tree"]).exits(0).prints("1 unchanged");
    fetch_all(&["--list"]).exits(0).prints("small").prints("tree/");
    fetch_all(&["small", "-o", "-"]).exits(0).prints("few bytes");
    let hash = blake3::hash(&whole).to_hex().to_string();
    fetch_all(&["x", "--expect", &hash, "--force"]).exits(0).prints("the hash is as expected");
    fetch_all(&["x", "--no-verify", "-o", "unverified"]).exits(0);
    target.assert_holds("unverified", &whole);
    fetch_all(&["x", "--plain", "-o", "plain"]).exits(0);
    target.assert_holds("plain", &whole);
    fetch_all(&["none"]).exits(1).says(&["has no such file"]);
    fetch_all(&["x", "-o", "paced", "--limit-rate", "4M"]).exits(0);
    target.assert_holds("paced", &whole);
    server.stop();
}

#[test]
fn a_download_that_was_cut_off_goes_on_where_it_was() {
    let (_keys, key) = new_key("ben");
    let (_folder, whole, server) = serve(&key, &[]);
    for fault in [Fault::Close(SEGMENT as u64 + 40_000), Fault::Flip(SEGMENT as u64 + 40_000)] {
        let proxy = Proxy::start(server.address(), &[fault]);
        let target = Folder::in_memory();
        let client = fetch(&proxy.at(), &target, &["x", "--key", key.arg()]).exits(0);
        target.assert_holds("x", &whole);
        let client = client.says(&["trying again"]);
        assert!(!client.error().contains("--plain"), "{client:?}");
        // The first segment did not come twice.
        assert!(proxy.carried()[1] < SEGMENT as u64, "{:?}", proxy.carried());
    }
    // An end that the server has not said is none, also of a file that has no proof.
    let proxy = Proxy::start(server.address(), &[Fault::Close(40_000)]);
    let target = Folder::in_memory();
    let options = ["x", "--plain", "--retries", "0", "--key", key.arg()];
    fetch(&proxy.at(), &target, &options).exits(1).says(&["cut"]);
    assert!(!target.has("x"), "{:?}", target.names());
    server.stop();
}

#[test]
fn a_file_comes_from_several_servers_that_have_the_key() {
    let (keys, key) = new_key("ben");
    let other = KeyFile::new(&keys, "eva");
    let (_one, whole, one) = serve(&key, &["-q"]);
    let (_two, _, two) = serve(&key, &["-q"]);
    let (_three, _, foreign) = serve(&other, &["-q"]);
    let target = Folder::in_memory();
    let options = ["x", "--key", key.arg(), "--mirror", &two.at(), "--mirror", &foreign.at()];
    fetch(&one.at(), &target, &options).exits(0).prints("(verified)");
    target.assert_holds("x", &whole);
    for server in [one, two, foreign] {
        server.stop();
    }
}

#[test]
fn who_has_another_key_or_none_gets_nothing_and_both_ends_say_why() {
    let (keys, key) = new_key("ben");
    let other = KeyFile::new(&keys, "eva");
    let (_folder, _, mut server) = serve(&key, &[]);
    let target = Folder::in_memory();
    let client = fetch(&server.at(), &target, &["x", "--key", other.arg()]).exits(1);
    let client = client.says(&["closed at the handshake: it has another key"]);
    assert!(!client.error().contains("trying again"), "{client:?}");
    assert!(!client.error().contains("--plain"), "{client:?}");
    server.program.diagnostic_with(&["refused, as it has another key"]);
    assert!(target.names().is_empty(), "{:?}", target.names());
    assert!(!server.stop().output().contains("bytes in"));
}

/// Nor is it kept waiting, as for a server that is only too busy.
#[test]
fn who_names_no_key_is_told_that_it_may_take_one() {
    let (_keys, key) = new_key("ben");
    let folder = Folder::in_memory().with("x", "contents");
    let sockets = Folder::new();
    let unix = format!("unix:{}", sockets.path("socket").display());
    let server = share(&folder, &["--key", key.arg(), "--max-pause", "0"]);
    let other = Launch::new("file-server").args([&*unix, folder.arg(), "--key", key.arg()]);
    let mut other = other.spawn();
    other.line_with("listening on");
    let target = Folder::in_memory();
    for at in [&server.at(), &unix] {
        for options in [&["x"][..], &["x", "--plain"], &["--list"], &["-r", "."]] {
            let client = fetch(at, &target, options).exits(1);
            let told: Vec<_> = client.diagnostics().collect();
            assert!(told.len() <= 3, "{client:?}");
            let hint = "if the server has a key, --key FILE is needed";
            assert!(told[0].contains(hint) || told[told.len() - 1].contains(hint), "{client:?}");
        }
    }
    assert!(target.names().is_empty(), "{:?}", target.names());
    server.stop().omits("bytes in");
}

#[test]
fn a_client_with_a_key_asks_nothing_of_a_server_without() {
    let (_keys, key) = new_key("ben");
    let folder = Folder::in_memory().with("x", "contents");
    // What it hears may be the beginning of a name, the rest of which it waits for.
    let server = share(&folder, &["--timeout", "100ms"]);
    let target = Folder::in_memory();
    let options = ["x", "--key", key.arg(), "--timeout", "1h"];
    let client = fetch(&server.at(), &target, &options).exits(1);
    assert!(!client.error().contains("--plain"), "{client:?}");
    assert!(!client.error().contains("trying again"), "{client:?}");
    assert!(target.names().is_empty(), "{:?}", target.names());
    server.stop();
}

#[test]
fn a_key_may_have_a_folder_of_its_own_and_reaches_no_other() {
    let keys = Folder::new();
    let [anna, ben] = ["anna", "ben"].map(|name| KeyFile::new(&keys, name));
    let (common, own) = (Folder::in_memory(), Folder::in_memory());
    common.write("x", "for all");
    common.write("z", "common");
    own.write("x", "for ben");
    own.write("y", "own");
    let root = format!("ben={}", own.arg());
    let server = share(&common, &["--key", keys.arg(), "--key-root", &root]);
    let get = |key: &KeyFile, name: &str| {
        run("file-client", &[&server.at(), name, "--key", key.arg(), "-o", "-"])
    };
    get(&ben, "x").exits(0).prints("for ben");
    get(&ben, "y").exits(0).prints("own");
    get(&ben, "z").exits(1).says(&["has no such file"]);
    get(&anna, "x").exits(0).prints("for all");
    get(&anna, "y").exits(1).says(&["has no such file"]);
    run("file-client", &[&server.at(), "--list", "--key", ben.arg()]).exits(0).omits("z");
    server.stop();

    for (options, why) in [
        (&["--key-root", "ben=."][..], "there is no key"),
        (&["--key", keys.arg(), "--key-root", "eva=."], "no key is called 'eva'"),
        (&["--key", keys.arg(), "--key-root", "ben"], "must be NAME=DIR"),
        (&["--key", keys.arg(), "--key-root", "ben=.", "--key-root", "ben=."], "two folders"),
    ] {
        run("file-server", &[&["127.0.0.1:0"], options].concat()).exits(2).says(&[why]);
    }
    run("file-server", &["127.0.0.1:0", "--key", keys.arg(), "--key-root", "ben=/none/none"])
        .exits(1)
        .says(&["--key-root: cannot serve /none/none"]);
}

#[test]
fn one_connection_under_a_key_ends_a_server_for_one() {
    let (_keys, key) = new_key("ben");
    let (_folder, whole, server) = serve(&key, &["--once"]);
    let target = Folder::in_memory();
    fetch(&server.at(), &target, &["x", "--key", key.arg()]).exits(0);
    target.assert_holds("x", &whole);
    server.program.finish().exits(0).prints("bytes in");
}

#[test]
fn whose_key_asked_is_shown_where_there_are_several() {
    let keys = Folder::new();
    let [_, ben] = ["anna", "ben"].map(|name| KeyFile::new(&keys, name));
    let folder = Folder::in_memory().with("x", "contents");
    let mut server = share(&folder, &["--key", keys.arg(), "--json"]);
    let at = server.at();
    for (name, status) in [("x", "ok"), ("none", "not found"), ("../x", "refused")] {
        run("file-client", &[&at, name, "--key", ben.arg(), "-o", "-"]);
        let record = server.program.event("served");
        assert_eq!(
            (&record["key"], &record["status"]),
            (&"ben".into(), &status.into()),
            "{record}"
        );
    }
    server.stop();
}

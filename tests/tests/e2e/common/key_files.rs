//! The file of a key: it is spoilt by no option, told to nobody, and its bytes reach no disk.

use std::fs;

use barewire_tests::harness::sockets::receive;
use barewire_tests::harness::{Folder, KeyFile, Launch, Peer, Program, run, serve, share};
use nix::sys::signal::Signal;

use super::SERVERS;

/// As the shell that starts it may: with a core file of any size.
fn with_cores(program: &str) -> Launch {
    Launch::through_shell("ulimit -S -c \"$(ulimit -H -c)\"; exec \"$0\" \"$@\"", program)
}

/// Whether it may write a core file, by what the kernel says.
fn may_dump(program: &Program) -> bool {
    let limits = fs::read_to_string(format!("/proc/{}/limits", program.process()));
    let limits = limits.expect("it runs");
    let line = limits.lines().find(|line| line.starts_with("Max core file size"));
    let [.., soft, hard, _] =
        line.expect("there is such a limit").split_whitespace().collect::<Vec<_>>()[..]
    else {
        panic!("{limits}");
    };
    (soft, hard) != ("0", "0")
}

#[test]
fn no_core_file_is_written_of_who_has_a_key() {
    let (_, most) =
        nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_CORE).unwrap();
    assert!(most > 0, "this test needs to be allowed core files (ulimit -H -c)");
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    for name in SERVERS {
        let mut program = with_cores(name).args(["127.0.0.1:0", "--key", key.arg()]).spawn();
        program.listening();
        assert!(!may_dump(&program), "{name}");
        program.signal(Signal::SIGQUIT);
        assert_eq!(program.finish().signal(), Some(Signal::SIGQUIT as i32));
    }
    for name in ["tcp-client", "file-client", "chat-client"] {
        // Once it has connected it has read its key.
        let peer = Peer::tcp(|stream| stream);
        let client = with_cores(name).args([peer.at().as_str(), "--key", key.arg()]);
        let client = if name == "file-client" { client.arg("x") } else { client }.spawn();
        let stream = peer.finish();
        assert!(!may_dump(&client), "{name}");
        drop(stream);
    }
    let peer = Peer::udp(|socket| receive(&socket));
    let client = with_cores("udp-client").args([peer.at().as_str(), "--key", key.arg()]).spawn();
    peer.finish();
    assert!(!may_dump(&client));
}

#[test]
fn no_option_of_a_room_takes_the_file_of_a_key() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let bytes = fs::read(key.path()).unwrap();
    for option in ["--log", "--bans", "--motd"] {
        let why = format!("{option}: {} is the file of a key (name another)", key.arg());
        let room = || Launch::new("chat-server").args(["127.0.0.1:0", option, key.arg()]);
        room().args(["--key", key.arg()]).run().exits(2).says(&[&why]).omits("listening");
        room().args(["--key", folder.arg()]).run().exits(2).says(&[&why]);
        room().env("BAREWIRE_KEY_FILE", key.arg()).run().exits(2).says(&[&why]);
        if option == "--motd" {
            continue;
        }
        // Nor do they make one that the next start would take for a key.
        let new = folder.path("new.key");
        let room = || Launch::new("chat-server").args(["127.0.0.1:0", option]).arg(&new);
        room().args(["--key", folder.arg()]).run().exits(2).says(&["would be read as a key"]);
        assert!(!new.exists());
    }
    assert_eq!(fs::read(key.path()).unwrap(), bytes);
}

#[test]
fn no_socket_is_made_where_keys_are_read() {
    let folder = Folder::new();
    KeyFile::new(&folder, "ben");
    let socket = folder.path("socket.key");
    let at = format!("unix:{}", socket.display());
    for program in ["tcp-server", "file-server", "chat-server"] {
        let why = format!("ADDR: {} would be read as a key", socket.display());
        run(program, &[&at, "--key", folder.arg()]).exits(2).says(&[&why]).omits("listening");
        assert!(!socket.exists());
    }
}

/// It makes none.
#[test]
fn a_message_of_the_day_that_is_not_there_is_told_to_be_not_there() {
    let folder = Folder::new();
    KeyFile::new(&folder, "ben");
    let motd = folder.path("motd.key");
    let launch = Launch::new("chat-server").args(["127.0.0.1:0", "--key", folder.arg(), "--motd"]);
    launch.arg(&motd).run().exits(1).says(&["motd.key: no such file or directory"]);
}

/// Also of one that the program does not know as a key.
#[test]
fn what_is_wrong_with_a_file_is_told_without_its_bytes() {
    let folder = Folder::new();
    let path = folder.path("ben.key");
    fs::write(&path, b"0123456789abcdefGHIJKLMNOPQRST\xff!").unwrap();
    let path = path.to_str().unwrap();
    let told = run("chat-server", &["127.0.0.1:0", "--bans", path]).exits(1);
    assert!(!told.error().contains("cdef"), "{told:?}");
    let told = run("file-client", &["127.0.0.1:9", "x", "--expect-from", path]).exits(2);
    assert!(!told.error().contains("cdef"), "{told:?}");
}

#[test]
fn a_download_replaces_no_key_that_is_in_use() {
    let keys = Folder::new().with_folder("tree");
    let key = KeyFile::new(&keys, "tree/ben");
    let bytes = fs::read(key.path()).unwrap();
    let source = Folder::in_memory().with("tree/ben.key", "another").with("tree/x", "contents");
    let server = share(&source, &["--key", key.arg()]);
    let at = server.at();
    let fetch = |options: &[&str]| {
        let known = [at.as_str(), "--key", "tree/ben.key"];
        Launch::new("file-client").args(known).args(options).within(&keys).run()
    };
    let named = "-o: tree/ben.key is the file of a key (name another)";
    fetch(&["tree/x", "-o", "tree/ben.key", "--force"]).exits(2).says(&[named]);
    let named = "--expect-from: tree/ben.key is the file of a key (name another)";
    fetch(&["tree/x", "--expect-from", "tree/ben.key"]).exits(2).says(&[named]);
    let stays = "tree/ben.key is the key of this conversation, and is not replaced";
    fetch(&["tree/ben.key", "-d", "tree", "--force"]).exits(1).says(&[stays]);
    fetch(&["-r", "tree"]).exits(1).says(&[stays]);
    assert_eq!(fs::read(key.path()).unwrap(), bytes);
    server.stop();
}

#[test]
fn a_file_server_serves_no_key_of_somebody_else() {
    let source = Folder::new().with("x", "contents").with_folder("keys").with_folder("public");
    let [anna, _] = ["keys/anna", "keys/ben"].map(|name| KeyFile::new(&source, name));
    let (folder, keys) = (source.path("keys"), source.arg());
    let folder = folder.to_str().unwrap();
    let public = source.path("public");
    let public = public.to_str().unwrap();
    let root = format!("anna={keys}");
    for options in [[keys, "--key", folder, "-q"], [public, "--key", folder, "--key-root"]] {
        let launch = Launch::new("file-server").arg("127.0.0.1:0").args(options);
        let launch = if options[3] == "--key-root" { launch.arg(&root) } else { launch };
        launch.run().exits(2).says(&["/keys/anna.key is in "]).says(&["keep keys elsewhere"]);
    }
    // Who has the only key that there is has it already.
    let server = share(&source, &["--key", anna.arg()]);
    server.stop();
    let server = share(public, &["--key", folder]);
    server.stop();
}

#[test]
fn a_name_that_has_no_room_for_a_second_connection_is_refused_by_a_room_only() {
    let folder = Folder::new();
    KeyFile::new(&folder, &"x".repeat(23));
    let name = "xxxxxxxxxxxxxxxxxxxxxxx-2";
    run("chat-server", &["127.0.0.1:0", "--key", folder.arg()]).exits(1).says(&[&format!(
        "'{name}' is longer than a nick can be, so give it a name of at most 22"
    )]);
    serve("tcp-server", &["--key", folder.arg()]).stop();
}

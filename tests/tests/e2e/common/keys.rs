//! Keys: how one is made, and which are taken.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

use barewire_tests::harness::{
    Folder, KeyFile, Launch, PATIENTLY, Server, ask_patiently, run, serve,
};

use super::{PROGRAMS, SERVERS, is_root};

/// An address that each of them takes, where nobody is.
fn address(program: &str) -> &'static str {
    if SERVERS.contains(&program) { "127.0.0.1:0" } else { "127.0.0.1:9" }
}

/// A user without a name.
const SOMEBODY: u32 = 65432;

#[test]
fn every_program_makes_a_key_that_is_its_owners_alone() {
    let folder = Folder::new();
    for program in PROGRAMS {
        let name = format!("{program}'s.key");
        let make = || {
            Launch::through_shell("umask 0; exec \"$0\" \"$@\"", program)
                .within(&folder)
                .args(["--new-key", &name])
                .run()
        };
        let (kind, _) = program.split_once('-').unwrap();
        let quoted = format!(r"'{program}'\''s.key'");
        make()
            .exits(0)
            .is_silent()
            .prints(&format!("  scp -p {quoted} HOST:\n"))
            .prints(&format!("  {kind}-server ADDR --key {quoted}\n"))
            .prints(&format!("  {kind}-client ADDR --key {quoted}\n"));
        let path = folder.path(&name);
        let (bytes, metadata) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap());
        assert_eq!((bytes.len(), metadata.mode() & 0o7777), (32, 0o600));
        make().exits(1).says(&["it is there already, and is not overwritten"]).omits("scp");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    let all: Vec<_> = PROGRAMS
        .map(|program| fs::read(folder.path(&format!("{program}'s.key"))).unwrap())
        .into_iter()
        .collect();
    assert!(all.iter().enumerate().all(|(place, key)| !all[..place].contains(key)));
}

#[test]
fn a_key_that_cannot_be_made_is_told_with_the_reason() {
    let folder = Folder::new().with("file", "");
    symlink("nowhere", folder.path("link")).unwrap();
    for (name, why) in [
        ("none/x.key", "no such file or directory (make its folder first)"),
        ("file/x.key", "not a directory (what should be its folder is a file)"),
        ("link", "it is there already"),
        (".", "it is there already"),
    ] {
        run("udp-server", &["--new-key", folder.path(name).to_str().unwrap()])
            .exits(1)
            .says(&[why])
            .says(&["--new-key: cannot make "]);
    }
    assert!(!folder.path("nowhere").exists());
    run("udp-server", &["--new-key"]).exits(2);
    for other in [&["127.0.0.1:9"][..], &["--json"], &["--key", "x"], &["-q"]] {
        let name = folder.path("new.key");
        let name = name.to_str().unwrap();
        run("udp-server", &[other, &["--new-key", name]].concat()).exits(2);
        assert!(!folder.path("new.key").exists());
    }
}

#[test]
fn what_is_no_key_is_told_with_what_mends_it() {
    let folder = Folder::new().with("short", b"too short").with("zero", [0; 32]);
    let open = KeyFile::new(&folder, "open");
    for name in ["short", "zero"] {
        fs::set_permissions(folder.path(name), Permissions::from_mode(0o600)).unwrap();
    }
    fs::set_permissions(open.path(), Permissions::from_mode(0o640)).unwrap();
    for program in PROGRAMS {
        for (name, why) in [
            ("none", "no such file or directory (--new-key makes one)"),
            ("short", "it has 9 bytes, and a key has 32"),
            ("zero", "its bytes are not random"),
            ("open.key", &format!("(chmod 600 {} mends that", open.arg())),
        ] {
            let path = folder.path(name);
            let path = path.to_str().unwrap();
            run(program, &[address(program), "--key", path])
                .exits(1)
                .says(&[why])
                .says(&["--key: cannot use the key in "])
                .omits("listening");
            Launch::new(program)
                .arg(address(program))
                .env("BAREWIRE_KEY_FILE", path)
                .run()
                .exits(1)
                .says(&["BAREWIRE_KEY_FILE: cannot use the key in "]);
        }
        run(program, &[address(program), "--key", "/dev/zero"])
            .exits(1)
            .says(&["not a regular file"]);
    }
    run("udp-server", &["127.0.0.1:0", "--key", folder.arg(), "--key", open.arg()])
        .exits(1)
        .omits("listening");
}

#[test]
fn a_key_is_found_by_the_variable_and_among_a_services_credentials() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "barewire");
    let ask = |server: &Server| Launch::new("udp-client").arg(server.at()).args(PATIENTLY);
    let server = serve("udp-server", &["--key", key.arg()]);
    let client = || ask(&server);
    client().env("BAREWIRE_KEY_FILE", key.arg()).run().exits(0);
    client().env("CREDENTIALS_DIRECTORY", folder.arg()).run().exits(0);
    // The option comes first, and then the variable.
    client().env("BAREWIRE_KEY_FILE", "/none").args(["--key", key.arg()]).run().exits(0);
    client()
        .env("BAREWIRE_KEY_FILE", "/none")
        .env("CREDENTIALS_DIRECTORY", folder.arg())
        .run()
        .exits(1)
        .says(&["BAREWIRE_KEY_FILE: cannot use the key in /none"]);
    server.stop();
    // Where there are credentials, but none is a key, there is none.
    let plain = serve("udp-server", &[]);
    let others = Folder::new().with("password", "secret");
    ask(&plain).env("CREDENTIALS_DIRECTORY", others.arg()).run().exits(0);
    // As systemd leaves it.
    ask(&plain).env("CREDENTIALS_DIRECTORY", others.path("none")).run().exits(0);
    plain.stop();
    // What names a key, and no file, is no reason to speak in plain text.
    fs::rename(key.path(), folder.path("other.key")).unwrap();
    for (variable, value, why) in [
        ("BAREWIRE_KEY_FILE", "", "it is set, and empty, so it names no key"),
        ("CREDENTIALS_DIRECTORY", folder.arg(), "other.key, but no barewire.key"),
        ("CREDENTIALS_DIRECTORY", "/none/x", "cannot look for a key in /none/x: no such file"),
    ] {
        for program in PROGRAMS {
            Launch::new(program)
                .arg(address(program))
                .env(variable, value)
                .run()
                .exits(1)
                .says(&[&format!("{variable}: ")])
                .says(&[why])
                .omits("listening");
        }
    }
}

#[test]
fn a_key_of_another_user_is_none() {
    if !is_root() {
        return;
    }
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    chown(key.path(), Some(SOMEBODY), None).unwrap();
    for program in PROGRAMS {
        run(program, &[address(program), "--key", key.arg()])
            .exits(1)
            .says(&["it belongs to user 65432, neither to root nor to user 0"])
            .says(&[&format!("(chown 0 {} mends that)", key.arg())]);
    }
    // A server reads it as the user whom it becomes.
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    let server = serve("udp-server", &["--user", "65432", "--key", key.arg()]);
    chown(key.path(), Some(0), None).unwrap();
    ask_patiently("udp-client", &[&server.at(), "--key", key.arg()]).exits(0);
    server.stop();
    run("udp-server", &["127.0.0.1:0", "--user", "65432", "--key", key.arg()])
        .exits(1)
        .says(&["permission denied"]);
}

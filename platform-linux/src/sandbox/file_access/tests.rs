//! Tests of what a confined thread can still do. It is a thread of its own: the others stay free.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;
use std::thread;

use nix::errno::Errno;

use super::*;
use crate::files::{Folder, Root, ServedFile};

#[test]
fn a_confined_thread_reads_beneath_the_root_only() {
    let outside = tempfile::tempdir().unwrap();
    let inside = tempfile::tempdir_in(outside.path()).unwrap();
    let (secret, public) = (outside.path().join("secret"), inside.path().join("public"));
    fs::write(&secret, "secret").unwrap();
    fs::write(&public, "public").unwrap();
    let root = Root::open(inside.path()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    let mut log = File::create(outside.path().join("log")).unwrap();

    let confined = thread::spawn(move || {
        let confinement = confine(&Allowed::nothing().reading(&root)).unwrap();
        let (FileConfinement::Full { abi } | FileConfinement::Partial { abi }) = confinement else {
            assert!(fs::read(&secret).is_ok(), "not confined, and says so");
            return false;
        };
        let denied = ErrorKind::PermissionDenied;
        assert_eq!(fs::read(&secret).unwrap_err().kind(), denied);
        assert_eq!(fs::read_dir("/").unwrap_err().kind(), denied);
        let write = OpenOptions::new().append(true).open(&public);
        assert_eq!(write.unwrap_err().kind(), denied);
        assert_eq!(File::create(public.with_extension("new")).unwrap_err().kind(), denied);
        assert_eq!(fs::remove_file(&public).unwrap_err().kind(), denied);

        assert_eq!(root.open_file(b"public").unwrap().size(), 6);
        assert_eq!(root.list(b"").unwrap().entries.len(), 1);
        assert_eq!(ServedFile::from_bytes(b"a listing").unwrap().size(), 9);
        log.write_all(b"what is open stays open").unwrap();

        if abi >= 4 {
            assert_eq!(TcpStream::connect(address).unwrap_err().kind(), denied);
            assert_eq!(TcpListener::bind("127.0.0.1:0").unwrap_err().kind(), denied);
        }
        // What it starts is as confined; and what listened before goes on accepting.
        let inherited = thread::spawn(move || fs::read(secret).unwrap_err().kind());
        assert_eq!(inherited.join().unwrap(), denied);
        let (mut accepted, _) = listener.accept().unwrap();
        accepted.write_all(b"served").unwrap();
        true
    });
    if confined.join().unwrap() {
        let mut served = String::new();
        client.read_to_string(&mut served).unwrap();
        assert_eq!(served, "served");
    }
}

/// What `denied` does is refused with the error that stands for it.
#[track_caller]
fn assert_denied<T>(denied: io::Result<T>) {
    let error = denied.map(drop).expect_err("it is denied");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

/// Runs `confined` on a thread of its own, where nothing but what `allowed` gives is possible, unless the
/// kernel has no Landlock.
fn within(allowed: Allowed<'static>, confined: impl FnOnce() + Send + 'static) {
    let thread = thread::spawn(move || {
        if confine(&allowed).unwrap().is_confined() {
            confined();
        }
    });
    thread.join().unwrap();
}

#[test]
fn where_files_may_be_removed_nothing_else_is_done() {
    let sockets = tempfile::tempdir().unwrap();
    let path = sockets.path().to_owned();
    fs::write(path.join("socket"), "").unwrap();
    let thread = thread::spawn(move || {
        let folder = File::open(&path).unwrap();
        let allowed = Allowed::nothing().removing_beneath(folder.as_fd());
        if confine(&allowed).unwrap().is_confined() {
            assert_denied(File::open(path.join("socket")));
            assert_denied(File::create(path.join("new")));
            assert_denied(fs::remove_dir(&path));
        }
        fs::remove_file(path.join("socket")).unwrap();
    });
    thread.join().unwrap();
    assert_eq!(fs::read_dir(sockets.path()).unwrap().count(), 0);
}

#[test]
fn a_client_writes_nowhere_but_into_its_target_and_reads_what_belongs_to_the_system() {
    let house = tempfile::tempdir().unwrap();
    let (target, private) = (house.path().join("target"), house.path().join("private"));
    fs::create_dir(&target).unwrap();
    fs::create_dir(&private).unwrap();
    fs::write(private.join("key"), "secret").unwrap();
    fs::write(target.join("old"), "old").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = thread::spawn({
        let (target, private) = (target.clone(), private.clone());
        move || {
            let folder = Folder::open(&target).unwrap();
            if !confine(&Allowed::client().writing_beneath(&target)).unwrap().is_confined() {
                return;
            }
            assert_denied(fs::read(private.join("key")));
            assert_denied(fs::write(private.join("new"), ""));
            assert_denied(fs::remove_file(private.join("key")));
            assert_denied(fs::write(target.with_file_name("beside"), ""));
            assert_denied(fs::write("/etc/barewire", ""));
            assert_denied(std::process::Command::new("/bin/true").status());
            // A link there changes nothing.
            symlink(private.join("key"), target.join("link")).unwrap();
            assert_denied(fs::write(target.join("link"), "planted"));

            folder.sub(b"sub/folder").unwrap();
            fs::write(target.join("sub/folder/part"), "new").unwrap();
            fs::rename(target.join("sub/folder/part"), target.join("sub/folder/new")).unwrap();
            assert_eq!(fs::read(target.join("sub/folder/new")).unwrap(), b"new");
            fs::remove_file(target.join("old")).unwrap();

            fs::read("/etc/hosts").unwrap();
            fs::read("/proc/self/status").unwrap();
            TcpStream::connect(address).unwrap();
            // What `getaddrinfo(3)` does for it is not kept from it, either.
            assert!(!crate::resolve::lookup("localhost", 1).unwrap().is_empty());
        }
    });
    thread.join().unwrap();
    assert_eq!(fs::read(private.join("key")).unwrap(), b"secret");
    drop(listener);
}

#[test]
fn files_that_are_replaced_stay_in_reach() {
    let folder = tempfile::tempdir().unwrap();
    let (read, written) = (folder.path().join("read"), folder.path().join("written"));
    fs::create_dir(&read).unwrap();
    fs::create_dir(&written).unwrap();
    let (motd, log) = (read.join("motd"), written.join("log"));
    fs::write(&motd, "first").unwrap();
    let allowed = Allowed::nothing().reading_file(&motd).writing_file(&log);
    let new = read.join("new");
    fs::write(&new, "second").unwrap();
    fs::rename(new, &motd).unwrap();
    within(allowed, move || {
        assert_eq!(fs::read(&motd).unwrap(), b"second");
        assert_denied(fs::write(&motd, "third"));
        fs::write(&log, "a line").unwrap();
        fs::rename(&log, log.with_extension("1")).unwrap();
        fs::write(&log, "another").unwrap();
        assert_denied(fs::write("/tmp/barewire-is-not-to-write-this", ""));
    });
}

/// Of a device it is that one, and not its folder.
#[test]
fn a_device_that_is_written_to_opens_no_others() {
    let allowed = Allowed::nothing().writing_file(Path::new("/dev/null"));
    within(allowed, || {
        OpenOptions::new().write(true).open("/dev/null").unwrap();
        assert_denied(OpenOptions::new().write(true).open("/dev/zero"));
    });
}

/// As `/dev/stdout` in a shell's pipeline is.
#[test]
fn a_pipe_without_a_name_keeps_nothing_from_being_confined() {
    let (_reader, writer) = io::pipe().unwrap();
    let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
    let allowed = Allowed::nothing().writing_file(Path::new(&path));
    within(allowed, move || {
        OpenOptions::new().write(true).open(&path).unwrap();
        assert_denied(fs::read("/etc/hosts"));
        drop(writer);
    });
}

#[test]
fn it_says_what_was_achieved() {
    let say = |confinement: FileConfinement| confinement.to_string();
    assert_eq!(say(FileConfinement::Full { abi: 6 }), "Landlock (version 6)");
    assert!(say(FileConfinement::Partial { abi: 3 }).contains("version 3 of 6"));
    assert_eq!(say(FileConfinement::Unavailable), "this kernel has no Landlock");
    assert!(!FileConfinement::Unavailable.is_confined());
}

/// The kernel has an end to them (`landlock(7)`), and its words come through the library's.
#[test]
fn too_many_layers_are_the_systems_error() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    let confined = thread::spawn(move || {
        let layers: io::Result<Vec<_>> =
            (0..17).map(|_| confine(&Allowed::nothing().reading(&root))).collect();
        match layers {
            Ok(layers) => assert_eq!(layers, [FileConfinement::Unavailable; 17]),
            Err(error) => assert_eq!(error.raw_os_error(), Some(Errno::E2BIG as i32)),
        }
    });
    confined.join().unwrap();
}

//! Tests of what a confined thread can still do. It is a thread of its own: the others stay free.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use nix::errno::Errno;

use super::*;
use crate::files::ServedFile;

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
        let confinement = confine(&root).unwrap();
        let (Confinement::Full { abi } | Confinement::Partial { abi }) = confinement else {
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

#[test]
fn it_says_what_was_achieved() {
    let say = |confinement: Confinement| confinement.to_string();
    assert_eq!(say(Confinement::Full { abi: 6 }), "confined by Landlock (version 6)");
    assert!(say(Confinement::Partial { abi: 3 }).contains("version 3 of 6"));
    assert_eq!(say(Confinement::Unavailable), "not confined: this kernel has no Landlock");
    assert!(!Confinement::Unavailable.is_confined());
}

/// The kernel has an end to them (`landlock(7)`), and its words come through the library's.
#[test]
fn too_many_layers_are_the_systems_error() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    let confined = thread::spawn(move || {
        let layers: io::Result<Vec<_>> = (0..17).map(|_| confine(&root)).collect();
        match layers {
            Ok(layers) => assert_eq!(layers, [Confinement::Unavailable; 17]),
            Err(error) => assert_eq!(error.raw_os_error(), Some(Errno::E2BIG as i32)),
        }
    });
    confined.join().unwrap();
}

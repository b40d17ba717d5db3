//! Tests of what a filtered process can still do, in one of its own: a filter is for all of its threads.

use std::env;
use std::fs::{self, File};
use std::io::Read as _;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::thread;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::{Pid, getpid};

use super::*;
use crate::sandbox::no_new_privileges;

/// Runs `inside` in a process of its own, which is this test again, filtered for `work`.
fn filtered(test: &str, work: Work, inside: impl FnOnce()) -> Option<ExitStatus> {
    const INSIDE: &str = "BAREWIRE_TEST_INSIDE_THE_FILTER";
    if env::var_os(INSIDE).is_none() {
        let mut command = Command::new(env::current_exe().unwrap());
        let name = format!("sandbox::system_calls::tests::{test}");
        // A thread runs the test, so that another begins before the filter.
        command.args([&*name, "--exact", "--test-threads", "2"]).env(INSIDE, "1");
        return Some(command.status().unwrap());
    }
    no_new_privileges().unwrap();
    restrict(work).unwrap();
    inside();
    None
}

/// What is refused is so as by a kernel that does not have the call.
#[track_caller]
fn assert_refused<T>(refused: io::Result<T>) {
    let error = refused.map(drop).expect_err("it is refused");
    assert_eq!(error.raw_os_error(), Some(Errno::ENOSYS as i32));
}

#[test]
fn a_server_goes_on_with_what_it_has_and_gets_nothing_new() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut open = File::open("/proc/self/stat").unwrap();
    let status =
        filtered("a_server_goes_on_with_what_it_has_and_gets_nothing_new", Work::default(), || {
            assert_refused(TcpStream::connect("127.0.0.1:9"));
            assert_refused(UdpSocket::bind("127.0.0.1:0"));
            assert_refused(File::open("/etc/hosts"));
            assert_refused(File::create("/tmp/barewire-is-not-to-write-this"));
            assert_refused(fs::remove_file("/tmp/barewire-is-not-there"));
            assert_refused(Command::new("/bin/true").status());
            assert_refused(kill(Pid::from_raw(1), None).map_err(Into::into));

            // Threads, those from before among them, and signals of its own.
            let size = thread::spawn(move || open.read(&mut [0; 100]).unwrap()).join().unwrap();
            assert!(size > 0);
            kill(getpid(), None).unwrap();
            let (accepted, _) = listener.accept().unwrap();
            accepted.set_nonblocking(true).unwrap();
            client.set_nodelay(true).unwrap();
            drop(accepted);
            assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
            // Memory for more than one arena.
            let many: Vec<_> =
                (0..8).map(|_| thread::spawn(|| vec![1_u8; 1 << 20].len())).collect();
            assert!(many.into_iter().all(|thread| thread.join().unwrap() == 1 << 20));
        });
    assert!(status.is_none_or(|status| status.success()), "{status:?}");
}

#[test]
fn who_reads_files_writes_none() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (file, other) = (folder.join("Cargo.toml"), folder.join("not-to-be-there"));
    let reads = Work { reads: true, ..Work::default() };
    let status = filtered("who_reads_files_writes_none", reads, || {
        assert!(!fs::read(&file).unwrap().is_empty());
        assert!(fs::read_dir(folder).unwrap().count() > 0);
        assert_eq!(fs::canonicalize(".").unwrap(), env::current_dir().unwrap());
        assert_refused(File::options().append(true).open(&file));
        assert_refused(File::create(&other));
        assert_refused(fs::hard_link(&file, &other));
        assert_refused(TcpStream::connect("127.0.0.1:9"));
    });
    assert!(status.is_none_or(|status| status.success()), "{status:?}");
}

#[test]
fn a_client_looks_up_connects_and_writes() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let work = Work { connects: true, writes: true, ..Work::default() };
    let status = filtered("a_client_looks_up_connects_and_writes", work, || {
        assert!(!crate::resolve::lookup("localhost", 1).unwrap().is_empty());
        // Unknown names ask everybody who is configured.
        crate::resolve::lookup("no.such.host.invalid", 1).unwrap_err();
        TcpStream::connect(address).unwrap();
        UdpSocket::bind("127.0.0.1:0").unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "contents").unwrap();
        fs::rename(&file, folder.path().join("renamed")).unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        assert_refused(TcpListener::bind("127.0.0.1:0"));
    });
    assert!(status.is_none_or(|status| status.success()), "{status:?}");
}

#[test]
fn who_becomes_another_program_is_ended() {
    let work = Work { connects: true, writes: true, ..Work::default() };
    let status = filtered("who_becomes_another_program_is_ended", work, || {
        let _ = Command::new("/bin/true").exec();
    });
    let Some(status) = status else { panic!("it goes on") };
    assert_eq!(status.signal(), Some(Signal::SIGSYS as i32), "{status:?}");
}

#[test]
fn a_signal_of_its_own_still_ends_it() {
    let status = filtered("a_signal_of_its_own_still_ends_it", Work::default(), || {
        raise(Signal::SIGTERM).unwrap();
    });
    let Some(status) = status else { panic!("it goes on") };
    assert_eq!(status.signal(), Some(Signal::SIGTERM as i32), "{status:?}");
}

use core::task::Poll;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::pty::openpty;

use super::{Chunk, Input};
use crate::executor::Executor;
use crate::testing::task;

/// Reads `fd` to its end, in pieces of 4 bytes, and says what was read and in how many turns.
fn read_all(fd: impl AsFd + 'static, mut on_wait: impl FnMut() + 'static) -> (String, usize) {
    let mut input = Input::new(fd);
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |(read, turns): &mut (Vec<u8>, usize), cx| {
        *turns += 1;
        let mut buffer = [0; 4];
        match input.read(cx, &mut buffer) {
            Ok(Chunk::Bytes(bytes)) => read.extend_from_slice(bytes),
            Ok(Chunk::End) => {
                assert_eq!(input.read(cx, &mut buffer).unwrap(), Chunk::End);
                return Poll::Ready(());
            }
            Err(nb::Error::WouldBlock) => on_wait(),
            Err(nb::Error::Other(error)) => panic!("{error}"),
        }
        Poll::Pending
    }));
    let mut state = (Vec::new(), 0);
    executor.run(&mut state).unwrap();
    (String::from_utf8(state.0).unwrap(), state.1)
}

#[test]
fn a_pipe_is_read_to_its_end_and_stays_blocking() {
    let (reader, writer) = io::pipe().unwrap();
    let shared = reader.try_clone().unwrap();
    let mut writer = Some(writer);
    let (read, _) = read_all(reader, move || {
        if let Some(mut writer) = writer.take() {
            writer.write_all(b"through a pipe").unwrap();
        }
    });
    assert_eq!(read, "through a pipe");
    let flags = OFlag::from_bits_retain(fcntl(&shared, FcntlArg::F_GETFL).unwrap());
    assert!(!flags.contains(OFlag::O_NONBLOCK));
}

#[test]
fn a_socket_is_read_to_its_end() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    ours.write_all(b"through a socket").unwrap();
    drop(ours);
    assert_eq!(read_all(theirs, || {}).0, "through a socket");
}

#[test]
fn a_regular_file_is_read_one_piece_a_turn() {
    let path = std::env::temp_dir().join(format!("barewire-input-{}", std::process::id()));
    let mut file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file.write_all(b"from a file").unwrap();
    file.rewind().unwrap();
    assert_eq!(read_all(file, || panic!("it never waits")), ("from a file".into(), 4));
}

#[test]
fn the_null_device_is_at_its_end() {
    let null = File::open("/dev/null").unwrap();
    assert_eq!(read_all(null, || panic!("it never waits")), (String::new(), 1));
}

#[test]
fn a_terminal_gives_lines_and_ends_at_ctrl_d() {
    let terminal = openpty(None, None).unwrap();
    let mut keyboard = File::from(terminal.master);
    let mut typed = [&b"typed\n"[..], b"\x04"].into_iter();
    let (read, _) = read_all(terminal.slave, move || {
        if let Some(keys) = typed.next() {
            keyboard.write_all(keys).unwrap();
        }
    });
    assert_eq!(read, "typed\n");
}

#[test]
fn a_directory_is_an_error() {
    let directory: OwnedFd = File::open("/").unwrap().into();
    let mut input = Input::new(directory);
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |(), cx| {
        let nb::Error::Other(error) = input.read(cx, &mut [0]).unwrap_err() else { panic!() };
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        Poll::Ready(())
    }));
    executor.run(&mut ()).unwrap();
}

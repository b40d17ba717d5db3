//! A room.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

use barewire_tests::harness::faults::{Call, Fault, FaultInjector};
use barewire_tests::harness::sockets::with_timeouts;
use barewire_tests::harness::{Folder, Launch, TIMEOUT};
use nix::errno::Errno;

use super::super::sweep::Expect::{Noted, Orderly, Told, Unseen};
use super::super::sweep::*;
use super::{ACCEPTING, OPENING, SERVING, serve};

/// What a room does besides.
const ROOM: &[Row] = &[
    // A connection of which it is not known what it is goes on without being looked after.
    row(Call::GETSOCKNAME, "socket:", MEMORY, Orderly),
    // What it may still open is the folder of the log.
    row(Call::LANDLOCK_ADD, "", MEMORY, Noted),
    row(Call::READLINK, "chat.log", IO, Unseen),
    row(Call::STATX, "chat.log", MEMORY, Orderly),
    row(Call::OPEN, "chat.log", INTERRUPTED, Unseen),
    row(Call::OPEN, "chat.log", IO, Told("chat.log")),
    row(Call::WRITE, "chat.log", PARTLY, Unseen),
    row(Call::WRITE, "chat.log", &[Fault::Fails(Errno::ENOSPC)], Noted),
    row(Call::READ, "/dev/null", NOT_READY, Unseen),
    row(Call::READ, "/dev/null", IO, Noted),
    row(Call::SEND, "socket:", TRANSFER, Unseen),
    row(Call::SEND, "socket:", RESET, Orderly),
    row(Call::SEND, "socket:", BROKEN, Orderly),
];

/// Two members: what one says, the other must hear.
fn chat(server: SocketAddr) -> io::Result<()> {
    // Who speaks at once is let in at once.
    let join = |first_words: &[u8]| -> io::Result<TcpStream> {
        let mut member = with_timeouts(TcpStream::connect_timeout(&server, TIMEOUT)?);
        member.write_all(first_words)?;
        // The welcome ends in a line feed.
        let mut byte = [0];
        while byte != *b"\n" {
            member.read_exact(&mut byte)?;
        }
        Ok(member)
    };
    let mut hears = join(b"here\n")?;
    let mut says = join(b"hello, room\n")?;
    says.shutdown(Shutdown::Write)?;
    let mut rest = Vec::new();
    // Its end comes when all it said was heard.
    says.read_to_end(&mut rest)?;
    hears.shutdown(Shutdown::Write)?;
    let mut text = String::new();
    hears.read_to_string(&mut text)?;
    if text.contains(": hello, room\n") { Ok(()) } else { Err(io::Error::other("not heard")) }
}

#[test]
fn a_room() {
    let run = |injector: &FaultInjector, expect| {
        let folder = Folder::in_memory();
        let launch = Launch::new("chat-server").args(["127.0.0.1:0", "--history", "0", "--log"]);
        let launch = launch.arg(folder.path("chat.log"));
        serve(launch, injector, expect, chat);
    };
    sweep(&[EXECUTOR, PRINTING, OPENING, SERVING, ROOM], run);
    storm(&[EXECUTOR, OPENING, SERVING, ROOM], run);
    census(&[EXECUTOR, CONFINING, OPENING, ACCEPTING, SERVING, ROOM], run);
}

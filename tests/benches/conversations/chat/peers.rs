//! The peers of `chat-server` that are programs of others: tokio as one uses it, and ncat.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::task::Poll;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::{self, Receiver, Sender};

use crate::binaries::installed;

/// Lines that a member may be behind the others: more than are ever under way here.
const CAPACITY: usize = 4096;

/// Who has said a line, and the line.
type Said = (u64, Arc<str>);

/// What a good Rust user would write: a loop that accepts, a broadcast channel, and a task a member
/// that sends its lines there and writes what comes from there.
///
/// # Errors
///
/// It cannot listen or accept.
pub(crate) async fn tokio(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let (room, _) = broadcast::channel(CAPACITY);
    let mut guests = 0;
    loop {
        let (stream, _) = listener.accept().await?;
        guests += 1;
        tokio::spawn(take_part(stream, guests, room.clone(), room.subscribe()));
    }
}

async fn take_part(
    mut stream: TcpStream,
    guest: u64,
    room: Sender<Said>,
    mut heard: Receiver<Said>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reading, mut writing) = stream.split();
    let mut speak = pin!(async {
        let mut lines = BufReader::new(reading).lines();
        while let Some(line) = lines.next_line().await? {
            // There is a receiver at least: its own.
            let _ = room.send((guest, format!("guest{guest}: {line}\n").into()));
        }
        io::Result::Ok(())
    });
    let mut listen = pin!(async {
        loop {
            // One that has fallen behind ends here; the load would notice.
            let (by, line) = heard.recv().await.map_err(io::Error::other)?;
            if by != guest {
                writing.write_all(line.as_bytes()).await?;
            }
        }
    });
    // As `tokio::select!` would have it: whichever is over first ends the other.
    poll_fn(|cx| match speak.as_mut().poll(cx) {
        Poll::Pending => listen.as_mut().poll(cx),
        over @ Poll::Ready(_) => over,
    })
    .await
}

/// Where ncat is, if it is installed.
pub(super) fn ncat() -> Option<PathBuf> {
    installed("ncat")
}

/// Becomes `ncat --chat`, which listens at `address` and says nothing about it.
///
/// # Errors
///
/// ncat cannot be run.
pub(crate) fn become_ncat(address: SocketAddr) -> io::Result<()> {
    let program = ncat().ok_or(io::ErrorKind::NotFound)?;
    let error = Command::new(program)
        .args(["--chat", "--max-conns", "10000", "--listen"])
        .args([address.ip().to_string(), address.port().to_string()])
        .exec();
    Err(error)
}

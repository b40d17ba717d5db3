//! The peers of `file-server`: they read a name, send the contents, and close.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::thread;

use nix::sys::sendfile::sendfile64;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// Threads of the limit, as many as there are clients with a large file at most.
const THREADS: usize = 4;

/// The longest name that is read, as in barewire.
const MAX_NAME: usize = 1024;

/// The limit: threads on blocking sockets that each serve one client after another, by `accept4`,
/// `recv`, `openat`, `statx`, `sendfile` and two `close`.
pub(crate) fn sendfile(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| one_after_another(&listener))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("it has no way to panic"))
    })
}

fn one_after_another(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        // A client that has gone, or asks for what is not there, is only dropped.
        let _ = send_file(stream);
    }
}

fn send_file(mut stream: TcpStream) -> io::Result<()> {
    let mut name = [0; MAX_NAME];
    // A short name comes in one piece.
    let length = stream.read(&mut name)?;
    let name = name[..length].trim_ascii_end();
    let file = File::open(Path::new(OsStr::from_bytes(name)))?;
    let size = file.metadata()?.len();
    let mut sent = 0;
    while sent < size {
        let rest = usize::try_from(size - sent).unwrap_or(usize::MAX);
        match sendfile64(&stream, &file, None, rest)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => sent += count as u64,
        }
    }
    Ok(())
}

/// What a good Rust user would write: a loop that accepts, and a task a connection that copies.
pub(crate) async fn tokio(address: SocketAddr) -> io::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(copy_file(stream));
    }
}

async fn copy_file(mut stream: tokio::net::TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut name = String::new();
    BufReader::new(&mut stream).read_line(&mut name).await?;
    let mut file = tokio::fs::File::open(name.trim_end()).await?;
    tokio::io::copy(&mut file, &mut stream).await?;
    stream.shutdown().await
}

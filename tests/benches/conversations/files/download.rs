//! One download on a blocking socket, by a client that costs as little as can be.
//!
//! With `MSG_TRUNC`, `recv(2)` on TCP counts what has come and throws it away, without a copy
//! (tcp(7)). A client of any other kind would take about as much of the machine as the server does,
//! and so hide what separates one server from another. All contenders have this client.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};

use super::form::Form;

/// A server that sends nothing for so long has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes that are thrown away at once, at most.
pub(super) const AT_ONCE: usize = 1 << 20;

/// A download under way.
#[derive(Debug)]
pub(super) struct Download {
    stream: TcpStream,
    size: u64,
    received: u64,
}

impl Download {
    /// Connects, and asks for `name`, a file of `size` bytes.
    ///
    /// # Errors
    ///
    /// Those of the connection, and an answer that promises anything else.
    pub(super) fn begin(server: SocketAddr, form: Form, name: &str, size: u64) -> io::Result<Self> {
        let mut stream = TcpStream::connect(server)?;
        ask(&mut stream, form, name)?;
        Self::answered(stream, form, size)
    }

    /// Waits for the answer on a connection that has been [asked](ask) for a file of `size` bytes.
    ///
    /// # Errors
    ///
    /// As for [`Download::begin`].
    pub(super) fn answered(mut stream: TcpStream, form: Form, size: u64) -> io::Result<Self> {
        let mut bytes = [0; 4096];
        let mut length = 0;
        loop {
            if let Some(head) = form.head(&bytes[..length])? {
                if let Some(contents) = head.contents.filter(|&contents| contents != size) {
                    return Err(wrong_size(contents, size));
                }
                return Ok(Self { stream, size, received: (length - head.length) as u64 });
            }
            match stream.read(&mut bytes[length..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => length += count,
            }
        }
    }

    /// Bytes of contents received up to now.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Waits for more, and throws it away. `room` is where it would be if it were kept. True if there
    /// may be still more.
    ///
    /// # Errors
    ///
    /// Those of the connection, and another number of bytes than promised.
    pub(super) fn discard(&mut self, room: &mut [u8]) -> io::Result<bool> {
        let count = match recv(self.stream.as_raw_fd(), room, MsgFlags::MSG_TRUNC) {
            Ok(count) => count,
            Err(Errno::EAGAIN) => {
                let message = format!("nothing comes after {} bytes", self.received);
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            Err(error) => return Err(error.into()),
        };
        self.received += count as u64;
        if self.received > self.size || (count == 0 && self.received < self.size) {
            return Err(wrong_size(self.received, self.size));
        }
        Ok(count > 0)
    }
}

/// Asks for `name`, and for nothing after it.
pub(super) fn ask(stream: &mut TcpStream, form: Form, name: &str) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&form.request(name))?;
    if form == Form::Framed {
        stream.shutdown(Shutdown::Write)?;
    }
    Ok(())
}

/// Downloads `name` and compares every byte.
///
/// # Errors
///
/// Those of the connection, and other contents than `expected`.
pub(super) fn check(server: SocketAddr, form: Form, name: &str, expected: &[u8]) -> io::Result<()> {
    let mut stream = TcpStream::connect(server)?;
    // A connection that would go on has its end by the same head, but not by a close.
    let form = if form == Form::HttpKept { Form::Http } else { form };
    ask(&mut stream, form, name)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = form.head(&answer)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    if &answer[head.length..] != expected {
        return Err(io::Error::other(format!("{name} has arrived with other contents")));
    }
    Ok(())
}

fn wrong_size(received: u64, expected: u64) -> io::Error {
    io::Error::other(format!("{received} bytes instead of {expected}"))
}

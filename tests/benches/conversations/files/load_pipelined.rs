//! The load of clients that fetch small files one after another on a connection, and ask for the next
//! before the last has come: one thread that is all of them.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

use super::contents::SMALL_SIZE;
use super::form::Form;
use super::small_files::{AT_ONCE, IN_FLIGHT, Run, SmallFiles, slot, wait};
use crate::process::own_processor_time;

/// Room for all that can be in flight, with heads of any server.
const CAPACITY: usize = IN_FLIGHT * (SMALL_SIZE + 512);

/// Fetches files from the server at `server` on [`AT_ONCE`] connections, with [`IN_FLIGHT`] requests
/// in flight on each, for `span`.
///
/// # Errors
///
/// A server that refuses, resets, falls silent, or sends anything but the files asked for.
pub(super) fn run(
    server: SocketAddr,
    form: Form,
    files: &SmallFiles,
    span: Duration,
) -> io::Result<Run> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let load_before = own_processor_time()?;
    let started = Instant::now();
    let mut clients = Vec::with_capacity(AT_ONCE);
    for slot in 0..AT_ONCE {
        // Each begins with another file.
        let first = slot * files.contents.len() / AT_ONCE;
        let mut client = Client::connect(server, first)?;
        client.ask(files, IN_FLIGHT)?;
        epoll.add(&client.stream, EpollEvent::new(EpollFlags::EPOLLIN, slot as u64))?;
        clients.push(client);
    }
    let mut under_way = clients.len();
    let mut fetched = 0;
    let mut events = [EpollEvent::empty(); AT_ONCE];
    while under_way > 0 {
        let ready = wait(&epoll, &mut events)?;
        let more = started.elapsed() < span;
        for event in &events[..ready] {
            let client = &mut clients[slot(event)];
            let count = client.receive(form, files)?;
            fetched += count as u64;
            if more {
                client.ask(files, count)?;
            } else if client.in_flight == 0 {
                epoll.delete(&client.stream)?;
                client.finish(form)?;
                under_way -= 1;
            }
        }
    }
    Ok(Run {
        files: fetched,
        elapsed: started.elapsed(),
        load: own_processor_time()?.saturating_sub(load_before),
    })
}

/// A connection with requests in flight.
#[derive(Debug)]
struct Client {
    stream: TcpStream,
    /// The number of the file that will be asked for next, and of the one that will come next.
    next: usize,
    coming: usize,
    in_flight: usize,
    /// What has come of the files that are not complete yet, `received` bytes.
    answers: Vec<u8>,
    received: usize,
}

impl Client {
    fn connect(server: SocketAddr, first: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let answers = vec![0; CAPACITY];
        Ok(Self { stream, next: first, coming: first, in_flight: 0, answers, received: 0 })
    }

    /// Asks for `count` files more, at once.
    fn ask(&mut self, files: &SmallFiles, count: usize) -> io::Result<()> {
        if count > 0 {
            // All that is in flight fits into any send buffer, so this never has to wait.
            self.stream.write_all(files.requests(self.next, count))?;
        }
        self.next = (self.next + count) % files.contents.len();
        self.in_flight += count;
        Ok(())
    }

    /// Receives what has come, and returns how many files it has completed.
    fn receive(&mut self, form: Form, files: &SmallFiles) -> io::Result<usize> {
        match self.stream.read(&mut self.answers[self.received..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => self.received += count,
        }
        let mut complete = 0;
        let mut rest = &self.answers[..self.received];
        while let Some(head) = form.head(rest).transpose().filter(|_| !rest.is_empty()) {
            let end = head?.length + SMALL_SIZE;
            let Some(answer) = rest.get(..end) else { break };
            files.check(form, self.coming, answer)?;
            self.coming = (self.coming + 1) % files.contents.len();
            complete += 1;
            rest = &rest[end..];
        }
        let begin = self.received - rest.len();
        self.answers.copy_within(begin..self.received, 0);
        self.received -= begin;
        self.in_flight -= complete;
        Ok(complete)
    }

    /// Ends the connection in order.
    fn finish(&mut self, form: Form) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        if form == Form::Framed {
            self.stream.set_nonblocking(false)?;
            if self.stream.read(&mut self.answers)? > 0 {
                return Err(io::Error::other("there is more behind the last file"));
            }
        }
        Ok(())
    }
}

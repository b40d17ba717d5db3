//! The load of clients that download one large file, again and again.

use std::io;
use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::download::{AT_ONCE, Download};
use super::folder::LARGE;
use super::form::Form;
use crate::process::own_processor_time;

/// What one run came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    /// Bytes received before the time was up.
    pub(super) in_time: u64,
    /// Bytes received.
    pub(super) received: u64,
    /// From the first connection to the end of the last.
    pub(super) elapsed: Duration,
    /// Processor time that the clients took.
    pub(super) load: Duration,
}

/// Has `clients` download [`LARGE`], a file of `size` bytes, over and over for `span`.
///
/// Each has a thread, and finishes the download that it is in when the time is up, so that each count
/// is checked; the rate is that of the span alone, whoever is served first in it.
///
/// # Errors
///
/// As for [`Download::discard`].
pub(super) fn run(
    server: SocketAddr,
    form: Form,
    size: u64,
    clients: usize,
    span: Duration,
) -> io::Result<Run> {
    let before = own_processor_time()?;
    let started = Instant::now();
    let start = Barrier::new(clients);
    let mut run = Run::default();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    let mut room = vec![0; AT_ONCE];
                    start.wait();
                    client(server, form, size, Instant::now() + span, &mut room)
                })
            })
            .collect();
        for client in clients {
            let (in_time, received) = client.join().expect("a client has no way to panic")?;
            run.in_time += in_time;
            run.received += received;
        }
        io::Result::Ok(())
    })?;
    run.elapsed = started.elapsed();
    run.load = own_processor_time()?.saturating_sub(before);
    Ok(run)
}

/// Bytes received before `end`, and bytes received.
fn client(
    server: SocketAddr,
    form: Form,
    size: u64,
    end: Instant,
    room: &mut [u8],
) -> io::Result<(u64, u64)> {
    let (mut in_time, mut received) = (0, 0);
    while Instant::now() < end {
        let mut download = Download::begin(server, form, LARGE, size)?;
        let mut counted = 0;
        while download.discard(room)? {
            if Instant::now() < end {
                counted = download.received();
            }
        }
        in_time += counted;
        received += download.received();
    }
    Ok((in_time, received))
}

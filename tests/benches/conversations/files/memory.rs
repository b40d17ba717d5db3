//! What transfers cost the server in memory of its own: one of a large file, and many at once.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, setsockopt, socket, sockopt,
};

use super::contents;
use super::download::{AT_ONCE, Download, ask};
use super::folder::{Folder, LARGE};
use super::form::Form;
use super::row::{Row, Rows, present, print_absent};
use super::setup::{large_size, size_words};
use crate::contenders::{Contenders, Peer};
use crate::options::Options;
use crate::process::Server;
use crate::series::{Named, Rounds, Series, side_by_side};
use crate::table::{self, Goal, count};

const BAREWIRE: &str = "barewire";

/// The smaller file, in bytes.
const SMALLER: usize = 1 << 20;

/// Clients that have stopped in the middle of a download, in full and for a quick look.
const STOPPED: usize = 1_000;
const FEW_STOPPED: usize = 200;

/// Bytes that such a client takes before it stops.
const TAKEN: usize = 1_024;

/// The receive buffer that it asks for, and its longest segment, in bytes. The servers' systems size
/// their send buffers by the latter; by that of the loopback, a thousand of them would be gigabytes.
const RECEIVE_BUFFER: usize = 4_096;
const SEGMENT: u32 = 536;

/// Measures and prints.
pub(super) fn measure(options: &Options, contenders: &Contenders) -> io::Result<()> {
    let size = large_size(options);
    let stopped = if options.short { FEW_STOPPED } else { STOPPED };
    let folder = Folder::with_room(size + SMALLER as u64)?;
    folder.write_large(size)?;
    folder.write("smaller", &contents::noise(1, SMALLER))?;
    let served = folder.served();
    let rows = Rows { contenders, folder: &served };
    let rows = present([
        rows.nginx("nginx", Peer::NginxFiles, Form::Http),
        rows.peer("tokio, copy", Peer::TokioFiles),
        rows.barewire(BAREWIRE, Form::Plain, &["-q"]),
        rows.barewire("barewire, framed", Form::Framed, &["-q"]),
    ]);
    let Rounds { figures, others } =
        side_by_side("files, memory", &rows, options.rounds, |row| hold(row, size, stopped))?;

    let cells = rows.iter().zip(&figures).map(|(row, series)| {
        let mut cells = vec![row.contender.name.to_owned()];
        cells.extend(series.iter().map(|series| count(series.median())));
        cells
    });
    let large = size_words(size);
    table::print(
        &format!(
            "files: the server's own memory in bytes, medians of {} rounds; {} connections stopped",
            options.rounds,
            count(stopped as f64)
        ),
        &["", "in 1 MiB", &format!("in {large}"), "more", "a connection stopped"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    print_absent(&["nginx"]);
    let barewire = rows.iter().zip(&figures).find(|(row, _)| row.name() == BAREWIRE);
    if let Some((_, [_, _, more, each])) = barewire {
        let goal = |series: &Series, below| (series.clone(), Goal::AtMost(below));
        let (more, no_more) = goal(more, 16_384.0);
        let (each, little) = goal(each, 4_096.0);
        table::print_goals(&[
            (&format!("{large}: bytes more than 1 MiB"), more, no_more),
            ("bytes a connection stopped", each, little),
        ]);
    }
    Ok(())
}

/// The server's bytes in the middle of a small and of a large file, how many more that is, and those
/// of each connection that has stopped.
fn hold(row: &Row, size: u64, count: usize) -> io::Result<[f64; 4]> {
    let server = row.contender.start()?;
    // What the first client sets up is not the second's.
    half_way(&server, row.form, "smaller", SMALLER as u64)?;
    let small = half_way(&server, row.form, "smaller", SMALLER as u64)?;
    let large = half_way(&server, row.form, LARGE, size)?;

    server.settle()?;
    let before = server.private_bytes()?;
    let held = (0..count)
        .map(|_| stopped(server.address(), row.form, size))
        .collect::<io::Result<Vec<_>>>()?;
    server.settle()?;
    let grown = server.private_bytes()?.saturating_sub(before);
    if server.open_files()? < count {
        return Err(io::Error::other("it has closed connections that had stopped"));
    }
    drop(held);
    server.stop()?;
    let (small, large) = (small as f64, large as f64);
    Ok([small, large, large - small, grown as f64 / count as f64])
}

/// Downloads a file, and returns how many bytes the server had in the middle of it.
fn half_way(server: &Server, form: Form, name: &str, size: u64) -> io::Result<u64> {
    let mut room = vec![0; AT_ONCE];
    let mut download = Download::begin(server.address(), form, name, size)?;
    while download.received() < size / 2 {
        download.discard(&mut room)?;
    }
    server.settle()?;
    let bytes = server.private_bytes()?;
    while download.discard(&mut room)? {}
    Ok(bytes)
}

/// A client that has taken a little and takes no more.
fn stopped(server: SocketAddr, form: Form, size: u64) -> io::Result<Download> {
    let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    // Before it connects, so that nothing larger is ever offered.
    setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER)?;
    setsockopt(&socket, sockopt::TcpMaxSeg, &SEGMENT)?;
    connect(socket.as_raw_fd(), &SockaddrStorage::from(server))?;
    let mut stream = TcpStream::from(socket);
    ask(&mut stream, form, LARGE)?;
    let mut download = Download::answered(stream, form, size)?;
    download.discard(&mut [0; TAKEN])?;
    Ok(download)
}

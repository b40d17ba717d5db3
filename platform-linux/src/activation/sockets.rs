//! The sockets that a service manager passes.

use core::error::Error;
use core::fmt;
use std::env;
use std::io;

use listenfd::ListenFd;
use nix::sys::socket::{getsockopt, sockopt};

use crate::datagrams::UdpSocket;
use crate::listener::Listener;

/// One of the sockets that were passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedSocket {
    /// Its number: 3 for the first (`SD_LISTEN_FDS_START`).
    pub descriptor: usize,
    /// What the service manager calls it (`FileDescriptorName=`, `LISTEN_FDNAMES`), if anything.
    pub name: Option<String>,
}

/// Why what was passed cannot be served.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unusable {
    /// A socket is of another kind.
    Kind {
        /// Which one.
        socket: PassedSocket,
        /// What it is, in words.
        is: &'static str,
        /// What is needed, in words.
        needed: &'static str,
    },
    /// There is none of the name that was asked for.
    NoSuchName {
        /// That name.
        name: String,
        /// Those that there are.
        passed: Vec<String>,
    },
    /// The system refuses to prepare a socket.
    System(io::Error),
}

/// The listening TCP sockets that the service manager has passed to this process (`LISTEN_FDS`,
/// `LISTEN_PID`), in their order: all of them, or those of the `name` that is given. None if it has passed
/// none, and no name is given.
///
/// The descriptors will not be inherited by child processes, nor will the environment variables,
/// which this takes away: so it must be called before any other thread is started, and once.
///
/// # Errors
/// [`Unusable`]. A socket that is not asked for by its name may be of any kind.
pub fn listeners(name: Option<&str>) -> Result<Vec<Listener>, Unusable> {
    take(name, "a listening TCP socket", |passed, index| {
        let listener = passed.take_tcp_listener(index).ok()??;
        let listens = getsockopt(&listener, sockopt::AcceptConn).unwrap_or(false);
        listens.then(|| listener.try_into())
    })
}

/// The UDP sockets that the service manager has passed; otherwise as [`listeners`].
///
/// # Errors
/// As for [`listeners`].
pub fn udp_sockets(name: Option<&str>) -> Result<Vec<UdpSocket>, Unusable> {
    take(name, "a UDP socket", |passed, index| {
        passed.take_udp_socket(index).ok()?.map(UdpSocket::try_from)
    })
}

/// Takes what `one` takes, from the sockets called `name` or from all.
fn take<S>(
    name: Option<&str>,
    needed: &'static str,
    one: impl Fn(&mut ListenFd, usize) -> Option<io::Result<S>>,
) -> Result<Vec<S>, Unusable> {
    // `sd_listen_fds(3)` ignores those without a `LISTEN_PID`, which `listenfd` would take.
    let mut passed = match env::var_os("LISTEN_PID") {
        Some(_) => ListenFd::from_env(),
        None => ListenFd::empty(),
    };
    let names = names(passed.len());
    let mut taken = Vec::new();
    for (index, own) in names.iter().enumerate() {
        if name.is_some_and(|name| own.as_deref() != Some(name)) {
            continue;
        }
        let Some(socket) = one(&mut passed, index) else {
            let socket = PassedSocket { descriptor: FIRST + index, name: own.clone() };
            return Err(Unusable::Kind { socket, is: kind(&mut passed, index), needed });
        };
        taken.push(socket.map_err(Unusable::System)?);
    }
    match name {
        Some(name) if taken.is_empty() => {
            let passed = names.into_iter().flatten().collect();
            Err(Unusable::NoSuchName { name: name.to_owned(), passed })
        }
        _ => Ok(taken),
    }
}

/// The number of the first descriptor (`SD_LISTEN_FDS_START`).
const FIRST: usize = 3;

/// The names of `count` sockets, in their order.
fn names(count: usize) -> Vec<Option<String>> {
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(|name| Some(name.to_owned()).filter(|it| !it.is_empty()));
    (0..count).map(|_| names.next().flatten()).collect()
}

/// What a descriptor is that is not what was needed, in words.
fn kind(passed: &mut ListenFd, index: usize) -> &'static str {
    if matches!(passed.take_udp_socket(index), Ok(Some(_))) {
        "a UDP socket"
    } else if matches!(passed.take_tcp_listener(index), Ok(Some(_))) {
        "a TCP socket"
    } else if matches!(passed.take_unix_listener(index), Ok(Some(_))) {
        "a Unix stream socket"
    } else if matches!(passed.take_unix_datagram(index), Ok(Some(_))) {
        "a Unix datagram socket"
    } else if matches!(passed.take_raw_fd(index), Ok(None)) {
        // It was taken, and found wanting.
        "a TCP socket that does not listen"
    } else {
        "something else"
    }
}

impl fmt::Display for PassedSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "descriptor {}", self.descriptor)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " ('{name}')"))
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind { socket, is, needed } => write!(f, "{socket} is {is}, not {needed}"),
            Self::NoSuchName { name, passed } if passed.is_empty() => {
                write!(f, "none is called '{name}'")
            }
            Self::NoSuchName { name, passed } => {
                write!(f, "none is called '{name}' (they are '{}')", passed.join("', '"))
            }
            Self::System(error) => error.fmt(f),
        }
    }
}

impl Error for Unusable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::System(error) => Some(error),
            Self::Kind { .. } | Self::NoSuchName { .. } => None,
        }
    }
}

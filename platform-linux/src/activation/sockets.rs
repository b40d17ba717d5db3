//! The sockets that a service manager passes.

use core::error::Error;
use core::fmt;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process;

use barewire_core::printable::printable;
use listenfd::ListenFd;
use nix::sys::socket::{AddressFamily, SockType, getsockopt, sockopt};

use crate::datagrams::UdpSocket;
use crate::listener::Listener;
use crate::resource_limits::descriptor_limit;

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
    /// What the service manager says of them makes no sense.
    Variable {
        /// The environment variable that says it.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it, in words that follow it.
        why: String,
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

/// The listening stream sockets, TCP's and Unix sockets, that the service manager has passed to this process
/// (`LISTEN_FDS`, `LISTEN_PID`), in their order: all of them, or those of the `name` that is given. None if it
/// has passed none, and no name is given.
///
/// The descriptors will not be inherited by child processes, nor will the environment variables,
/// which this takes away: so it must be called before any other thread is started, and once.
///
/// # Errors
/// [`Unusable`]. A socket that is not asked for by its name may be of any kind.
pub fn listeners(name: Option<&str>) -> Result<Vec<Listener>, Unusable> {
    let listens = |socket: &dyn AsFd| getsockopt(&socket, sockopt::AcceptConn).unwrap_or(false);
    take(name, "a listening TCP or Unix stream socket", |passed, index| {
        if let Ok(Some(listener)) = passed.take_tcp_listener(index) {
            let is = "a TCP socket that does not listen";
            return if listens(&listener) { Ok(listener.try_into()) } else { Err(is) };
        }
        if let Ok(Some(listener)) = passed.take_unix_listener(index) {
            let is = "a Unix stream socket that does not listen";
            return if listens(&listener) { Ok(listener.try_into()) } else { Err(is) };
        }
        Err(kind(passed, index))
    })
}

/// The UDP sockets that the service manager has passed; otherwise as [`listeners`].
///
/// # Errors
/// As for [`listeners`].
pub fn udp_sockets(name: Option<&str>) -> Result<Vec<UdpSocket>, Unusable> {
    take(name, "a UDP socket", |passed, index| match passed.take_udp_socket(index) {
        Ok(Some(socket)) if socket.local_addr().is_ok_and(|local| local.port() == 0) => {
            Err("a UDP socket that is not bound")
        }
        Ok(Some(socket)) => Ok(socket.try_into()),
        _ => Err(kind(passed, index)),
    })
}

/// Takes what `one` takes, from the sockets called `name` or from all; or else `one` says what it is.
fn take<S>(
    name: Option<&str>,
    needed: &'static str,
    one: impl Fn(&mut ListenFd, usize) -> Result<io::Result<S>, &'static str>,
) -> Result<Vec<S>, Unusable> {
    let names = names(count()?)?;
    let mut passed = if names.is_empty() { ListenFd::empty() } else { ListenFd::from_env() };
    let mut taken = Vec::new();
    for (index, own) in names.iter().enumerate() {
        if name.is_some_and(|name| own.as_deref() != Some(name)) {
            continue;
        }
        let socket = one(&mut passed, index).map_err(|is| {
            let socket = PassedSocket { descriptor: FIRST + index, name: own.clone() };
            Unusable::Kind { socket, is, needed }
        })?;
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

const PID: &str = "LISTEN_PID";
const COUNT: &str = "LISTEN_FDS";
const NAMES: &str = "LISTEN_FDNAMES";

fn senseless(name: &'static str, value: &OsStr, why: impl Into<String>) -> Unusable {
    Unusable::Variable { name, value: value.to_string_lossy().into_owned(), why: why.into() }
}

/// How many sockets are passed to this process. Without a `LISTEN_PID` none is, as `sd_listen_fds(3)` has it.
fn count() -> Result<usize, Unusable> {
    let Some(pid) = env::var_os(PID) else { return Ok(0) };
    let number = |value: &OsStr| value.to_str().and_then(|value| value.parse::<u32>().ok());
    let is_own = number(&pid).map(|number| number == process::id());
    if !is_own.ok_or_else(|| senseless(PID, &pid, "is no number of a process"))? {
        return Ok(0);
    }
    let Some(count) = env::var_os(COUNT) else { return Ok(0) };
    let number = number(&count).and_then(|count| usize::try_from(count).ok());
    let number = number.ok_or_else(|| senseless(COUNT, &count, "is no number of sockets"))?;
    let most = descriptor_limit().unwrap_or(usize::MAX);
    if number > most {
        let why = format!("is more than the {most} descriptors that a process may have");
        return Err(senseless(COUNT, &count, why));
    }
    Ok(number)
}

/// The names of `count` sockets, in their order.
fn names(count: usize) -> Result<Vec<Option<String>>, Unusable> {
    let Some(value) = env::var_os(NAMES).filter(|_| count > 0) else {
        return Ok(vec![None; count]);
    };
    let text = value.to_string_lossy();
    let name = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
    let names: Vec<_> = text.split(':').map(name).collect();
    if names.len() != count {
        let why = format!("has names for {}, and {COUNT} is {count}", names.len());
        return Err(senseless(NAMES, &value, why));
    }
    Ok(names)
}

/// What a descriptor is that is not what was needed, in words.
fn kind(passed: &mut ListenFd, index: usize) -> &'static str {
    let (unix, packets) = (AddressFamily::Unix as i32, SockType::SeqPacket as i32);
    if matches!(passed.take_udp_socket(index), Ok(Some(_))) {
        "a UDP socket"
    } else if matches!(passed.take_tcp_listener(index), Ok(Some(_))) {
        "a TCP socket"
    } else if matches!(passed.take_unix_listener(index), Ok(Some(_))) {
        "a Unix stream socket"
    } else if matches!(passed.take_unix_datagram(index), Ok(Some(_))) {
        "a Unix datagram socket"
    } else if matches!(passed.take_custom::<OwnedFd>(index, unix, packets, ""), Ok(Some(_))) {
        "a Unix sequenced-packet socket"
    } else if is_open(passed, index) {
        "something else"
    } else {
        "not open"
    }
}

fn is_open(passed: &mut ListenFd, index: usize) -> bool {
    let fd = passed.take_raw_fd(index).ok().flatten();
    fd.is_some_and(|fd| fs::symlink_metadata(format!("/proc/self/fd/{fd}")).is_ok())
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
            Self::Variable { name, value, why } => {
                write!(f, "{name} '{}' {why}", printable(value.as_bytes()))
            }
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
            Self::Kind { .. } | Self::Variable { .. } | Self::NoSuchName { .. } => None,
        }
    }
}

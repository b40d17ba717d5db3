//! The sockets of a server.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use barewire_linux::activation::{self, Unusable};
use barewire_linux::address::{Address, UnixAddress};
use barewire_linux::datagrams::UdpSocket;
use barewire_linux::listener::Listener;
use barewire_linux::sandbox::Allowed;
use barewire_linux::threads::{self, BindError, Bound};

use crate::cli::addresses::{HostPort, ListenAddress, ServerAddress};
use crate::cli::exit::Failure;
use crate::output::system_error::{describe, not_there_advice};

/// What a server listens with.
pub(crate) trait ServerSocket: Sized {
    /// As `ss(8)` takes it.
    const PROTOCOL: char;

    /// Those that the service manager has passed, or of these the ones of a name.
    fn passed(name: Option<&str>) -> Result<Vec<Self>, Unusable>;

    fn bind(addresses: &[SocketAddr], threads: usize) -> Result<Bound<Self>, BindError>;

    /// At a Unix socket, with these permissions: one for each thread.
    fn bind_unix(
        address: &UnixAddress,
        permissions: u32,
        threads: usize,
    ) -> Result<Vec<Self>, Failure>;

    /// Where it is reached.
    fn addresses(&self) -> io::Result<Vec<Address>>;
}

impl ServerSocket for Listener {
    const PROTOCOL: char = 't';

    fn passed(name: Option<&str>) -> Result<Vec<Self>, Unusable> {
        activation::listeners(name)
    }

    fn bind(addresses: &[SocketAddr], threads: usize) -> Result<Bound<Self>, BindError> {
        threads::listeners(addresses, threads)
    }

    fn bind_unix(
        address: &UnixAddress,
        permissions: u32,
        threads: usize,
    ) -> Result<Vec<Self>, Failure> {
        let bound = threads::unix_listeners(address, permissions, threads);
        bound.map_err(|error| unbound_unix(address, &error))
    }

    fn addresses(&self) -> io::Result<Vec<Address>> {
        self.addresses()
    }
}

impl ServerSocket for UdpSocket {
    const PROTOCOL: char = 'u';

    fn passed(name: Option<&str>) -> Result<Vec<Self>, Unusable> {
        activation::udp_sockets(name)
    }

    fn bind(addresses: &[SocketAddr], threads: usize) -> Result<Bound<Self>, BindError> {
        threads::udp_sockets(addresses, threads)
    }

    fn bind_unix(address: &UnixAddress, _: u32, _: usize) -> Result<Vec<Self>, Failure> {
        let why =
            "is the address of a Unix socket, where no datagrams are received (write HOST:PORT)";
        Err(Failure::usage(format!("ADDR: '{address}' {why}")))
    }

    fn addresses(&self) -> io::Result<Vec<Address>> {
        Ok(self.addresses()?.into_iter().map(Address::Ip).collect())
    }
}

/// What a server has opened.
#[derive(Debug)]
pub(crate) struct Opened<S> {
    /// For each thread its sockets.
    pub(crate) shares: Vec<Vec<S>>,
    /// Where they are reached.
    pub(crate) addresses: Vec<Address>,
}

/// What the service manager has passed, if anything.
pub(super) fn open_passed<S: ServerSocket>(
    address: &ListenAddress<'_>,
) -> Result<Option<Opened<S>>, Failure> {
    let unusable = |why: &dyn fmt::Display| {
        Failure::Conversation(format!("cannot use what the service manager has passed: {why}"))
    };
    let name = match address {
        ListenAddress::Passed(name) => Some(*name),
        ListenAddress::At(_) => None,
    };
    let sockets = S::passed(name).map_err(|error| match &error {
        Unusable::System(error) => unusable(&describe(error)),
        Unusable::Kind { .. } => unusable(&format_args!("{error} (fd:NAME chooses others)")),
        _ => unusable(&error),
    })?;
    if sockets.is_empty() {
        return Ok(None);
    }
    log::debug!("serving what the service manager has passed");
    Opened::new(vec![sockets]).map(Some)
}

/// Binds sockets at each address, for each of `threads`; the files of Unix sockets get these permissions.
pub(super) fn bind<S: ServerSocket>(
    address: &ListenAddress<'_>,
    permissions: u32,
    threads: usize,
) -> Result<Opened<S>, Failure> {
    let ListenAddress::At(addresses) = address else {
        return Err(Failure::Conversation("the service manager has passed no socket".into()));
    };
    let mut wanted = Vec::new();
    for (index, address) in addresses.iter().enumerate() {
        if addresses[..index].iter().any(|before| before.is_taken_with(address)) {
            return Err(Failure::usage(format!("ADDR: '{address}' is given twice")));
        }
        let resolved = match address {
            ServerAddress::HostPort(host_port) => host_port.resolve()?,
            ServerAddress::Unix(_) => Vec::new(),
        };
        wanted.push((index, address, resolved));
    }
    // First those that stand for others, which are not bound besides: that the server would do to itself.
    wanted.sort_by_key(|(_, _, resolved)| resolved.iter().map(breadth).min());
    let mut bound: Vec<Vec<Vec<S>>> = addresses.iter().map(|_| Vec::new()).collect();
    let mut reached = Vec::new();
    for (index, address, mut resolved) in wanted {
        let shares = match address {
            ServerAddress::HostPort(host_port) => {
                resolved.retain(|address| !is_reached(*address, &reached));
                bind_ip(host_port, &resolved, threads)?
            }
            ServerAddress::Unix(path) => {
                S::bind_unix(path, permissions, threads)?.into_iter().map(|it| vec![it]).collect()
            }
        };
        for socket in shares.first().into_iter().flatten() {
            reached.extend(socket.addresses().map_err(Failure::system)?);
        }
        bound[index] = shares;
    }
    let mut all: Vec<Vec<S>> = (0..threads.max(1)).map(|_| Vec::new()).collect();
    for shares in bound {
        for (own, share) in all.iter_mut().zip(shares) {
            own.extend(share);
        }
    }
    Opened::new(all)
}

/// Less for what may stand for others: `[::]` for IPv4 as well.
fn breadth(address: &SocketAddr) -> u8 {
    match address.ip() {
        ip if !ip.is_unspecified() => 2,
        IpAddr::V4(_) => 1,
        IpAddr::V6(_) => 0,
    }
}

/// Whether who is reached at `others` is so at this address too: at each of the host, say.
fn is_reached(address: SocketAddr, others: &[Address]) -> bool {
    let everywhere: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let ways = [address, SocketAddr::new(everywhere, address.port())];
    ways.into_iter().any(|way| others.contains(&Address::Ip(way)))
}

fn bind_ip<S: ServerSocket>(
    host_port: &HostPort<'_>,
    addresses: &[SocketAddr],
    threads: usize,
) -> Result<Vec<Vec<S>>, Failure> {
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let bound = S::bind(addresses, threads);
    let Bound { shares, left_out } =
        bound.map_err(|error| unbound(S::PROTOCOL, host_port, &error))?;
    for BindError { address, error } in left_out {
        log::info!("not listening on {address}: {}", describe(&error));
    }
    Ok(shares)
}

/// Besides what is `allowed`, to remove the files of Unix sockets in the end.
pub(crate) fn removing<'a>(allowed: Allowed<'a>, shares: &'a [Vec<Listener>]) -> Allowed<'a> {
    let folders = shares.iter().flatten().filter_map(Listener::folder);
    folders.fold(allowed, Allowed::removing_beneath)
}

impl<S: ServerSocket> Opened<S> {
    fn new(shares: Vec<Vec<S>>) -> Result<Self, Failure> {
        let addresses = shares.first().into_iter().flatten().map(S::addresses);
        let addresses =
            addresses.collect::<io::Result<Vec<_>>>().map_err(Failure::system)?.concat();
        Ok(Self { shares, addresses })
    }
}

fn unbound(protocol: char, host_port: &HostPort<'_>, failure: &BindError) -> Failure {
    let BindError { address, error } = failure;
    let port = host_port.port;
    let advice: &dyn fmt::Display = match error.kind() {
        io::ErrorKind::AddrInUse => &format!(
            " (find the process with: ss -l{protocol}np 'sport = :{port}', or choose another port)"
        ),
        io::ErrorKind::AddrNotAvailable => &" (list this host's addresses with: ip address)",
        io::ErrorKind::PermissionDenied => &" (ports below 1024 need a privilege: choose another)",
        _ => &"",
    };
    let which = match (host_port.to_string(), address.to_string()) {
        (named, bound) if named == bound => named,
        (named, bound) => format!("{named} ({bound})"),
    };
    Failure::Conversation(format!("cannot bind {which}: {}{advice}", describe(error)))
}

fn unbound_unix(address: &UnixAddress, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "address already in use: a running process has this socket open (find it with: ss -xlp, or \
             choose another path)"
        }
        io::ErrorKind::AlreadyExists => {
            "what is there is not a socket, and stays (remove it, or choose another path)"
        }
        io::ErrorKind::ResourceBusy => {
            "a server that does not run any more has left it, and another process keeps its folder locked by \
             flock (choose another folder)"
        }
        io::ErrorKind::NotFound => {
            let advice = address.path().map_or("choose another path", not_there_advice);
            &format!("{} ({advice})", describe(error))
        }
        io::ErrorKind::PermissionDenied => {
            &format!("{} (choose a folder that you may write to)", describe(error))
        }
        _ => &describe(error).to_string(),
    };
    Failure::Conversation(format!("cannot bind {address}: {why}"))
}

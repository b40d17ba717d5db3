//! The sockets of a server.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use barewire_linux::activation::{self, Unusable};
use barewire_linux::datagrams::UdpSocket;
use barewire_linux::listener::Listener;
use barewire_linux::threads::{self, BindError, Bound};

use crate::cli::addresses::{HostPort, ListenAddress};
use crate::cli::exit::Failure;
use crate::output::system_error::describe;

/// What a server listens with.
pub(crate) trait ServerSocket: Sized {
    /// As `ss(8)` takes it.
    const PROTOCOL: char;

    /// Those that the service manager has passed, or of these the ones of a name.
    fn passed(name: Option<&str>) -> Result<Vec<Self>, Unusable>;

    fn bind(addresses: &[SocketAddr], threads: usize) -> Result<Bound<Self>, BindError>;

    /// Where it is reached.
    fn addresses(&self) -> io::Result<Vec<SocketAddr>>;
}

impl ServerSocket for Listener {
    const PROTOCOL: char = 't';

    fn passed(name: Option<&str>) -> Result<Vec<Self>, Unusable> {
        activation::listeners(name)
    }

    fn bind(addresses: &[SocketAddr], threads: usize) -> Result<Bound<Self>, BindError> {
        threads::listeners(addresses, threads)
    }

    fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
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

    fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.addresses()
    }
}

/// What a server has opened.
#[derive(Debug)]
pub(crate) struct Opened<S> {
    /// For each thread its sockets.
    pub(crate) shares: Vec<Vec<S>>,
    /// Where they are reached.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Opens the sockets of a server with one thread: those that the service manager has passed, or else one
/// at each address.
pub(crate) fn open<S: ServerSocket>(address: &ListenAddress<'_>) -> Result<Opened<S>, Failure> {
    open_passed(address)?.map_or_else(|| bind(address, 1), Ok)
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
        ListenAddress::HostPort(_) => None,
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

/// Binds sockets at each address, for each of `threads`.
pub(super) fn bind<S: ServerSocket>(
    address: &ListenAddress<'_>,
    threads: usize,
) -> Result<Opened<S>, Failure> {
    let ListenAddress::HostPort(host_port) = address else {
        return Err(Failure::Conversation("the service manager has passed no socket".into()));
    };
    let bound = S::bind(&host_port.resolve()?, threads);
    let Bound { shares, left_out } =
        bound.map_err(|error| unbound(S::PROTOCOL, host_port, &error))?;
    for BindError { address, error } in left_out {
        log::info!("not listening on {address}: {}", describe(&error));
    }
    Opened::new(shares)
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

//! What a service manager passes to a server, and what it wants to hear (`systemd.socket(5)`,
//! `sd_listen_fds(3)`, `sd_notify(3)`).

use std::env;
use std::io;
use std::net;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use listenfd::ListenFd;
use nix::sys::socket::{getsockopt, sockopt};

use crate::datagrams::UdpSocket;
use crate::listener::Listener;

/// The listening TCP socket that the service manager has passed as the first descriptor
/// (`LISTEN_FDS`), if it has passed any to this process (`LISTEN_PID`).
///
/// The descriptor will not be inherited by child processes, nor will the environment variables,
/// which this takes away: so it must be called before any other thread is started, and once.
///
/// # Errors
/// [`InvalidInput`](io::ErrorKind::InvalidInput) if the descriptor is no listening TCP socket.
pub fn tcp_listener() -> io::Result<Option<Listener>> {
    let Some(mut passed) = passed() else { return Ok(None) };
    let Some(listener) = passed.take_tcp_listener(0)? else { return Ok(None) };
    check_listening(&listener)?;
    listener.try_into().map(Some)
}

/// The UDP socket that the service manager has passed; otherwise as [`tcp_listener`].
///
/// # Errors
/// [`InvalidInput`](io::ErrorKind::InvalidInput) if the descriptor is no UDP socket.
pub fn udp_socket() -> io::Result<Option<UdpSocket>> {
    let Some(mut passed) = passed() else { return Ok(None) };
    let Some(socket) = passed.take_udp_socket(0)? else { return Ok(None) };
    socket.try_into().map(Some)
}

/// The service manager, if one wants to know when the server is ready.
#[derive(Debug)]
pub struct Notifier(Option<UnixDatagram>);

impl Notifier {
    /// Connects to where the service manager listens (`NOTIFY_SOCKET`), if one does. To be called before
    /// the process is [confined](crate::files::confine()): afterwards it could not be reached.
    ///
    /// # Errors
    /// Those of the socket: nobody listens there, say.
    pub fn connect() -> io::Result<Self> {
        let Some(name) = env::var_os("NOTIFY_SOCKET") else { return Ok(Self(None)) };
        // A path, or after an `@` a name in the abstract space (`unix(7)`).
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&name)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address)?;
        Ok(Self(Some(socket)))
    }

    /// Tells it that the server is ready (`READY=1`).
    ///
    /// # Errors
    /// Those of the socket: nobody listens there any more, say.
    pub fn ready(&self) -> io::Result<()> {
        let Some(socket) = &self.0 else { return Ok(()) };
        socket.send(b"READY=1\n").map(drop)
    }
}

/// The descriptors, if they are meant for this process: `sd_listen_fds(3)` ignores those without a
/// `LISTEN_PID`, which `listenfd` would take.
fn passed() -> Option<ListenFd> {
    env::var_os("LISTEN_PID").map(|_| ListenFd::from_env())
}

fn check_listening(listener: &net::TcpListener) -> io::Result<()> {
    if getsockopt(listener, sockopt::AcceptConn)? {
        return Ok(());
    }
    let why = "the socket passed by the service manager does not listen";
    Err(io::Error::new(io::ErrorKind::InvalidInput, why))
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::process::Stdio;

    use super::*;
    use crate::files::{Root, confine};
    use crate::testing::in_child;

    /// Passes standard input as if it were the first descriptor after it.
    const PASSED: &str = "LISTEN_FDS=1 LISTEN_FDS_FIRST_FD=0 LISTEN_PID=$$";

    fn stdin(socket: impl Into<OwnedFd>) -> Stdio {
        socket.into().into()
    }

    #[test]
    fn a_listener_is_adopted() {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let name = "activation::tests::a_listener_is_adopted";
        let passed = format!("ADDRESS={address} {PASSED}");
        if in_child(name, stdin(listener), &passed) {
            let listener = tcp_listener().unwrap().unwrap();
            assert_eq!(listener.local_addr().unwrap().to_string(), env::var("ADDRESS").unwrap());
            assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
            assert!(tcp_listener().unwrap().is_none(), "it can be taken once");
        }
    }

    #[test]
    fn a_udp_socket_is_adopted() {
        let socket = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let name = "activation::tests::a_udp_socket_is_adopted";
        if in_child(name, stdin(socket), PASSED) {
            assert!(udp_socket().unwrap().is_some());
        }
    }

    #[test]
    fn a_socket_of_another_kind_is_refused() {
        let socket = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let name = "activation::tests::a_socket_of_another_kind_is_refused";
        if in_child(name, stdin(socket), PASSED) {
            assert_eq!(tcp_listener().unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn a_socket_meant_for_another_process_is_left_alone() {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let name = "activation::tests::a_socket_meant_for_another_process_is_left_alone";
        let passed = "LISTEN_FDS=1 LISTEN_FDS_FIRST_FD=0 LISTEN_PID=1";
        if in_child(name, stdin(listener), passed) {
            assert!(tcp_listener().unwrap().is_none());
        }
    }

    #[test]
    fn readiness_is_told_also_by_a_server_that_was_confined_meanwhile() {
        let manager_name = format!("barewire-{}", std::process::id());
        let manager_address = SocketAddr::from_abstract_name(&manager_name).unwrap();
        let manager = UnixDatagram::bind_addr(&manager_address).unwrap();
        let name =
            "activation::tests::readiness_is_told_also_by_a_server_that_was_confined_meanwhile";
        if in_child(name, Stdio::null(), &format!("NOTIFY_SOCKET=@{manager_name}")) {
            let notifier = Notifier::connect().unwrap();
            confine(&Root::open("/").unwrap()).unwrap();
            notifier.ready().unwrap();
            return;
        }
        let mut said = [0; 100];
        let count = manager.recv(&mut said).unwrap();
        assert_eq!(&said[..count], b"READY=1\n");
    }

    #[test]
    fn a_socket_that_does_not_listen_is_refused() {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let connected = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let name = "activation::tests::a_socket_that_does_not_listen_is_refused";
        if in_child(name, stdin(connected), PASSED) {
            let error = tcp_listener().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().ends_with("does not listen"), "{error}");
        }
    }
}

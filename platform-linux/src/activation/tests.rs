use std::env;
use std::io;
use std::net;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::process::Stdio;

use barewire_core::time::Duration;

use super::{Notifier, Unusable, listeners, udp_sockets};
use crate::files::Root;
use crate::sandbox::{Allowed, confine};
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
        let listener = listeners(None).unwrap().remove(0);
        assert_eq!(listener.local_addr().unwrap().to_string(), env::var("ADDRESS").unwrap());
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(listeners(None).unwrap().is_empty(), "they can be taken once");
    }
}

#[test]
fn a_udp_socket_is_adopted() {
    let socket = net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let name = "activation::tests::a_udp_socket_is_adopted";
    if in_child(name, stdin(socket), PASSED) {
        assert_eq!(udp_sockets(None).unwrap().len(), 1);
    }
}

#[test]
fn a_socket_of_another_kind_is_refused() {
    let socket = net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let name = "activation::tests::a_socket_of_another_kind_is_refused";
    if in_child(name, stdin(socket), PASSED) {
        let error = listeners(None).unwrap_err().to_string();
        assert!(
            error.ends_with("is a UDP socket, not a listening TCP or Unix stream socket"),
            "{error}"
        );
    }
}

#[test]
fn a_unix_listener_is_adopted_and_its_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let name = "activation::tests::a_unix_listener_is_adopted_and_its_file_stays";
    if in_child(name, stdin(listener), &format!("ADDRESS={} {PASSED}", path.display())) {
        let listener = listeners(None).unwrap().remove(0);
        let address = listener.addresses().unwrap().remove(0);
        assert_eq!(address.to_string(), format!("unix:{}", env::var("ADDRESS").unwrap()));
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        return;
    }
    assert!(path.exists());
}

#[test]
fn a_unix_socket_for_datagrams_is_refused() {
    let (socket, _other) = UnixDatagram::pair().unwrap();
    let name = "activation::tests::a_unix_socket_for_datagrams_is_refused";
    if in_child(name, stdin(socket), PASSED) {
        let error = listeners(None).unwrap_err().to_string();
        let expected = "is a Unix datagram socket, not a listening TCP or Unix stream socket";
        assert!(error.ends_with(expected), "{error}");
    }
}

#[test]
fn what_makes_no_sense_is_not_taken_for_nothing() {
    for variables in [
        "LISTEN_FDS=zz LISTEN_PID=$$",
        "LISTEN_FDS=-1 LISTEN_PID=$$",
        "LISTEN_FDS= LISTEN_PID=$$",
        "LISTEN_FDS=4294967295 LISTEN_PID=$$",
        "LISTEN_FDS=4294967296 LISTEN_PID=$$",
        "LISTEN_FDS=1 LISTEN_PID=me",
        "LISTEN_FDS=2 LISTEN_FDNAMES=web LISTEN_PID=$$",
        "LISTEN_FDS=2 LISTEN_FDNAMES=web:mail:chat LISTEN_PID=$$",
        "LISTEN_FDS=500 LISTEN_PID=$$",
    ] {
        let name = "activation::tests::what_makes_no_sense_is_not_taken_for_nothing";
        if in_child(name, Stdio::null(), variables) {
            let error = listeners(None).unwrap_err();
            let is_told = match &error {
                Unusable::Variable { value, .. } => error.to_string().contains(value),
                // Without names they are all looked at.
                Unusable::Kind { .. } => error.to_string().contains(" is "),
                _ => false,
            };
            assert!(is_told, "{error}");
            return;
        }
    }
}

#[test]
fn a_socket_can_be_asked_for_by_its_name() {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let name = "activation::tests::a_socket_can_be_asked_for_by_its_name";
    if in_child(name, stdin(listener), &format!("{PASSED} LISTEN_FDNAMES=web")) {
        assert_eq!(listeners(Some("web")).unwrap().len(), 1);
    }
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let name = "activation::tests::a_socket_of_another_name_is_not_taken";
    in_child(name, stdin(listener), &format!("{PASSED} LISTEN_FDNAMES=web"));
}

/// See [`a_socket_can_be_asked_for_by_its_name`].
#[test]
fn a_socket_of_another_name_is_not_taken() {
    let error = listeners(Some("mail")).unwrap_err().to_string();
    if env::var_os("LISTEN_FDNAMES").is_some() {
        assert_eq!(error, "none is called 'mail' (they are 'web')");
    } else {
        assert_eq!(error, "none is called 'mail'");
    }
}

#[test]
fn the_watchdog_is_told_in_time_if_it_is_this_process_that_it_watches() {
    let manager_name = format!("barewire-watchdog-{}", std::process::id());
    let manager_address = SocketAddr::from_abstract_name(&manager_name).unwrap();
    let manager = UnixDatagram::bind_addr(&manager_address).unwrap();
    let name =
        "activation::tests::the_watchdog_is_told_in_time_if_it_is_this_process_that_it_watches";
    let variables = format!("NOTIFY_SOCKET=@{manager_name} WATCHDOG_USEC=3000000 WATCHDOG_PID=$$");
    if in_child(name, Stdio::null(), &variables) {
        let notifier = Notifier::connect().unwrap();
        assert_eq!(notifier.watchdog(), Some(Duration::from_secs(3)));
        notifier.alive().unwrap();
        notifier.reloading().unwrap();
        return;
    }
    let mut said = [0; 100];
    let count = manager.recv(&mut said).unwrap();
    assert_eq!(&said[..count], b"WATCHDOG=1\n");
    let count = manager.recv(&mut said).unwrap();
    assert!(said[..count].starts_with(b"RELOADING=1\nMONOTONIC_USEC="));
}

#[test]
fn a_socket_meant_for_another_process_is_left_alone() {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let name = "activation::tests::a_socket_meant_for_another_process_is_left_alone";
    let passed = "LISTEN_FDS=1 LISTEN_FDS_FIRST_FD=0 LISTEN_PID=1";
    if in_child(name, stdin(listener), passed) {
        assert!(listeners(None).unwrap().is_empty());
    }
}

#[test]
fn readiness_is_told_also_by_a_server_that_was_confined_meanwhile() {
    let manager_name = format!("barewire-{}", std::process::id());
    let manager_address = SocketAddr::from_abstract_name(&manager_name).unwrap();
    let manager = UnixDatagram::bind_addr(&manager_address).unwrap();
    let name = "activation::tests::readiness_is_told_also_by_a_server_that_was_confined_meanwhile";
    if in_child(name, Stdio::null(), &format!("NOTIFY_SOCKET=@{manager_name}")) {
        let notifier = Notifier::connect().unwrap();
        assert!(confine(&Allowed::nothing().reading(&Root::open("/").unwrap())).files.is_ok());
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
        let error = listeners(None).unwrap_err().to_string();
        let expected =
            "is a TCP socket that does not listen, not a listening TCP or Unix stream socket";
        assert!(error.ends_with(expected), "{error}");
    }
}

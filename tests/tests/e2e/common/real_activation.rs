//! A server that systemd's own tool starts when somebody comes (`systemd-socket-activate(1)`).

use std::process::{Command, Stdio};

use barewire_tests::harness::namespace::Namespace;
use barewire_tests::harness::not_tried::not_tried;
use barewire_tests::harness::{PATIENTLY, Program};

const TOOL: &str = "systemd-socket-activate";

/// Whether the tool is there, and which.
fn is_there() -> bool {
    let version = Command::new(TOOL).arg("--version").stderr(Stdio::null()).output();
    let Some(version) = version.ok().filter(|version| version.status.success()) else {
        not_tried(&format!(
            "sockets by {TOOL}, which is not there (on Debian: apt-get install systemd)"
        ));
        return false;
    };
    println!("by {}", String::from_utf8_lossy(&version.stdout).lines().next().unwrap_or_default());
    true
}

/// Has the tool listen at each of `addresses` for `program`; it is started by the first who comes.
fn activated(namespace: &Namespace, program: &str, options: &str, addresses: [&str; 2]) -> Program {
    let sockets = addresses.map(|address| format!("-l {address}")).join(" ");
    let launch = namespace.launch_by(&format!("{TOOL} {options} {sockets}"), program);
    let mut server = launch.spawn();
    for address in addresses {
        server.diagnostic_with(&[&format!("Listening on {address}")]);
    }
    server
}

fn listens(server: &mut Program, addresses: &[&str]) {
    for address in addresses {
        server.line_with(&format!("listening on {address}"));
    }
}

#[test]
fn all_sockets_are_served() {
    if !is_there() {
        return;
    }
    let namespace = Namespace::network("", "");
    let addresses = ["127.0.0.1:9001", "127.0.0.2:9002"];
    for (program, client, arguments) in [
        ("tcp-server", "tcp-client", &[][..]),
        ("file-server", "file-client", &["--list"]),
        ("chat-server", "chat-client", &[]),
    ] {
        let mut server = activated(&namespace, program, "", addresses);
        for address in addresses {
            namespace.launch(client).arg(address).args(arguments).run().exits(0);
        }
        listens(&mut server, &addresses);
        super::unix_sockets::stop(server);
    }
    let mut server = activated(&namespace, "udp-server", "--datagram", addresses);
    for address in addresses {
        namespace
            .launch("udp-client")
            .arg(address)
            .args(PATIENTLY)
            .run()
            .exits(0)
            .prints("nice to meet you");
    }
    listens(&mut server, &addresses);
    super::unix_sockets::stop(server);
}

#[test]
fn those_of_a_name_are_served() {
    if !is_there() {
        return;
    }
    let namespace = Namespace::network("", "");
    let addresses = ["127.0.0.1:9001", "127.0.0.2:9002"];
    let sockets = "-l 127.0.0.1:9001 -l 127.0.0.2:9002 --fdname=one:other";
    let launch = namespace.launch_by(&format!("{TOOL} {sockets}"), "tcp-server").arg("fd:other");
    let mut server = launch.spawn();
    for address in addresses {
        server.diagnostic_with(&[&format!("Listening on {address}")]);
    }
    namespace.launch("tcp-client").arg(addresses[1]).run().exits(0).prints("你好");
    assert_eq!(server.line(), format!("listening on {}", addresses[1]));
    super::unix_sockets::stop(server);
}

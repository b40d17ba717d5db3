//! nginx as a peer: with a configuration of its own, and on a port that was chosen for it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{Backlog, listen};

use crate::binaries::installed;
use crate::process::succeed;

/// The certificate that it shows under TLS, beside its configuration.
const CERTIFICATE: &str = "certificate.pem";
const SECRET: &str = "secret.pem";

/// Serves the files of the current folder, as nginx with so many workers, until it is ended; with TLS, under
/// a certificate that it signs itself.
///
/// Its other files lie in a folder `nginx` beside the current one, so they go where that goes.
///
/// # Errors
///
/// nginx cannot be run.
pub(crate) fn become_nginx(address: SocketAddr, workers: usize, has_tls: bool) -> io::Result<()> {
    let program = installed("nginx").ok_or(io::ErrorKind::NotFound)?;
    let listener = TcpListener::bind(address)?;
    // As long a queue as it would choose. It leaves that of a listener that it inherits as it is.
    listen(&listener, Backlog::new(511)?)?;
    // nginx does not see to this itself either, and its workers, which all
    // hear of a client, would wait in accept(2) for the one that another has taken.
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let served = std::env::current_dir()?;
    let own = served.with_file_name("nginx");
    std::fs::create_dir_all(&own)?;
    let configuration = own.join("nginx.conf");
    if has_tls {
        certify(&own)?;
    }
    let served = served.display().to_string();
    std::fs::write(&configuration, configure(address, workers, has_tls, &served))?;
    // nginx takes over listeners that it inherits from its predecessor in an upgrade; so it can be
    // given one, and with it a port that nobody else can have taken in between.
    fcntl(&listener, FcntlArg::F_SETFD(FdFlag::empty()))?;
    println!("listening on {address}");
    let error = Command::new(program)
        .args(["-e", "error.log", "-c"])
        .arg(configuration)
        .arg("-p")
        .arg(own)
        .env("NGINX", format!("{};", listener.as_raw_fd()))
        .exec();
    Err(error)
}

/// Makes a certificate for this run.
fn certify(own: &Path) -> io::Result<()> {
    let program = installed("openssl").ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    command.args(["-nodes", "-subj", "/CN=localhost", "-keyout", SECRET, "-out", CERTIFICATE]);
    succeed(command.current_dir(own).stderr(Stdio::null()))
}

/// What its documentation recommends for files, and nothing that takes work from it.
fn configure(address: SocketAddr, workers: usize, has_tls: bool, served: &str) -> String {
    let tls = if has_tls {
        format!(
            "ssl_protocols TLSv1.3; ssl_certificate {CERTIFICATE}; ssl_certificate_key {SECRET};"
        )
    } else {
        String::new()
    };
    let ssl = if has_tls { " ssl" } else { "" };
    format!(
        "\
daemon off;
worker_processes {workers};
pid nginx.pid;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{ listen {address}{ssl}; {tls} root '{served}'; }}
}}
"
    )
}

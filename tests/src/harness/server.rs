//! A running server and the address it told.

use std::net::SocketAddr;
use std::path::Path;

use nix::sys::signal::Signal;

use super::{Finished, Launch, Program};

/// Starts the barewire server `name` on a free port of 127.0.0.1.
pub fn serve(name: &str, options: &[&str]) -> Server {
    Server::start(Launch::new(name).arg("127.0.0.1:0").args(options))
}

/// Starts a file server of `folder` on a free port of 127.0.0.1.
pub fn share(folder: impl AsRef<Path>, options: &[&str]) -> Server {
    let launch = Launch::new("file-server").arg("127.0.0.1:0").arg(folder.as_ref());
    Server::start(launch.args(options))
}

/// A server that has said where it listens.
#[derive(Debug)]
pub struct Server {
    /// The process.
    pub program: Program,
    address: SocketAddr,
}

impl Server {
    /// Starts a server and reads its first line.
    pub fn start(launch: Launch) -> Self {
        let mut program = launch.spawn();
        let address = program.listening();
        Self { program, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as an argument for a client.
    pub fn at(&self) -> String {
        self.address.to_string()
    }

    /// Its port, as an argument for a client.
    pub fn port(&self) -> String {
        self.address.port().to_string()
    }

    /// Ends it as a service manager does, and demands that it was an orderly end.
    #[track_caller]
    pub fn stop(self) -> Finished {
        self.program.signal(Signal::SIGTERM);
        self.program.finish().exits(0)
    }
}

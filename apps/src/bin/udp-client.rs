//! Asks a datagram server.

use std::process::ExitCode;

fn main() -> ExitCode {
    barewire_apps::Program::UdpClient.main()
}

//! Answers datagrams.

use std::process::ExitCode;

fn main() -> ExitCode {
    barewire_apps::Program::UdpServer.main()
}

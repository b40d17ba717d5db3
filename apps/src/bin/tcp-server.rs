//! Greets everybody, and shows what they answer.

use std::process::ExitCode;

fn main() -> ExitCode {
    barewire_apps::Program::TcpServer.main()
}

//! Receives a greeting and answers it.

use std::process::ExitCode;

fn main() -> ExitCode {
    barewire_apps::Program::TcpClient.main()
}

//! Hosts a chat room.

use std::process::ExitCode;

fn main() -> ExitCode {
    barewire_apps::Program::ChatServer.main()
}

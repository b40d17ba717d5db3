//! A room where everybody hears everybody.

use std::process::ExitCode;

fn main() -> ExitCode {
    barewire_apps::Program::ChatServer.main()
}

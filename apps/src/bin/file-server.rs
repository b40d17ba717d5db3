//! Sends the files of a folder to everybody who asks.

use std::process::ExitCode;

fn main() -> ExitCode {
    barewire_apps::Program::FileServer.main()
}

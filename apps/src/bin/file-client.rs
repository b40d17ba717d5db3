//! Downloads files.

use std::process::ExitCode;

fn main() -> ExitCode {
    barewire_apps::Program::FileClient.main()
}

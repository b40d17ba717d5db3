//! Chats with everybody in a room.

use std::process::ExitCode;

fn main() -> ExitCode {
    barewire_apps::Program::ChatClient.main()
}

//! Makes a key, and tells what to do with it.

use std::io;
use std::path::Path;

use barewire_linux::files::{KeyFileError, create_key};

use crate::cli::exit::Failure;
use crate::cli::keys::keep_secret;
use crate::output::shell::quoted;
use crate::output::system_error::{describe, not_there_advice};

/// Makes a new key in the file at `path`, and gives what the user of `program` does next.
pub(crate) fn make(program: &str, path: &Path) -> Result<String, Failure> {
    keep_secret();
    create_key(path).map_err(|error| {
        let why = match &error {
            KeyFileError::System(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                "it is there already, and is not overwritten (choose another name)".into()
            }
            KeyFileError::System(error) => {
                let advice = match error.kind() {
                    io::ErrorKind::NotFound => &format!(" ({})", not_there_advice(path)),
                    io::ErrorKind::NotADirectory => " (what should be its folder is a file)",
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                        " (choose a folder that you may write to)"
                    }
                    _ => "",
                };
                format!("{}{advice}", describe(error))
            }
            KeyFileError::Exposed { mode } => format!(
                "others could read it: this file system has given it the permissions {mode:03o} (choose \
                 another folder)"
            ),
            error => error.to_string(),
        };
        Failure::Conversation(format!("--new-key: cannot make {}: {why}", path.display()))
    })?;
    Ok(next_steps(program, path))
}

fn next_steps(program: &str, path: &Path) -> String {
    let (kind, _) = program.split_once('-').unwrap_or((program, ""));
    let quoted = quoted(path);
    format!(
        "A new key is in {quoted}, which only you can read.\n\
         \n\
         Whoever has it can be the server and any client, so give it to nobody else. Copy it to the other\n\
         machine in a way that nobody overhears, such as\n  \
         scp -p {quoted} HOST:\n\
         and name it at both ends:\n  \
         {kind}-server ADDR --key {quoted}\n  \
         {kind}-client ADDR --key {quoted}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_told_how_to_name_it() {
        for program in ["chat-server", "chat-client"] {
            let told = next_steps(program, Path::new("my keys/ben.key"));
            for line in [
                "  scp -p 'my keys/ben.key' HOST:\n",
                "  chat-server ADDR --key 'my keys/ben.key'\n",
                "  chat-client ADDR --key 'my keys/ben.key'\n",
            ] {
                assert!(told.contains(line), "{told}");
            }
        }
    }
}

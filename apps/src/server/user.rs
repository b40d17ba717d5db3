//! Who a server is, once it is bound to its addresses.

use std::io;

use barewire_linux::sandbox::{Keep, User, is_root};
use clap::Args;

use crate::cli::exit::Failure;
use crate::cli::privileges::give_up_privileges;
use crate::output::system_error::describe;

#[derive(Args, Debug)]
#[command(next_help_heading = "Confinement")]
pub(crate) struct UserArguments {
    /// Run as this user, a name or a number, and with that user's groups only, once the server is bound to its
    /// addresses: all files are opened as that user. Only root can become another
    #[arg(long, value_name = "NAME", value_parser = NamedUser::find)]
    user: Option<NamedUser>,
}

#[derive(Clone, Debug)]
struct NamedUser {
    name: String,
    user: User,
}

impl NamedUser {
    fn find(name: &str) -> Result<Self, String> {
        let user = User::find(name).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "there is no such user".to_owned(),
            _ => describe(&error).to_string(),
        })?;
        Ok(Self { name: name.to_owned(), user })
    }
}

impl UserArguments {
    /// Gives up what binding may have needed, save what to [`Keep`]. To be called once the sockets are bound,
    /// before any file is opened, and before there are other threads.
    pub(crate) fn take_effect(&self, keep: Keep) -> Result<(), Failure> {
        if let Some(NamedUser { name, user }) = &self.user {
            user.become_it().map_err(|error| {
                let advice = match error.kind() {
                    io::ErrorKind::PermissionDenied => " (only root can become another user)",
                    _ => "",
                };
                let why = describe(&error);
                Failure::Conversation(format!("--user: cannot become '{name}': {why}{advice}"))
            })?;
        }
        give_up_privileges(keep);
        Ok(())
    }
}

/// Tells who need not be root how to be somebody else.
pub(super) fn tell_root() {
    if is_root() {
        log::info!("running as root (--user NAME gives that up once the server is bound)");
    }
}

//! What a program gives up that its work does not need.

use barewire_linux::sandbox::{self, Allowed, Confinement};
use clap::Args;
use log::Level;

use crate::cli::exit::Failure;
use crate::output::system_error::describe;

/// Whether a program is to be confined: as far as it goes, unless it is told otherwise.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Confinement")]
pub(crate) struct SandboxArguments {
    /// Do not confine the program: by default it gives up what its work does not need of the system
    /// (-v tells by what means)
    #[arg(long)]
    no_sandbox: bool,

    /// Do not run unless the program is confined
    #[arg(long, conflicts_with = "no_sandbox")]
    require_sandbox: bool,
}

/// What confines the program, in words, and how much of a matter that is.
#[derive(Debug)]
pub(crate) struct Confined {
    pub(crate) said: String,
    pub(crate) level: Level,
}

impl SandboxArguments {
    /// Leaves this thread and those it starts what is `allowed`, as far as that is wanted.
    pub(crate) fn confine(self, allowed: &Allowed<'_>) -> Result<Confined, Failure> {
        if self.no_sandbox {
            return Ok(Confined {
                said: "not confined (--no-sandbox)".into(),
                level: Level::Debug,
            });
        }
        let confined = sandbox::confine(allowed);
        let is_confined = confined.as_ref().is_ok_and(Confinement::is_confined);
        let (said, level) = match confined {
            Ok(confinement) => (confinement.to_string(), Level::Debug),
            Err(error) => {
                (format!("not confined: Landlock failed: {}", describe(&error)), Level::Warn)
            }
        };
        if self.require_sandbox && !is_confined {
            return Err(Failure::Conversation(format!(
                "cannot run as --require-sandbox wants it: {said}"
            )));
        }
        Ok(Confined { said, level })
    }

    /// The same, and tells what confines it.
    pub(crate) fn confine_and_tell(self, allowed: &Allowed<'_>) -> Result<(), Failure> {
        let Confined { said, level } = self.confine(allowed)?;
        log::log!(level, "{said}");
        Ok(())
    }
}

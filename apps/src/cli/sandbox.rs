//! What a program gives up that its work does not need.

use barewire_linux::sandbox::{self, Allowed, Confinement, FileConfinement};
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
        let confinement = sandbox::confine(allowed);
        let (said, is_confined) = (words(&confinement), confinement.is_there());
        let level = if confinement.files.is_err() { Level::Warn } else { Level::Debug };
        if self.require_sandbox && !is_confined {
            return Err(Failure::Conversation(format!(
                "cannot confine the program, as --require-sandbox demands: {said}"
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

/// What confines it, and what does not.
fn words(Confinement { files, calls }: &Confinement) -> String {
    let (mut means, mut missing) = (Vec::new(), Vec::new());
    match files {
        Ok(files @ FileConfinement::Unavailable) => missing.push(files.to_string()),
        Ok(files) => means.push(files.to_string()),
        Err(error) => missing.push(format!("Landlock failed: {}", describe(error))),
    }
    match calls {
        Ok(()) => means.push("a filter of system calls".into()),
        Err(error) => missing.push(format!("no filter of system calls: {}", describe(error))),
    }
    let missing = missing.join("; ");
    match (means.is_empty(), missing.is_empty()) {
        (true, _) => format!("not confined: {missing}"),
        (false, true) => format!("confined by {}", means.join(" and ")),
        (false, false) => format!("confined by {}; {missing}", means.join(" and ")),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_confines_a_program_is_told_and_what_does_not() {
        let refused = || io::Error::from_raw_os_error(1);
        let landlock = FileConfinement::Full { abi: 6 };
        for (files, calls, told) in [
            (Ok(landlock), Ok(()), "confined by Landlock (version 6) and a filter of system calls"),
            (
                Ok(landlock),
                Err(refused()),
                "confined by Landlock (version 6); no filter of system calls: operation not permitted",
            ),
            (
                Ok(FileConfinement::Unavailable),
                Ok(()),
                "confined by a filter of system calls; this kernel has no Landlock",
            ),
            (
                Err(refused()),
                Err(refused()),
                "not confined: Landlock failed: operation not permitted; no filter of system calls: operation \
                 not permitted",
            ),
        ] {
            let confinement = Confinement { files, calls };
            assert_eq!(words(&confinement), told);
        }
    }
}

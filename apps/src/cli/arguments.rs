//! Arguments that several programs share, and how they are read.

use std::path::PathBuf;

use barewire_core::text::{self, Text};
use clap::{ArgAction, Args, ColorChoice};
use clap_complete::Shell;

use crate::cli::keys::KEY_HEADING;
use crate::cli::sandbox::SandboxArguments;
use crate::cli::waits::Waits;

/// What every program takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output", max_term_width = 100)]
pub(crate) struct Common {
    /// Print more diagnostics on standard error; -vv prints all
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Print nothing but results and errors; on a server, nothing of what clients send
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Print results as JSON, one object per line
    #[arg(long)]
    pub(crate) json: bool,

    /// Colour the output; by default on a terminal, unless `NO_COLOR` is set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,

    /// Print the completions for a shell, and exit
    #[arg(long, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<Shell>,

    /// Print the manual page, and exit
    #[arg(long, exclusive = true)]
    pub(crate) man: bool,

    /// Make a new key in FILE, which must not be there yet and which only you will be able to read; tell how
    /// to go on, and exit
    #[arg(long, value_name = "FILE", exclusive = true, help_heading = KEY_HEADING)]
    pub(crate) new_key: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) sandbox: SandboxArguments,

    #[command(flatten)]
    pub(crate) waits: Waits,
}

/// A text message.
///
/// It lives as long as the program, which uses it to its end, so that every connection can borrow
/// it.
pub(crate) fn message(argument: &str) -> Result<Text<'static>, String> {
    Text::new(argument.to_owned().leak()).map_err(|error| match error {
        text::TextError::TooLong => format!("is {} bytes long, {error}", argument.len()),
        text::TextError::LineBreak => format!("{error}, which would end it"),
        _ => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_must_fit_and_have_one_line() {
        assert_eq!(message("Hello").unwrap().as_bytes(), b"Hello");
        assert!(message(&"x".repeat(1025)).unwrap_err().contains("1025 bytes"));
        assert!(message("a\nb").unwrap_err().contains("line break"));
    }
}

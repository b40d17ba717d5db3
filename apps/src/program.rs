//! What all programs have in common: from the arguments to the exit code.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use log::{Level, LevelFilter};

use crate::arguments::Common;
use crate::failure::{Failure, words};
use crate::output::{Format, Output};

/// One of the programs: its arguments, and what it does with them.
pub(crate) trait Program: Parser {
    /// Its name, as it is called.
    const NAME: &'static str;

    /// The arguments that every program takes.
    fn common(&self) -> &Common;

    /// Does the program's work.
    fn run(self, output: &mut Output) -> Result<(), Failure>;
}

/// Runs a program with `arguments`, its own name first.
pub(crate) fn run<P: Program>(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let program = match P::try_parse_from(arguments) {
        Ok(program) => program,
        // Help and version come here as well, for standard output and with exit code 0.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let common = program.common();
    anstream::ColorChoice::write_global(match common.color {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    });
    start_log(P::NAME, common);
    let format = if common.json { Format::Json } else { Format::Text };
    let mut output = Output::new(P::NAME, format, common.quiet);
    let result = match generated::<P>(common) {
        Some(text) => print(&text),
        None => program.run(&mut output),
    };
    output.flush();
    let Err(failure) = result else {
        return ExitCode::SUCCESS;
    };
    if let Some(message) = failure.message() {
        output.error(message);
    }
    failure.code()
}

/// The file that was asked for in place of the program's work.
fn generated<P: Program>(common: &Common) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut command = P::command();
    if let Some(shell) = common.completions {
        clap_complete::generate(shell, &mut command, P::NAME, &mut text);
    } else if common.man {
        // Writing to memory cannot fail.
        let _ = clap_mangen::Man::new(command).render(&mut text);
    }
    Some(text).filter(|text| !text.is_empty())
}

fn print(text: &[u8]) -> Result<(), Failure> {
    match io::stdout().write_all(text).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let words = words(&error);
            Err(Failure::Conversation(format!("cannot write to standard output: {words}")))
        }
        _ => Ok(()),
    }
}

/// Sends diagnostics, those of the core among them, to standard error.
fn start_log(name: &'static str, common: &Common) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => LevelFilter::Error,
        (false, 0) => LevelFilter::Info,
        (false, 1) => LevelFilter::Debug,
        (false, 2..) => LevelFilter::Trace,
    };
    // Fails if there is a logger already, which says the same.
    let _ = env_logger::Builder::new()
        .filter_level(level)
        .format(move |line, record| match record.level() {
            Level::Error => writeln!(line, "{name}: error: {}", record.args()),
            Level::Warn => writeln!(line, "{name}: warning: {}", record.args()),
            Level::Info | Level::Debug | Level::Trace => {
                writeln!(line, "{name}: {}", record.args())
            }
        })
        .try_init();
}

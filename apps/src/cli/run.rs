//! What all programs have in common: from the arguments to the exit code.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use barewire_core::printable::printable;
use barewire_linux::resource_limits::survive_file_size_limit;
use barewire_linux::sandbox::no_new_privileges;
use barewire_linux::standard_streams;
use clap::Parser;
use env_logger::Target;
use log::{Level, LevelFilter};

use crate::cli::arguments::Common;
use crate::cli::exit::Failure;
use crate::cli::man_page;
use crate::cli::new_key;
use crate::output::format::Format;
use crate::output::printer::Printer;
use crate::output::standard_error;
use crate::output::system_error::describe;
use crate::output::writable;

/// One of the programs: its arguments, and what it does with them.
pub(crate) trait Run: Parser {
    /// Its name, as it is called.
    const NAME: &'static str;

    /// The arguments that every program takes.
    fn common(&self) -> &Common;

    /// Does the program's work.
    fn run(self, printer: &mut Printer) -> Result<(), Failure>;
}

/// Runs a program with `arguments`, its own name first.
pub(crate) fn run<P: Run>(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let program = match P::try_parse_from(&arguments) {
        Ok(program) => program,
        Err(error) => return not_run::<P>(&error, &arguments),
    };
    let common = program.common();
    anstream::ColorChoice::write_global(match common.color {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    });
    start_log(P::NAME, common);
    writable::set_reader_timeout(common.waits.reader_timeout);
    let format = if common.json { Format::Json } else { Format::Text };
    let mut printer = Printer::new(P::NAME, format, common.quiet);
    let result = match (generated::<P>(common), &common.new_key) {
        (Some(text), _) => print(&text),
        (None, Some(path)) => new_key::make(P::NAME, path).and_then(|text| print(text.as_bytes())),
        (None, None) => no_new_privileges()
            .and_then(|()| survive_file_size_limit())
            .map_err(Failure::system)
            .and_then(|()| program.run(&mut printer)),
    };
    printer.finish();
    let result = unless_ended(result);
    let lost = printer.write_error().map(|why| Failure::Conversation(why.to_owned()));
    let result = result.and(lost.map_or(Ok(()), Err));
    if let Some(message) = result.as_ref().err().and_then(Failure::message) {
        printer.error(message);
        printer.finish();
    }
    if let Err(Failure::Usage(_)) = result {
        standard_error::write(b"\nFor more information, try '--help'.\n");
    }
    standard_error::finish();
    unless_ended(result).map_or_else(|failure| failure.exit_code(), |()| ExitCode::SUCCESS)
}

/// `result`, unless a signal has ended the wait for a reader, and so the program.
fn unless_ended(result: Result<(), Failure>) -> Result<(), Failure> {
    writable::interrupting_signal().map_or(result, |signal| Err(Failure::Signal(signal)))
}

/// Shows why the arguments do not run the program; help and version, which were asked for, too.
///
/// The library quotes wrong arguments as they are. One that a terminal would obey is shown as
/// everything else of that kind is, without the library's colours.
fn not_run<P: Run>(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let is_plain = |argument: &OsString| {
        argument.to_str().is_some_and(|text| printable(text.as_bytes()).to_string() == text)
    };
    if error.use_stderr() && wants_json(arguments) {
        let message = complaint(&error.render().to_string());
        Printer::new(P::NAME, Format::Json, false).show_error(&message);
    }
    if !error.use_stderr()
        && let Err(why) = standard_streams::check_output()
    {
        let message = format!("cannot write to standard output: {why}");
        Printer::new(P::NAME, Format::Text, false).error(&message);
        return ExitCode::FAILURE;
    }
    if error.use_stderr() {
        // As it stands before all else that it says.
        standard_error::write(format!("{}: ", P::NAME).as_bytes());
    }
    // If it cannot be shown there is nobody to tell.
    let _ = if arguments.iter().all(is_plain) {
        error.print()
    } else {
        let text = error.render().to_string();
        text.lines().try_for_each(|line| writeln!(io::stderr(), "{}", printable(line.as_bytes())))
    };
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Whether `--json` is among arguments that could not be read as a whole.
fn wants_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json")
}

/// What is wrong, in one line: the first paragraph of what the library says, without what would be
/// right.
fn complaint(rendered: &str) -> String {
    let lines = rendered.lines().take_while(|line| !line.trim().is_empty());
    let line = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    let message = line.strip_prefix("error: ").unwrap_or(&line);
    printable(message.as_bytes()).to_string()
}

/// The file that was asked for in place of the program's work.
fn generated<P: Run>(common: &Common) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut command = P::command();
    if let Some(shell) = common.completions {
        clap_complete::generate(shell, &mut command, P::NAME, &mut text);
    } else if common.man {
        // Writing to memory cannot fail.
        text = man_page::render(command).unwrap_or_default();
    }
    Some(text).filter(|text| !text.is_empty())
}

fn print(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    match standard_streams::check_output()
        .and_then(|()| stdout.write_all(text))
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let why = describe(&error);
            Err(Failure::Conversation(format!("cannot write to standard output: {why}")))
        }
        _ => Ok(()),
    }
}

/// Sends diagnostics to standard error. Those of the core, whose machines know of no address, are for who asks
/// twice: who drives the machines tells the same, and of whom.
fn start_log(name: &'static str, common: &Common) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => LevelFilter::Error,
        (false, 0) => LevelFilter::Info,
        (false, 1) => LevelFilter::Debug,
        (false, 2..) => LevelFilter::Trace,
    };
    standard_error::init(name);
    // Fails if there is a logger already, which says the same.
    let _ = env_logger::Builder::new()
        .filter_level(level)
        .filter_module("barewire_core", if common.verbose > 1 { level } else { LevelFilter::Off })
        .target(Target::Pipe(Box::new(standard_error::LogSink)))
        .format(move |line, record| {
            let level = match record.level() {
                Level::Error => "error: ",
                Level::Warn => "warning: ",
                Level::Info | Level::Debug | Level::Trace => "",
            };
            let message = record.args().to_string();
            writeln!(line, "{name}: {level}{}", printable(message.as_bytes()))
        })
        .try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_one_line() {
        assert_eq!(
            complaint("error: these are missing:\n  <ADDR>\n  <\x1b>\n\nUsage: x <ADDR>\n"),
            "these are missing: <ADDR> <\\x1b>"
        );
    }

    #[test]
    fn json_is_wanted_by_an_option_only() {
        let wants =
            |line: &str| wants_json(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert!(wants("x --nonsense --json"));
        assert!(!wants("x --nonsense -- --json"));
        assert!(!wants("x --jsonx json"));
    }
}

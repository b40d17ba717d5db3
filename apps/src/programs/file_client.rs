//! `file-client`: downloads files.

mod client;
mod comparison;
mod connecting;
mod connection;
mod expectations;
mod file_error;
mod file_sink;
mod limits;
mod listing_sink;
mod messages;
mod mirror_connection;
mod mirrors;
mod names;
mod pace;
mod progress;
mod queue;
mod report;
mod retry;
mod root;
mod rules;
mod settings;
mod sink;
mod stream;
mod stream_sink;
mod target;
#[cfg(test)]
mod tests;
mod transfer;
mod tree;

use std::collections::HashSet;
use std::io::{self, IsTerminal as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use barewire_core::time::Instant;
use barewire_linux::dialer::Dialer;
use barewire_linux::files::Missing;
use barewire_linux::sandbox::{Allowed, Keep};
use clap::Parser;

use crate::cli::arguments::Common;
use crate::cli::exit::Failure;
use crate::cli::keys::{ClientKeyArguments, Named};
use crate::cli::privileges::give_up_privileges;
use crate::cli::resource_limits::raise_descriptor_limit;
use crate::cli::run::Run;
use crate::client::destination::Destination;
use crate::client::interruptible;
use crate::output::printer::Printer;
use crate::output::system_error::describe;

use client::Client;
use connection::ServerConnection;
use expectations::{Expectations, STDIN};
use mirror_connection::MirrorConnection;
use mirrors::Mirrors;
use names::{TreePath, leaf};
use progress::Ticker;
use queue::Queue;
use report::{Reporter, Scope};
use retry::RetryPolicy;
use settings::Settings;
use sink::{Readiness, Sink as _};
use stream::Stream;
use target::{TargetFolder, TargetPath};
use transfer::{Transfer, shown};

/// How many bytes are read at once at most. Reads end anywhere, and both the digest and the system
/// favour few of them; there is seldom more to read than this.
const READ: usize = 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  file-client 127.0.0.1:8080 report.pdf            download a file into the current folder
  file-client example.org 8080 a/x b/y -d /tmp     two files, as /tmp/x and /tmp/y
  file-client 127.0.0.1:8080 --list music          what is in a folder
  file-client 127.0.0.1:8080 -r music              a folder with all that is in it
  file-client 127.0.0.1:8080 notes.txt -o - | less contents to a pipe, only what is proven
  file-client a:8080 disk.img --mirror b:8080      one file from two servers at once
  file-client a:8080 x --key ben.key               with a key that the server has, too

A file appears under its name only when it is complete. Until then it is NAME.part, with a journal \
beside it, and the same command resumes it; a new one of at most 1 MiB has no name until then, where \
the file system allows that, and comes anew. The exit code is 0 if all was downloaded, 1 if anything \
failed, 2 for wrong usage, and 130 or 143 after SIGINT or SIGTERM.";

/// Downloads files, proves that they are whole, and resumes what broke off.
#[derive(Debug, Parser)]
#[command(name = FileClientProgram::NAME, version, after_help = EXAMPLES)]
pub(crate) struct FileClientProgram {
    /// The server, HOST:PORT, or HOST and PORT as two arguments, or unix:PATH; and the files, whose names
    /// are UTF-8 (asked for if there is none; `.` is the server's root)
    #[arg(value_names = ["ADDR", "NAME"], num_args = 1.., required = true)]
    words: Vec<String>,

    /// Write the file as FILE, `-` for standard output. What reads that may stop early, but not with
    /// --expect. A device or a FIFO is written to and never replaced, and is to be read to the end
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["directory", "list", "recursive"])]
    output: Option<PathBuf>,

    /// Write the files into DIR, which must exist
    #[arg(short, long, value_name = "DIR", conflicts_with = "list")]
    directory: Option<PathBuf>,

    /// Show what is in folders, with sizes in bytes and times in UTC
    #[arg(short, long, conflicts_with = "recursive")]
    list: bool,

    /// Download folders with all that is in them, or bring them up to date: a file that differs from
    /// the server's in size or time of modification is replaced, safely, and one that does not is left
    /// as it is. Nothing is removed
    #[arg(short, long)]
    recursive: bool,

    #[command(flatten)]
    settings: Settings,

    #[command(flatten)]
    key: ClientKeyArguments,

    #[command(flatten)]
    common: Common,
}

impl Run for FileClientProgram {
    const NAME: &'static str = "file-client";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self, output: &mut Printer) -> Result<(), Failure> {
        let (server, names) = Destination::read_first(&self.words)?;
        let key = self.key.read_apart_from(&[
            Named::made("-o", self.output.as_deref()),
            Named::read("--expect-from", self.settings.expect_from.as_deref()),
        ])?;
        let stream = self.stream()?;
        self.check(names, stream.as_ref())?;
        let names = match names {
            [] if self.list || self.recursive => vec![String::new()],
            [] => vec![names::ask()?],
            names => names.to_vec(),
        };
        let ticker = self.shows_progress(stream.as_ref()).then(Ticker::default);
        let allowed = self.allowed(stream.as_ref());
        let transfers = self.transfers(&names, stream)?;
        let expectations = match (self.settings.expect, &self.settings.expect_from) {
            (Some(hash), _) => Expectations::One(hash),
            (None, Some(path)) => {
                Expectations::read(path).map_err(|failure| failure.about("--expect-from"))?
            }
            (None, None) => Expectations::None,
        };
        // All that is elsewhere has been read, and no other thread has begun.
        give_up_privileges(Keep::Files);
        self.common.sandbox.confine_and_tell(&allowed)?;
        let (family, waits) = (self.settings.family, &self.common.waits);
        let dialer = |server: &Destination<'_>| server.dialer(family, waits, self.settings.timeout);
        let (server, first) = (server.to_string(), dialer(&server)?);
        let mut others = Vec::new();
        for mirror in &self.settings.mirror {
            let mirror = Destination::read_option("--mirror", mirror)?;
            others.push((mirror.to_string(), dialer(&mirror)?));
        }
        raise_descriptor_limit();
        let scope = match transfers.len() {
            _ if self.recursive => Scope::Tree { in_detail: self.common.verbose > 0 },
            1 => Scope::File,
            _ => Scope::Files,
        };
        let reporter = Reporter::new(output, scope);
        let retry_pause = self.common.waits.retry_pause;
        let settings = Settings { server, expectations, retry_pause, key, ..self.settings };
        if others.is_empty() {
            return download(Client::new(settings, first, reporter, transfers), ticker);
        }
        others.insert(0, (settings.server.clone(), first));
        mirrored(settings, others, reporter, transfers, ticker)
    }
}

impl FileClientProgram {
    /// Refuses what makes no sense together.
    fn check(&self, names: &[String], stream: Option<&Stream>) -> Result<(), Failure> {
        if self.output.is_some() && names.len() > 1 {
            return Err(Failure::usage(
                "-o takes one file: several would overwrite each other (-d takes a folder)",
            ));
        }
        if !self.settings.mirror.is_empty() && (names.len() != 1 || stream.is_some()) {
            return Err(Failure::usage("--mirror downloads one file, and into a file"));
        }
        if self.settings.expect.is_some() && names.len() > 1 {
            return Err(Failure::usage(
                "--expect is the hash of one file (--expect-from takes a file with those of several)",
            ));
        }
        let is_read_from_stdin =
            self.settings.expect_from.as_deref().is_some_and(|path| path == Path::new(STDIN));
        if is_read_from_stdin && names.is_empty() && !self.recursive {
            return Err(Failure::usage(
                "--expect-from - reads standard input, so the file's name must be an argument",
            ));
        }
        if self.common.json && stream.is_some_and(Stream::is_stdout) {
            return Err(Failure::usage(
                "--json and -o - exclude each other: the contents and the records would be mixed up",
            ));
        }
        Ok(())
    }

    /// What the contents go to, if that is no file.
    fn stream(&self) -> Result<Option<Stream>, Failure> {
        let Some(path) = self.output.as_deref() else { return Ok(None) };
        let (name, found) = if path == Path::new("-") {
            ("standard output".into(), Ok(Some(Stream::stdout())))
        } else {
            (path.display().to_string(), Stream::find(path))
        };
        let found = found.and_then(|stream| stream.map(Stream::checked).transpose());
        found.map_err(|error| {
            Failure::Conversation(format!("cannot write to {name}: {}", describe(&error)))
        })
    }

    /// What it still opens once it has begun: what is beneath the folder that it writes into.
    fn allowed(&self, stream: Option<&Stream>) -> Allowed<'static> {
        let folder = match (&self.output, &self.directory) {
            _ if self.list || stream.is_some() => return Allowed::client(),
            (Some(file), _) => file.parent().unwrap_or(file),
            (None, Some(folder)) => folder,
            (None, None) => Path::new(""),
        };
        Allowed::client().writing_beneath(folder)
    }

    fn shows_progress(&self, stream: Option<&Stream>) -> bool {
        let mixes = stream.is_some_and(Stream::is_stdout) && io::stdout().is_terminal();
        let is_wanted = !(self.common.quiet || self.common.json || self.list || mixes);
        is_wanted && io::stderr().is_terminal()
    }

    /// What is to be done with each name.
    fn transfers(
        &self,
        names: &[String],
        stream: Option<Stream>,
    ) -> Result<Vec<Transfer>, Failure> {
        let all = names.iter().cloned();
        if self.list {
            return Ok(all.map(|name| Transfer::screen(name, names.len() > 1)).collect());
        }
        if let Some(stream) = stream {
            return Ok(all
                .zip([stream])
                .map(|(name, stream)| Transfer::stream(name, stream))
                .collect());
        }
        if let Some(path) = &self.output {
            let leaf = path.file_name().filter(|_| !path.as_os_str().as_bytes().ends_with(b"/"));
            let leaf = leaf.ok_or_else(|| {
                Failure::usage(format!(
                    "-o: '{}' names no file (-d takes a folder)",
                    path.display()
                ))
            })?;
            let parent =
                open(path.parent().unwrap_or(path)).map_err(|failure| failure.about("-o"))?;
            let target = TargetPath::new(parent, leaf.as_bytes());
            return Ok(all.map(|name| Transfer::file(name, target.clone(), None)).collect());
        }
        let target = match &self.directory {
            Some(path) => open(path).map_err(|failure| failure.about("-d"))?,
            None => open(Path::new(""))?,
        };
        if names.len() > 1 && names.iter().any(|name| leaf(name) == Some("")) {
            return Err(Failure::usage(
                "`.` is all that the server has: what is asked for beside it could have the name of \
                 something in it (ask for `.` alone, or use two runs with a -d each)",
            ));
        }
        let mut taken = HashSet::new();
        names.iter().map(|name| self.named(name, &target, &mut taken)).collect()
    }

    /// What is to be done with a name whose last part becomes that of the file, or of the folder.
    fn named<'n>(
        &self,
        name: &'n str,
        target: &Rc<TargetFolder>,
        taken: &mut HashSet<&'n str>,
    ) -> Result<Transfer, Failure> {
        let leaf =
            leaf(name).filter(|leaf| self.recursive || !leaf.is_empty()).ok_or_else(|| {
                Failure::usage(format!(
                    "'{name}' names no file (-r downloads folders, `.` the server's root)"
                ))
            })?;
        if !taken.insert(leaf) {
            return Err(Failure::usage(format!(
                "two of the files would both be written as '{}' (download them one by one, with -o or -d)",
                shown(leaf)
            )));
        }
        let (name, target) = (name.to_owned(), TargetPath::new(Rc::clone(target), leaf.as_bytes()));
        Ok(if self.recursive {
            Transfer::tree(TreePath::top(name), target)
        } else {
            Transfer::file(name, target, None)
        })
    }
}

/// The folder at `path`, to write into.
fn open(path: &Path) -> Result<Rc<TargetFolder>, Failure> {
    TargetFolder::open(path.to_owned()).map(Rc::new).map_err(|error| {
        let hint = if error.kind() == io::ErrorKind::NotFound { " (create it first)" } else { "" };
        let (path, why) = (path.display(), describe(&error));
        Failure::Conversation(format!("cannot write into the folder {path}: {why}{hint}"))
    })
}

/// Downloads one file from several servers.
fn mirrored(
    settings: Settings,
    servers: Vec<(String, Dialer)>,
    reporter: Reporter<'_>,
    transfers: Vec<Transfer>,
    ticker: Option<Ticker>,
) -> Result<(), Failure> {
    let file = transfers.into_iter().find_map(Transfer::into_file);
    let Some((name, mut sink)) = file else { return Ok(()) };
    let expected = settings.expectations.of(&name).map_err(Failure::Conversation)?;
    let allowance = settings.limits.into();
    while sink.prepare(&name, &settings, &allowance, &reporter).map_err(Failure::Conversation)?
        == Readiness::Checking
    {}
    let (mut executor, caught) = interruptible::executor()?;
    executor.set_scratch(READ);
    let policy = RetryPolicy::new(settings.retries, settings.retry_pause, false)
        .under_key(settings.key.is_some());
    for index in 0..servers.len() {
        executor.spawn(Box::new(MirrorConnection::new(index, policy.clone())));
    }
    if let Some(ticker) = ticker {
        executor.spawn(Box::new(ticker));
    }
    let mut mirrors = Mirrors::new(settings, reporter, name, sink, servers, expected);
    executor.run(&mut mirrors).map_err(Failure::system)?;
    if let Some(signal) = caught.number() {
        let message = format!("{}: interrupted ({})", shown(&mirrors.name), mirrors.kept());
        mirrors.reporter.log(log::Level::Warn, &message);
        return Err(Failure::Signal(signal));
    }
    for missing in Missing::found() {
        mirrors.reporter.log(log::Level::Warn, &missing.to_string());
    }
    mirrors.reporter.finish();
    if mirrors.reporter.has_failed() { Err(Failure::Reported) } else { Ok(()) }
}

/// Does the transfers, until they are done or a signal comes.
fn download(mut client: Client<'_>, ticker: Option<Ticker>) -> Result<(), Failure> {
    let (mut executor, caught) = interruptible::executor()?;
    executor.set_scratch(READ);
    executor.spawn(Box::new(ServerConnection::Waiting(Instant::ZERO)));
    if let Some(ticker) = ticker {
        executor.spawn(Box::new(ticker));
    }
    executor.run(&mut client).map_err(Failure::system)?;
    let Queue { mut reporter, .. } = client.queue;
    for missing in Missing::found() {
        reporter.log(log::Level::Warn, &missing.to_string());
    }
    reporter.finish();
    match caught.number() {
        Some(signal) => Err(Failure::Signal(signal)),
        None if reporter.has_failed() => Err(Failure::Reported),
        None => Ok(()),
    }
}

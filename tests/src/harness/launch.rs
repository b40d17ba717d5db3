//! A process about to be started.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::binaries;
use super::dispositions::heed_signals;
use super::faults::FaultInjector;
use super::printable::printable;
use super::program::{About, Prepared};
use super::{Finished, Program, Pseudoterminal};

/// Variables of the surroundings that would change what a program says.
const FOREIGN_VARIABLES: [&str; 15] = [
    "BAREWIRE_KEY_FILE",
    // Where it is set, colours are shown on terminals that know none.
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "CREDENTIALS_DIRECTORY",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "NO_COLOR",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// `command`, which is not to know what the surroundings want of programs: its terminal is an `xterm`,
/// its language none.
pub fn without_foreign_variables(command: &mut Command) -> &mut Command {
    for variable in FOREIGN_VARIABLES {
        command.env_remove(variable);
    }
    command.envs([("TERM", "xterm"), ("LC_ALL", "C.UTF-8")])
}

/// What makes a client wait for its answer as long as a test does: on a busy machine that may be longer than it
/// waits by default.
pub const PATIENTLY: [&str; 2] = ["--timeout", "20s"];

/// Runs the barewire client `name` to its end, which is to have an answer.
pub fn ask_patiently(name: &str, arguments: &[&str]) -> Finished {
    Launch::new(name).args(PATIENTLY).args(arguments).run()
}

/// Runs the barewire program `name` to its end.
pub fn run(name: &str, arguments: &[&str]) -> Finished {
    Launch::new(name).args(arguments).run()
}

/// Builds up how a process is started. Its standard input is empty unless told otherwise.
#[derive(Debug)]
pub struct Launch(Prepared);

impl Launch {
    /// The barewire program `name`.
    pub fn new(name: &str) -> Self {
        Self::of(name, Command::new(binaries::path_of(name)))
    }

    /// A Python program: `python3 -c SCRIPT ARGUMENTS…`.
    pub fn python(script: &str) -> Self {
        let mut command = Command::new("python3");
        command.args(["-u", "-c", script]);
        Self::of("python3", command)
    }

    /// The Python program at `path` in the package of the tests.
    pub fn python_file(path: &str) -> Self {
        let mut command = Command::new("python3");
        // `-B`: it leaves no compiled files among the sources.
        command.args(["-B", "-u"]).arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
        Self::of(path, command)
    }

    /// The barewire program `name`, started by a shell script that ends in `exec "$0" "$@"`: for
    /// what has to be arranged inside the new process.
    pub fn through_shell(script: &str, name: &str) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(binaries::path_of(name));
        Self::of(name, command)
    }

    /// The barewire program `name`, with sockets that a service manager passes to it (`sd_listen_fds(3)`):
    /// each is `tcp` or `udp`, a comma, and an address, at which it has a free port.
    pub fn activated(name: &str, sockets: &[&str]) -> Self {
        const HAND_OVER: &str = "
import fcntl, os, socket, sys
program, sockets = sys.argv[1], sys.argv[2].split()
held = []
for kind, host in (socket.split(',') for socket in sockets):
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM)
    made.bind((host, 0))
    if kind == 'tcp':
        made.listen()
    # Out of the way of those that are handed over.
    held.append(fcntl.fcntl(made, fcntl.F_DUPFD_CLOEXEC, 100))
    made.close()
for number, made in enumerate(held, 3):
    os.dup2(made, number)
os.environ.update(LISTEN_FDS=str(len(sockets)), LISTEN_PID=str(os.getpid()))
os.execv(program, [program] + sys.argv[3:])
";
        let mut command = Command::new("python3");
        command.args(["-c", HAND_OVER]).arg(binaries::path_of(name)).arg(sockets.join(" "));
        Self::of(name, command)
    }

    fn of(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        without_foreign_variables(&mut command);
        heed_signals(&mut command);
        let about =
            About { name: name.to_owned(), arguments: Vec::new(), verbose: false, coloured: false };
        Self(Prepared { command, about, terminal: None, most_lines: None, injector: None })
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        let argument = argument.as_ref();
        self.0.command.arg(argument);
        self.0.about.verbose |= argument == "-v";
        self.0.about.coloured |= argument == "--color=always";
        self.0.about.arguments.push(printable(argument.as_encoded_bytes()));
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.command.env(name, value);
        self
    }

    /// Replaces standard input.
    #[must_use]
    pub fn stdin(mut self, input: impl Into<Stdio>) -> Self {
        self.0.command.stdin(input);
        self
    }

    /// Sends standard output elsewhere; what is said there is not captured.
    #[must_use]
    pub fn stdout(mut self, output: impl Into<Stdio>) -> Self {
        self.0.command.stdout(output);
        self
    }

    /// Sends standard error elsewhere; what is said there is not captured.
    #[must_use]
    pub fn stderr(mut self, error: impl Into<Stdio>) -> Self {
        self.0.command.stderr(error);
        self
    }

    /// Closes standard output from the reader's side after `lines` lines, as `head` does.
    #[must_use]
    pub fn hang_up_after(mut self, lines: usize) -> Self {
        self.0.most_lines = Some(lines);
        self
    }

    /// Makes standard error a terminal, and captures what is sent to it.
    #[must_use]
    pub fn terminal(mut self) -> Self {
        let Pseudoterminal { master, slave } = Pseudoterminal::open();
        self.0.command.stderr(slave);
        self.0.about.coloured = true;
        self.0.terminal = Some(master);
        self
    }

    /// Makes standard input and standard error one terminal, at which `text` is typed.
    #[must_use]
    pub fn dialogue(mut self, text: &str) -> Self {
        let Pseudoterminal { mut master, slave } = Pseudoterminal::open();
        master.write_all(text.as_bytes()).expect("a terminal takes a line");
        let input = slave.try_clone().expect("a copy");
        self.0.command.stdin(input).stderr(slave);
        self.0.about.coloured = true;
        self.0.terminal = Some(master);
        self
    }

    /// Starts it as a shell starts a job: in a process group of its own, so that signals can stop it.
    #[must_use]
    pub fn as_a_job(mut self) -> Self {
        self.0.command.process_group(0);
        self
    }

    /// Sets the folder that relative names are looked up in.
    #[must_use]
    pub fn within(mut self, folder: impl AsRef<Path>) -> Self {
        self.0.command.current_dir(folder);
        self
    }

    /// Has `injector` decide what becomes of the process's system calls.
    #[must_use]
    pub fn with_faults(mut self, injector: &FaultInjector) -> Self {
        injector.prepare(&mut self.0.command);
        self.0.injector = Some(injector.clone());
        self
    }

    /// Starts the process.
    pub fn spawn(self) -> Program {
        Program::start(self.0)
    }

    /// Starts the process and waits for its end.
    pub fn run(self) -> Finished {
        self.spawn().finish()
    }
}

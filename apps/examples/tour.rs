//! A tour of the programs: starts each server on a loopback port, runs clients against it, and
//! shows both sides of every conversation.
//!
//! ```text
//! cargo run --example tour
//! ```
//!
//! The programs run as processes of their own, through the same code as the installed binaries:
//! this executable becomes one of them when its first argument is a program's name.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use anstyle::{AnsiColor, Style};
use barewire_apps::Program;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const HEADING: Style = Style::new().bold();
const COMMAND: Style = AnsiColor::Green.on_default();

/// One conversation: a server, the clients that meet it, and what each side must get to hear.
struct Scene {
    title: &'static str,
    server: (Program, &'static [&'static str]),
    client: Program,
    meetings: &'static [Meeting],
}

/// One client: its arguments after the address, what is typed, and the words that must appear on
/// each side.
struct Meeting {
    arguments: &'static [&'static str],
    typed: &'static str,
    client_hears: &'static str,
    server_hears: &'static str,
}

const SCENES: [Scene; 4] = [
    Scene {
        title: "Datagram exchange: one datagram there, one back (UDP)",
        server: (Program::UdpServer, &["127.0.0.1:0"]),
        client: Program::UdpClient,
        meetings: &[
            Meeting {
                arguments: &["--timeout", "20s"],
                typed: "",
                client_hears: ": nice to meet you\n",
                server_hears: ": nice to meet you too\n",
            },
            Meeting {
                arguments: &[
                    "how fast are you?",
                    "--count",
                    "3",
                    "--interval",
                    "10ms",
                    "--timeout",
                    "20s",
                ],
                typed: "",
                client_hears: "3 sent, 3 received, 0 lost",
                server_hears: ": how fast are you?\n",
            },
        ],
    },
    Scene {
        title: "Hello handshake: the server speaks first (TCP)",
        server: (Program::TcpServer, &["127.0.0.1:0", "--greeting", "你好"]),
        client: Program::TcpClient,
        meetings: &[
            Meeting {
                arguments: &[],
                typed: "",
                client_hears: ": 你好\n",
                server_hears: ": Hello\n",
            },
            Meeting {
                arguments: &["a \x1b[31mred\x1b[0m herring", "--json"],
                typed: "",
                client_hears: "\"text\":\"你好\"",
                server_hears: ": a \\x1b[31mred\\x1b[0m herring\n",
            },
        ],
    },
    Scene {
        title: "File transfer: every segment verified (TCP)",
        server: (Program::FileServer, &["127.0.0.1:0", "files"]),
        client: Program::FileClient,
        meetings: &[
            Meeting {
                arguments: &["--list"],
                typed: "",
                client_hears: "photo.raw\n",
                server_hears: ": ./: ",
            },
            Meeting {
                arguments: &["notes.txt", "photo.raw", "-d", "downloads"],
                typed: "",
                client_hears: "photo.raw: 3.00 MiB",
                server_hears: ": photo.raw: 3145728 bytes",
            },
        ],
    },
    Scene {
        title: "Chat: lines to everybody (TCP)",
        server: (Program::ChatServer, &["127.0.0.1:0"]),
        client: Program::ChatClient,
        meetings: &[
            Meeting {
                arguments: &["--nick", "anna"],
                typed: "good morning\n/me waves\n",
                client_hears: "* welcome to barewire chat",
                server_hears: "anna: good morning\n",
            },
            Meeting {
                arguments: &["--nick", "ben"],
                typed: "\x1b[2Jis anybody there?\n",
                client_hears: "anna: /me waves\n",
                server_hears: "ben: \\x1b[2Jis anybody there?\n",
            },
        ],
    },
];

/// What the file server of the tour has.
fn lay_out(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder.join("files"))?;
    fs::create_dir(folder.join("downloads"))?;
    fs::write(folder.join("files/notes.txt"), "Remember the milk.\n")?;
    let photo: Vec<u8> = (0..3 << 20).map(|byte: u32| (byte % 251) as u8).collect();
    fs::write(folder.join("files/photo.raw"), photo)
}

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1).peekable();
    let wanted = |name: &OsString| Program::ALL.into_iter().find(|program| name == program.name());
    if let Some(program) = arguments.peek().and_then(wanted) {
        return program.run(arguments);
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tour: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays all scenes, in a folder that is gone afterwards.
fn run() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    lay_out(folder.path())?;
    for scene in SCENES {
        play(&scene, folder.path()).map_err(|error| format!("{}: {error}", scene.title))?;
    }
    for name in ["notes.txt", "photo.raw"] {
        let [sent, received] =
            ["files", "downloads"].map(|side| folder.path().join(side).join(name));
        if fs::read(sent)? != fs::read(received)? {
            return Err(format!("{name} did not arrive as it was sent").into());
        }
    }
    Ok(())
}

fn play(scene: &Scene, folder: &Path) -> Result<(), Box<dyn Error>> {
    say(&format!("\n{HEADING}{}{HEADING:#}\n", scene.title));
    let (program, arguments) = scene.server;
    let mut server = Running::start(program, arguments, "", folder)?;
    let mut heard = BufReader::new(server.0.stdout.take().ok_or("no standard output")?);
    let mut line = String::new();
    heard.read_line(&mut line)?;
    show(program, &line);
    let address =
        line.trim_end().strip_prefix("listening on ").ok_or("the server did not start")?;

    for meeting in scene.meetings {
        let arguments: Vec<&str> =
            [address].into_iter().chain(meeting.arguments.iter().copied()).collect();
        let mut client = Running::start(scene.client, &arguments, meeting.typed, folder)?;
        let mut said = String::new();
        client.0.stdout.take().ok_or("no standard output")?.read_to_string(&mut said)?;
        show(scene.client, &said);
        expect(&said, meeting.client_hears)?;
        client.finish()?;
    }

    let pid = Pid::from_raw(server.0.id().try_into()?);
    kill(pid, Signal::SIGTERM)?;
    let mut rest = String::new();
    heard.read_to_string(&mut rest)?;
    show(program, &rest);
    for meeting in scene.meetings {
        expect(&rest, meeting.server_hears)?;
    }
    server.finish()
}

/// A program that is killed when the tour ends early.
struct Running(Child);

impl Running {
    fn start(
        program: Program,
        arguments: &[&str],
        typed: &str,
        folder: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let quoted: String = arguments.iter().map(|argument| quote(argument)).collect();
        let keys = typed.replace('\x1b', r"\e").replace('\n', r"\n");
        let input = if keys.is_empty() { keys } else { format!(" < <(printf '{keys}')") };
        say(&format!("{COMMAND}${COMMAND:#} {}{quoted}{input}\n", program.name()));
        let mut child = Command::new(env::current_exe()?)
            .arg(program.name())
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        // It may have ended without reading.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(typed.as_bytes()));
        Ok(Self(child))
    }

    fn finish(mut self) -> Result<(), Box<dyn Error>> {
        let status = self.0.wait()?;
        if status.success() { Ok(()) } else { Err(format!("a program ended with {status}").into()) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails for one that has ended, as it should have.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An argument as one would type it in a shell.
fn quote(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.:".contains(c);
    match argument {
        plain_word if plain_word.chars().all(plain) => format!(" {plain_word}"),
        special if special.contains('\x1b') => format!(" $'{}'", special.replace('\x1b', r"\e")),
        words => format!(" '{words}'"),
    }
}

/// Shows what a program printed, with its name before each line.
fn show(program: Program, text: &str) {
    for line in text.lines() {
        say(&format!("  {:>10} | {line}\n", program.name()));
    }
}

fn say(text: &str) {
    let mut stdout = anstream::stdout();
    // Whoever watches may leave early.
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn expect(text: &str, words: &str) -> Result<(), String> {
    if text.contains(words) { Ok(()) } else { Err(format!("expected {words:?} in {text:?}")) }
}

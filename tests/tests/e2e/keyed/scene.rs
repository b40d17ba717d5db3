//! One conversation of each kind, by the programs, and what of it nobody else may see or hear.

use std::fs::{self, File};

use barewire_core::secure::Conversation;
use barewire_tests::harness::folder::contents;
use barewire_tests::harness::{Finished, Folder, KeyFile, Launch, Server};

use super::{ANSWER, GREETING};

/// What a member is called.
pub(super) const NICK: &str = "confidante";

/// What a file is called.
pub(super) const NAME: &str = "a-name-that-says-enough.txt";

/// How a room begins.
const WELCOME: &str = "welcome to barewire chat";

/// The conversations over streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Hello,
    File,
    Chat,
}

impl Kind {
    pub(super) const EACH: [Self; 3] = [Self::Hello, Self::File, Self::Chat];

    pub(super) const fn conversation(self) -> Conversation {
        match self {
            Self::Hello => Conversation::Hello,
            Self::File => Conversation::File,
            Self::Chat => Conversation::Chat,
        }
    }

    pub(super) const fn server(self) -> &'static str {
        match self {
            Self::Hello => "tcp-server",
            Self::File => "file-server",
            Self::Chat => "chat-server",
        }
    }

    pub(super) const fn client(self) -> &'static str {
        match self {
            Self::Hello => "tcp-client",
            Self::File => "file-client",
            Self::Chat => "chat-client",
        }
    }
}

/// A conversation: its key, what is served, and where downloads go.
pub(super) struct Scene {
    pub(super) kind: Kind,
    pub(super) keys: Folder,
    pub(super) key: KeyFile,
    pub(super) source: Folder,
    pub(super) target: Folder,
    pub(super) contents: Vec<u8>,
}

impl Scene {
    /// With a file of text that is so many bytes long.
    pub(super) fn with_file(kind: Kind, length: usize) -> Self {
        let contents = secret_contents(length);
        let source = Folder::in_memory().with(NAME, &contents).with("input", ANSWER);
        let keys = Folder::new();
        let key = KeyFile::new(&keys, "own");
        Self { kind, keys, key, source, target: Folder::in_memory(), contents }
    }

    pub(super) fn new(kind: Kind) -> Self {
        Self::with_file(kind, 100_000)
    }

    /// A server at a free port.
    pub(super) fn launch_server(&self) -> Launch {
        self.launch_server_at("127.0.0.1:0")
    }

    pub(super) fn launch_server_at(&self, address: &str) -> Launch {
        let launch = Launch::new(self.kind.server()).arg(address);
        match self.kind {
            Kind::Hello => launch.args(["--greeting", GREETING]),
            Kind::File => launch.arg(self.source.arg()),
            Kind::Chat => launch,
        }
    }

    /// A server that has the key, and bears with who fails often.
    pub(super) fn serve(&self, options: &[&str]) -> Server {
        let launch = self.launch_server().args(["--key", self.key.arg(), "--max-pause", "0"]);
        Server::start(launch.args(options))
    }

    /// A client that holds its conversation with who is there, once.
    pub(super) fn launch_client(&self, at: &str) -> Launch {
        let launch = self.launch_nameless(at);
        if self.kind == Kind::Chat { launch.args(["--nick", NICK]) } else { launch }
    }

    /// The same, to be called by the name of its key.
    pub(super) fn launch_nameless(&self, at: &str) -> Launch {
        let launch = Launch::new(self.kind.client()).arg(at).within(&self.target);
        match self.kind {
            Kind::Hello => launch.arg(ANSWER),
            Kind::File => launch.args([NAME, "--retries", "0"]),
            Kind::Chat => {
                let input = File::open(self.source.path("input")).expect("it is there");
                launch.stdin(input)
            }
        }
    }

    /// The same, with the key, run to its end.
    pub(super) fn run_client(&self, at: &str) -> Finished {
        self.launch_client(at).args(["--key", self.key.arg()]).run()
    }

    /// Whether the client was given something of what the server says, or all.
    pub(super) fn was_served(&self, client: &Finished) -> bool {
        match self.kind {
            Kind::Hello => client.output().contains(GREETING),
            Kind::File => self.target.has(NAME),
            Kind::Chat => client.output().contains(WELCOME),
        }
    }

    /// Has nothing been served yet.
    pub(super) fn forget(&self) {
        if self.kind == Kind::File {
            fs::remove_file(self.target.path(NAME)).expect("it was served");
        }
    }

    /// What a server shows once it has heard the client out.
    pub(super) const fn shown(&self) -> &'static str {
        match self.kind {
            Kind::Hello | Kind::Chat => ANSWER,
            Kind::File => NAME,
        }
    }

    /// What is said in the conversation.
    pub(super) fn texts(&self) -> Vec<&'static str> {
        match self.kind {
            Kind::Hello => vec![GREETING, ANSWER],
            Kind::File => vec![NAME, SENTENCE],
            Kind::Chat => vec![WELCOME, NICK, ANSWER, "/nick confidante", "is now confidante"],
        }
    }
}

/// What stands in a file, again and again.
const SENTENCE: &str = "what stands in this file is for two only. ";

/// Contents of that length, no two places of which are alike for the one who looks for mistakes, and in which
/// a known text stands.
fn secret_contents(length: usize) -> Vec<u8> {
    let mut bytes = contents(length, 5);
    for place in bytes.chunks_mut(256).filter(|place| place.len() == 256) {
        place[..SENTENCE.len()].copy_from_slice(SENTENCE.as_bytes());
    }
    bytes
}

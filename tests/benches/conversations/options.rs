//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

use crate::contenders::Peer;

/// What a person is told about the command line.
pub(crate) const USAGE: &str = "\
usage: cargo bench --manifest-path tests/benches/Cargo.toml [-- OPTIONS]

  hello, datagrams, memory, files, chat, keyed
                                   measure these only (default: all six)
  files-large, files-verified, files-keyed, files-segments, files-mirrors, files-small, files-tree, files-memory
                                   one of the tables of files
  --rounds N                       rounds over all contenders (default: 5)
  --short                          a quick look: 2 rounds of half a second a run, of less for
                                   files and chat, and small files
  --peers-only                     leave barewire's programs out

BAREWIRE_BIN_DIR names a folder with barewire's programs; without it they are built.";

/// One of the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// Hello handshakes over TCP.
    Hello,
    /// Datagram exchanges over UDP.
    Datagrams,
    /// What an idle TCP connection costs.
    Memory,
    /// Files over TCP.
    Files(FilesTable),
    /// Lines to everybody in a room.
    Chat,
    /// All but the files, with a key.
    Keyed,
}

/// One of the tables of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FilesTable {
    /// One large file, as fast as it goes.
    Large,
    /// The whole way of a download that is proven.
    Verified,
    /// The same under a key.
    Keyed,
    /// A proven download by the size of its segments.
    Segments,
    /// A proven download from two servers at once.
    Mirrors,
    /// Many small files.
    Small,
    /// A tree of them.
    Tree,
    /// What a transfer costs the server in memory.
    Memory,
}

impl FilesTable {
    /// All of them, in order.
    const ALL: [Self; 8] = [
        Self::Large,
        Self::Verified,
        Self::Keyed,
        Self::Segments,
        Self::Mirrors,
        Self::Small,
        Self::Tree,
        Self::Memory,
    ];

    /// The table of that name on the command line.
    fn named(name: &str) -> Option<Self> {
        match name {
            "files-large" => Some(Self::Large),
            "files-verified" => Some(Self::Verified),
            "files-keyed" => Some(Self::Keyed),
            "files-segments" => Some(Self::Segments),
            "files-mirrors" => Some(Self::Mirrors),
            "files-small" => Some(Self::Small),
            "files-tree" => Some(Self::Tree),
            "files-memory" => Some(Self::Memory),
            _ => None,
        }
    }
}

/// How to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// What to measure, in order.
    pub(crate) sections: Vec<Section>,
    /// Rounds that count; one more goes before them.
    pub(crate) rounds: usize,
    /// How long one run loads one server.
    pub(crate) run: Duration,
    /// Take what takes the least time.
    pub(crate) short: bool,
    /// Measure the peers alone.
    pub(crate) peers_only: bool,
}

impl Options {
    /// The shape of a measurement under load, for the title of its table.
    pub(crate) fn shape(&self) -> String {
        format!("medians of {} rounds of {:?}", self.rounds, self.run)
    }
}

/// What this process was started for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// To measure.
    Measure(Options),
    /// To be one of the peers under measurement (the hidden `--serve PEER ADDRESS`).
    Serve(Peer, SocketAddr),
    /// To explain itself.
    Usage,
    /// To do nothing: `cargo test --all-targets` starts benchmarks too, but without `--bench`.
    Test,
}

/// Reads the arguments that follow the program's name.
///
/// # Errors
///
/// What is wrong with the first argument that is.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Request, String> {
    let mut arguments = arguments;
    let mut sections = Vec::new();
    let mut rounds = None;
    let mut short = false;
    let mut bench = false;
    let mut peers_only = false;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "hello" => sections.push(Section::Hello),
            "datagrams" => sections.push(Section::Datagrams),
            "memory" => sections.push(Section::Memory),
            "chat" => sections.push(Section::Chat),
            "keyed" => sections.push(Section::Keyed),
            "files" => sections.extend(FilesTable::ALL.map(Section::Files)),
            "--rounds" => {
                let count = arguments.next().and_then(|word| word.parse().ok());
                rounds = Some(count.filter(|&n| n > 0).ok_or("--rounds needs a number above 0")?);
            }
            "--short" => short = true,
            "--bench" => bench = true,
            "--peers-only" => peers_only = true,
            "--serve" => {
                let peer = arguments.next().and_then(|name| Peer::named(&name));
                let address = arguments.next().and_then(|word| word.parse().ok());
                return match (peer, address) {
                    (Some(peer), Some(address)) => Ok(Request::Serve(peer, address)),
                    _ => Err("--serve needs a peer and an address".to_owned()),
                };
            }
            "-h" | "--help" => return Ok(Request::Usage),
            other => match FilesTable::named(other) {
                Some(table) => sections.push(Section::Files(table)),
                None => return Err(format!("unknown argument: {other}")),
            },
        }
    }
    if !bench {
        return Ok(Request::Test);
    }
    if sections.is_empty() {
        sections = vec![Section::Hello, Section::Datagrams, Section::Memory];
        sections.extend(FilesTable::ALL.map(Section::Files));
        sections.extend([Section::Chat, Section::Keyed]);
    }
    Ok(Request::Measure(Options {
        sections,
        rounds: rounds.unwrap_or(if short { 2 } else { 5 }),
        run: Duration::from_millis(if short { 500 } else { 2_000 }),
        short,
        peers_only,
    }))
}

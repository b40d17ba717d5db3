//! Who is measured: barewire's programs and the peers, each startable as a process.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::chat::{loops, peers as peers_chat};
use crate::files::{nginx, peers as peers_files, rsync, sealing, sshd};
use crate::key::KeyFile;
use crate::process::Server;
use crate::series::Named;
use crate::{binaries, peers_datagrams, peers_hello};

/// A server that this executable holds itself, started by running it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Hello handshakes, the shortest loop around epoll.
    EpollHello,
    /// Hello handshakes on tokio, accepting in `main`.
    TokioHello,
    /// Hello handshakes on tokio, accepting in a task.
    SpawnedHello,
    /// Datagram exchanges, the shortest loop around recvmmsg and sendmmsg.
    MmsgDatagrams,
    /// Datagram exchanges on tokio, in `main`.
    TokioDatagrams,
    /// Datagram exchanges on tokio, in a task.
    SpawnedDatagrams,
    /// Datagram exchanges as by recvmmsg and sendmmsg, each opened and sealed with a key.
    SealingDatagrams,
    /// Files by `sendfile(2)` on blocking sockets.
    SendfileFiles,
    /// Files on tokio, by `tokio::io::copy`.
    TokioFiles,
    /// Files by nginx with one worker.
    NginxFiles,
    /// Files by nginx with two workers.
    PairedNginxFiles,
    /// Files by nginx with one worker, under TLS 1.3.
    TlsNginxFiles,
    /// Files, sealed in pieces by the shortest loop.
    SealingFiles,
    /// Files by OpenSSH's daemon.
    SshdFiles,
    /// Files by rsync's daemon.
    RsyncFiles,
    /// Chat, a write a member for all that a round of epoll brings.
    GatheringChat,
    /// Chat, a write a member and line.
    EpollChat,
    /// Chat on tokio, by its broadcast channel.
    TokioChat,
    /// Chat by ncat.
    NcatChat,
}

impl Peer {
    const ALL: [Self; 19] = [
        Self::EpollHello,
        Self::TokioHello,
        Self::SpawnedHello,
        Self::MmsgDatagrams,
        Self::TokioDatagrams,
        Self::SpawnedDatagrams,
        Self::SealingDatagrams,
        Self::SendfileFiles,
        Self::TokioFiles,
        Self::NginxFiles,
        Self::PairedNginxFiles,
        Self::TlsNginxFiles,
        Self::SealingFiles,
        Self::SshdFiles,
        Self::RsyncFiles,
        Self::GatheringChat,
        Self::EpollChat,
        Self::TokioChat,
        Self::NcatChat,
    ];

    /// The name after `--serve`.
    const fn name(self) -> &'static str {
        match self {
            Self::EpollHello => "epoll-hello",
            Self::TokioHello => "tokio-hello",
            Self::SpawnedHello => "spawned-hello",
            Self::MmsgDatagrams => "mmsg-datagrams",
            Self::TokioDatagrams => "tokio-datagrams",
            Self::SpawnedDatagrams => "spawned-datagrams",
            Self::SealingDatagrams => "sealing-datagrams",
            Self::SendfileFiles => "sendfile-files",
            Self::TokioFiles => "tokio-files",
            Self::NginxFiles => "nginx-files",
            Self::PairedNginxFiles => "paired-nginx-files",
            Self::TlsNginxFiles => "tls-nginx-files",
            Self::SealingFiles => "sealing-files",
            Self::SshdFiles => "sshd-files",
            Self::RsyncFiles => "rsync-files",
            Self::GatheringChat => "gathering-chat",
            Self::EpollChat => "epoll-chat",
            Self::TokioChat => "tokio-chat",
            Self::NcatChat => "ncat-chat",
        }
    }

    /// The peer of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|peer| peer.name() == name)
    }

    /// Serves at `address` until the process is ended.
    ///
    /// # Errors
    ///
    /// A system call that a server cannot go on without.
    pub(crate) fn serve(self, address: SocketAddr) -> io::Result<()> {
        match self {
            Self::EpollHello => peers_hello::epoll(address),
            Self::TokioHello => tokio_main(peers_hello::tokio(address)),
            Self::SpawnedHello => tokio_task(peers_hello::tokio(address)),
            Self::MmsgDatagrams => peers_datagrams::mmsg(address),
            Self::TokioDatagrams => tokio_main(peers_datagrams::tokio(address)),
            Self::SpawnedDatagrams => tokio_task(peers_datagrams::tokio(address)),
            Self::SealingDatagrams => peers_datagrams::sealing(address),
            Self::SendfileFiles => peers_files::sendfile(address),
            Self::TokioFiles => tokio_main(peers_files::tokio(address)),
            Self::NginxFiles => nginx::become_nginx(address, 1, false),
            Self::PairedNginxFiles => nginx::become_nginx(address, 2, false),
            Self::TlsNginxFiles => nginx::become_nginx(address, 1, true),
            Self::SealingFiles => sealing::serve(address),
            Self::SshdFiles => sshd::become_sshd(address),
            Self::RsyncFiles => rsync::become_rsync(address),
            Self::GatheringChat => loops::gathering(address),
            Self::EpollChat => loops::line_by_line(address),
            Self::TokioChat => tokio_main(peers_chat::tokio(address)),
            Self::NcatChat => peers_chat::become_ncat(address),
        }
    }
}

/// Runs a server as `#[tokio::main]` does, and as tokio's own examples have it: its first future is
/// polled by the main thread, and only what it spawns by the workers.
fn tokio_main(server: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(server)
}

/// Runs a server as a task of its own, which saves the main thread's wake-ups: a step that one takes
/// after a look at the profile.
fn tokio_task(server: impl Future<Output = io::Result<()>> + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(runtime.spawn(server))?
}

/// One row of a table: a name, and how to start the server behind it.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    /// As the tables show it.
    pub(crate) name: &'static str,
    program: PathBuf,
    arguments: Vec<&'static str>,
    folder: Option<PathBuf>,
    key: Option<PathBuf>,
    discards_output: bool,
}

impl Named for Contender {
    fn name(&self) -> &str {
        self.name
    }
}

impl Contender {
    /// The same contender with `folder` as its current one.
    pub(crate) fn within(self, folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..self }
    }

    /// The same contender with a key.
    pub(crate) fn keyed(self, file: &KeyFile) -> Self {
        Self { key: Some(file.path()), ..self }
    }

    /// The same contender with its standard output and standard error going to `/dev/null`.
    pub(crate) fn discarding_output(self) -> Self {
        Self { discards_output: true, ..self }
    }

    /// Starts the server and waits until it listens.
    ///
    /// # Errors
    ///
    /// The program cannot be run, or does not say where it listens.
    pub(crate) fn start(&self) -> io::Result<Server> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        if let Some(key) = &self.key {
            command.env("BAREWIRE_KEY_FILE", key);
        }
        let server = if self.discards_output {
            Server::start_unheard(command)
        } else {
            Server::start(command)
        };
        server.map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", self.program.display()))
        })
    }
}

/// Where the programs of all contenders are.
#[derive(Clone, Debug)]
pub(crate) struct Contenders {
    itself: PathBuf,
    barewire: Option<PathBuf>,
}

impl Contenders {
    /// Finds this executable and, unless `peers_only`, barewire's programs, building them if need be.
    ///
    /// # Errors
    ///
    /// barewire does not build.
    pub(crate) fn find(peers_only: bool) -> io::Result<Self> {
        let itself = std::env::current_exe()?;
        let barewire = if peers_only { None } else { Some(binaries::directory(&itself)?) };
        Ok(Self { itself, barewire })
    }

    /// A peer, as a contender.
    pub(crate) fn peer(&self, name: &'static str, peer: Peer) -> Contender {
        Contender {
            name,
            program: self.itself.clone(),
            arguments: vec!["--serve", peer.name()],
            folder: None,
            key: None,
            discards_output: false,
        }
    }

    /// One of barewire's programs, as a contender; none if only the peers are wanted.
    pub(crate) fn barewire(
        &self,
        name: &'static str,
        program: &str,
        arguments: &[&'static str],
    ) -> Option<Contender> {
        let program = self.program(program)?;
        let arguments = arguments.to_vec();
        Some(Contender {
            name,
            program,
            arguments,
            folder: None,
            key: None,
            discards_output: false,
        })
    }

    /// Where one of barewire's programs is; none if only the peers are wanted.
    pub(crate) fn program(&self, program: &str) -> Option<PathBuf> {
        Some(self.barewire.as_ref()?.join(program))
    }
}

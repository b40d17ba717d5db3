//! The programs of barewire, as a library: each binary is one call of [`Program::main`].
//!
//! A program composes a machine of `barewire-core` with the executor of `barewire-linux`. What
//! lives here is what a person meets: arguments, words on the screen, exit codes.

mod cli;
mod client;
mod output;
mod programs;
mod server;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;

use cli::run::{self, Run};
use programs::chat_client::ChatClient;
use programs::chat_server::ChatServer;
use programs::file_client::FileClient;
use programs::file_server::FileServer;
use programs::tcp_client::TcpClient;
use programs::tcp_server::TcpServer;
use programs::udp_client::UdpClient;
use programs::udp_server::UdpServer;

/// The programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Answers datagrams.
    UdpServer,
    /// Asks a datagram server.
    UdpClient,
    /// Greets everybody, and shows what they answer.
    TcpServer,
    /// Receives a greeting and answers it.
    TcpClient,
    /// Sends the files of a folder.
    FileServer,
    /// Downloads files.
    FileClient,
    /// Hosts a chat room.
    ChatServer,
    /// Chats with everybody in a room.
    ChatClient,
}

impl Program {
    /// Every program there is.
    pub const ALL: [Self; 8] = [
        Self::UdpServer,
        Self::UdpClient,
        Self::TcpServer,
        Self::TcpClient,
        Self::FileServer,
        Self::FileClient,
        Self::ChatServer,
        Self::ChatClient,
    ];

    /// The name by which it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UdpServer => UdpServer::NAME,
            Self::UdpClient => UdpClient::NAME,
            Self::TcpServer => TcpServer::NAME,
            Self::TcpClient => TcpClient::NAME,
            Self::FileServer => FileServer::NAME,
            Self::FileClient => FileClient::NAME,
            Self::ChatServer => ChatServer::NAME,
            Self::ChatClient => ChatClient::NAME,
        }
    }

    /// Runs it with the arguments of this process.
    pub fn main(self) -> ExitCode {
        self.run(std::env::args_os())
    }

    /// Runs it with `arguments`, the first of which is the name by which it was called.
    pub fn run(self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        match self {
            Self::UdpServer => run::run::<UdpServer>(arguments),
            Self::UdpClient => run::run::<UdpClient>(arguments),
            Self::TcpServer => run::run::<TcpServer>(arguments),
            Self::TcpClient => run::run::<TcpClient>(arguments),
            Self::FileServer => run::run::<FileServer>(arguments),
            Self::FileClient => run::run::<FileClient>(arguments),
            Self::ChatServer => run::run::<ChatServer>(arguments),
            Self::ChatClient => run::run::<ChatClient>(arguments),
        }
    }
}

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
use programs::chat_client::ChatClientProgram;
use programs::chat_server::ChatServerProgram;
use programs::file_client::FileClientProgram;
use programs::file_server::FileServerProgram;
use programs::tcp_client::TcpClientProgram;
use programs::tcp_server::TcpServerProgram;
use programs::udp_client::UdpClientProgram;
use programs::udp_server::UdpServerProgram;

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
            Self::UdpServer => UdpServerProgram::NAME,
            Self::UdpClient => UdpClientProgram::NAME,
            Self::TcpServer => TcpServerProgram::NAME,
            Self::TcpClient => TcpClientProgram::NAME,
            Self::FileServer => FileServerProgram::NAME,
            Self::FileClient => FileClientProgram::NAME,
            Self::ChatServer => ChatServerProgram::NAME,
            Self::ChatClient => ChatClientProgram::NAME,
        }
    }

    /// Runs it with the arguments of this process.
    pub fn main(self) -> ExitCode {
        self.run(std::env::args_os())
    }

    /// Runs it with `arguments`, the first of which is the name by which it was called.
    pub fn run(self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        match self {
            Self::UdpServer => run::run::<UdpServerProgram>(arguments),
            Self::UdpClient => run::run::<UdpClientProgram>(arguments),
            Self::TcpServer => run::run::<TcpServerProgram>(arguments),
            Self::TcpClient => run::run::<TcpClientProgram>(arguments),
            Self::FileServer => run::run::<FileServerProgram>(arguments),
            Self::FileClient => run::run::<FileClientProgram>(arguments),
            Self::ChatServer => run::run::<ChatServerProgram>(arguments),
            Self::ChatClient => run::run::<ChatClientProgram>(arguments),
        }
    }
}

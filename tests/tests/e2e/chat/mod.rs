//! The chat, by its server and members made by hand.

mod crowd;
mod flood;
mod keyed;
mod log_file;
mod moderation;
mod newcomers;
mod nicks;
mod openings;
mod operator;
mod pauses;
mod room;
mod sources;
mod stalled_reader;

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use barewire_tests::harness::sockets::connect;

/// So many lines, numbered, with `start` before the number.
pub(crate) fn numbered(start: &str, count: usize) -> String {
    let lines: Vec<String> = (0..count).map(|number| format!("{start}{number}\n")).collect();
    lines.concat()
}

/// A member by hand: what any program that speaks TCP can be.
pub(crate) struct Member<S = TcpStream> {
    stream: BufReader<S>,
    pub(crate) nick: String,
}

impl Member {
    /// Somebody who has been welcomed.
    pub(crate) fn join(server: SocketAddr) -> Self {
        Self::welcomed(connect(server))
    }

    /// Says no more, but hears on.
    pub(crate) fn finish(&mut self) {
        self.stream.get_ref().shutdown(Shutdown::Write).unwrap();
    }
}

impl<S: Read + Write> Member<S> {
    /// Somebody who has been told nothing yet.
    pub(crate) fn unwelcomed(stream: S) -> Self {
        Self { stream: BufReader::new(stream), nick: String::new() }
    }

    /// Waits for the welcome on a connection.
    pub(crate) fn welcomed(stream: S) -> Self {
        let mut member = Self::unwelcomed(stream);
        let welcome = member.line();
        let nick = welcome.strip_prefix("* welcome to barewire chat, you are ");
        let nick = nick.and_then(|nick| nick.strip_suffix(" (/help)"));
        let nick = nick.unwrap_or_else(|| panic!("no welcome: {welcome:?}"));
        Self { nick: nick.to_owned(), ..member }
    }

    pub(crate) fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// The next line, without its line feed; empty at the end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        if !line.is_empty() {
            assert_eq!(line.pop(), Some('\n'), "{line:?}");
        }
        line
    }

    /// The next line must be this one.
    #[track_caller]
    pub(crate) fn hears(&mut self, line: &str) {
        assert_eq!(self.line(), line);
    }

    /// The server has closed, and there was nothing more.
    #[track_caller]
    pub(crate) fn is_at_the_end(&mut self) {
        self.hears("");
    }

    pub(crate) fn into_stream(self) -> S {
        self.stream.into_inner()
    }
}

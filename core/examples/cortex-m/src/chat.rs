//! Chat, both sides of it.

use core::net::IpAddr;
use core::ops::ControlFlow;

use barewire_core::chat::{self, DEFAULT_END_TIMEOUT, Kind, LeaveReason, MemberId, Room};
use barewire_core::driver::DriveError;
use barewire_core::io::{Shutdown, StreamDriver};
use barewire_core::secure::{Conversation, SecuredError};
use barewire_core::source::Source;
use barewire_core::text::{DEFAULT_QUIET, Text};
use barewire_core::time::Instant;
use embedded_io::{Read, ReadReady, Write, WriteReady};
use smoltcp::socket::tcp::Socket;
use smoltcp::wire::{IpAddress, IpEndpoint};

use crate::call::{Client, ClientError};
use crate::log::info;
use crate::security::Link;
use crate::server::Service;

/// A room.
#[derive(Debug)]
pub struct RoomService<'a> {
    room: Room<'a>,
}

impl<'a> RoomService<'a> {
    /// Serves this room.
    pub const fn new(room: Room<'a>) -> Self {
        Self { room }
    }
}

/// The operator as a member of the room: what it types on the terminal is said as `server`, and what the
/// others say is shown there.
#[derive(Debug)]
pub struct Operator<T> {
    terminal: StreamDriver<T, 32>,
}

impl<T: Read + Write + ReadReady + WriteReady + Shutdown> Operator<T> {
    /// An operator at this terminal.
    pub const fn new(terminal: T) -> Self {
        Self { terminal: StreamDriver::new(terminal) }
    }

    /// Gives the operator a turn.
    pub fn turn(&mut self, service: &mut RoomService<'_>, now: Instant) {
        let operator = service.room.operator();
        if let Some(mut member) = service.room.member(operator) {
            // Neither the operator's session nor its terminal ever ends or fails.
            let _ = self.terminal.step(now, &mut member, |_| ControlFlow::Continue(()));
        }
    }
}

impl Service for RoomService<'_> {
    type Peer = MemberId;

    const CONVERSATION: Conversation = Conversation::Chat;

    fn open(&mut self, now: Instant, client: IpEndpoint) -> Option<MemberId> {
        let IpAddress::Ipv4(address) = client.addr;
        let id = self.room.join(now, Source::from(IpAddr::V4(address)));
        match id {
            Ok(id) => info!("{}: joins as {}", client, self.room.nick(id).unwrap_or_default()),
            Err(why) => info!("{}: {}", client, why),
        }
        id.ok()
    }

    fn serve(
        &mut self,
        id: &mut MemberId,
        link: &mut impl Link,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> bool {
        let Some(mut member) = self.room.member(*id) else {
            socket.abort();
            return false;
        };
        let driven = link.drive(now, &mut member, socket, |event| info!("{}", event));
        let why = match driven {
            Err(nb::Error::WouldBlock) => return true,
            Ok(()) => LeaveReason::Quit,
            Err(nb::Error::Other(DriveError::Session(SecuredError::Session(error)))) => {
                error.into()
            }
            Err(nb::Error::Other(_)) => LeaveReason::Lost,
        };
        info!("{} leaves: {}", self.room.nick(*id).unwrap_or_default(), why);
        self.room.leave(now, *id, why);
        false
    }

    /// What one member has said, all others are to get.
    fn has_more(&mut self) -> bool {
        self.room.needs_poll()
    }
}

/// The longest line that is taken, in bytes; a longer one is left out.
const LONGEST: usize = 512;

/// The room for the line that is said, in bytes.
const MAX_LINE: usize = 128;

/// Says one line, waits until somebody else has said one, and leaves.
#[derive(Debug)]
pub struct Passer<'t> {
    line: Text<'t>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The welcome, or whatever the server says first, has not come yet.
    Entering,
    /// The line is to be said.
    Speaking,
    Listening,
    /// Somebody has said something.
    Leaving,
}

impl<'t> Passer<'t> {
    /// Says this line.
    pub const fn new(line: Text<'t>) -> Self {
        Self { line, stage: Stage::Entering }
    }

    /// Whether somebody else has said something.
    pub fn has_heard(&self) -> bool {
        self.stage == Stage::Leaving
    }
}

impl Client for Passer<'_> {
    type Session = chat::Client<MAX_LINE, LONGEST>;

    const CONVERSATION: Conversation = Conversation::Chat;

    fn open(&mut self, _now: Instant) -> Self::Session {
        chat::Client::new(DEFAULT_QUIET)
    }

    fn talk(
        &mut self,
        session: &mut Self::Session,
        link: &mut impl Link,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> nb::Result<(), ClientError<Self>> {
        match self.stage {
            Stage::Speaking => {
                if let Err(error) = session.say(self.line) {
                    info!("cannot say this: {}", error);
                }
                self.stage = Stage::Listening;
            }
            Stage::Leaving => session.finish(now, DEFAULT_END_TIMEOUT),
            Stage::Entering | Stage::Listening => {}
        }
        let stage = &mut self.stage;
        link.drive(now, session, socket, |heard| match heard {
            Ok(heard) => {
                info!("{}", heard.printable());
                match (*stage, heard.kind) {
                    (Stage::Entering, _) => *stage = Stage::Speaking,
                    (Stage::Listening, Kind::Said { .. } | Kind::Acted { .. }) => {
                        *stage = Stage::Leaving;
                    }
                    _ => {}
                }
            }
            Err(error) => info!("a line is left out: {}", error),
        })
    }
}

//! The task of one member.

use core::task::Poll;

use barewire_core::chat::{LeaveReason, MemberError, MemberEvent, MemberId};
use barewire_core::time::Duration;
use barewire_linux::executor::{Context, Task};
use barewire_linux::link::{DriveError, Link};
use barewire_linux::stream::TcpStream;

use super::events::Told;
use super::state::House;

use crate::output::system_error::describe;
use crate::server::serve::{Guest, Hall};

/// How much the kernel may hold for a member who does not read: more would make the backlog no
/// bound.
const SEND_BUFFER: usize = 256 * 1024;

/// A member of whom nothing has come for a minute is asked whether it is there, four times within
/// another: one whose machine or network is gone would keep its nick for ever. A member that takes
/// nothing of what waits for it has as long (two minutes), if the room is not full before.
const IDLE: Duration = Duration::from_secs(60);
const PROBE: Duration = Duration::from_secs(15);
const PROBES: u8 = 4;

pub(super) struct Seat {
    guest: Guest,
    state: State,
}

enum State {
    Coming(Option<TcpStream>),
    Here { link: Link, key: MemberId, stopping: bool },
    Gone,
}

impl Seat {
    pub(super) fn new(stream: TcpStream, guest: Guest) -> Self {
        Self { guest, state: State::Coming(Some(stream)) }
    }

    /// Lets the member in, if there is a place.
    fn sit_down(&mut self, hall: &mut Hall<'_, House>, cx: &Context<'_, Hall<'_, House>>) {
        let State::Coming(stream) = &mut self.state else { return };
        let Some(stream) = stream.take() else { return };
        let mut floor = hall.house.floor();
        let Ok(key) = floor.room.join() else {
            // If it does not take this at once, it sees the close at least.
            let _ = stream.send(b"* the room is full: come back later\n", &[], false);
            let _ = stream.shut();
            log::info!("{} was turned away: the room is full", self.guest.peer);
            return;
        };
        if let Err(error) = stream.set_send_buffer(SEND_BUFFER) {
            log::debug!("cannot cap a send buffer: {}", describe(&error));
        }
        if let Err(error) = stream.set_keepalive(IDLE, PROBE, PROBES) {
            log::debug!("cannot ask whether a member is there: {}", describe(&error));
        }
        floor.seats.push(cx.id());
        let nick = floor.room.nick(key).unwrap_or_default();
        Told::Joined(nick).tell(hall.house, &mut hall.output);
        log::debug!("{nick} is {}", self.guest.peer);
        self.state = State::Here { link: Link::new(stream), key, stopping: false };
    }

    /// Lets the member hear and speak.
    fn take_part<'h>(
        &mut self,
        hall: &mut Hall<'h, House>,
        cx: &mut Context<'_, Hall<'h, House>>,
    ) -> Poll<()> {
        let State::Here { link, key, stopping } = &mut self.state else { return Poll::Ready(()) };
        let (house, output) = (hall.house, &mut hall.output);
        let mut floor = house.floor();
        let Some(mut member) = floor.room.member(*key) else { return Poll::Ready(()) };
        if cx.stopping() && !core::mem::replace(stopping, true) {
            member.disconnect();
        }
        // What is cut by lines that it is not shown leaves in one piece all the same.
        let hear = |heard: MemberEvent<'_>| Told::Heard(heard).tell(house, output);
        let over = match link.advance(cx, &mut member, None, hear) {
            Err(nb::Error::WouldBlock) => link.flush(cx, &member),
            over => over,
        };
        drop(floor);
        let why = match over {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Ok(()) if *stopping => LeaveReason::Stopped,
            Ok(()) => LeaveReason::Quit,
            Err(nb::Error::Other(DriveError::Session(MemberError::FellBehind))) => {
                LeaveReason::FellBehind
            }
            Err(nb::Error::Other(fault)) => {
                log::debug!("{}: {fault}", self.guest.peer);
                LeaveReason::Lost
            }
        };
        self.stand_up(hall, cx, why);
        Poll::Ready(())
    }

    /// Lets the member go.
    fn stand_up(
        &mut self,
        hall: &mut Hall<'_, House>,
        cx: &Context<'_, Hall<'_, House>>,
        why: LeaveReason,
    ) {
        let State::Here { key, .. } = core::mem::replace(&mut self.state, State::Gone) else {
            return;
        };
        let mut floor = hall.house.floor();
        let nick = floor.room.nick(key).unwrap_or_default();
        Told::Left(nick, why).tell(hall.house, &mut hall.output);
        floor.room.leave(key, why);
        if let Some(place) = floor.seats.iter().position(|seat| *seat == cx.id()) {
            floor.seats.swap_remove(place);
        }
    }
}

impl<'h> Task<Hall<'h, House>> for Seat {
    fn turn(
        &mut self,
        hall: &mut Hall<'h, House>,
        cx: &mut Context<'_, Hall<'h, House>>,
    ) -> Poll<()> {
        self.sit_down(hall, cx);
        let over = self.take_part(hall, cx);
        let mut floor = hall.house.floor();
        floor.spread(cx);
        drop(floor);
        if hall.output.has_pending() {
            hall.print(cx);
        }
        over
    }

    fn abandon(&mut self, hall: &mut Hall<'h, House>) {
        if let State::Here { link, .. } = &mut self.state {
            hall.note(&self.guest, "did not take its last lines before the stop");
            link.abort();
        }
    }
}

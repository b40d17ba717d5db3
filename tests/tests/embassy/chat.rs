//! A room on one stack and its members on the other: many sessions that share their memory, and
//! owners that speak when they like.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use barewire_core::chat::{
    Client, DEFAULT_END_TIMEOUT, Kind, LeaveReason, Line, MemberId, Room, RoomConfig, RoomStorage,
};
use barewire_core::io::{Pump, Timer};
use barewire_core::text::{DEFAULT_QUIET, Text, TextReaderError};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;

use crate::socket::{Clock, Socket};
use crate::world::{Buffers, all, converse, interrupted};

const MEMBERS: usize = 3;
/// The room's rules, as far as its memory goes.
const CONFIG: RoomConfig = RoomConfig::new().with_max_text(64).with_line_buffers(3);
/// How many lines each says.
const LINES: usize = 8;

/// A place in the room, with its connection.
struct Seat<'a> {
    key: MemberId,
    socket: Socket<'a>,
    pump: Pump<64>,
}

/// Serves the room until all have left.
async fn serve(mut room: Room<'_>, sockets: Vec<Socket<'_>>) {
    let mut seats: Vec<_> = sockets
        .into_iter()
        .map(|socket| Seat { key: room.join().unwrap(), socket, pump: Pump::new() })
        .collect();
    // No turn may keep the room while it waits. So each is polled, and dropped if it waits.
    poll_fn(|context| {
        loop {
            let mut has_moved = false;
            for Seat { key, socket, pump } in &mut seats {
                let Some(mut member) = room.member(*key) else { continue };
                let clock = &mut Clock;
                let turn = pin!(pump.turn(socket, &mut member, clock, |_| ())).poll(context);
                has_moved |= turn.is_ready();
                if let Poll::Ready(turn) = turn
                    && !turn.expect("nobody falls behind, and no connection breaks")
                {
                    room.leave(*key, LeaveReason::Quit);
                }
            }
            if room.count() == 0 {
                return Poll::Ready(());
            }
            if !has_moved && !room.needs_poll() {
                return Poll::Pending;
            }
        }
    })
    .await;
    for seat in seats {
        seat.socket.end(Ok::<_, ()>(())).await.unwrap();
    }
}

/// Takes part: says its lines, one after the other, and leaves when it has heard those of all others.
/// What it heard, and how often a future was dropped.
async fn take_part(mut socket: Socket<'_>, name: usize, random: &mut Random) -> (Vec<String>, u32) {
    let mut client = Client::<32, 512>::new(DEFAULT_QUIET);
    let mut pump = Pump::<64>::new();
    let (mut said, mut is_welcome, mut heard, mut drops) = (0, false, Vec::new(), 0);
    let clock = &mut Clock;
    let outcome = loop {
        let turn = pump.turn(
            &mut socket,
            &mut client,
            clock,
            |line: Result<Line<'_>, TextReaderError>| {
                let line = line.unwrap();
                is_welcome |= line.welcome().is_some();
                if let Kind::Said { text, .. } = line.kind {
                    heard.push(text.to_string());
                }
            },
        );
        match interrupted(random, turn).await {
            None => drops += 1,
            Some(Ok(true)) => {}
            Some(outcome) => break outcome,
        }
        let line = format!("line {said} of {name}");
        if is_welcome && said < LINES && client.has_room(line.len()) {
            client.say(Text::new(&line).unwrap()).unwrap();
            said += 1;
        }
        if said == LINES && heard.len() == LINES * (MEMBERS - 1) {
            client.finish(clock.now(), DEFAULT_END_TIMEOUT);
        }
    };
    socket.end(outcome).await.unwrap();
    (heard, drops)
}

#[test]
fn everybody_hears_everybody_once_and_in_order() {
    for_seeds(30, |seed, sometimes| {
        let random = &mut Random::new(seed);
        let mut randoms = [(); MEMBERS].map(|()| random.fork());
        let mut buffers = [(); 2 * MEMBERS].map(|()| Buffers::some(random, 64));
        let (left, right) = buffers.split_at_mut(MEMBERS);
        let mut storage = RoomStorage::<{ MEMBERS + 1 }, 64, { CONFIG.bytes(2048) }>::new();
        // Without history: what is said before somebody is there would be heard by some and not by
        // others.
        let room = storage.room(CONFIG.with_rate(0).with_history(0)).unwrap();
        let mut heard = Vec::new();
        converse(
            random,
            // A line that is lost for long enough is refused, or ended by the quiet rule.
            0,
            async |stack| {
                let sockets = all(left.iter_mut().map(|buffers| buffers.accept(stack))).await;
                serve(room, sockets).await;
            },
            async |stack| {
                let members = right.iter_mut().zip(&mut randoms).enumerate();
                heard = all(members.map(async |(name, (buffers, random))| {
                    take_part(buffers.connect(stack).await, name, random).await
                }))
                .await;
            },
        );
        for (name, (lines, drops)) in heard.iter().enumerate() {
            assert_eq!(lines.len(), LINES * (MEMBERS - 1));
            for other in (0..MEMBERS).filter(|other| *other != name) {
                let said = lines.iter().filter(|line| line.ends_with(&format!("of {other}")));
                let expected = (0..LINES).map(|number| format!("line {number} of {other}"));
                assert!(said.cloned().eq(expected), "{name} heard {lines:?}");
            }
            sometimes.note("a future was dropped", *drops > 0);
        }
    });
}

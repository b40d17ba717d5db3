//! A room on one stack and its members on the other: many sessions that share their memory, and
//! owners that speak when they like.

use std::future::poll_fn;
use std::ops::ControlFlow::Continue;
use std::pin::pin;
use std::task::Poll;

use barewire_core::chat::{
    Client, DEFAULT_END_TIMEOUT, Kind, LeaveReason, MemberEvent, MemberId, Room, RoomConfig,
    RoomStorage,
};
use barewire_core::driver::{Next, Step};
use barewire_core::io::{AsyncStreamDriver, Timer};
use barewire_core::source::Source;
use barewire_core::text::{DEFAULT_QUIET, Text};
use barewire_embassy_net::{Clock, Socket, close};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;

use crate::two_stacks::{Buffers, all, converse, interrupted};

const MEMBERS: usize = 3;
/// The room's rules, as far as its memory goes.
const CONFIG: RoomConfig =
    RoomConfig::new().with_max_text(64).with_line_buffers(3).with_line_buffers_per_source(0);
/// How many lines each says.
const LINES: usize = 8;

/// A member of the room, and its connection.
struct Member<'a> {
    id: MemberId,
    driver: AsyncStreamDriver<Socket<'a>, 64>,
}

/// Serves the room until all have left.
async fn serve(mut room: Room<'_>, sockets: Vec<Socket<'_>>) {
    let mut members: Vec<_> = sockets
        .into_iter()
        .map(|socket| Member {
            id: room.join(Clock.now(), Source(1)).unwrap(),
            driver: AsyncStreamDriver::new(socket),
        })
        .collect();
    // No wait may keep the room. So each is polled, and dropped if it goes on.
    poll_fn(|context| {
        loop {
            let mut has_moved = false;
            for Member { id, driver } in &mut members {
                let Some(mut member) = room.member(*id) else { continue };
                let on_event = |_: MemberEvent<'_>| Continue(());
                match driver.step(Clock.now(), &mut member, on_event) {
                    Step::Wait(until) => {
                        let clock = &mut Clock;
                        let wait = driver.wait(&mut member, until, clock);
                        has_moved |= pin!(wait).poll(context).is_ready();
                    }
                    Step::Over(outcome) => {
                        outcome.expect("nobody falls behind, and no connection breaks");
                        has_moved = true;
                    }
                    Step::Close => room.leave(Clock.now(), *id, LeaveReason::Quit),
                    Step::Reset => panic!("it ended in order"),
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
    for Member { mut driver, .. } in members {
        driver.stream().flush().await;
    }
}

/// Takes part: says its lines, one after the other, and leaves when it has heard those of all others.
/// What it heard, and how often a future was dropped.
async fn take_part(socket: Socket<'_>, name: usize, random: &mut Random) -> (Vec<String>, u32) {
    let mut client = Client::<32, 512>::new(DEFAULT_QUIET);
    let mut driver = AsyncStreamDriver::<_, 64>::new(socket);
    let (mut said, mut is_welcome, mut has_finished) = (0, false, false);
    let (mut heard, mut drops) = (Vec::new(), 0);
    let outcome = loop {
        let until = match driver.next(Clock.now(), &mut client) {
            Next::Event(line) => {
                let line = line.unwrap();
                is_welcome |= line.welcome().is_some();
                if let Kind::Said { text, .. } = line.kind {
                    heard.push(text.to_string());
                }
                continue;
            }
            Next::Continue => continue,
            Next::Step(Step::Wait(until)) => until,
            Next::Step(Step::Over(outcome)) => break outcome,
            Next::Step(step) => panic!("{step:?}"),
        };
        let line = format!("line {said} of {name}");
        if is_welcome && said < LINES && client.has_room(line.len()) {
            client.say(Text::new(&line).unwrap()).unwrap();
            said += 1;
            continue;
        }
        if said == LINES && heard.len() == LINES * (MEMBERS - 1) && !has_finished {
            client.finish(Clock.now(), DEFAULT_END_TIMEOUT);
            has_finished = true;
            continue;
        }
        let clock = &mut Clock;
        let wait = driver.wait(&mut client, until, clock);
        drops += u32::from(interrupted(random, wait).await.is_none());
    };
    outcome.unwrap();
    close(&mut driver, &mut client).await;
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

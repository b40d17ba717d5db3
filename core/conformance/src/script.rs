//! What happens in a conversation: fixed scripts, and random ones.

use barewire_core::time::Duration;

use crate::behaviour::Call;
use crate::random::Random;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// The adapter has a turn.
    Turn,
    /// Time passes.
    Pass(Duration),
    // The peer.
    Deliver(usize),
    End,
    Reset,
    // The stack.
    Room(Option<usize>),
    RefuseShutdown(bool),
    // The session, or its owner.
    Say(usize),
    SayContents(usize, usize),
    Shutdown,
    Close,
    /// How many bytes it takes, in all and at once.
    Capacity(usize, usize),
    Refill(usize),
    Events(usize),
    Echo(usize),
    Timeout(Option<Duration>),
    /// The deadline is so far away.
    Deadline(Duration),
    /// How many bytes are lent as head.
    Head(usize),
    Fail(Call, usize, bool),
    GiveUp,
}

use Op::{
    Capacity, Close, Deadline, Deliver, Echo, End, Events, Fail, GiveUp, Head, Pass, Refill,
    RefuseShutdown, Reset, Room, Say, SayContents, Shutdown, Timeout, Turn,
};

const SECOND: Duration = Duration::from_secs(1);
const ALL: usize = usize::MAX;

macro_rules! scripts {
    ($($name:literal: [$($op:expr),*],)*) => {
        /// Each is ended in order behind its last line, if it is not over by then.
        pub(crate) const SCRIPTS: &[(&str, &[Op])] = &[$(($name, &[$($op),*])),*];
    };
}

scripts! {
    "nothing is said": [Turn, Turn],
    "a greeting and an answer": [Say(9), Turn, Deliver(9), Turn, End, Turn],
    "output in two slices": [Head(3), Say(9), Say(4), Shutdown, Close, Turn],
    "a stack that takes nothing": [Room(Some(0)), Say(9), Turn, Turn, Room(None), Turn],
    "a stack that takes a little at a time": [
        Head(2), Room(Some(1)), Say(9), Turn, Room(Some(3)), Turn, Deliver(2), Turn, Room(None), Turn
    ],
    "bytes one at a time, several events each": [Events(3), Capacity(ALL, 1), Deliver(20), Turn],
    "an answer to the last byte": [Echo(5), Deliver(9), Turn, End, Turn],
    "bytes left until a command": [
        Capacity(3, 2), Deliver(9), Turn, Deliver(9), Turn, Turn, Capacity(ALL, 2), Turn
    ],
    "bytes left until a transmission": [
        Capacity(3, 3), Refill(4), Room(Some(0)), Say(9), Deliver(30), Turn, Room(Some(9)), Turn
    ],
    "bytes left until a time-out": [
        Capacity(0, ALL), Refill(5), Deadline(SECOND), Deliver(9), Turn, Turn, Pass(SECOND), Turn
    ],
    "a time-out makes room and has an answer": [
        Capacity(0, ALL), Refill(5), Echo(3), Deadline(SECOND), Deliver(9), Turn, Pass(SECOND), Turn
    ],
    "bytes left, and an end behind them": [
        Capacity(2, 2), Deliver(5), End, Turn, Capacity(ALL, 1), Turn
    ],
    "an end with several events, and an answer": [Events(4), Echo(3), End, Turn, Say(2), Turn],
    "an end behind bytes with several events": [Events(3), Deliver(5), End, Turn],
    "an end told again after a transmission": [
        End, Room(Some(0)), Say(5), Turn, Room(Some(5)), Turn
    ],
    "a deadline with several events": [Events(3), Deadline(SECOND), Turn, Pass(SECOND), Turn],
    "a deadline that is followed by another": [
        Timeout(Some(SECOND)), Deadline(SECOND), Turn, Pass(SECOND), Turn, Pass(SECOND), Turn
    ],
    "a late driver, and bytes that came in time": [
        Timeout(Some(SECOND)), Deadline(SECOND), Turn, Deliver(9), Pass(SECOND), Turn
    ],
    "a late driver, and an end that came in time": [
        Deadline(SECOND), Turn, End, Pass(SECOND), Turn
    ],
    "a late driver, and bytes left": [
        Capacity(2, 2), Deadline(SECOND), Deliver(9), Turn, Capacity(2, 2), Pass(SECOND), Turn
    ],
    "bytes and output at once": [Say(5), Deliver(5), Turn],
    "a half-close, and the peer talks on": [
        Say(5), Shutdown, Turn, Deliver(9), Turn, Deliver(9), End, Turn
    ],
    "a half-close that is refused for a while": [
        RefuseShutdown(true), Say(5), Shutdown, Turn, Deliver(9), Turn, RefuseShutdown(false), Turn
    ],
    "a close without a half-close": [Say(5), Close, Turn, Turn],
    "a close with input that nobody reads": [
        Capacity(2, 2), Say(5), Deliver(40), Close, Turn, Deliver(40), Turn
    ],
    "a close after the peer's end": [Say(5), Deliver(4), End, Turn, Shutdown, Close, Turn],
    "a close that takes a while": [
        RefuseShutdown(true), Close, Turn, Pass(SECOND), Turn, RefuseShutdown(false), Turn
    ],
    "a close that never happens": [
        RefuseShutdown(true), Close, Turn, Pass(SECOND), Turn, Pass(SECOND), Turn
    ],
    "a failure": [Fail(Call::Input, 0, false), Events(3), Deliver(5), Turn],
    "a failure behind the end": [Fail(Call::End, 4, false), Deliver(5), End, Turn],
    "a failure at the deadline": [
        Fail(Call::Timeout, 4, false), Deadline(SECOND), Turn, Pass(SECOND), Turn
    ],
    "a failure with a last word": [Fail(Call::Input, 7, false), Deliver(5), Turn],
    "a failure with a last word that is not taken": [
        Room(Some(2)), Fail(Call::Input, 7, false), Deliver(5), Turn
    ],
    "a failure that ends the direction": [
        Fail(Call::Input, 7, true), Deliver(5), Turn, Deliver(5), Turn
    ],
    "a failure after a half-close": [
        Say(5), Shutdown, Turn, Fail(Call::Input, 0, false), Deliver(5), Turn, Deliver(5), Turn
    ],
    "a reset": [Say(5), Turn, Reset, Turn],
    "a reset at the first turn": [Say(5), Reset, Turn],
    "a reset behind the peer's end": [End, Turn, Reset, Turn],
    "a reset behind the peer's end, and a close": [Say(3), Shutdown, End, Turn, Close, Reset, Turn],
    "a reset behind a half-close, and a close": [Say(3), Shutdown, Turn, Close, Reset, Turn],
    "a reset while it lingers": [Close, Turn, Reset, Turn],
    "an owner that gives up": [Events(3), GiveUp, Deliver(5), Turn],
    "an owner that gives up at the end": [Events(3), GiveUp, End, Turn],
    "an owner that gives up at a deadline": [
        Events(3), GiveUp, Deadline(SECOND), Pass(SECOND), Turn
    ],
    "an owner that gives up after a half-close": [
        Shutdown, Turn, GiveUp, Deliver(5), Turn, Deliver(5), Turn
    ],
    "contents between bytes": [Say(5), SayContents(7, 30), Say(5), Turn],
    "contents a little at a time": [
        Room(Some(4)), SayContents(0, 30), Turn, Room(Some(9)), Turn, Room(None), Turn
    ],
    "contents that end too early": [Say(5), SayContents(90, 30), Turn],
}

/// The next thing that happens by chance. Half of all are turns, and few end the conversation.
pub(crate) fn draw(random: &mut Random) -> Op {
    let span = Duration::from_millis(1 + random.below(900) as u64);
    let call = random.pick(&[Call::Input, Call::End, Call::Timeout]);
    let count = random.below(12);
    match random.below(100) {
        0..45 => Turn,
        45..52 => Deliver(1 + random.below(40)),
        52..58 => Say(1 + count),
        58..63 => Room(random.pick(&[None, Some(0), Some(1), Some(count)])),
        63..68 => Capacity(random.pick(&[0, 1, count, ALL]), random.pick(&[1, 3, ALL])),
        68..71 => Refill(count),
        71..73 => Events(random.below(4)),
        73..75 => Echo(random.below(5)),
        75..79 => Deadline(span),
        79..81 => Timeout(random.pick(&[None, Some(span)])),
        81..87 => Pass(span),
        87..89 => Head(count),
        89 => SayContents(random.below(99), 1 + count),
        90..92 => RefuseShutdown(random.below(2) == 0),
        92 => Shutdown,
        93 => Close,
        94 => End,
        95 => Reset,
        96 => Fail(call, count, random.below(2) == 0),
        97 => GiveUp,
        98 => SayContents(80, 40),
        _ => Pass(SECOND),
    }
}

//! What an author gives the kit: a connection of the adapter, with both of its sides.

use std::ops::ControlFlow;

use barewire_core::driver::{Driver, LINGER, Step, Transport};
use barewire_core::session::Session as _;
use barewire_core::time::{Duration, Instant};

use crate::examiner::{Examiner, ExaminerError, ExaminerEvent};

/// What the peer has seen of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// All bytes, in order.
    pub received: Vec<u8>,
    /// The end of the stream (a FIN), behind them.
    pub ended: bool,
    /// A reset, before or behind the end.
    pub reset: bool,
}

/// The peer's side of a connection, and what can be set of the stack on the adapter's.
///
/// No method waits for the other side, and what one did has reached the other when it returns: over a
/// network, even one in memory, that means to run it until it is quiet.
pub trait Peer {
    /// The peer sends `bytes`, at most a few hundred between two turns. It may do so though the
    /// adapter has closed the connection.
    fn deliver(&mut self, bytes: &[u8]);

    /// The peer ends its sending direction.
    fn end(&mut self);

    /// The peer resets the connection (in POSIX `SO_LINGER` of zero and `close(2)`).
    fn reset(&mut self);

    /// Whether a reset still reaches the adapter. Over a network it does not once both sides have ended
    /// their direction, and know it of each other: then no connection is left.
    fn can_reset(&mut self) -> bool {
        true
    }

    /// Adds to `seen` what the peer has come to see since it was asked last. It reads all there is.
    fn look(&mut self, seen: &mut Seen);

    /// Waits a little, where what the adapter has done may be under way yet: the peer has not seen what
    /// is expected of it. False: nothing is under way, and waiting is of no use.
    fn wait(&mut self) -> bool {
        false
    }

    /// From now on the stack takes `bytes` more from the adapter, or without a number as many as come.
    /// False: that cannot be set, and is left untested.
    fn set_room(&mut self, bytes: Option<usize>) -> bool {
        let _ = bytes;
        false
    }

    /// Whether the stack refuses for the time being to end the sending direction. False: that cannot
    /// be set, and is left untested.
    fn set_shutdown_refused(&mut self, is_refused: bool) -> bool {
        let _ = is_refused;
        false
    }

    /// What a session sends when it sends contents. False: the adapter sends none, so that such a
    /// session fails.
    fn set_contents(&mut self, contents: &[u8]) -> bool {
        let _ = contents;
        false
    }

    /// How many of the delivered bytes the adapter has not taken from the stack, if that is known. It
    /// shows whether an adapter reads on while the session takes nothing.
    fn unread(&mut self) -> Option<usize> {
        None
    }
}

/// One connection of the adapter under test.
pub trait Adapter {
    /// How a connection breaks.
    type Error;

    /// The other side.
    type Peer: Peer;

    /// The other side.
    fn peer(&mut self) -> &mut Self::Peer;

    /// What time it is when the connection is new, if the adapter has a clock of its own: no turn comes
    /// before.
    fn start(&self) -> Instant {
        Instant::from_millis(1_000)
    }

    /// Has the adapter drive `examiner` until there is nothing to do but to wait, or until it has
    /// something to tell: as [`Driver::step`] does, whose results are meant. The time is `now` and
    /// does not pass meanwhile; so the adapter's stack has [become quiet](Peer), and an adapter that bounds
    /// its turns has taken as many as it wants.
    ///
    /// An adapter that does not tell until when it waits gives `examiner.poll_deadline()`.
    fn turn(
        &mut self,
        now: Instant,
        examiner: &mut Examiner,
        on_event: &mut dyn FnMut(ExaminerEvent<'_>) -> ControlFlow<()>,
    ) -> Step<ExaminerError, Self::Error>;

    /// Whether an `on_event` that breaks gives the conversation up. False: that is left untested.
    fn can_give_up(&self) -> bool {
        true
    }

    /// How long the adapter lingers, if not for [`LINGER`].
    fn linger(&self) -> Duration {
        LINGER
    }
}

/// A [`Transport`] whose other side is in the kit's hands; with the core's driver it is an
/// [`Adapter`], named [`Driven`].
pub trait Stack: Transport + Peer {
    /// Closes the connection, as for [`Step::Close`].
    fn close(&mut self);

    /// Resets the connection, as for [`Step::Reset`].
    fn abort(&mut self);

    /// A turn of the driver begins. One that is late, since the session's deadline is reached, is to be given all
    /// that has arrived.
    fn begin_turn(&mut self, is_late: bool) {
        let _ = is_late;
    }

    /// Whether it has kept back in this turn what it could have given, as a stack does that has others to serve:
    /// then another turn follows at once.
    fn has_paused(&self) -> bool {
        false
    }
}

/// A connection that the core's [`Driver`] drives, for authors of a [`Transport`].
#[derive(Debug, Default)]
pub struct Driven<T> {
    driver: Driver,
    stack: T,
}

impl<T: Stack> Driven<T> {
    /// A new connection.
    pub const fn new(stack: T) -> Self {
        Self { driver: Driver::new(), stack }
    }
}

impl<T: Stack> Adapter for Driven<T> {
    type Error = T::Error;
    type Peer = T;

    fn peer(&mut self) -> &mut T {
        &mut self.stack
    }

    fn turn(
        &mut self,
        now: Instant,
        examiner: &mut Examiner,
        on_event: &mut dyn FnMut(ExaminerEvent<'_>) -> ControlFlow<()>,
    ) -> Step<ExaminerError, T::Error> {
        let step = loop {
            self.stack.begin_turn(examiner.poll_deadline().is_some_and(|at| at <= now));
            let step = self.driver.step(now, examiner, &mut self.stack, &mut *on_event);
            if !matches!(step, Step::Wait(_)) || !self.stack.has_paused() {
                break step;
            }
            examiner.end_turn();
            examiner.begin_turn();
        };
        match step {
            Step::Close => self.stack.close(),
            Step::Reset => self.stack.abort(),
            Step::Wait(_) | Step::Over(_) => {}
        }
        step
    }
}

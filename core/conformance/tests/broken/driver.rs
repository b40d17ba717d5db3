//! A driver written by hand, in another shape than the core's, with a deviation at will.

use std::ops::ControlFlow;

use barewire_conformance::{
    Adapter, Examiner, ExaminerError, ExaminerEvent, ScriptedStream, Stack, WasReset,
};
use barewire_core::driver::{DriveError, LINGER, Step, Transport};
use barewire_core::session::{Output, Session};
use barewire_core::time::Instant;

use crate::breakage::Breakage::{self, *};

type OnEvent<'f> = &'f mut dyn FnMut(ExaminerEvent<'_>) -> ControlFlow<()>;
type Handled<'e> = nb::Result<ExaminerEvent<'e>, ExaminerError>;
type Error = DriveError<ExaminerError, WasReset>;
/// An `Err` is the conversation's end.
type Flow<T> = Result<T, Result<(), Error>>;

#[derive(Clone, Copy)]
enum Stage {
    Open,
    /// The session failed.
    FinalTransmit,
    Reset,
    Linger(Instant),
}

#[expect(clippy::struct_excessive_bools, reason = "independent facts about one connection")]
pub(crate) struct Broken {
    stack: ScriptedStream,
    breakage: Option<Breakage>,
    stage: Stage,
    ended: bool,
    shut: bool,
    left: bool,
    closing: Option<Instant>,
    told_twice: bool,
    /// What an adapter that reads on has read.
    held: Vec<u8>,
    now: Instant,
    events: usize,
}

impl Broken {
    pub(crate) fn new(stack: ScriptedStream, breakage: Option<Breakage>) -> Self {
        Self {
            stack,
            breakage,
            stage: Stage::Open,
            ended: false,
            shut: false,
            left: false,
            closing: None,
            told_twice: false,
            held: Vec::new(),
            now: Instant::ZERO,
            events: 0,
        }
    }

    fn is(&self, breakage: Breakage) -> bool {
        self.breakage == Some(breakage)
    }

    fn exchange(&mut self, session: &mut Examiner, on_event: OnEvent<'_>) -> Flow<()> {
        if self.closing.is_some() && !self.is(CallsAfterClose) {
            return self.conclude(session, on_event);
        }
        self.left = self.left && !self.ended && self.is(ForgetsLeftBytes);
        if !self.is(TransmitsLast) {
            self.transmit(session, on_event)?;
        }
        if self.is(TimesOutFirst) {
            self.time_out(session, on_event)?;
        }
        self.listen(session, on_event)?;
        if self.is(SkipsTimeOut) || !self.time_out(session, on_event)? {
            return Ok(());
        }
        self.left = false;
        let sent = !self.is(TransmitsOnce) && self.transmit(session, on_event)?;
        if !self.is(ForgetsLeftBytesAtTimeOut) || sent {
            self.listen(session, on_event)?;
        }
        Ok(())
    }

    /// Rules 2 and 3, with rule 1 behind each, until nothing comes of it.
    fn listen(&mut self, session: &mut Examiner, on_event: OnEvent<'_>) -> Flow<()> {
        loop {
            if !self.left {
                self.offer(session, on_event)?;
            }
            if self.is(OffersAgainAtOnce) && !self.ended {
                self.offer(session, on_event)?;
            }
            if self.is(TransmitsOnce) || !self.transmit(session, on_event)? {
                return Ok(());
            }
            self.left &= self.is(if self.ended { ForgetsTheEnd } else { ForgetsLeftBytes });
        }
    }

    fn offer(&mut self, session: &mut Examiner, on_event: OnEvent<'_>) -> Flow<()> {
        loop {
            let received = self.receive();
            let bytes = match received {
                Ok(bytes) if bytes.is_empty() && self.is(SkipsTheEnd) => return Ok(()),
                Ok(bytes) if bytes.is_empty() => {
                    (self.ended, self.left) = (true, true);
                    return self.tell_end(session, on_event);
                }
                Ok(bytes) => bytes,
                Err(nb::Error::WouldBlock) => return Ok(()),
                Err(nb::Error::Other(_)) if self.is(TakesResetForEnd) => {
                    return self.tell_end(session, on_event);
                }
                Err(nb::Error::Other(_)) if self.is(IgnoresReset) => return Ok(()),
                Err(nb::Error::Other(_)) if self.is(TakesResetForSuccess) => return Err(Ok(())),
                Err(nb::Error::Other(error)) => return Err(Err(DriveError::Connection(error))),
            };
            let (mut input, mut calls) = (&bytes[..], 0);
            while calls == 0 || !input.is_empty() || !self.is(StopsAtLastByte) {
                calls += 1;
                let before = input.len();
                let result = session.handle_input(self.now, &mut input);
                let is_event = self.hand_over(result, on_event)?;
                let takes = !input.is_empty() && input.len() < before;
                if !(is_event || (takes && !self.is(StopsAtTakenBytes)))
                    || self.is(StopsAtFirstEvent)
                {
                    break;
                }
            }
            let again = usize::from(self.is(OffersTakenBytesAgain));
            let taken = (bytes.len() - input.len()).saturating_sub(again);
            self.consume(if self.is(DropsLeftBytes) { bytes.len() } else { taken });
            if !input.is_empty() {
                self.left = true;
                if self.is(TellsEndBeforeBytes) {
                    self.tell_end(session, on_event)?;
                }
                return Ok(());
            }
            let true = !self.is(ReceivesOnce) else { return Ok(()) };
        }
    }

    fn receive(&mut self) -> nb::Result<Vec<u8>, WasReset> {
        while self.is(ReadsOn)
            && let Ok(bytes @ [_, ..]) = self.stack.receive()
        {
            let count = bytes.len();
            self.held.extend_from_slice(bytes);
            self.stack.consume(count);
        }
        if self.held.is_empty() {
            self.stack.receive().map(<[u8]>::to_vec)
        } else {
            Ok(self.held.clone())
        }
    }

    fn consume(&mut self, count: usize) {
        if self.held.is_empty() {
            self.stack.consume(count);
        } else {
            self.held.drain(..count);
        }
    }

    fn tell_end(&mut self, session: &mut Examiner, on_event: OnEvent<'_>) -> Flow<()> {
        loop {
            let result = session.handle_end(self.now);
            if !self.hand_over(result, on_event)? || self.is(TellsEndOnce) {
                break;
            }
        }
        if self.is(OffersInputBehindEnd) {
            self.hand_over(session.handle_input(self.now, &mut &[][..]), on_event)?;
        }
        Ok(())
    }

    /// Tells whether it was time.
    fn time_out(&mut self, session: &mut Examiner, on_event: OnEvent<'_>) -> Flow<bool> {
        if session.poll_deadline().is_none_or(|at| at > self.now) {
            return Ok(false);
        }
        loop {
            let result = session.handle_timeout(self.now);
            if !self.hand_over(result, on_event)? || self.is(TimesOutOnce) {
                return Ok(true);
            }
        }
    }

    fn hand_over(&mut self, result: Handled<'_>, on_event: OnEvent<'_>) -> Flow<bool> {
        match result {
            Ok(_) if self.is(LosesEvents) && self.events == 1 => {}
            Ok(event) => {
                if on_event(event).is_break() && !self.is(IgnoresBreak) {
                    self.stage = self.after_failure();
                    return Err(Err(DriveError::GivenUp));
                }
            }
            Err(nb::Error::WouldBlock) => return Ok(false),
            Err(nb::Error::Other(_)) if self.is(CallsAfterFailure) => return Ok(true),
            Err(nb::Error::Other(_)) if self.is(HidesFailure) => return Err(Ok(())),
            Err(nb::Error::Other(error)) => {
                self.stage = Stage::FinalTransmit;
                return Err(Err(DriveError::Session(error)));
            }
        }
        self.events += 1;
        Ok(true)
    }

    /// Tells whether something was sent.
    fn transmit(&mut self, session: &mut Examiner, on_event: OnEvent<'_>) -> Flow<bool> {
        let mut sent = false;
        loop {
            if !self.is(SkipsPreparing) {
                session.prepare_transmit(self.now);
            }
            let moved = match session.poll_transmit() {
                Output::Nothing => return Ok(sent),
                Output::Close => {
                    return self.conclude(session, on_event).map(|()| sent);
                }
                Output::Bytes { head, tail, more } => {
                    let all = head.len() + tail.len();
                    match self.stack.send(head, tail, more) {
                        Ok(_) if self.is(ReportsNothing) => return Ok(sent),
                        Ok(0) | Err(nb::Error::WouldBlock) if self.is(SpinsWhenFull) => continue,
                        Ok(0) => Err(nb::Error::WouldBlock),
                        Ok(_) if self.is(ReportsAll) => Ok(all),
                        Ok(count) if self.is(ReportsOneMore) => Ok(count + 1),
                        Ok(count) if self.is(ReportsOneLess) => Ok(count - 1),
                        Ok(count) if self.is(ForgetsTail) && count == head.len() => Ok(all),
                        moved => moved,
                    }
                }
                Output::Contents { length, .. } if self.is(SkipsContents) => {
                    Ok(usize::try_from(length).unwrap_or(0))
                }
                Output::Contents { offset, length } => {
                    match self.stack.send_contents(offset, length) {
                        Ok(0) if self.is(WaitsForContents) => return Ok(sent),
                        Ok(0) => {
                            self.stage = Stage::Reset;
                            return Err(Err(DriveError::Contents));
                        }
                        moved => moved,
                    }
                }
                Output::Shutdown if self.is(ReportsEndOnly) => Ok(0),
                Output::Shutdown => match self.stack.shut_down() {
                    Err(nb::Error::WouldBlock) if self.is(ReportsRefusedEnd) => Ok(0),
                    moved => moved.map(|()| {
                        self.shut = true;
                        0
                    }),
                },
            };
            match moved {
                Ok(count) => session.transmitted(self.now, count),
                Err(nb::Error::WouldBlock) => return Ok(sent),
                Err(nb::Error::Other(_)) if self.is(IgnoresReset) => return Ok(sent),
                Err(nb::Error::Other(error)) => return Err(Err(DriveError::Connection(error))),
            }
            sent = true;
        }
    }

    /// Rule 6.
    fn conclude(&mut self, session: &mut Examiner, on_event: OnEvent<'_>) -> Flow<()> {
        if matches!(self.stage, Stage::FinalTransmit) {
            return Ok(());
        }
        let began = *self.closing.get_or_insert(self.now);
        if self.is(CallsAfterClose) {
            self.offer(session, on_event)?;
            self.hand_over(session.handle_timeout(self.now), on_event)?;
        }
        if !self.shut && !self.is(SkipsFin) {
            match self.stack.shut_down() {
                Ok(()) => self.shut = true,
                Err(nb::Error::WouldBlock) => {
                    let is_stalled = self.now >= began + LINGER && !self.is(WaitsForFinForEver);
                    if is_stalled || self.is(GivesFinNoTime) {
                        self.stage = Stage::Reset;
                        return Err(Err(DriveError::Stalled));
                    }
                    return Ok(());
                }
                Err(nb::Error::Other(error)) => return Err(Err(DriveError::Connection(error))),
            }
        }
        if let Err(nb::Error::Other(error)) = self.stack.receive()
            && !self.is(SkipsLastLook)
        {
            return Err(Err(DriveError::Connection(error)));
        }
        self.stage = Stage::Linger(self.now + LINGER);
        Err(Ok(()))
    }

    fn after_failure(&self) -> Stage {
        let closes = (self.shut || self.is(ClosesAfterFailure)) && !self.is(ResetsAfterHalfClose);
        if closes { Stage::Linger(self.now + LINGER) } else { Stage::Reset }
    }

    /// Rule 7.
    fn linger(&mut self, until: Instant) -> Step<ExaminerError, WasReset> {
        if self.is(ResetsInOrder) {
            return self.reset();
        }
        let is_over = self.now >= until && !self.is(LingersForEver);
        loop {
            if self.is(SkipsLinger) || (self.is(LeavesInput) && is_over) {
                break;
            }
            match self.stack.receive().map(<[u8]>::len) {
                Ok(0) if !self.is(LingersBeyondEnd) => break,
                Ok(0) => {}
                Ok(count) if !self.is(LeavesInput) => {
                    self.stack.consume(count);
                    continue;
                }
                Err(nb::Error::Other(_)) => break,
                Ok(_) | Err(nb::Error::WouldBlock) => {}
            }
            if is_over {
                break;
            }
            return Step::Wait(Some(until).filter(|_| !self.is(LingersWithoutTimer)));
        }
        self.stack.close();
        Step::Close
    }

    fn reset(&mut self) -> Step<ExaminerError, WasReset> {
        if self.is(EndsBeforeReset) {
            let _ = self.stack.shut_down();
        }
        self.stack.abort();
        Step::Reset
    }
}

impl Adapter for Broken {
    type Error = WasReset;
    type Peer = ScriptedStream;

    fn peer(&mut self) -> &mut ScriptedStream {
        &mut self.stack
    }

    fn turn(
        &mut self,
        now: Instant,
        session: &mut Examiner,
        on_event: OnEvent<'_>,
    ) -> Step<ExaminerError, WasReset> {
        self.now = now;
        if self.told_twice && self.is(TellsOverTwice) {
            self.told_twice = false;
            return Step::Over(Ok(()));
        }
        match self.stage {
            Stage::Open => {}
            Stage::FinalTransmit => {
                if !self.is(SkipsFinalTransmit) {
                    let _ = self.transmit(session, on_event);
                }
                self.stage = self.after_failure();
                return self.turn(now, session, on_event);
            }
            Stage::Reset => return self.reset(),
            Stage::Linger(until) => return self.linger(until),
        }
        match self.exchange(session, on_event) {
            Ok(()) if self.is(WaitsWithoutTimer) => Step::Wait(None),
            Ok(()) => match self.closing {
                Some(at) => Step::Wait(Some(at + LINGER)),
                None => Step::Wait(session.poll_deadline()),
            },
            Err(over) => {
                if matches!(self.stage, Stage::Open) {
                    self.stage =
                        if over.is_ok() { Stage::Linger(self.now + LINGER) } else { Stage::Reset };
                }
                self.told_twice = true;
                Step::Over(over)
            }
        }
    }
}

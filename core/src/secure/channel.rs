//! One end of a channel: the handshake, and then the records.

use core::fmt;

use rand_core::CryptoRng;

use super::config::{ChannelConfig, Conversation, MAX_KEYS};
use super::error::{ChannelError, ChannelSetupError};
use super::handshake::{Ciphers, Initiator, Responder};
use super::key::Key;
use super::opening::{check, message_of, opening};
use super::primitives::draw;
use super::record_reader::RecordReader;
use super::record_writer::RecordWriter;
use super::secret::Secret;
use super::wire::{ANSWER, FIRST, LEAST_SEND, MARKER, OPENING, RecordSize};
use crate::logging::debug;
use crate::session::{Output, Session};
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

/// One end of a channel: what there is to know of it between the calls of a driver, and its buffers.
/// [`Secured`](super::Secured) has a session speak through it.
///
/// A channel receives into one buffer, of [`LEAST_RECEIVE`](super::LEAST_RECEIVE) bytes at least, and
/// sends from another, of [`LEAST_SEND`]; more than 64 KiB serve nothing. A record is sealed in the one
/// and opened in the other, so that their sizes are those of the largest records. The machine takes at
/// most 384 bytes besides (64-bit).
///
/// To the session, bytes are sent when they are sealed, a record at a time. So a peer that takes less than a
/// record within the time that the session gives it (the stall of a file transfer, say), or than the
/// last one within [`ChannelConfig::timeout`], counts as stalled, even if it takes some: for slow links, send
/// from a small buffer.
pub struct Channel<'b> {
    pub(super) reader: RecordReader<'b>,
    writer: RecordWriter<'b>,
    stage: Stage<'b>,
    timeout: Duration,
    /// Of the handshake, and then of the end of this side's direction.
    deadline: Deadline,
    peer_key: u8,
}

enum Stage<'b> {
    /// A server, until a client has opened.
    Listening {
        keys: &'b [Key],
        conversation: Conversation,
        secret: Secret,
    },
    /// A server that has answered, until the client's first record: its opening may have been recorded, and
    /// sent again by somebody without the key.
    Answered,
    /// A client, until the server has answered.
    Opening(Initiator),
    Open,
    Failed(ChannelError),
}

/// Of a channel that has failed: whoever drives it is told.
const PAST: Deadline = Deadline::after(Instant::ZERO, Duration::ZERO);

impl<'b> Channel<'b> {
    /// The end of who opened the connection, at `now`. The randomness must be fit for keys.
    ///
    /// # Errors
    /// [`ChannelSetupError`].
    pub fn client(
        now: Instant,
        config: ChannelConfig,
        key: &Key,
        random: &mut impl CryptoRng,
        receive: &'b mut [u8],
        send: &'b mut [u8],
    ) -> Result<Self, ChannelSetupError> {
        let (reader, mut writer) = buffers(receive, send)?;
        let opening = opening(config.conversation, reader.size());
        let begun = Initiator::begin(&opening, key.as_bytes(), draw(random), &mut []);
        let stage = if let Some((initiator, first)) = begun {
            writer.put(&opening);
            writer.put(&first.public);
            writer.put(&first.tag);
            Stage::Opening(initiator)
        } else {
            Stage::Failed(ChannelError::Exhausted)
        };
        Ok(Self::new(now, config, reader, writer, stage))
    }

    /// The end of who took the connection, at `now`. The client must have one of the keys;
    /// [`peer_key`](Self::peer_key) tells which. The randomness must be fit for keys.
    ///
    /// # Errors
    /// [`ChannelSetupError`].
    pub fn server(
        now: Instant,
        config: ChannelConfig,
        keys: &'b [Key],
        random: &mut impl CryptoRng,
        receive: &'b mut [u8],
        send: &'b mut [u8],
    ) -> Result<Self, ChannelSetupError> {
        if keys.is_empty() || keys.len() > MAX_KEYS {
            return Err(ChannelSetupError::Keys);
        }
        let (reader, writer) = buffers(receive, send)?;
        let secret = draw(random);
        let stage = Stage::Listening { keys, conversation: config.conversation, secret };
        Ok(Self::new(now, config, reader, writer, stage))
    }

    fn new(
        now: Instant,
        config: ChannelConfig,
        reader: RecordReader<'b>,
        writer: RecordWriter<'b>,
        stage: Stage<'b>,
    ) -> Self {
        Self {
            reader,
            writer,
            stage,
            timeout: config.timeout,
            deadline: Deadline::after(now, config.timeout),
            peer_key: 0,
        }
    }

    /// Whether the peer has proven that it has the key, and takes part in this very conversation: nobody else
    /// hears or says anything from now on. A client's channel opens by the server's answer, and a server's by
    /// the client's first record.
    pub const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open)
    }

    /// Whether the channel [is open](Self::is_open), or was until it failed.
    pub const fn has_opened(&self) -> bool {
        self.reader.is_proven()
    }

    /// Which of the server's keys the client has, once the channel [has opened](Self::has_opened): its place in
    /// what the channel was made with. A client has one key, 0.
    pub const fn peer_key(&self) -> usize {
        self.peer_key as usize
    }

    /// Whether it is a client's, and the server has not answered yet. A connection that the server resets then
    /// has been [refused](ChannelError::Refused).
    pub const fn awaits_answer(&self) -> bool {
        matches!(self.stage, Stage::Opening(_))
    }

    /// Gives back the buffers that it received into and sent from, for another channel. What they hold is
    /// what came in and went out last.
    pub fn into_buffers(self) -> [&'b mut [u8]; 2] {
        [self.reader.into_buffer(), self.writer.into_buffer()]
    }

    fn open(&mut self) {
        (self.stage, self.deadline) = (Stage::Open, Deadline::NEVER);
    }

    /// The channel is of no use any more.
    fn fail(&mut self, failure: ChannelError) -> ChannelError {
        (self.stage, self.deadline) = (Stage::Failed(failure), PAST);
        self.writer.stop();
        failure
    }

    /// Takes input to the end of the next record, which is then [lent](RecordReader::lend), or as far as it
    /// goes before the channel is open.
    pub(super) fn receive(&mut self, input: &mut &[u8]) -> nb::Result<(), ChannelError> {
        match self.take(input) {
            Ok(()) if self.is_open() => Ok(()),
            Ok(()) => Err(nb::Error::WouldBlock),
            Err(failure) => Err(nb::Error::Other(self.fail(failure))),
        }
    }

    fn take(&mut self, input: &mut &[u8]) -> Result<(), ChannelError> {
        match self.stage {
            Stage::Listening { .. } => self.hear(input)?,
            Stage::Opening(_) => self.finish(input)?,
            Stage::Answered | Stage::Open => {}
            Stage::Failed(failure) => return Err(failure),
        }
        if matches!(self.stage, Stage::Answered | Stage::Open) {
            self.reader.read(input)?;
        }
        if matches!(self.stage, Stage::Answered) && self.reader.is_proven() {
            self.open();
        }
        Ok(())
    }

    /// The client's first message, as far as it has come.
    fn hear(&mut self, input: &mut &[u8]) -> Result<(), ChannelError> {
        let Stage::Listening { keys, conversation, secret } = &self.stage else { return Ok(()) };
        let is_whole = self.reader.gather(FIRST, input);
        let gathered = self.reader.gathered();
        check(gathered, *conversation)?;
        if !is_whole {
            return Ok(());
        }
        let (opening, message) =
            gathered.split_first_chunk::<OPENING>().ok_or(ChannelError::NotKeyed)?;
        let first = message_of(message, &mut []).ok_or(ChannelError::NotKeyed)?;
        for (place, key) in (0..u8::MAX).zip(*keys) {
            let Some(mut responder) = Responder::hear(opening, key.as_bytes(), &first, &mut [])
            else {
                continue;
            };
            let [.., exponent] = *opening;
            let size = RecordSize::new(exponent).ok_or(ChannelError::Malformed)?;
            let mut payload = [self.reader.size().exponent()];
            let answer = responder.answer(secret, &mut payload);
            let (answer, ciphers) = answer.ok_or(ChannelError::Exhausted)?;
            for part in [&[MARKER][..], &answer.public, &payload, &answer.tag] {
                self.writer.put(part);
            }
            (self.stage, self.peer_key) = (Stage::Answered, place);
            self.begin(ciphers, size, false);
            return Ok(());
        }
        Err(ChannelError::WrongKey)
    }

    /// The handshake's messages are over; that a client's peer has the key is known by then.
    fn begin(&mut self, ciphers: Ciphers, size: RecordSize, is_client: bool) {
        self.reader.begin(ciphers.receive, is_client);
        self.writer.begin(ciphers.send, size, is_client);
    }

    /// The server's answer, as far as it has come.
    fn finish(&mut self, input: &mut &[u8]) -> Result<(), ChannelError> {
        let is_whole = self.reader.gather(ANSWER, input);
        let [MARKER, message @ ..] = self.reader.gathered() else {
            return if self.reader.gathered().is_empty() {
                Ok(())
            } else {
                Err(ChannelError::NotKeyed)
            };
        };
        if !is_whole {
            return Ok(());
        }
        let mut payload = [0];
        let answer = message_of(message, &mut payload).ok_or(ChannelError::NotKeyed)?;
        let Stage::Opening(initiator) = &mut self.stage else { return Ok(()) };
        let ciphers = initiator.finish(&answer, &mut payload).ok_or(ChannelError::WrongKey)?;
        let [exponent] = payload;
        let size = RecordSize::new(exponent).ok_or(ChannelError::Malformed)?;
        self.begin(ciphers, size, true);
        self.open();
        Ok(())
    }

    /// The peer has ended its stream: what is wrong with that, if anything.
    pub(super) fn end(&mut self) -> Result<(), ChannelError> {
        let failure = match self.stage {
            Stage::Open if self.reader.has_ended() => return Ok(()),
            Stage::Open => ChannelError::Cut,
            Stage::Opening(_) if self.reader.gathered().is_empty() => ChannelError::Refused,
            Stage::Listening { .. } | Stage::Answered | Stage::Opening(_) => {
                ChannelError::HandshakeCut
            }
            Stage::Failed(failure) => failure,
        };
        Err(self.fail(failure))
    }

    /// When the channel itself has taken too long; `NEVER`: it waits for nothing that is its own.
    pub(super) const fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// It has.
    pub(super) fn expire(&mut self) -> ChannelError {
        let failure = match self.stage {
            Stage::Open => ChannelError::Stalled,
            Stage::Listening { .. } | Stage::Answered | Stage::Opening(_) => ChannelError::TimedOut,
            Stage::Failed(failure) => failure,
        };
        debug!("a channel took too long; is open: {}", self.is_open());
        self.fail(failure)
    }

    /// What is to go out, all of it sealed.
    pub(super) fn pending(&self) -> &[u8] {
        self.writer.pending()
    }

    /// So much of that is out.
    pub(super) fn sent(&mut self, count: usize) {
        self.writer.sent(count);
        self.note_end();
    }

    /// Once its end is out, it waits for nothing more.
    fn note_end(&mut self) {
        if self.is_open() && self.has_ended() {
            self.deadline = Deadline::NEVER;
        }
    }

    /// Whether the end of this direction is out.
    pub(super) const fn has_ended(&self) -> bool {
        self.writer.has_ended() && self.writer.is_empty()
    }

    /// Seals what the session wants to say, if the last record is out.
    pub(super) fn prepare<S: Session>(&mut self, now: Instant, session: &mut S) {
        if self.is_open() && !self.writer.has_ended() && self.seal(now, session).is_none() {
            self.fail(ChannelError::Exhausted);
        }
    }

    fn seal<S: Session>(&mut self, now: Instant, session: &mut S) -> Option<()> {
        if self.writer.is_empty() {
            loop {
                session.prepare_transmit(now);
                let Output::Bytes { head, tail, .. } = session.poll_transmit() else { break };
                let mut count = self.writer.push(head);
                if count == head.len() {
                    count = count.saturating_add(self.writer.push(tail));
                }
                if count == 0 {
                    break;
                }
                session.transmitted(now, count);
            }
            self.writer.seal()?;
        }
        if matches!(session.poll_transmit(), Output::Shutdown | Output::Close) {
            self.deadline = self.deadline.min(Deadline::after(now, self.timeout));
            self.writer.finish()?;
        }
        Some(())
    }

    /// Where contents are to be read to that the session wants to send, with the offset, if the last
    /// record is out.
    pub(super) fn contents<S: Session>(&mut self, session: &S) -> Option<(u64, &mut [u8])> {
        if !self.is_open() || !self.writer.is_empty() {
            return None;
        }
        let Output::Contents { offset, length } = session.poll_transmit() else { return None };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let room = self.writer.room();
        let length = length.min(room.len());
        room.get_mut(..length).filter(|room| !room.is_empty()).map(|room| (offset, room))
    }

    /// So much has been read to there.
    pub(super) fn provide<S: Session>(&mut self, now: Instant, session: &mut S, count: usize) {
        let Some(length) = self.contents(session).map(|(_, room)| room.len()) else { return };
        let count = count.min(length);
        self.writer.filled(count);
        if self.writer.seal().is_none() {
            self.fail(ChannelError::Exhausted);
        } else if count > 0 {
            session.transmitted(now, count);
        }
    }
}

fn buffers<'b>(
    receive: &'b mut [u8],
    send: &'b mut [u8],
) -> Result<(RecordReader<'b>, RecordWriter<'b>), ChannelSetupError> {
    let reader = RecordReader::new(receive).ok_or(ChannelSetupError::ReceiveBuffer)?;
    if send.len() < LEAST_SEND {
        return Err(ChannelSetupError::SendBuffer);
    }
    Ok((reader, RecordWriter::new(send)))
}

#[cfg(test)]
impl Channel<'_> {
    /// Of what it sends.
    pub(super) fn cipher(&mut self) -> &mut super::cipher_state::CipherState {
        self.writer.cipher().unwrap()
    }
}

impl fmt::Debug for Channel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_open = self.is_open();
        f.debug_struct("Channel").field("is_open", &is_open).finish_non_exhaustive()
    }
}

//! The two messages of the pattern `NNpsk0` (Noise specification, §7.4 and §9):
//!
//! ```text
//! → psk, e
//! ← e, ee
//! ```

use super::cipher_state::CipherState;
use super::primitives::{public, shared};
use super::secret::{PUBLIC, Secret, TAG};
use super::symmetric_state::SymmetricState;

/// A message: an ephemeral key, and the tag of the payload that is between them.
pub(super) struct Message {
    pub(super) public: [u8; PUBLIC],
    pub(super) tag: [u8; TAG],
}

/// What a handshake comes to.
pub(super) struct Ciphers {
    pub(super) send: CipherState,
    pub(super) receive: CipherState,
}

/// The side that speaks first, and has.
pub(super) struct Initiator {
    state: SymmetricState,
    secret: Secret,
}

impl Initiator {
    /// The first message, whose payload is sealed in place.
    pub(super) fn begin(
        prologue: &[u8],
        key: &[u8; 32],
        secret: Secret,
        payload: &mut [u8],
    ) -> Option<(Self, Message)> {
        let mut state = SymmetricState::new(prologue, key);
        let public = public(&secret);
        state.mix_ephemeral(&public);
        let tag = state.seal(payload)?;
        Some((Self { state, secret }, Message { public, tag }))
    }

    /// Takes the answer, whose payload is opened in place. `None`: it is not from who has the key.
    pub(super) fn finish(&mut self, answer: &Message, payload: &mut [u8]) -> Option<Ciphers> {
        exchange(&mut self.state, &answer.public, &self.secret, &answer.public);
        if !self.state.open(payload, &answer.tag) {
            return None;
        }
        let [send, receive] = self.state.split();
        Some(Ciphers { send, receive })
    }
}

/// The side that has been spoken to, by somebody who has the key.
pub(super) struct Responder {
    state: SymmetricState,
    initiator: [u8; PUBLIC],
}

impl Responder {
    /// Takes the first message, whose payload is opened in place. `None`: it was not made with this key,
    /// which costs no multiplication on the curve.
    pub(super) fn hear(
        prologue: &[u8],
        key: &[u8; 32],
        first: &Message,
        payload: &mut [u8],
    ) -> Option<Self> {
        let mut state = SymmetricState::new(prologue, key);
        state.mix_ephemeral(&first.public);
        state.open(payload, &first.tag).then_some(Self { state, initiator: first.public })
    }

    /// The answer, whose payload is sealed in place.
    pub(super) fn answer(
        &mut self,
        secret: &Secret,
        payload: &mut [u8],
    ) -> Option<(Message, Ciphers)> {
        let public = public(secret);
        exchange(&mut self.state, &public, secret, &self.initiator);
        let tag = self.state.seal(payload)?;
        let [receive, send] = self.state.split();
        Some((Message { public, tag }, Ciphers { send, receive }))
    }
}

/// The tokens `e, ee`: the responder's key, and what one side's secret and the other's key come to.
fn exchange(
    state: &mut SymmetricState,
    responder: &[u8; PUBLIC],
    own: &Secret,
    theirs: &[u8; PUBLIC],
) {
    state.mix_ephemeral(responder);
    state.mix_key(&shared(own, theirs));
}

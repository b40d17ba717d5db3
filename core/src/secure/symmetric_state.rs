//! What both sides of a handshake have in common (Noise specification, §5.2).

use super::cipher_state::CipherState;
use super::primitives::{hash, hmac};
use super::secret::{PUBLIC, Secret, TAG};

/// The one pattern and the one suite that there are.
const PROTOCOL: &[u8] = b"Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s";

pub(super) struct SymmetricState {
    chaining_key: Secret,
    hash: [u8; 32],
    cipher: CipherState,
}

impl SymmetricState {
    /// Of a handshake that begins with the token `psk`.
    pub(super) fn new(prologue: &[u8], key: &[u8; 32]) -> Self {
        // The name is longer than a hash, and so it is hashed.
        let name = hash(&[PROTOCOL]);
        let extracted = hmac(&name, &[key]);
        let chaining_key = expand(&extracted, &[], 1);
        let mixed = expand(&extracted, &*chaining_key, 2);
        let cipher = CipherState::new(expand(&extracted, &*mixed, 3));
        let hash = hash(&[&hash(&[&name, prologue]), &*mixed]);
        Self { chaining_key, hash, cipher }
    }

    /// The token `e`: where there is a pre-shared key, it goes into both (§9.2).
    pub(super) fn mix_ephemeral(&mut self, public: &[u8; PUBLIC]) {
        self.hash = hash(&[&self.hash, public]);
        self.mix_key(public);
    }

    pub(super) fn mix_key(&mut self, material: &[u8; 32]) {
        let extracted = hmac(&self.chaining_key, &[material]);
        self.chaining_key = expand(&extracted, &[], 1);
        self.cipher = CipherState::new(expand(&extracted, &*self.chaining_key, 2));
    }

    /// Encrypts in place, and gives the tag.
    pub(super) fn seal(&mut self, payload: &mut [u8]) -> Option<[u8; TAG]> {
        let tag = self.cipher.seal(&self.hash, payload)?;
        self.hash = hash(&[&self.hash, payload, &tag]);
        Some(tag)
    }

    /// Decrypts in place.
    pub(super) fn open(&mut self, payload: &mut [u8], tag: &[u8; TAG]) -> bool {
        let next = hash(&[&self.hash, payload, tag]);
        let is_right = self.cipher.open(&self.hash, payload, tag);
        self.hash = next;
        is_right
    }

    /// The keys of the initiator's direction and of the responder's.
    pub(super) fn split(&self) -> [CipherState; 2] {
        let extracted = hmac(&self.chaining_key, &[]);
        let initiator = expand(&extracted, &[], 1);
        let responder = expand(&extracted, &*initiator, 2);
        [CipherState::new(initiator), CipherState::new(responder)]
    }
}

/// An output of HKDF (§4.3).
fn expand(extracted: &Secret, before: &[u8], number: u8) -> Secret {
    hmac(extracted, &[before, &[number]])
}

//! The limit under a key: a loop that seals what it sends in pieces, and one that opens them.
//!
//! There is no handshake, no deadline and no check but the tag of each piece, which is ChaCha20-Poly1305 with a
//! number as its nonce, as in barewire.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use super::folder::LARGE;

/// So many bytes are sealed at once.
const PIECE: usize = 64 << 10;
const TAG: usize = 16;

/// Both ends have it.
const KEY: [u8; 32] = [0x5e; 32];

/// Sends the large file of the current folder to one client after another.
///
/// # Errors
///
/// The address cannot be listened at.
pub(crate) fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept()?;
        // A client that has gone is only dropped.
        let _ = send(stream);
    }
}

fn send(mut stream: TcpStream) -> io::Result<()> {
    let (mut file, cipher) = (File::open(LARGE)?, cipher());
    let mut piece = vec![0; PIECE + TAG];
    for number in 0_u64.. {
        let count = fill(&mut file, &mut piece[..PIECE])?;
        if count == 0 {
            break;
        }
        let (data, rest) = piece.split_at_mut(count);
        let tag = cipher
            .seal_in_place_separate_tag(nonce(number), Aad::empty(), data)
            .map_err(|_| io::ErrorKind::InvalidData)?;
        rest[..TAG].copy_from_slice(tag.as_ref());
        stream.write_all(&piece[..count + TAG])?;
    }
    Ok(())
}

/// Receives the large file, opens, hashes and writes it, and returns its hash.
///
/// # Errors
///
/// Those of the connection and of the file, and a piece that does not open.
pub(super) fn receive(server: SocketAddr, file: &Path) -> io::Result<blake3::Hash> {
    let mut stream = TcpStream::connect(server)?;
    let (mut file, cipher) = (File::create(file)?, cipher());
    let (mut hasher, mut piece) = (blake3::Hasher::new(), vec![0; PIECE + TAG]);
    for number in 0_u64.. {
        let count = fill(&mut stream, &mut piece)?;
        if count == 0 {
            break;
        }
        let data = cipher
            .open_in_place(nonce(number), Aad::empty(), &mut piece[..count])
            .map_err(|_| io::ErrorKind::InvalidData)?;
        hasher.update(data);
        file.write_all(data)?;
    }
    Ok(hasher.finalize())
}

/// Reads until there is no more room, or no more to read.
fn fill(from: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < room.len() {
        match from.read(&mut room[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

fn cipher() -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &KEY).expect("a key of 32 bytes"))
}

fn nonce(number: u64) -> Nonce {
    let [nonce @ .., _, _, _, _] = (u128::from(number) << 32).to_le_bytes();
    Nonce::assume_unique_for_key(nonce)
}

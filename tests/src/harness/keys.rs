//! Keys, and what is said under them in datagrams.

use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use barewire_core::secure::{
    DatagramKey, Key, REPLY_OVERHEAD, REQUEST_OVERHEAD, RequestId, open_request,
};
use barewire_linux::files::{KeyGuard, create_key, read_key};
use barewire_linux::randomness::NonceRandom;

use super::Folder;
use super::sockets::{self, asking_socket};

/// A new key in a file of its own.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    key: Key,
}

impl KeyFile {
    /// The key `name.key` in a folder.
    pub fn new(folder: &Folder, name: &str) -> Self {
        let path = folder.path(&format!("{name}.key"));
        create_key(&path).expect("a folder to write to");
        let key = read_key(&path, KeyGuard::Permissions).expect("it was made just now");
        Self { path, key }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// As an argument.
    pub fn arg(&self) -> &str {
        self.path.to_str().expect("temporary folders have plain names")
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The key for datagrams that belongs to it.
    pub fn datagrams(&self) -> DatagramKey {
        DatagramKey::new(&self.key)
    }

    /// A text sealed as a request, and what the reply to it carries.
    pub fn request(&self, text: &[u8]) -> (RequestId, Vec<u8>) {
        let mut buffer = vec![0; text.len() + REQUEST_OVERHEAD];
        let mut random = NonceRandom::new().expect("the system has randomness");
        let sealed = self.datagrams().seal_request(&mut random, text, &mut buffer);
        let (id, _) = sealed.expect("there is room");
        (id, buffer)
    }

    /// A text sealed as the reply to a request.
    pub fn reply(&self, to: RequestId, text: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; text.len() + REPLY_OVERHEAD];
        let mut random = NonceRandom::new().expect("the system has randomness");
        self.datagrams().seal_reply(&mut random, to, text, &mut buffer).expect("there is room");
        buffer
    }

    /// Opens what was sent as a request.
    #[track_caller]
    pub fn open(&self, mut datagram: Vec<u8>) -> (RequestId, Vec<u8>) {
        let keys = [self.datagrams()];
        let (_, opened) = open_request(&keys, &mut datagram).expect("it was sealed with this key");
        (opened.id, opened.bytes.to_vec())
    }

    /// Asks a datagram server something, and gives the reply.
    #[track_caller]
    pub fn ask(&self, socket: &UdpSocket, server: SocketAddr, text: &[u8]) -> Vec<u8> {
        let (id, request) = self.request(text);
        let (mut reply, _) = sockets::ask(socket, server, &request);
        let opened = self.datagrams().open_reply(id, &mut reply).map(<[u8]>::to_vec);
        opened.expect("the reply belongs to the request")
    }

    /// Waits until a datagram server has dealt with all that it was sent.
    pub fn catch_up(&self, server: SocketAddr) {
        self.ask(&asking_socket("127.0.0.1", server), server, b"are you through?");
    }
}

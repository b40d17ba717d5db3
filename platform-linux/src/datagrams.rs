//! UDP: a server that receives and answers in batches, and a client.

mod client;
mod receive_buffer;
mod server;
mod socket;
#[cfg(test)]
mod tests;

pub use client::UdpClient;
pub use server::{Batch, MAX_MEMORY, ReceivedDatagram, UdpServer, batch_size};
pub use socket::UdpSocket;

pub use crate::sys::mmsg::MAX_BATCH;

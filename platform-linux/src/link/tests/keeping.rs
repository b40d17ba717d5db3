//! Keeping what an event lends.

use core::task::Poll;
use std::io::{self, Write};
use std::net::Shutdown;
use std::thread;

use barewire_core::file::{Config, PlainReceiver, Received};
use barewire_core::text::Text;
use barewire_core::time::Instant;

use super::pair;
use crate::executor::{Context, Executor, Kept};
use crate::link::Link;
use crate::testing::task;

#[test]
fn what_is_kept_stays_as_it_was_read() {
    let sent: Vec<u8> = (0..250_000_u32).flat_map(u32::to_le_bytes).collect();
    let (stream, mut peer) = pair();
    let writer = {
        let sent = sent.clone();
        thread::spawn(move || {
            peer.write_all(&sent).unwrap();
            peer.shutdown(Shutdown::Write).unwrap();
            // Left unread, the name would make a reset of the close.
            io::copy(&mut peer, &mut io::sink()).unwrap();
        })
    };
    let mut link = Link::new(stream);
    let name = Text::new("name").unwrap();
    let mut receiver = PlainReceiver::new(Instant::ZERO, name, Config::default());
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |all: &mut Vec<Kept>, cx: &mut Context<'_, Vec<Kept>>| {
        let over = link.drive_keeping(cx, &mut receiver, |event, origin| {
            if let Received::Contents(bytes) = event {
                all.push(origin.keep(bytes));
            }
        });
        match over {
            Err(nb::Error::WouldBlock) => Poll::Pending,
            over => {
                over.unwrap();
                Poll::Ready(())
            }
        }
    }));
    let mut all = Vec::new();
    executor.run(&mut all).unwrap();
    writer.join().unwrap();
    assert!(all.len() > 1 && all.iter().flat_map(|kept| kept.iter()).eq(&sent));
}

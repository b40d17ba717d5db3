//! All four conversations together.

use crate::{Given, chat, datagram, file, hello};

/// The machines of all of them.
#[derive(Debug)]
pub struct Machines {
    pub datagram: datagram::Machines,
    pub hello: hello::Machines,
    pub file: file::Machines,
    pub chat: chat::Machines,
}

pub fn make(given: &Given, machines: &mut Machines) {
    datagram::make(given, &mut machines.datagram);
    hello::make(given, &mut machines.hello);
    file::make(given, &mut machines.file);
    chat::make(given, &mut machines.chat);
}

pub fn drive(given: &Given, machines: &mut Machines) {
    datagram::drive(given, &mut machines.datagram);
    hello::drive(given, &mut machines.hello);
    file::drive(given, &mut machines.file);
    chat::drive(given, &mut machines.chat);
}

//! All that the core offers.
#![no_std]
#![no_main]

use core::fmt::Write;

use barewire_core::datagram::Datagram;
use barewire_core::driver::Driver;
use barewire_core::io::StreamDriver;
use barewire_core::text::TextReader;
use barewire_proof::file::digest::{self, Digesters};
use barewire_proof::{
    Given, all, chat, datagram, driver, file, hello, io, program, secure, shown, text, time,
};

struct Machines {
    all: all::Machines,
    datagram: Datagram<'static>,
    digesters: Digesters,
    driver: Driver,
    stack: driver::Stack,
    stream: StreamDriver<io::Stream, 64>,
    slices: chat::Slices,
    secure: secure::Machines,
    reader: TextReader<64>,
    span: core::time::Duration,
    values: shown::Values,
    out: &'static mut dyn Write,
}

program!(Machines, make, drive);

fn make(given: &Given, machines: &mut Machines) {
    all::make(given, &mut machines.all);
    digest::make(given, &mut machines.digesters);
    secure::make(given, &mut machines.secure);
}

fn drive(given: &Given, machines: &mut Machines) {
    all::drive(given, &mut machines.all);
    datagram::rest(given, &mut machines.datagram);
    hello::rest(given);
    file::rest(given, &mut machines.all.file);
    digest::drive(given, &mut machines.digesters);
    chat::rest(given, &mut machines.all.chat, &mut machines.slices);
    secure::drive(given, &mut machines.secure);
    secure::datagrams(given, &mut machines.secure);
    secure::rest(given, &mut machines.secure);
    let server = &mut machines.all.hello.server;
    driver::exercise(given, &mut machines.driver, &mut machines.stack, server, machines.out);
    io::exercise(given, &mut machines.stream, server);
    text::exercise(given, &mut machines.reader);
    time::exercise(given, machines.span);
    shown::exercise(&machines.values, machines.out);
    #[cfg(feature = "plant")]
    barewire_proof::plant::exercise(given);
}

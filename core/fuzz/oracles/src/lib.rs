//! What must hold of the machines of barewire, whatever they are told.
//!
//! Each module is the body of a fuzz target of the same name: a type that a fuzzer's bytes become, by
//! `arbitrary`, and a function `check` that panics if the machine breaks a rule. Most compare the
//! machine with a model that is short, slow and has memory without end. All that drive a
//! [`Session`](barewire_core::session::Session) do so through [`manual_driver::ManualDriver`], whose
//! [`judge::Judge`] tells whether the session keeps its side of the contract.
//!
//! [`TARGETS`] lists them, for the test that replays the corpus.
#![allow(clippy::missing_panics_doc, reason = "panicking is how an oracle reports a failure")]

pub mod chat;
pub mod datagram;
pub mod file;
pub mod hello;
pub mod judge;
pub mod manual_driver;
pub mod printable;
pub mod script;
pub mod secure;
pub mod text;

use arbitrary::{Arbitrary, Unstructured};

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of the target, and of its folders of inputs.
    pub name: &'static str,
    /// Runs one input, as the fuzzer would.
    pub run: fn(&[u8]),
}

/// Makes an input of bytes, as `libfuzzer_sys::fuzz_target!` does.
fn input<'b, T: Arbitrary<'b>>(bytes: &'b [u8]) -> Option<T> {
    let least = T::size_hint(0).0;
    (bytes.len() >= least).then(|| T::arbitrary_take_rest(Unstructured::new(bytes)).ok()).flatten()
}

macro_rules! targets {
    ($($name:ident: $($module:ident)::+,)*) => {
        /// All targets, by their names.
        pub const TARGETS: &[Target] = &[$(Target {
            name: stringify!($name),
            run: |bytes| {
                if let Some(input) = input(bytes) {
                    $($module)::+::check(&input);
                }
            },
        }),*];
    };
}

targets! {
    text: text,
    printable: printable,
    datagram_exchange: datagram::exchange,
    datagram_responder: datagram::responder,
    hello_server: hello::server,
    hello_client: hello::client,
    hello_pair: hello::pair,
    file_sender: file::sender,
    file_receiver: file::receiver,
    file_plain: file::plain,
    file_listing: file::listing,
    file_pair: file::pair,
    chat_client: chat::client,
    chat_room: chat::room,
    chat_crowd: chat::crowd,
    chat_sources: chat::sources,
    secure_pair: secure::pair,
    secure_peer: secure::peer,
    secure_datagram: secure::datagram,
}

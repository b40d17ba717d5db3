//! What a key costs: handshakes, datagrams and chat, each as its programs hold it with `--key`.

mod datagrams;
mod handshakes;
mod load_datagrams;
mod load_handshakes;

use std::io;

use crate::chat;
use crate::contenders::Contenders;
use crate::key::KeyFile;
use crate::options::Options;

/// Measures and prints.
pub(crate) fn measure(options: &Options, contenders: &Contenders) -> io::Result<()> {
    let file = KeyFile::new()?;
    handshakes::measure(options, contenders, &file)?;
    datagrams::measure(options, contenders, &file)?;
    chat::measure_keyed(options, contenders, &file)
}

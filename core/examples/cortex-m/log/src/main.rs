//! Prints a firmware's log as text: `log FIRMWARE < FRAMES`.
//!
//! The firmware sends numbers only; what they mean stands in its ELF file. It runs on the host.

use std::env;
use std::error::Error;
use std::io::{self, Read, Write};

use defmt_decoder::{DecodeError, Frame, StreamDecoder, Table};

fn main() -> Result<(), Box<dyn Error>> {
    let elf = env::args_os().nth(1).ok_or("usage: log FIRMWARE < FRAMES")?;
    let table = Table::parse(&std::fs::read(elf)?)?.ok_or("this firmware has no log")?;
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut decoder = table.new_stream_decoder();
    let mut buffer = [0; 1024];
    loop {
        let count = input.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        decoder.received(&buffer[..count]);
        print_all(&mut *decoder, &mut output)?;
        // Whoever reads it wants it now.
        output.flush()?;
    }
}

/// Prints the frames that are complete.
fn print_all(decoder: &mut dyn StreamDecoder, output: &mut impl Write) -> io::Result<()> {
    loop {
        match decoder.decode() {
            Ok(frame) => print(&frame, output)?,
            Err(DecodeError::UnexpectedEof) => return Ok(()),
            Err(DecodeError::Malformed) => writeln!(output, "(a part of the log is damaged)")?,
        }
    }
}

fn print(frame: &Frame<'_>, output: &mut impl Write) -> io::Result<()> {
    if let Some(time) = frame.display_timestamp() {
        write!(output, "{time:>10} ")?;
    }
    let level = frame.level().map_or("", |level| level.as_str());
    writeln!(output, "{level:5} {}", frame.display_message())
}

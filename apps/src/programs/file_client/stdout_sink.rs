//! A file that goes to standard output.

use std::io;
use std::time::Instant;

use barewire_core::file::ResponseHeader;
use barewire_core::printable::printable;

use crate::output::events::file_client::Downloaded;
use crate::output::system_error::describe;

use super::queue::Stop;
use super::report::Voice;

/// Contents on their way to standard output. Those that can be proven are held back until they are:
/// one segment at most.
#[derive(Debug, Default)]
pub(super) struct Piping {
    held: Vec<u8>,
    /// How many bytes are written, of which version.
    written: u64,
    /// Perhaps more than that is.
    writes: bool,
    tag: u64,
    holds: bool,
    verified: bool,
    begun: Option<Instant>,
}

impl Piping {
    /// Where the contents go on, and of which version.
    pub(super) fn written(&self) -> (u64, u64) {
        (self.written, if self.written > 0 { self.tag } else { 0 })
    }

    /// Whether anything at all may be written.
    pub(super) fn has_begun(&self) -> bool {
        self.writes
    }

    /// The contents are about to come, of `size` bytes if that is known.
    pub(super) fn answered(
        &mut self,
        name: &str,
        answer: &ResponseHeader,
        size: Option<u64>,
    ) -> Result<(), Stop> {
        // Without a tag there is no telling versions apart.
        let changed = answer.tag == 0 || answer.tag != self.tag || answer.offset != self.written;
        if self.written > 0 && changed {
            return Err(Stop::All(format!(
                "{name}: it has changed meanwhile, so what was written cannot be gone on with"
            )));
        }
        self.begun.get_or_insert_with(Instant::now);
        self.held.clear();
        self.tag = answer.tag;
        self.holds = answer.verified;
        let proven = answer.verified || size == Some(answer.offset);
        self.verified = proven && (self.written == 0 || self.verified);
        Ok(())
    }

    /// Tells whether they are written at once.
    pub(super) fn contents(&mut self, bytes: &[u8], voice: &mut Voice<'_>) -> Result<bool, Stop> {
        if self.holds {
            self.held.extend_from_slice(bytes);
            return Ok(false);
        }
        self.writes = true;
        pass_on(bytes, voice)?;
        self.written += bytes.len() as u64;
        Ok(true)
    }

    pub(super) fn verified(&mut self, voice: &mut Voice<'_>) -> Result<(), Stop> {
        self.writes = true;
        pass_on(&self.held, voice)?;
        self.written += self.held.len() as u64;
        self.held.clear();
        Ok(())
    }

    /// The result has no place in the contents.
    pub(super) fn complete(&self, name: &str, voice: &Voice<'_>) {
        let done = Downloaded {
            name: printable(name.as_bytes()),
            path: printable(b"-"),
            bytes: self.written,
            resumed_from: 0,
            verified: self.verified,
            seconds: self.begun.map_or_else(Default::default, |begun| begun.elapsed().into()),
        };
        voice.mention(&done.to_string());
    }
}

fn pass_on(bytes: &[u8], voice: &mut Voice<'_>) -> Result<(), Stop> {
    voice.pass_on(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Stop::Reader,
        io::ErrorKind::Interrupted => Stop::Signal,
        _ => Stop::All(format!("cannot write to standard output: {}", describe(&error))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_gone_on_with_in_the_same_version_only() {
        for (first, second, goes_on) in [(7, 7, true), (7, 8, false), (0, 0, false)] {
            let mut piping = Piping { written: 3, tag: first, ..Piping::default() };
            let answer = ResponseHeader { offset: 3, size: 5, tag: second, verified: true };
            assert_eq!(piping.answered("x", &answer, Some(5)).is_ok(), goes_on, "{first} {second}");
            // What was written before is not proven by what comes now.
            assert!(!piping.verified);
        }
    }
}

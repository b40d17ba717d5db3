//! How much a server may have this program take.

use clap::Args;
use indicatif::HumanBytes;

use crate::cli::numbers::at_least;
use crate::cli::sizes::size;

#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Take no more contents than SIZE in all; K, M, G and T are powers of 1024
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "256G")]
    max_size: u64,

    /// With -r, take no more than N files and folders in all
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = at_least(0_u64))]
    max_files: u64,
}

/// What is left of the limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    limits: Limits,
    bytes: u64,
    files: u64,
}

impl From<Limits> for Allowance {
    fn from(limits: Limits) -> Self {
        Self { limits, bytes: limits.max_size, files: limits.max_files }
    }
}

impl Allowance {
    /// Whether so many bytes of contents may come; else why not.
    pub(super) fn check(&self, bytes: u64) -> Result<(), String> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let (all, left) = (HumanBytes(self.limits.max_size), HumanBytes(self.bytes));
        let left = if self.bytes == self.limits.max_size {
            String::new()
        } else {
            format!(", of which {left} are left")
        };
        Err(format!("it has {}, but --max-size allows {all}{left}", HumanBytes(bytes)))
    }

    /// So many bytes of contents have come. That may be too many, where it was not known before.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), String> {
        self.check(bytes as u64).map_err(|_| {
            format!("it has more than --max-size allows ({})", HumanBytes(self.limits.max_size))
        })?;
        self.bytes -= bytes as u64;
        Ok(())
    }

    /// A tree has so many more files and folders.
    pub(super) fn take_files(&mut self, files: u64) -> Result<(), String> {
        let left = self.files.checked_sub(files).ok_or_else(|| {
            let (all, left) = (self.limits.max_files, self.files);
            format!("it has {files} files and folders, but of the {all} that --max-files allows {left} are left")
        })?;
        self.files = left;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_bounded_in_all() {
        let mut allowance = Allowance::from(Limits { max_size: 10, max_files: 3 });
        assert_eq!(allowance.check(11), Err("it has 11 B, but --max-size allows 10 B".into()));
        allowance.check(10).unwrap();
        allowance.take(6).unwrap();
        assert_eq!(
            allowance.check(5),
            Err("it has 5 B, but --max-size allows 10 B, of which 4 B are left".into())
        );
        allowance.take(4).unwrap();
        allowance.take(1).unwrap_err();
        allowance.take_files(2).unwrap();
        allowance.take_files(2).unwrap_err();
        allowance.take_files(1).unwrap();
    }
}

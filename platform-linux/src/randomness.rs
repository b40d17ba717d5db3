//! What nobody foresees.

use std::io;

use rustix::rand::{GetRandomFlags, getrandom};

/// Bytes from the system's source of randomness (`getrandom(2)`), fit for keys. Right after the machine has
/// started, it waits until there are some.
///
/// # Errors
/// Those of `getrandom(2)`: a filter forbids it, say.
pub fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut rest = &mut bytes[..];
    while !rest.is_empty() {
        match getrandom(&mut *rest, GetRandomFlags::empty()) {
            Ok(count) => rest = &mut rest[count..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        assert_ne!(random_bytes::<32>().unwrap(), random_bytes::<32>().unwrap());
        assert_eq!(random_bytes::<0>().unwrap(), []);
    }
}

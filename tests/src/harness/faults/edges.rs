//! What epoll reports, once more.
//!
//! A watch that is edge-triggered reports a change once, and a program that was told `EAGAIN`, or
//! that got fewer bytes than it asked for, waits for the next (`epoll(7)`). A call that only
//! pretended so has to bring about that next report, or it would break a promise of the kernel's.

use std::os::fd::{AsRawFd, RawFd};

use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};

use super::target::{Target, duplicate, out_of_the_way};

/// Has every epoll instance that watches the target's descriptor `number` report anew what it is
/// ready for. (The kernel knows a watch by the file and its number, so both must be the target's.)
pub(super) fn report_again(target: &Target, number: RawFd) -> nix::Result<()> {
    for instance in target.epolls() {
        let Some(mut event) = watch(&target.information(instance), number) else { continue };
        let epoll = Epoll(out_of_the_way(target.descriptor(instance)?)?);
        let file = out_of_the_way(target.descriptor(number)?)?;
        let file = duplicate(&file, number)?;
        assert_eq!(file.as_raw_fd(), number, "nothing else has a low number here");
        epoll.modify(&file, &mut event)?;
    }
    Ok(())
}

/// The watch for descriptor `number`, from what `/proc` tells of an instance: `tfd:`, `events:` and
/// `data:`, the latter two in hexadecimal.
fn watch(information: &str, number: RawFd) -> Option<EpollEvent> {
    information.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let mut next = |name| (words.next() == Some(name)).then(|| words.next()).flatten();
        if next("tfd:")?.parse() != Ok(number) {
            return None;
        }
        let events = u32::from_str_radix(next("events:")?, 16).ok()?;
        let data = u64::from_str_radix(next("data:")?, 16).ok()?;
        Some(EpollEvent::new(EpollFlags::from_bits_retain(events.cast_signed()), data))
    })
}

#[cfg(test)]
mod tests {
    use super::watch;

    #[test]
    fn a_watch_is_read_as_the_kernel_writes_it() {
        let information = "pos:\t0\nflags:\t02000002\nmnt_id:\t15\n\
            tfd:        6 events: 8000201b data: ffffffffffffffff  pos:0 ino:1c sdev:f\n\
            tfd:       11 events:       19 data:        200000010  pos:0 ino:1c sdev:f\n";
        let event = watch(information, 11).unwrap();
        assert_eq!((event.events().bits(), event.data()), (0x19, 0x2_0000_0010));
        assert_eq!(watch(information, 6).unwrap().data(), u64::MAX);
        assert!(watch(information, 1).is_none());
    }
}
